"""From a YAML file to a spec: every mistake of a file at once, as `file:line: key: rule, value, way out`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from orchestrator.errors import UserError, raise_if_any
from orchestrator.names import stage_name_mistake
from orchestrator.specs.dimensions import DIMENSION_KEYS, Cell
from orchestrator.specs.refinement import template_of
from orchestrator.specs.space import grid_is_finite, in_order, listed, nearest
from orchestrator.specs.space_mistakes import enqueue_mistakes, mistakes_in
from orchestrator.specs.specs import FROM_SCRATCH, STEPS, ExperimentSpec, SearchSpec
from orchestrator.specs.start_from import PublishedSpec, is_plain, is_published, resolved
from orchestrator.specs.steps import with_steps
from orchestrator.specs.strict_yaml import Document, Place, read_yaml
from orchestrator.specs.task_loading import load_task, path_arguments, task_class_of, told_of
from orchestrator.task import Task

Model = TypeVar("Model", bound=BaseModel)


def is_experiment(path: Path) -> bool:
    """Return whether a YAML file describes an experiment rather than a search."""
    return "stages" in read_yaml(path.absolute()).data


def read_search(path: Path) -> SearchSpec:
    """Read a search space. Raises UserError with all mistakes, those against the task's hyperparameters included."""
    document = read_yaml(path.absolute())
    spec = _with_absolute_paths(validated(SearchSpec, document), document)
    start_from, mistakes = _resolved_start(spec.start_from, ("start_from",), document)
    raise_if_any([*mistakes, *_search_mistakes(spec, document)])
    return spec.model_copy(update={"start_from": start_from})


def _resolved_start(text: str | None, place: Place, document: Document) -> tuple[str | None, list[str]]:
    """Return what a search starts from with its path made absolute, and the mistake in it, if there is one."""
    try:
        found = text and resolved(text, document.path.parent)
        if found and is_published(found):
            read_published(Path(found))
    except UserError as error:  # in a file of its own
        return text, str(error).splitlines()
    except ValueError as error:
        return text, [f"{document.at(place)}: start_from: {error}"]
    return found, []


def read_published(path: Path) -> dict[str, Any]:
    """Read how published weights become ours, with their path made absolute. Raises UserError with all mistakes."""
    document = read_yaml(path)
    spec = validated(PublishedSpec, document)
    weights = (path.parent / spec.weights).resolve()
    if not weights.is_file():
        raise UserError(
            f"{document.at(('weights',))}: weights: must be a file, relative to this one, got {spec.weights!r}"
        )
    return {**spec.model_dump(), "weights": str(weights)}


def read_experiment(path: Path) -> tuple[ExperimentSpec, dict[str, SearchSpec]]:
    """Read an experiment and the searches of its stages. Raises UserError with all mistakes of all the files."""
    document = read_yaml(path.absolute())
    spec = validated(ExperimentSpec, document)
    mistakes: list[str] = []
    searches: dict[str, SearchSpec] = {}
    starts: dict[str, str | None] = {}
    folded: dict[str, str] = {}
    for name, stage in spec.stages.items():
        if mistake := stage_name_mistake(name):
            mistakes.append(f"{document.at(('stages', name))}: stages: a stage's name {mistake}")
        if (twin := folded.setdefault(name.lower(), name)) != name:
            mistakes.append(
                f"{document.at(('stages', name))}: stages: names must differ in more than case, since some disks know "
                f"no other difference between folders, got {twin} and {name}"
            )
        above = list(spec.stages)[: list(spec.stages).index(name)]
        place = ("stages", name, "start_from")
        starts[name], wrong = _resolved_start(stage.start_from, place, document)
        mistakes += wrong
        if stage.start_from is not None and is_plain(stage.start_from) and stage.start_from not in above:
            mistakes.append(
                f"{document.at(place)}: start_from: must name a stage above this one "
                f"({', '.join(above) or 'there is none'}), got {stage.start_from!r}; another run is named by its path"
            )
        if stage.refine is not None and stage.refine not in above:
            mistakes.append(
                f"{document.at(('stages', name, 'refine'))}: refine: must name a stage above this one "
                f"({', '.join(above) or 'there is none'}), got {stage.refine!r}"
            )
        if stage.search is None:
            continue
        try:
            searches[name] = read_search(document.path.parent / stage.search)
        except UserError as error:
            mistakes += [line for line in str(error).splitlines() if line not in mistakes]
    mistakes += [
        f"{document.at(('final', 'stages', i))}: stages: must name stages of this experiment, got {name!r}"
        for i, name in enumerate(spec.final.stages)
        if name not in spec.stages
    ]
    mistakes += [
        f"{document.at(('final', 'stages', i))}: stages: must name a stage once, got {name!r} again"
        for i, name in enumerate(spec.final.stages)
        if name in spec.final.stages[:i]
    ]
    mistakes += [
        f"{document.at(('stages', name))}: {name}: its search file must not say start_from; the stage does"
        for name, search in searches.items()
        if search.start_from is not None
    ]
    raise_if_any(mistakes)
    searches = _chained(spec, searches, starts)
    raise_if_any(list(_stage_mistakes(spec, searches, document)))
    return spec, searches


