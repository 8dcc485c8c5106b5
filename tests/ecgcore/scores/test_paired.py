"""Two models on the same records: their difference, surer than either score, or why there is none."""

from dataclasses import replace

import numpy as np
import pytest

from ecgcore.mistakes import Mistake
from ecgcore.scores.paired import paired_differences
from ecgcore.scores.predicted import Predicted, scores_over


def predicted(*, noise: float, seed: int = 0, records: int = 120) -> Predicted:
    """Answers that are the truth and noise, of which the same part is in every model's."""
    shared, own = np.random.default_rng(1), np.random.default_rng(seed)
    labels = np.eye(2, dtype=np.float32)[np.arange(records) % 2]
    logits = 2 * labels - 1 + shared.normal(0, 1, labels.shape) + noise * own.normal(0, 1, labels.shape)
    scores = 1 / (1 + np.exp(-logits))
    return Predicted(
        ids=tuple(f"r{number}" for number in range(records)),
        patients=tuple(f"p{number // 2}" for number in range(records)),
        classes=("a", "b"),
        labels=labels,
        scores=scores,
        called=scores > 0.5,
    )


def test_the_difference_is_that_of_the_scores_and_surer_than_either() -> None:
    one, other = predicted(noise=2.0, seed=1), predicted(noise=0.0)
    told = paired_differences(one, other)
    assert (["a", "b"], 120, 60) == (told["classes"], told["records"], told["patients"])
    for name, found in told["scores"].items():
        mine, theirs = (scores_over(of, ["a", "b"], multilabel=True) for of in (one, other))
        assert (mine[name], theirs[name]) == (pytest.approx(found["one"]), pytest.approx(found["other"]))
        assert theirs[name] - mine[name] == pytest.approx(found["difference"])
        assert found["low"] < found["difference"] < found["high"]
        assert found["high"] - found["low"] < 2 * (mine[f"{name}_high"] - mine[f"{name}_low"])
    assert told["scores"]["macro_auc"]["low"] > 0, "noise makes a model worse, which both scores' intervals do not show"


def test_a_model_does_not_differ_from_itself_in_whatever_order_its_records_and_classes_are() -> None:
    one = predicted(noise=0)
    turned = one.only(np.arange(len(one.ids))[::-1])
    turned = replace(
        turned,
        classes=("b", "a"),
        labels=turned.labels[:, ::-1],
        scores=turned.scores[:, ::-1],
        called=turned.called[:, ::-1],
    )
    for found in paired_differences(one, turned)["scores"].values():
        assert [0, 0, 0] == pytest.approx([found["difference"], found["low"], found["high"]], abs=1e-12)


def test_only_records_and_classes_of_both_count_and_what_cannot_be_compared_says_why() -> None:
    one = predicted(noise=0)
    part = replace(one.only(np.arange(100)), classes=("a", "z"))
    told = paired_differences(one, part)
    assert (["a"], 100) == (told["classes"], told["records"])
    with pytest.raises(Mistake, match=r"no class in common: a, b, and x, y"):
        paired_differences(one, replace(one, classes=("x", "y")))
    with pytest.raises(Mistake, match=r"tested on other records, r0, \.\.\. and q0"):
        paired_differences(one, replace(one, ids=tuple(f"q{number}" for number in range(120))))
    with pytest.raises(Mistake, match="the same records have other labels: 120 of 120, such as r0"):
        paired_differences(one, replace(one, labels=1 - one.labels))
