"""The first fit of a search space, here and now, to see that a task does what it should. No run, no journal, no Ray.

It is the fit that a search would begin with, its seed and its weights included, and prints where one sees it. An error
of the task leaves as it was raised, so that a debugger stops where it happened.
"""

import tempfile
import time
from bdb import BdbQuit
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from orchestrator.errors import RaisedByTask, raise_if_any
from orchestrator.execution.in_process import Stopped, with_threads
from orchestrator.history.ledger import FitEntry, Ledger
from orchestrator.history.records import FitKey
from orchestrator.history.run_folder import RunFolder
from orchestrator.runs.search_run import start_from_of
from orchestrator.search.fit_to_run import fit_to_run
from orchestrator.search.lineage import Lineage
from orchestrator.search.suggestions import Suggestions
from orchestrator.search.task_facts import TaskFacts
from orchestrator.specs.space_mistakes import mistakes_in
from orchestrator.specs.specs import SearchSpec
from orchestrator.specs.steps import with_steps
from orchestrator.specs.task_loading import load_task
from orchestrator.task import Config, Fit, Metrics, Parameter, Scalar, Task

Say = Callable[[str], None]
FIRST = FitKey(trial=0, seed=0, fold=0)


def run_first_fit(
    spec: SearchSpec,
    folder: RunFolder,
    *,
    changes: Mapping[str, Scalar],
    steps: int | None,
    start_from: Path | None,
    say: Say,
) -> None:
    """Run the fit, for so many steps at most, and say what it does. Leaves nothing behind.

    folder: of the run that the search would be; only what the space's `start_from` names is looked for beside it.
    changes: values that take the place of the first configuration's; start_from: a checkpoint, in place of the one
    that the space leads to. Raises UserError with every mistake of the changes, RaisedByTask for an error of the task.
    """
    task = load_task(spec.task)
    config = {**_first_config(spec, TaskFacts.of(task, spec)), **changes}
    changed = spec.model_copy(update={"space": config})  # what is set may bring hyperparameters of its own
    facts = TaskFacts.of(task, changed)
    raise_if_any(list(_mistakes(config, with_steps(facts.parameters, changed), start_from)))
    lineage = Lineage(start_from=start_from_of(spec, folder) if start_from is None else lambda *_: start_from)
    with tempfile.TemporaryDirectory(prefix="orchestrate-try-") as temp, with_threads(spec.cpus_per_fit):
        fit = fit_to_run(FitEntry(FIRST), config, spec, RunFolder(Path(temp)), facts=facts, lineage=lineage)
        fit.directory.mkdir(parents=True)
        for line in _beginning(spec, task, fit, config=config):
            say(line)
        at = _run(task, fit, steps=steps or fit.max_steps, say=say)
    for line in _ending(spec, at, folds=facts.folds):
        say(line)


def _first_config(spec: SearchSpec, facts: TaskFacts) -> Config:
    return Suggestions(spec, Ledger(), defaults=facts.defaults, final=False).next().config


def _mistakes(
    config: Mapping[str, Scalar], parameters: Mapping[str, Parameter], start_from: Path | None
) -> Iterator[str]:
    for name, mistake in mistakes_in(config, parameters):
        yield f"--set: {name}: {mistake}"
    if start_from is not None and not start_from.is_file():
        yield f"--start-from: {start_from}: no such file; give a checkpoint, as they lie in RUN/trials/N/seed0-fold0"


def _run(task: Task, fit: Fit, *, steps: int, say: Say) -> list[float]:
    """Return the seconds after which each step was reported."""
    at: list[float] = []
    began = time.perf_counter()

    def report(step: int, metrics: Metrics, checkpoint: str | None = None) -> None:
        at.append(time.perf_counter() - began)
        values = "  ".join(f"{name} {float(value):.4g}" for name, value in metrics.items())
        say(f"step {step}/{fit.max_steps}  {at[-1]:.1f} s  {values}")
        if len(at) >= steps:
            raise Stopped

    try:
        task.fit(fit, report)
    except Stopped:
        pass
    except BdbQuit:
        raise KeyboardInterrupt from None
    except Exception as error:
        raise RaisedByTask(error) from error
    return at


def _beginning(spec: SearchSpec, task: Task, fit: Fit, *, config: Mapping[str, Scalar]) -> Iterator[str]:
    yield f"trial 0, seed 0, fold 0 of {spec.task.name}; nothing is kept: {fit.directory} is removed in the end"
    yield f"  data     {', '.join(f'{key} {value}' for key, value in task.describe().items())}"
    yield f"  starts   from {fit.start_from or 'nothing (--start-from CHECKPOINT: from weights of an earlier stage)'}"
    yield from (f"  {name:<24} {value}" for name, value in config.items())
    yield f"  defaults for the other {len(fit.config.keys() - config.keys())} hyperparameters"


def _ending(spec: SearchSpec, at: Sequence[float], *, folds: int) -> Iterator[str]:
    if not at:
        yield "the fit returned without having reported a step: in a search it would be a failed one"
        return
    set_up, per_step = set_up_and_step(at)
    fits = spec.total * spec.seeds * folds
    steps = fits * spec.most_steps * per_step
    whole = steps + fits * set_up
    side_by_side = min(spec.concurrency, fits)
    pruned = ", less what pruning saves" if spec.prune else ""
    yield f"{len(at)} steps in {_duration(at[-1])}: {_duration(per_step)} a step, {_duration(set_up)} before the first"
    yield (
        f"the search on this machine: {fits} fits of {spec.most_steps} steps, {_duration(steps)} of steps and at most "
        f"{_duration(fits * set_up)} before first ones; {_duration(whole / side_by_side)} with {side_by_side} at a "
        f"time{pruned}"
    )


def set_up_and_step(at: Sequence[float]) -> tuple[float, float]:
    """Return the seconds before the first step began, and those of a step, from when each step was done.

    Of a single step nobody knows how much of it was set-up, so all of it counts as the step.
    """
    if len(at) == 1:
        return 0.0, at[0]
    gaps = [after - before for before, after in pairwise(at)]
    per_step = sum(gaps) / len(gaps)
    return max(0.0, at[0] - per_step), per_step


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
