"""What a search or an experiment would do, without starting anything."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from orchestrator.specs.experiment import Experiment
from orchestrator.specs.reading import is_experiment, read_search
from orchestrator.specs.space import cells
from orchestrator.specs.specs import RefineSpec, SearchSpec
from orchestrator.specs.start_from import in_words
from orchestrator.specs.task_loading import known_folds, load_task, missing_of


def plan(path: Path) -> Iterator[str]:
    """Yield the plan line by line. Raises UserError with every mistake in the files."""
    if not is_experiment(path):
        yield from _search_lines(path.stem, read_search(path))
        return
    experiment = Experiment.read(path)
    for name, spec in experiment.searches.items():
        refine = experiment.refinements.get(name)
        yield from _search_lines(name, spec) if refine is None else _refining_lines(name, spec, refine)
    for name, stage in experiment.companions.items():
        yield f"{name}: the winner of {stage} without its start, over the same fits, unless another stage has it"
    last = (*experiment.candidates, *experiment.companions)
    yield f"final: the best winner of {', '.join(last)} by validation, retrained over {experiment.seeds} seeds"
    beside = f", for {', '.join(experiment.final.beside)} beside the winner as well" if experiment.final.beside else ""
    yield f"  test     the sealed part is opened once{beside}"


def _search_lines(name: str, spec: SearchSpec) -> Iterator[str]:
    task = load_task(spec.task)
    missing = missing_of(task)
    chained = f", from {in_words(spec.start_from)}" if spec.start_from else ""
    yield f"{name}: {spec.task.name}{chained}"
    if missing:
        yield f"  data     will be prepared first: {missing}"
    else:
        yield f"  data     {', '.join(f'{key} {value}' for key, value in task.describe().items())}"
    yield f"  search   {spec.sampler}, {spec.metric} ({spec.mode}), {_space_size(spec)}"
    yield _work_line(spec, known_folds(spec, task))
    if spec.budget:
        limits = {"minutes": spec.budget.minutes, "GPU-hours": spec.budget.gpu_hours}
        yield f"  budget   {', '.join(f'{limit:g} {unit}' for unit, limit in limits.items() if limit is not None)}"
    for key, entry in spec.space.items():
        shown = entry.model_dump(exclude_defaults=True) if isinstance(entry, BaseModel) else entry
        yield f"  {key:<24} {shown if not isinstance(shown, dict) else ', '.join(f'{k} {v}' for k, v in shown.items())}"


def _refining_lines(name: str, spec: SearchSpec, refine: RefineSpec) -> Iterator[str]:
    chained = f", from what {refine.refine} starts from ({spec.start_from})" if spec.start_from else ""
    yield f"{name}: around the winner of {refine.refine}, written when that is known{chained}"
    yield (
        f"  search   the winner, then each of its numbers at {refine.points - 1} neighbouring values, one at a time, "
        f"and what ties with it; at most {refine.trials} trials"
    )
    yield _work_line(spec, known_folds(spec, load_task(spec.task)))


def _work_line(spec: SearchSpec, folds: int | None) -> str:
    each, at_a_time = f"{spec.total} trials x {spec.seeds} seeds", f"{spec.concurrency} at a time"
    pruned = f"; {spec.prune.words} stops the rest early" if spec.prune else ""
    pruned += "; who cannot win has no further fits" if spec.race else ""
    if folds is None:
        return (
            f"  work     {each} x the folds that the data will have, fits of at most {spec.most_steps} steps{pruned}, "
            f"{at_a_time}"
        )
    fits = spec.total * spec.seeds * folds
    return (
        f"  work     {each} x {folds} folds = {fits} fits"
        f" of at most {spec.most_steps} steps ({fits * spec.most_steps} steps{pruned}), {at_a_time}"
    )


def _space_size(spec: SearchSpec) -> str:
    studies = len(cells(spec.space))
    many = f", {studies} studies side by side" if studies > 1 else ""
    size = f"{len(spec.grid)} configurations" if spec.sampler == "grid" else f"{spec.total} trials{many}"
    return size + (", the untuned default first" if spec.has_baseline else "")
