import numpy as np
import pytest

from ecgcore.scores.seed_spread import seed_spread

LABELS = np.eye(3)[[0, 1, 2] * 4]
GOOD, BLIND = LABELS * 0.8 + 0.05, np.full((12, 3), 1 / 3)


def test_every_seed_counts_and_one_that_learnt_nothing_is_counted_apart_as_well():
    spread = seed_spread(np.stack([GOOD, BLIND, GOOD]), LABELS, multilabel=False)
    each = [spread[f"macro_f1_seed_{number}"] for number in (1, 2, 3)]
    assert each == [1.0, pytest.approx(0.5 / 3), 1.0]
    assert spread["macro_f1_seeds_mean"] == pytest.approx(np.mean(each))
    assert spread["macro_f1_seeds_sd"] == pytest.approx(np.std(each, ddof=1))
    assert (spread["macro_f1_seeds_worst"], spread["macro_f1_seeds_best"]) == (each[1], 1.0)
    assert spread["macro_auc_seeds_worst"] == 0.5
    assert spread["seeds_collapsed"] == 1


def test_one_seed_has_no_spread():
    assert set(seed_spread(GOOD[None], LABELS, multilabel=False)) == {"macro_auc_seed_1", "macro_f1_seed_1"}
