"""What the task itself has to show of its data and of the test. Whatever it cannot tell costs the page nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.errors import first_line
from orchestrator.history.run_folder import RunFolder
from orchestrator.illustration import Section
from orchestrator.results.whole_run import WholeRun
from orchestrator.specs.task_loading import load_task, missing_of, parameters_of
from orchestrator.task import IllustratingTask, Parameter, Task


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a task told of a run."""

    data: Sequence[Section] = ()
    test: Sequence[Section] = ()
    parameters: dict[str, Parameter]  # by name; empty where the task is not at hand
    problem: str | None = None  # why something is missing


def told_by_task(run: WholeRun, figures: RunFolder) -> Told:
    """Ask the task of a run, drawing into the folder's figures. Never raises for what a task does."""
    parameters: dict[str, Parameter] = {}
    try:
        spec = run.spec
        if spec is None:
            return Told(parameters={})
        task = load_task(spec.task)
        parameters = dict(parameters_of(spec, task))
        sections = _illustrated(task, run, figures)
    except Exception as error:  # a task's, of any kind: its data may be no more
        return Told(parameters=parameters, problem=f"{type(error).__name__}: {first_line(error)}")
    return Told(
        parameters=parameters,
        data=[one for one in sections if one.about == "data"],
        test=[one for one in sections if one.about == "test"],
    )


def _illustrated(task: Task, run: WholeRun, figures: RunFolder) -> Sequence[Section]:
    if not isinstance(task, IllustratingTask):
        return ()
    if lacking := missing_of(task):
        raise FileNotFoundError(f"the data is not there: {lacking}")
    tested = run.folder.final.path if run.tested is not None else None
    return task.illustrate(tested, figures.figures)