def _chained(
    spec: ExperimentSpec, searches: dict[str, SearchSpec], starts: dict[str, str | None]
) -> dict[str, SearchSpec]:
    """Return the searches in order, each with what it starts from; of those that refine others, what is known of them.

    They have all folds, or those of the stage from whose fits they start: others have seen their validation records. Of
    weights from elsewhere nothing is known but that they did for the folds of the stage that is refined.
    """
    chained: dict[str, SearchSpec] = {}
    for name, stage in spec.stages.items():
        refine = stage.refinement
        if refine is None:
            chained[name] = searches[name].model_copy(update={"start_from": starts[name]})
            continue
        base = chained[refine.refine]
        source = chained.get(base.start_from or "")
        folds = base.folds if base.start_from else None
        if source is not None:
            folds = source.folds if source.task == base.task else None
        chained[name] = template_of(base, refine, folds=folds)
    return chained


def _stage_mistakes(spec: ExperimentSpec, searches: dict[str, SearchSpec], document: Document) -> Iterator[str]:
    first, *others = spec.final.stages
    for name in others:
        if any(getattr(searches[name], key) != getattr(searches[first], key) for key in ("metric", "mode", "task")):
            yield (
                f"{document.at(('final', 'stages'))}: stages: can only compete with the same task, metric and mode; "
                f"{name} differs from {first}"
            )
    if spec.final.of == "ties":
        place = document.at(("final", "of"))
        if spec.final.form != "judged":
            yield f"{place}: of: ties needs form: judged, since only fits that were judged are averaged over trials"
        for name in others:
            if any(getattr(searches[name], key) != getattr(searches[first], key) for key in ("seeds", "folds")):
                yield f"{place}: of: ties needs the same seeds and folds in all stages; {name} differs from {first}"
    for name in spec.stages:
        if searches[name].cpus_per_fit != searches[first].cpus_per_fit:
            yield f"{document.at(('stages', name))}: {name}: must have the cpus_per_fit of {first}; one Ray serves all"
    for name in spec.final.stages:
        if spec.final.from_scratch and searches[name].start_from is not None and f"{name}{FROM_SCRATCH}" in searches:
            yield (
                f"{document.at(('stages', f'{name}{FROM_SCRATCH}'))}: {name}{FROM_SCRATCH}: is where {name} competes "
                "from scratch; give the stage another name, or say from_scratch: false in final"
            )
    for name, stage in spec.stages.items():
        if stage.start_from not in searches or searches[name].task != searches[stage.start_from].task:
            continue
        needed, there = searches[name].folds, searches[stage.start_from].folds
        if there is not None and (needed is None or needed > there):
            yield (
                f"{document.at(('stages', name))}: {name}: has folds that {stage.start_from} was not searched on "
                f"({needed or 'all'} > {there}), so its weights would have seen their validation records; "
                "give both the same folds"
            )


def validated(model: type[Model], document: Document) -> Model:
    """Turn a document into a model. Raises UserError with every mistake as `file:line: key: rule, value`."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise UserError(*dict.fromkeys(_sentence(one, document, model) for one in error.errors())) from None


def _sentence(error: ErrorDetails, document: Document, model: type[BaseModel]) -> str:
    place = _place(error["loc"], document)
    key = ".".join(map(str, place)) or "file"
    kind, given = error["type"], error["input"]
    if kind == "missing":
        return f"{document.at(place)}: {key}: {error['loc'][-1]} is required"
    if kind == "extra_forbidden":
        return f"{document.at(place)}: {key}: unknown key{nearest(str(place[-1]), _known_keys(model, place[:-1]))}"
    rule = error["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    value = "" if "got " in rule or isinstance(given, dict) else f", got {given!r}"
    return f"{document.at(place)}: {key}: {rule}{value}"


def _place(location: tuple[str | int, ...], document: Document) -> Place:
    """Return the location in the file; pydantic's also names the alternatives that it tried."""
    place: Place = ()
    for part in location:
        if (*place, part) in document.lines:
            place = (*place, part)
    return place


