"""What a search decides, with fits run in this process: replay, resume, duplicates, failures, pruning, budget."""

import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.errors import RunFailed, UserError
from orchestrator.history.journal import read_journal
from orchestrator.history.records import Ask, End, FitKey, Record, Reported, Start, State
from orchestrator.search.search import Search
from orchestrator.specs.specs import SearchSpec
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec

PRUNED = {"prune": {"successive_halving": {"min_steps": 1, "factor": 2}}}


class KilledError(BaseException):
    """Stands for kill -9 between two records."""


def outcome(search: Search) -> list[tuple[object, ...]]:
    return [(t.number, dict(t.config), t.state, t.value) for t in search.ledger.trials.values()]


@pytest.mark.parametrize("changes", [{}, PRUNED, {"sampler": "random"}, {"seeds": 2, **PRUNED}])
def test_killed_after_any_record_the_search_ends_as_if_never_interrupted(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    spec = toy_spec(trials=6, startup_trials=3, **changes)
    smooth = run_in_process(open_search(spec, tmp_path / "smooth"))
    records = len(smooth.journal.entries)
    for kill_after in range(1, records, 3):
        path = tmp_path / "killed"
        shutil.rmtree(path, ignore_errors=True)
        with pytest.raises(KilledError):
            run_killed(spec, path, kill_after)
        again = run_in_process(open_search(spec, path))
        assert outcome(smooth) == outcome(again), f"killed after record {kill_after}"


def run_killed(spec: SearchSpec, path: Path, kill_after: int) -> None:
    left = kill_after

    def count(_search: Search, _record: Record) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            raise KilledError

    search = open_search(spec, path, listener=count)  # killed in here, it gives the journal back itself
    try:
        run_in_process(search)
    finally:
        search.close()


def test_a_resumed_search_draws_what_it_would_have_drawn(tmp_path: Path) -> None:
    """A sampler re-seeded at each start would repeat its first suggestions."""
    whole = run_in_process(open_search(toy_spec(trials=12), tmp_path / "whole"))
    first = run_in_process(open_search(toy_spec(trials=5), tmp_path / "parts"))
    longer = run_in_process(open_search(toy_spec(trials=12), tmp_path / "parts"))
    assert 5 == len(first.ledger.trials)
    assert outcome(whole) == outcome(longer)


def test_trials_is_the_total_and_not_a_further_number(tmp_path: Path) -> None:
    for _ in range(3):
        search = run_in_process(open_search(toy_spec(trials=5), tmp_path / "run"))
        assert 5 == len(search.ledger.trials)


def test_another_spec_under_the_same_name_is_refused_with_the_difference(tmp_path: Path) -> None:
    run_in_process(open_search(toy_spec(trials=2), tmp_path / "run"))
    with pytest.raises(UserError) as caught:
        open_search(toy_spec(trials=3, seed=7, space={"x": {"uniform": [-1, 2]}}), tmp_path / "run")
    assert "seed: 0 > 7" in str(caught.value)
    assert "space.x.uniform: [-1.0, 1.0] > [-1.0, 2.0]" in str(caught.value)
    assert "trials" not in str(caught.value)


def test_fits_are_seeds_times_folds_and_a_value_is_their_mean(tmp_path: Path) -> None:
    search = run_in_process(open_search(toy_spec(trials=1, seeds=2, folds=3), tmp_path / "run"))
    (trial,) = search.ledger.trials.values()
    assert 6 == len(trial.fits)
    scores = [row.metrics[4]["score"] for row in trial.fits.values()]
    assert trial.value == pytest.approx(sum(scores) / 6)


def test_trials_are_compared_on_the_same_draws(tmp_path: Path) -> None:
    search = open_search(toy_spec(trials=2, sampler="grid", space={"x": {"choice": [0.3, 0.4]}}), tmp_path / "run")
    first = search.next_fit()
    second = search.next_fit()
    search.close()
    assert first is not None
    assert second is not None
    assert (first[1].trial, second[1].trial) == (0, 1)
    assert first[1].seed == second[1].seed


def test_the_same_configuration_is_not_run_again_but_counts_and_is_told(tmp_path: Path) -> None:
    spec = toy_spec(trials=8, sampler="random", space={"y": {"choice": [0, 1]}})
    search = run_in_process(open_search(spec, tmp_path / "run"))
    states = [trial.state for trial in search.ledger.trials.values()]
    assert {State.COMPLETE: 2, State.DUPLICATE: 6} == {state: states.count(state) for state in states}
    for trial in search.ledger.trials.values():
        if trial.duplicate_of is not None:
            assert trial.value == search.ledger.trials[trial.duplicate_of].value
    assert 2 == sum(isinstance(record, Start) for record, _at in search.journal.entries)


def test_a_failed_trial_is_a_row_and_the_search_goes_on(tmp_path: Path) -> None:
    spec = toy_spec(trials=3, sampler="grid", space={"kind": {"choice": ["plain", "raises", "bent"]}})
    search = run_in_process(open_search(spec, tmp_path / "run"))
    assert [State.COMPLETE, State.FAILED, State.COMPLETE] == [t.state for t in search.ledger.trials.values()]
    assert (search.ledger.trials[1].error or "").startswith("ValueError: this kind cannot be trained (toy_task.py:")


def test_a_metric_that_is_not_a_number_is_a_step_and_a_failed_fit(tmp_path: Path) -> None:
    spec = toy_spec(sampler="grid", trials=None, space={"kind": {"choice": ["plain", "diverges"]}})
    search = run_in_process(open_search(spec, tmp_path / "run"))
    fit = search.ledger.trials[1].fits[FitKey(1, 0, 0)]
    assert math.isnan(fit.metrics[2]["score"])
    assert "diverged: score is nan at step 2" == fit.error
    assert State.FAILED is search.ledger.trials[1].state


def test_a_trial_with_a_failed_fit_has_no_mean(tmp_path: Path) -> None:
    search = open_search(toy_spec(trials=2, seeds=2), tmp_path / "run")
    first = search.next_fit()
    second = search.next_fit()
    assert first is not None
    assert second is not None
    search.reported(first[0], 1, {"score": 1.0}, None)
    search.returned(first[0])
    search.failed(second[0], "ValueError: no")
    search.close()
    assert (State.FAILED, None) == (search.ledger.trials[0].state, search.ledger.trials[0].value)
    assert [] == search.ledger.ranked()


def test_when_the_first_trials_all_fail_alike_the_search_stops_with_one_message(tmp_path: Path) -> None:
    spec = toy_spec(sampler="tpe", space={"kind": "raises", "x": {"uniform": [0, 1]}}, trials=50)
    search = open_search(spec, tmp_path / "run")
    with pytest.raises(RunFailed, match="the first 3 trials all failed alike"):
        run_in_process(search)
    search.close()
    assert 3 == len(search.ledger.trials)


def test_a_fit_whose_worker_died_is_given_to_another_and_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    search = open_search(toy_spec(trials=1), tmp_path / "run")
    key, fit = next_of(search)
    fit.directory.mkdir(parents=True)
    (fit.directory / "c").write_text("weights")
    search.reported(key, 1, {"score": 0.5}, "c")
    search.lost(key, "the worker died")
    again, resumed = next_of(search)
    assert key == again
    assert fit.directory / "c" == resumed.resume_from
    search.close()


def test_a_result_delivered_twice_is_ignored(tmp_path: Path) -> None:
    search = open_search(toy_spec(trials=1), tmp_path / "run")
    key, _fit = next_of(search)
    search.reported(key, 1, {"score": 0.5}, None)
    before = len(search.journal.entries)
    assert search.reported(key, 1, {"score": 0.5}, None) is False
    assert before == len(search.journal.entries)
    search.close()


def test_with_a_pruner_the_other_fits_of_a_trial_wait_for_the_first_to_survive(tmp_path: Path) -> None:
    search = run_in_process(open_search(toy_spec(trials=10, seeds=3, **PRUNED), tmp_path / "run"))
    for trial in search.ledger.trials.values():
        assert (1 if trial.state is State.PRUNED else 3) == len([f for f in trial.fits.values() if f.starts])
    assert State.PRUNED in {trial.state for trial in search.ledger.trials.values()}


def test_a_metric_that_the_task_does_not_report_is_the_users_mistake(tmp_path: Path) -> None:
    search = open_search(toy_spec(metric="scoer"), tmp_path / "run")
    with pytest.raises(UserError, match="metric: scoer is not among what the task reports: loss, score"):
        run_in_process(search)
    search.close()


def test_spent_budget_stops_with_everything_saved_and_more_budget_goes_on(tmp_path: Path) -> None:
    spent = toy_spec(trials=3, budget={"minutes": 1e-9})
    (begun,) = run_in_process(open_search(spent, tmp_path / "run")).ledger.trials.values()
    assert (State.RUNNING, [1]) == (begun.state, [fit.last_step for fit in begun.fits.values()])
    more = run_in_process(open_search(toy_spec(trials=3, budget={"minutes": 5}), tmp_path / "run"))
    assert 3 == len(more.ledger.told())


@pytest.mark.parametrize("score_at", ["last", "common_best", "own_best"])
def test_only_the_best_trials_keep_checkpoints_and_of_each_fit_only_the_judged(tmp_path: Path, score_at: str) -> None:
    spec = toy_spec(trials=8, score_at=score_at, baseline=False)
    search = run_in_process(open_search(spec, tmp_path / "run"))
    kept = {int(path.parts[-3]) for path in (tmp_path / "run").glob("trials/*/*/checkpoint-*")}
    assert {trial.number for trial in search.ledger.ranked()[:5]} == kept
    for number in kept:
        assert 1 == len(list((tmp_path / "run" / "trials" / str(number)).glob("*/checkpoint-*")))


def test_grid_times_bayes_is_one_numbering_with_one_study_for_each_cell(tmp_path: Path) -> None:
    spec = toy_spec(trials=9, space={"kind": {"grid": ["plain", "bent", "silent"]}, "x": {"uniform": [0, 1]}})
    search = open_search(spec, tmp_path / "run")
    asked = list(asks(search))
    assert [0, 1, 2, 0, 1, 2, 0, 1, 2] == [record.cell for record in asked]
    assert ["plain", "bent", "silent"] * 3 == [record.config["kind"] for record in asked]
    search.close()


def asks(search: Search) -> Iterator[Ask]:
    run_in_process_quietly(search)
    return (record for record, _at in read_journal(search.journal.path) if isinstance(record, Ask))


def run_in_process_quietly(search: Search) -> None:
    while following := search.next_fit():
        key, _fit = following
        search.reported(key, 1, {"score": 0.5}, None)
        search.returned(key)


def next_of(search: Search) -> tuple[FitKey, object]:
    following = search.next_fit()
    assert following is not None
    return following


def test_every_fit_ends_once_and_every_report_stands_between_start_and_end(tmp_path: Path) -> None:
    search = run_in_process(open_search(toy_spec(trials=6, seeds=2, **PRUNED), tmp_path / "run"))
    open_fits: set[tuple[int, int, int]] = set()
    for record, _at in search.journal.entries:
        if isinstance(record, Start):
            open_fits.add((record.trial, record.seed, record.fold))
        elif isinstance(record, Reported | End):
            assert (record.trial, record.seed, record.fold) in open_fits
        if isinstance(record, End):
            open_fits.remove((record.trial, record.seed, record.fold))
    assert not open_fits


def test_a_search_goes_on_with_the_data_that_it_began_with_or_not_at_all(tmp_path: Path) -> None:
    run_in_process(open_search(toy_spec(trials=1), tmp_path / "run"))
    with pytest.raises(UserError, match=r"facts\.data: 'toy' > 'other'"):
        open_search(toy_spec(trials=2), tmp_path / "run", data="other")


def test_the_winner_that_a_search_starts_from_is_kept(tmp_path: Path) -> None:
    search = open_search(toy_spec(), tmp_path / "run")
    search.pin("head", 3)
    search.close()
    again = open_search(toy_spec(), tmp_path / "run")
    again.pin("head", 3)
    with pytest.raises(UserError, match="started from trial 3 of head, whose winner now is trial 4"):
        again.pin("head", 4)
    again.close()


@pytest.mark.parametrize(("score_at", "score", "kept"), [("own_best", 0.5, "c2"), ("last", 0.4, "c3")])
def test_only_steps_with_weights_count_where_a_fit_writes_any(
    tmp_path: Path, score_at: str, score: float, kept: str
) -> None:
    search = open_search(toy_spec(trials=1, score_at=score_at), tmp_path / "run")
    key, fit = next_of(search)
    fit.directory.mkdir(parents=True)
    for step, value, name in ((1, 0.9, None), (2, 0.5, "c2"), (3, 0.4, "c3"), (4, 0.1, None)):
        (fit.directory / (name or "none")).write_text("weights")
        search.reported(key, step, {"score": value}, name)
    search.returned(key)
    search.close()
    assert score == search.ledger.trials[0].value
    assert [kept, "none"] == sorted(path.name for path in fit.directory.iterdir())
