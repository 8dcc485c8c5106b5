"""By how much the winners of two stages differ, fit by fit."""

from pathlib import Path

import pytest
from scipy import stats

from orchestrator.history.run_folder import RunFolder
from orchestrator.results.stage_differences import stage_differences
from tests.orchestrator.search.test_selection import NOISE, told


def named(name: str, scores: list[float]) -> tuple:
    return told({0: scores})[0], RunFolder(Path("some") / name)


def test_the_interval_is_that_of_the_differences_and_knows_that_folds_share_records() -> None:
    """A fit that was hard for both does not blur by how much they differ: only the differences' own spread counts."""
    hard = [0.5, 0.9, 0.7, 0.6, 0.8, 0.75]
    (line,) = stage_differences(
        [named("first", hard), named("second", [h + 0.1 + n for h, n in zip(hard, NOISE, strict=True)])]
    )
    spread = stats.tstd(NOISE) * (1 / 6 + 0.25) ** 0.5 * stats.t.ppf(0.975, 5)
    assert line == (
        f"second (trial 0) minus first (trial 0): score +0.1000 [{0.1 - spread:.4f}, {0.1 + spread:.4f}] over 6 seeds, "
        "fit by fit"
    )


def test_three_stages_make_three_pairs_and_one_fit_in_common_makes_none() -> None:
    assert len(stage_differences([named(name, NOISE) for name in "abc"])) == 3
    assert stage_differences([named("a", NOISE), named("b", NOISE[:1])]) == []


def test_other_seeds_are_other_fits() -> None:
    other = told({0: NOISE}, seed=7)[0], RunFolder(Path("some/b"))
    assert stage_differences([named("a", NOISE), other]) == []


@pytest.mark.parametrize("fact", [{"data": "another"}, {}])
def test_folds_of_other_data_are_other_folds(fact: dict) -> None:
    one, other = named("a", NOISE), named("b", NOISE)
    other[0].facts.update(fact)
    assert len(stage_differences([one, other])) == (0 if fact else 1)