def _known_keys(model: type[BaseModel], place: Place) -> dict[str, Any]:
    """Return the keys that the mapping at `place` may have."""
    for part in place:
        found = model.model_fields.get(str(part)) or model.model_fields.get(f"{part}_")
        inner = list(_models_in(found.annotation)) if found else []
        if not inner:
            return dict.fromkeys(DIMENSION_KEYS)
        model = inner[0]
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)


def _with_absolute_paths(spec: SearchSpec, document: Document) -> SearchSpec:
    """Read the task's paths relative to the file they stand in: a worker has another working directory."""
    try:
        paths = path_arguments(task_class_of(spec.task.name))
    except UserError as error:
        raise UserError(f"{document.at(('task', 'name'))}: {error}") from None
    absolute = {
        name: str((document.path.parent / value).resolve()) if name in paths and isinstance(value, str) else value
        for name, value in spec.task.with_.items()
    }
    return spec.model_copy(update={"task": spec.task.model_copy(update={"with_": absolute})})


def _search_mistakes(spec: SearchSpec, document: Document) -> Iterator[str]:
    if spec.configurations is not None:
        yield f"{document.at(('configurations',))}: configurations: are written by a stage that refines another"
    if spec.sampler != "grid" and spec.trials is None:
        yield f"{document.at(())}: trials: is required unless the sampler is grid; it is the total, not further trials"
    if spec.prune and spec.prune.hyperband and spec.prune.hyperband.min_steps > spec.max_steps:
        yield (
            f"{document.at(('prune', 'hyperband'))}: prune.hyperband.min_steps: must be at most max_steps, "
            f"{spec.max_steps}, got {spec.prune.hyperband.min_steps}"
        )
    try:
        in_order(spec.space)
    except ValueError as error:
        yield f"{document.at(('space',))}: space: {error}"
    if spec.sampler == "grid":
        yield from (
            f"{document.at(('space', name))}: {name}: a grid needs finitely many values: choice, integer, or "
            "uniform with step (`grid` is the outer grid of a sampler)"
            for name, entry in spec.space.items()
            if isinstance(entry, Cell) or not grid_is_finite(entry)
        )
    try:
        task = load_task(spec.task)
    except UserError as error:
        yield from told_of(error, spec.task, document.at(("task", "with")))
        return
    yield from _space_mistakes(spec, task, document)
    try:
        folds = task.describe().get("folds")
    except (ValueError, OSError) as error:
        yield from told_of(error, spec.task, document.at(("task", "with")))
        return
    if spec.folds is not None and isinstance(folds, int) and spec.folds > folds:
        yield f"{document.at(('folds',))}: folds: must be at most {folds}, which the data has, got {spec.folds}"


def _space_mistakes(spec: SearchSpec, task: Task, document: Document) -> Iterator[str]:
    refused: dict[str, str] = {}
    try:
        parameters = task.parameters(listed(spec.space))
    except ValueError as error:  # of the form `name: rule, value`, a mistake a line
        for line in str(error).splitlines():
            name = line.partition(":")[0]
            refused[name] = line
            yield f"{document.at(('space', name) if name in spec.space else ('space',))}: {line}"
        parameters = task.parameters()
    if STEPS in spec.space and STEPS in parameters:
        yield (
            f"{document.at(('space', STEPS))}: {STEPS}: is how long a fit is trained, and this task has a "
            "hyperparameter of that name; give that another name"
        )
    for name, mistake in mistakes_in(spec.space, with_steps(parameters, spec)):
        if not refused or (name in parameters and name not in refused):  # others may be of what was refused
            yield f"{document.at(('space', name))}: {name}: {mistake}"
    defaults = {name: parameter.default for name, parameter in with_steps(parameters, spec).items()}
    for index, values in enumerate(spec.enqueue):
        for name, mistake in enqueue_mistakes(values, spec.space, defaults):
            yield f"{document.at(('enqueue', index, name))}: enqueue: {name}: {mistake}"
