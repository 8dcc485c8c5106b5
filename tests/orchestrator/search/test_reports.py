"""What a fit may report, and what a search makes of a fit that breaks a rule, diverges, or fails after its stop."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orchestrator.cluster.fit_job import BEGUN
from orchestrator.cluster.jobs_executor import JobsExecutor, _Running
from orchestrator.cluster.run_files import RunFiles, Submission
from orchestrator.cluster.slurm import Job
from orchestrator.errors import Pointless
from orchestrator.execution.in_process import InProcessExecutor
from orchestrator.history.failures import Failure
from orchestrator.history.records import FitKey, State
from orchestrator.search.search import Search
from orchestrator.specs.specs import SearchSpec
from orchestrator.task import Fit, Report
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec
from tests.toy_task import ToyTask

Said = tuple[object, float, str | None]  # step, score, checkpoint
TWO = {"trials": None, "sampler": "grid", "space": {"x": {"choice": [0.3, 0.4]}}}


def begun(path: Path, spec: SearchSpec | None = None) -> tuple[Search, FitKey, Fit]:
    search = open_search(spec or toy_spec(**TWO), path)
    following = search.next_fit()
    assert following is not None
    following[1].directory.mkdir(parents=True)
    return search, *following


def error_of(search: Search, key: FitKey) -> str:
    fit = search.ledger.fit(key)
    assert State.FAILED is fit.state is search.ledger.trials[key.trial].state
    return fit.error or ""


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ([(5, 9.0, None)], "it reported step 5: a step must be a whole number from 1 to 4"),
        ([(0, 9.0, None)], "it reported step 0: a step must be a whole number from 1 to 4"),
        ([(-1, 9.0, None)], "step -1"),
        ([(1.5, 9.0, None)], r"step 1\.5: a step must be a whole number"),
        ([(True, 9.0, None)], "step True"),
        ([(2, 0.5, None), (1, 9.0, None)], "it reported step 1 after step 2: steps must be reported in order"),
        (
            [(1, 0.5, None), (1, 9.0, None)],
            r"it reported step 1 twice with other numbers \(score = 9, the journal has 0.5\)",
        ),
        ([(1, 9.0, "nowhere.pt")], r"it reported step 1 with checkpoint nowhere\.pt, which is not there"),
        ([(1, 9.0, "../../../journal.jsonl")], r"journal\.jsonl: it must lie below the fit's own folder"),
        ([(1, 9.0, "")], "it must lie below the fit's own folder"),
    ],
)
@pytest.mark.parametrize("ending", ["returned", "failed", "lost"])
def test_a_report_that_breaks_a_rule_stops_the_fit_which_fails_with_the_rule(
    tmp_path: Path, said: list[Said], rule: str, ending: str
) -> None:
    search, key, _fit = begun(tmp_path / "run")
    stops = [search.reported(key, step, {"score": score}, name) for step, score, name in said]  # type: ignore[arg-type]
    assert [*[False] * (len(said) - 1), True] == stops
    assert search.reported(key, 4, {"score": 9.0}, None), "it goes on all the same"
    search.returned(key) if ending == "returned" else getattr(search, ending)(key, "because")
    search.close()
    assert re.search(rule, error_of(search, key))
    assert 9.0 not in [row["score"] for row in search.ledger.fit(key).metrics.values()]
    open_search(search.spec, tmp_path / "run").close()  # replays alike


def test_a_step_may_be_of_numpys_and_the_same_result_may_come_twice(tmp_path: Path) -> None:
    search, key, _fit = begun(tmp_path / "run")
    for _ in range(2):
        assert not search.reported(key, np.int64(1), {"score": 0.5}, None)  # type: ignore[arg-type]
    search.close()
    assert {1: {"score": 0.5}} == search.ledger.fit(key).metrics


def test_a_step_done_again_by_another_worker_may_come_out_a_little_different(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    search, key, _fit = begun(tmp_path / "run")
    search.reported(key, 1, {"score": 0.5}, None)
    search.lost(key, "killed")
    search.next_fit()
    assert not search.reported(key, 1, {"score": 0.51}, None)
    assert not search.reported(key, 2, {"score": 0.6}, None)
    search.close()
    assert "repeated step 1 gives score = 0.51, the journal has 0.5" in caplog.text


def test_a_diverged_fit_that_lacks_the_metric_is_a_failed_trial_and_the_search_goes_on(tmp_path: Path) -> None:
    search, key, _fit = begun(tmp_path / "run")
    assert search.reported(key, 1, {"loss": math.nan}, None)
    search.returned(key)
    search.close()
    assert error_of(search, key) == "diverged: loss is nan at step 1"
    again = run_in_process(open_search(search.spec, tmp_path / "run"))
    assert [State.FAILED, State.COMPLETE] == [trial.state for trial in again.ledger.trials.values()]


def test_a_configuration_that_diverged_without_the_metric_may_be_drawn_again(tmp_path: Path) -> None:
    space = {"kind": {"choice": ["plain"]}}
    prune = {"successive_halving": {"min_steps": 1, "factor": 2}}
    search, key, _fit = begun(tmp_path / "run", toy_spec(trials=2, sampler="random", space=space, prune=prune))
    search.reported(key, 1, {"loss": math.nan}, None)
    search.returned(key)
    assert search.next_fit() is None
    search.close()
    assert State.DUPLICATE is search.ledger.trials[1].state


def as_a_job_left_it(search: Search, key: FitKey, fit: Fit, lines: list[str], ended: dict[str, str]) -> State:
    """What the driver of `mode: jobs` makes of a fit whose job is over."""
    (fit.directory / "reports.jsonl").write_text("".join(f"{line}\n" for line in lines))
    (fit.directory / "ended.json").write_text(json.dumps(ended))
    files = RunFiles(search.folder)
    files.path.mkdir()
    files.write_request(Submission(id="1"))
    executor = JobsExecutor(files, most=1, gpus_per_fit=0)
    assert executor._follow(search, key, _Running("name", fit.directory), None)
    search.close()
    return search.ledger.fit(key).state


def step(number: int, score: float) -> str:
    return json.dumps({"step": number, "metrics": {"score": score}, "checkpoint": None})


RETURNED, FAILED = {"kind": "returned", "message": ""}, {"kind": "failed", "message": "ValueError: no"}


@pytest.mark.parametrize("ended", [RETURNED, FAILED])
def test_in_mode_jobs_a_fit_that_diverged_failed_as_diverged_whatever_came_after(
    tmp_path: Path, ended: dict[str, str]
) -> None:
    search, key, fit = begun(tmp_path / "run")
    lines = [BEGUN, step(1, 0.5), step(2, math.nan), step(3, 0.9)]
    assert State.FAILED is as_a_job_left_it(search, key, fit, lines, ended)
    assert "diverged: score is nan at step 2" == search.ledger.fit(key).error
    assert [1, 2] == list(search.ledger.fit(key).metrics)


def test_in_mode_jobs_a_fit_that_failed_after_it_was_to_stop_stays_pruned(tmp_path: Path) -> None:
    prune = {"median": {"startup_trials": 1}}
    search, key, fit = begun(tmp_path / "run", toy_spec(**TWO, prune=prune))
    search.reported(key, 1, {"score": 0.9}, None)
    search.returned(key)
    following = search.next_fit()
    assert following is not None
    key, fit = following
    fit.directory.mkdir(parents=True)
    assert State.PRUNED is as_a_job_left_it(search, key, fit, [BEGUN, step(1, 0.1)], FAILED)
    assert search.ledger.fit(key).error is None


def test_in_mode_jobs_what_a_second_job_does_again_may_come_out_a_little_different(tmp_path: Path) -> None:
    search, key, fit = begun(tmp_path / "run")
    lines = [BEGUN, step(1, 0.5), step(2, 0.6), BEGUN, step(2, 0.61), *(step(number, 0.7) for number in (3, 4))]
    assert State.COMPLETE is as_a_job_left_it(search, key, fit, lines, RETURNED)


def test_in_mode_jobs_a_fit_that_waits_for_its_next_job_is_not_begun_by_what_the_one_before_left(
    tmp_path: Path,
) -> None:
    """Nor does the queue count as its time."""
    search, key, fit = begun(tmp_path / "run")
    (fit.directory / "reports.jsonl").write_text(f"{BEGUN}\n{step(1, 0.5)}\n")
    files = RunFiles(search.folder)
    files.path.mkdir()
    files.write_request(Submission(id="1"))
    executor = JobsExecutor(files, most=1, gpus_per_fit=0)
    search.lost(key, "preempted", Failure.PREEMPTED)
    assert search.next_fit(waits=True) is not None
    one = _Running("name", fit.directory)
    before = Job(id="7", name="", state="PREEMPTED", reason="", node="", comment="name")
    for jobs in (None, {}, {"name": before}, {"name": replace(before, id="8", state="PENDING")}):
        executor._follow(search, key, one, jobs)
        one.missed = 0
        assert 1 == search.ledger.fit(key).starts
    executor._follow(search, key, one, {"name": replace(before, id="8", state="RUNNING")})
    assert (2, {1}) == (search.ledger.fit(key).starts, set(search.ledger.fit(key).metrics))
    search.close()


class Counting(ToyTask):
    """Counts its steps from 0, as one does in Python."""

    def fit(self, fit: Fit, report: Report) -> None:
        for number in range(fit.max_steps):
            report(number, {"score": 1.0})


def test_a_task_that_counts_from_0_is_told_the_rule(tmp_path: Path) -> None:
    spec = toy_spec(**TWO, task={"name": f"{__name__}:Counting", "with": {}})
    search = open_search(spec, tmp_path / "run")
    with pytest.raises(Pointless, match=r"failed alike.*it reported step 0: a step must be a whole number from 1 to 4"):
        InProcessExecutor(keep_output=True).execute(search)
    search.close()
