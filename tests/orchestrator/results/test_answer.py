"""The answer of a run in one sentence: yes, no, or not shown, and never more than its fits and its test say."""

from dataclasses import replace

import pytest

from orchestrator.history.run_folder import RunFolder
from orchestrator.results.against_default import AgainstDefault, against_default
from orchestrator.results.answer import _told, answer_of
from orchestrator.results.whole_run import WholeRun
from orchestrator.search.intervals import CorrectedMean
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    """A search in which trial 1 is far better than the untuned default, tested."""
    folder = tmp_path_factory.mktemp("answer")
    search = written(folder / "s.yaml", toy_search(space={"x": {"choice": [0.3]}}, baseline=True, seeds=3, folds=1))
    for words in (("search", "--space", search), ("retrain", "s", "--seeds", 1)):
        done = orchestrate_here(*words, "--runs", folder / "runs")
        assert 0 == done.returncode, done.stderr
    return WholeRun.read(RunFolder(folder / "runs" / "s"))


@pytest.mark.parametrize(
    ("difference", "begins"),
    [
        (CorrectedMean(mean=0.02, low=0.01, high=0.03), "Yes, by validation: score +.020 [+.010, +.030]"),
        (CorrectedMean(mean=-0.02, low=-0.03, high=-0.01), "No, by validation: score -.020 [-.030, -.010]"),
        (
            CorrectedMean(mean=0.02, low=-0.01, high=0.05),
            "Not shown: trial 1 differs from the untuned default by +.020 [-.010, +.050]",
        ),
        (CorrectedMean(mean=0.02, low=None, high=None), "Not shown: trial 1 differs from the untuned default by +.020"),
    ],
)
def test_a_lead_is_one_only_where_its_interval_leaves_nothing_out(
    run: WholeRun, difference: CorrectedMean, begins: str
) -> None:
    beside = against_default(run)
    assert beside is not None
    told = _told(run, replace(beside, difference=difference))
    assert told.startswith(begins)
    assert ("which may be nothing" in told) == (difference.low == -0.01)


def test_the_interval_is_that_of_the_corrected_test(run: WholeRun) -> None:
    """Of three fits of seeds, which vary alike in both trials, nothing is left to vary: the bounds are the mean."""
    beside = against_default(run)
    assert beside is not None
    assert beside.difference is not None
    assert (True, "3 seeds") == (beside.is_told, beside.over)
    assert beside.difference.mean == pytest.approx(beside.difference.low)


def test_a_tested_model_that_wins_no_more_is_not_called_the_winner(run: WholeRun) -> None:
    assert run.tested_winner
    assert "; test score " in answer_of(run).answer
    assert run.tested is not None
    earlier = replace(run, tested={**run.tested, "trial": 0})
    assert not earlier.tested_winner
    assert "; tested was trial 0 of s, which does not win any more: score " in answer_of(earlier).answer


def test_fits_of_other_data_are_not_paired(run: WholeRun) -> None:
    folder = run.competing[0][1]
    assert run.choice is not None
    assert run.default is not None
    other = replace(run.default, ledger=WholeRun.read(folder).competing[0][0])
    other.ledger.facts["data"] = "another"
    strange = WholeRun(**{**vars_of(run), "competing": run.competing})
    strange.__dict__["default"] = other
    beside = against_default(strange)
    assert isinstance(beside, AgainstDefault)
    assert (None, "other data") == (beside.difference, beside.why_not)


def vars_of(run: WholeRun) -> dict[str, object]:
    return {name: getattr(run, name) for name in ("folder", "experiment", "searches", "competing", "final", "tested")}
