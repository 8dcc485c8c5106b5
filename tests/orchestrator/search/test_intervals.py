"""An interval lies where the score can be, is not made of too few fits, and says what varies in it."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ecgcore.task import ArrhythmiaTask
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.last_screen import test_lines as lines_of
from orchestrator.results.table import rows_of
from orchestrator.search.intervals import bounds_of, corrected_mean, interval_of, t_interval, varying
from orchestrator.search.search import Search
from orchestrator.search.task_facts import TaskFacts
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec
from tests.orchestrator.results.as_markdown_of import table_markdown
from tests.toy_task import ToyTask


def test_the_interval_is_the_t_interval_of_the_mean() -> None:
    scores = [0.81, 0.84, 0.79, 0.86]
    found = t_interval(scores)
    low, high = stats.t.interval(0.95, 3, loc=stats.tmean(scores), scale=stats.sem(scores))
    assert (found.mean, found.low, found.high) == pytest.approx((0.825, low, high))


def test_a_single_fit_has_a_mean_and_claims_no_interval() -> None:
    found = t_interval([0.8])
    assert (0.8, None, None, None) == (found.mean, found.sd, found.low, found.high)


def test_two_fits_have_a_deviation_and_claim_no_interval() -> None:
    found = t_interval([0.8, 0.9])
    assert (None, None) == (found.low, found.high)
    assert found.sd == pytest.approx(0.1 / math.sqrt(2))


@pytest.mark.parametrize("scores", [[0.99, 0.6, 0.45], [1.0, 1.0, 0.97], [0.0, 0.0, 0.4], [0.0, 1.0, 1.0]])
def test_an_interval_of_a_bounded_score_stays_inside_its_bounds_and_around_its_mean(scores: list[float]) -> None:
    plain, found = t_interval(scores), t_interval(scores, bounds=(0, 1))
    assert plain.low is not None
    assert plain.high is not None
    assert plain.low < 0 or plain.high > 1
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < found.mean < found.high < 1


def test_bounds_change_nothing_where_they_are_far_and_nothing_where_nothing_varies() -> None:
    scores = [0.501, 0.503, 0.499]
    plain, found = t_interval(scores), t_interval(scores, bounds=(0, 1))
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=1e-6)
    assert (1.0, 1.0) == (t_interval([1.0] * 3, bounds=(0, 1)).low, t_interval([1.0] * 3, bounds=(0, 1)).high)


def test_an_interval_inside_bounds_holds_the_truth_about_as_often_as_it_says() -> None:
    """Shares around .9 that vary as far as 1: five fits, 2,000 times."""
    draws = np.random.default_rng(0).beta(18, 2, (2000, 5))
    found = [t_interval(row.tolist(), bounds=(0, 1)) for row in draws]
    held = sum(one.low is not None and one.high is not None and one.low <= 0.9 <= one.high for one in found)
    assert 0.93 < held / 2000 < 0.98


def test_bounds_are_those_that_the_task_declares_or_that_a_name_implies_and_never_against_the_scores() -> None:
    assert (0.0, 1.0) == bounds_of("macro_auc", [0.5])
    assert bounds_of("macro_auc", [1.5]) is None, "not what its name says"
    assert bounds_of("reward", [0.5]) is None
    assert (-1.0, 1.0) == bounds_of("reward", [0.5], declared=[-1, 1])


@pytest.mark.parametrize(
    ("metric", "bounded"),
    [("macro_auc", True), ("f1_af", True), ("brier", True), ("log_loss", False), ("challenge_score", False)],
)
def test_the_classifier_says_which_of_its_scores_are_bounded(tmp_path: Path, metric: str, bounded: bool) -> None:
    assert bounded == (ArrhythmiaTask(data=tmp_path).metric_bounds(metric) is not None)


@pytest.mark.parametrize(
    ("fits", "said"),
    [
        ([(0, 0)], "1 fit"),
        ([(0, 0), (0, 1), (0, 2)], "3 folds"),
        ([(0, 0), (1, 0)], "2 seeds"),
        ([(0, 0), (0, 1), (1, 0), (1, 1)], "2 seeds x 2 folds"),
    ],
)
def test_what_varies_is_named(fits: list[tuple[int, int]], said: str) -> None:
    assert said == varying(fits)


@pytest.mark.parametrize("folds", [2, 3])
def test_the_table_says_over_what_a_mean_is_and_why_it_has_no_interval(tmp_path: Path, folds: int) -> None:
    search = run_in_process(open_search(toy_spec(trials=1, folds=folds, sampler="random"), tmp_path))
    rows = rows_of(search.ledger, alive=False)
    text = table_markdown({"r": rows}, title="r", mode="max", judged_at="its last step")
    assert f"{folds} folds" == rows[0]["over"]
    assert f"| {folds} folds |" in text
    assert bool(rows[0]["low"]) == (folds == 3)
    assert ("fewer than 3 fits are too few" in text) == (folds == 2)
    assert ("with the 95 % t-interval" in text) == (folds == 3)


def test_bounds_that_the_task_declared_when_the_search_began_are_those_of_its_table(tmp_path: Path) -> None:
    search = run_in_process(open_search(toy_spec(trials=1, folds=3, sampler="random", space={"x": 0.3}), tmp_path))
    trial = search.ledger.trials[0]
    for (key, score), fit in zip(search.ledger.scores_by_fit(trial).items(), trial.fits.values(), strict=True):
        fit.metrics[4] = {**fit.metrics[4], "score": 0.01 if key == (0, 0) else score}
    plain = interval_of(search.ledger, trial)
    search.ledger.facts = {**search.ledger.facts, "metric_bounds": json.loads("[0, 1]")}
    assert plain.low is not None
    assert plain.low < 0 < (interval_of(search.ledger, trial).low or 0)


class Bounded(ToyTask):
    def metric_bounds(self, metric: str) -> tuple[float, float] | None:
        return (-1.0, 2.0) if metric == "score" else None


def test_a_search_that_began_before_tasks_declared_bounds_goes_on(tmp_path: Path) -> None:
    spec = toy_spec(trials=1, folds=3, sampler="random")
    open_search(spec, tmp_path).close()
    facts = TaskFacts.of(Bounded(), spec)
    search = run_in_process(Search(spec, RunFolder(tmp_path), facts=facts, incarnation="later"))
    assert "complete" == search.ledger.trials[0].state
    assert [-1.0, 2.0] == facts.recorded()["metric_bounds"]
    again = Search(spec, RunFolder(tmp_path / "new"), facts=facts, incarnation="later")
    again.close()
    Search(spec, RunFolder(tmp_path / "new"), facts=facts, incarnation="later").close()
    assert [-1.0, 2.0] == again.ledger.facts["metric_bounds"]


def test_a_test_says_what_varies_in_its_intervals() -> None:
    tested = {"what": "a winner", "note": "", "metrics": {"auc": 0.9, "auc_low": 0.8, "auc_high": 0.95}}
    assert "  in brackets: 95 % intervals; what varies in them: patients" in lines_of(
        {**tested, "varies": "patients"}, "auc"
    )
    assert not [line for line in lines_of({**tested, "varies": None}, "auc") if "in brackets" in line]


def test_outer_parts_are_held_to_the_same() -> None:
    assert corrected_mean([0.9, 0.5], test_over_train=0.5).low is None
    found = corrected_mean([0.99, 0.9, 0.6], test_over_train=0.5, bounds=(0, 1))
    assert found.high is not None
    assert found.mean < found.high < 1
