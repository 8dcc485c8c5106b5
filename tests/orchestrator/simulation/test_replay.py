"""A simulated search decides as a real one does: on curves of which it has seen nothing but the table."""

from pathlib import Path
from typing import Any

import pytest

from orchestrator.history.ledger import Ledger
from orchestrator.history.records import FitKey
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.search import Search
from orchestrator.search.selection import winner_of
from orchestrator.search.task_facts import TaskFacts
from orchestrator.simulation.recorded_task import RecordedTask
from orchestrator.simulation.replay import replayed
from orchestrator.simulation.variants import steps_of_a_search
from orchestrator.specs.reading import read_search
from orchestrator.task import Metrics
from tests.orchestrator.in_process import open_search, run_in_process
from tests.orchestrator.simulation.recorded_toy import finite_spec, recorded_task, recorded_toy

HALVING = {"successive_halving": {"min_steps": 1, "factor": 2}}
SHIPPED = Path(__file__).parent


def story(ledger: Ledger) -> list[Any]:
    """All that was decided, and all that was decided from."""
    return [
        (trial.number, trial.origin, dict(trial.config), trial.state, trial.value, fit.key, fit.metrics, fit.decisions)
        for trial in ledger.trials.values()
        for fit in trial.fits.values()
    ] + [(trial.number, trial.origin, trial.state) for trial in ledger.trials.values()]


@pytest.mark.parametrize("way", [{"sampler": "random"}, {"sampler": "tpe"}, {"sampler": "tpe", "prune": HALVING}])
def test_a_replay_chooses_what_the_real_search_of_the_real_task_chooses(tmp_path: Path, way: dict[str, Any]) -> None:
    """One recorded fit, so that the replay draws that one; conditions, lengths, repeats and stops included."""
    curves = recorded_toy(tmp_path)
    spec = finite_spec(trials=25, **way)
    real = run_in_process(open_search(spec, tmp_path / "real")).ledger

    again = replayed(spec, recorded_task(tmp_path, spec, curves), steps=None, folder=tmp_path / "nothing")

    assert story(real) == story(again)
    here = RunFolder(tmp_path)
    assert winner_of(real, here) == winner_of(again, here)
    assert [] == list((tmp_path / "nothing").iterdir()), "nothing is written"


@pytest.mark.parametrize("way", [{"sampler": "random"}, {"sampler": "tpe", "prune": HALVING}])
def test_a_replay_is_the_search_of_the_recorded_task_in_virtual_time(tmp_path: Path, way: dict[str, Any]) -> None:
    """The shipped curves of 6 fits, as a task that anybody may search: journal, executor and all."""
    space, curves = SHIPPED / "quickstart_space.yaml", SHIPPED / "quickstart_curves.csv"
    name = {"name": "orchestrator.simulation.recorded_task:RecordedTask"}
    task = RecordedTask(space=space, curves=curves)
    searched = {"task": {**name, "with": {"space": str(space), "curves": str(curves)}}, "seeds": 2, "seed": 5}
    plain = {**task.spec.model_dump(mode="json", by_alias=True), **searched, **way}
    spec = type(task.spec).model_validate(plain)
    facts = TaskFacts.of(task, spec)
    search = Search(spec, RunFolder(tmp_path / "real"), facts=facts, incarnation="test")
    real = run_in_process(search).ledger

    again = replayed(spec, task, steps=None, folder=tmp_path / "nothing")

    assert story(real) == story(again)
    here = RunFolder(tmp_path)
    assert winner_of(real, here) == winner_of(again, here)


def test_a_search_ends_where_its_steps_are_spent(tmp_path: Path) -> None:
    spec = finite_spec(trials=6, sampler="random", space={"x": {"choice": [-0.5, 0.0, 0.25, 0.9]}})
    task = recorded_task(tmp_path, spec, recorded_toy(tmp_path, space=spec.space))
    assert 24 == steps_of_a_search(task)

    ledger = replayed(spec, task, steps=10, folder=tmp_path / "nothing")

    reported = [len(fit.metrics) for trial in ledger.trials.values() for fit in trial.fits.values()]
    assert [4, 4, 2] == reported
    assert [4, 4] == [len(trial.fits[FitKey(trial.number, 0, 0)].metrics) for trial in ledger.ranked()]


def test_a_length_between_the_recorded_ones_is_the_beginning_of_a_longer_curve(tmp_path: Path) -> None:
    curves = recorded_toy(tmp_path, space={"x": {"choice": [0.0, 0.3]}, "max_steps": {"choice": [1, 4]}})
    spec = finite_spec(trials=12, sampler="random", space={"x": 0.0, "max_steps": {"integer": [1, 4]}})

    ledger = replayed(spec, recorded_task(tmp_path, spec, curves), steps=None, folder=tmp_path / "nothing")

    took = {trial.config["max_steps"]: fit.last_step for trial in ledger.trials.values() for fit in trial.fits.values()}
    assert {1: 1, 2: 1, 3: 3, 4: 4} == took, "and 2 is nearer to 1"


def test_the_trials_of_a_search_draw_the_same_fits_and_other_searches_others(tmp_path: Path) -> None:
    spec = read_search(SHIPPED / "quickstart_space.yaml")
    task = RecordedTask(space=SHIPPED / "quickstart_space.yaml", curves=SHIPPED / "quickstart_curves.csv")

    def drawn(seed: int) -> list[tuple[int, int]]:
        ledger = replayed(spec.model_copy(update={"seed": seed}), task, steps=None, folder=tmp_path)
        rows = [[_whose(task, ledger, key) for key in sorted(trial.fits)] for trial in ledger.ranked()]
        assert all(row == rows[0] for row in rows)
        return rows[0]

    found = [drawn(seed) for seed in range(8)]
    assert 6 == len({fit for row in found for fit in row}), "every recorded fit is drawn"
    assert 1 < len(set(map(tuple, found)))


def _whose(task: RecordedTask, ledger: Ledger, key: FitKey) -> tuple[int, int]:
    """Return which recorded fit a simulated one repeats."""
    trial = ledger.trials[key.trial]
    recorded, _distance = task.recorded_for(trial.config)
    mine: dict[int, Metrics] = trial.fits[key].metrics
    (fit,) = [fit for fit, steps in recorded.fits.items() if steps == mine]
    return fit
