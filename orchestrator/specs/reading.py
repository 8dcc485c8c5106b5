"""From a YAML file to a spec: every mistake of a file at once, as `file:line: key: rule, value, way out`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.errors import UserError, raise_if_any
from orchestrator.names import stage_name_mistake
from orchestrator.specs.limits import stage_numbers_too_large
from orchestrator.specs.refinement import template_of
from orchestrator.specs.requirements import requirement_mistakes
from orchestrator.specs.search_mistakes import search_mistakes
from orchestrator.specs.specs import DEFAULT, FROM_SCRATCH, ExperimentSpec, SearchSpec
from orchestrator.specs.start_from import PublishedSpec, is_plain, is_published, resolved
from orchestrator.specs.strict_yaml import Document, Place, read_with_mistakes, read_yaml
from orchestrator.specs.task_loading import load_task, path_arguments, task_class_of
from orchestrator.specs.validation import as_far_as_possible, not_of, validated

# What stands for a key that is missing or wrong while the others are checked.
_STAND_INS = {
    "task": {"name": "left.out:LeftOut"},
    "metric": "left_out",
    "max_steps": 1_000_000,
    "sampler": "random",
    "trials": 1_000_000,
    "space": {"left_out": 0},
}


def is_experiment(path: Path) -> bool:
    """Return whether a YAML file describes an experiment rather than a search."""
    return "stages" in read_with_mistakes(path.absolute()).data


def read_search(path: Path) -> SearchSpec:
    """Read a search space. Raises UserError with all mistakes, those against the task's hyperparameters included."""
    spec, mistakes = _read_search(path)
    raise_if_any(mistakes)
    assert spec is not None
    return spec


def _read_search(path: Path) -> tuple[SearchSpec | None, list[str]]:
    """Return a search as far as it can be read, and its mistakes; None where its keys or kinds are wrong."""
    document = read_with_mistakes(path.absolute())
    spec, mistakes, left_out = as_far_as_possible(SearchSpec, document, parts=("space",), stand_ins=_STAND_INS)
    if spec is None:
        return None, mistakes
    try:
        spec = _with_absolute_paths(spec, document) if "task" not in left_out else spec
    except UserError as error:
        mistakes.append(str(error))
        left_out.add("task")
    start_from, wrong = _resolved_start(spec.start_from, ("start_from",), document)
    found = [*wrong, *search_mistakes(spec, document, task_is_known="task" not in left_out)]
    mistakes += not_of(left_out, found, file=str(document.path))
    return None if left_out else spec.model_copy(update={"start_from": start_from}), mistakes


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
    """Read how published weights become ours, with their path made absolute; a word is left to the task.

    Raises UserError with all mistakes.
    """
    document = read_yaml(path)
    spec = validated(PublishedSpec, document)
    weights = (path.parent / spec.weights).resolve()
    if not weights.is_file() and is_plain(spec.weights):
        return spec.model_dump()
    if not weights.is_file():
        raise UserError(
            f"{document.at(('weights',))}: weights: must be a file, relative to this one, got {spec.weights!r}"
        )
    return {**spec.model_dump(), "weights": str(weights)}


def read_experiment(path: Path) -> tuple[ExperimentSpec, dict[str, SearchSpec]]:
    """Read an experiment and the searches of its stages. Raises UserError with all mistakes of all the files."""
    document = read_with_mistakes(path.absolute())
    stages = document.data.get("stages")
    stand_ins = {"final": {"stages": [*stages][:1] if isinstance(stages, dict) else []}}
    spec, mistakes, left_out = as_far_as_possible(ExperimentSpec, document, parts=("stages",), stand_ins=stand_ins)
    if spec is None:
        raise UserError(*mistakes)
    searches, found = _searches_of(spec, document)
    mistakes += not_of(left_out, found, file=str(document.path))
    raise_if_any(mistakes)
    return spec, searches


def _searches_of(spec: ExperimentSpec, document: Document) -> tuple[dict[str, SearchSpec], list[str]]:
    """Return the searches of the stages, chained, as far as they can be read, and all mistakes."""
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
            found, wrong = _read_search(document.path.parent / stage.search)
        except UserError as error:
            found, wrong = None, str(error).splitlines()
        mistakes += [line for line in wrong if line not in mistakes]
        if found is not None:
            searches[name] = found
    mistakes += [
        f"{document.at(('final', 'stages', i))}: stages: must name stages of this experiment, got {name!r}; it has "
        f"{', '.join(spec.stages)}"
        for i, name in enumerate(spec.final.stages)
        if name not in spec.stages
    ]
    mistakes += [
        f"{document.at(('final', 'stages', i))}: stages: must name a stage once, got {name!r} again"
        for i, name in enumerate(spec.final.stages)
        if name in spec.final.stages[:i]
    ]
    mistakes += [
        f"{document.at(('final', 'beside', i))}: beside: must name stages of this experiment or {DEFAULT}, each once, "
        f"got {name!r}"
        for i, name in enumerate(spec.final.beside)
        if name not in (*spec.stages, DEFAULT) or name in spec.final.beside[:i]
    ]
    mistakes += [
        f"{document.at(('stages', name))}: {name}: its search file must not say start_from; the stage does"
        for name, search in searches.items()
        if search.start_from is not None
    ]
    mistakes += [f"{document.at(place)}: {mistake}" for place, mistake in stage_numbers_too_large(spec)]
    searches = _chained(spec, searches, starts)
    return searches, [*mistakes, *_stage_mistakes(spec, searches, document)]


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
            if name in searches:  # others are mistakes
                chained[name] = searches[name].model_copy(update={"start_from": starts[name]})
            continue
        base = chained.get(refine.refine)
        if base is None:
            continue
        source = chained.get(base.start_from or "")
        folds = base.folds if base.start_from else None
        if source is not None:
            folds = source.folds if source.task == base.task else None
        chained[name] = template_of(base, refine, folds=folds)
    return chained


def _stage_mistakes(spec: ExperimentSpec, searches: dict[str, SearchSpec], document: Document) -> Iterator[str]:
    known = [name for name in spec.final.stages if name in searches]  # others are mistakes that are told already
    if not known:
        return
    first, *others = known
    if DEFAULT in spec.final.beside and not any(searches[name].has_baseline for name in known):
        yield (
            f"{document.at(('final', 'beside'))}: beside: {DEFAULT}: no stage that competes tries its untuned default; "
            "say baseline: true in one whose space varies, or leave it out"
        )
    for name in [one for one in spec.final.beside if one in searches]:
        if searches[name].task != searches[first].task:
            yield (
                f"{document.at(('final', 'beside'))}: beside: can only be tested with the same task; {name} differs "
                f"from {first}"
            )
    for name in others:
        if any(getattr(searches[name], key) != getattr(searches[first], key) for key in ("metric", "mode", "task")):
            yield (
                f"{document.at(('final', 'stages'))}: stages: can only compete with the same task, metric and mode; "
                f"{name} differs from {first}"
            )
    yield from _requirement_mistakes(spec, searches[first], document)
    if spec.final.of == "ties":
        place = document.at(("final", "of"))
        if spec.final.form != "judged":
            yield f"{place}: of: ties needs form: judged, since only fits that were judged are averaged over trials"
        for name in others:
            if any(getattr(searches[name], key) != getattr(searches[first], key) for key in ("seeds", "folds")):
                yield f"{place}: of: ties needs the same seeds and folds in all stages; {name} differs from {first}"
    for name in searches:
        if searches[name].cpus_per_fit != searches[first].cpus_per_fit:
            yield f"{document.at(('stages', name))}: {name}: must have the cpus_per_fit of {first}; one Ray serves all"
    for name in known:
        if spec.final.from_scratch and searches[name].start_from is not None and f"{name}{FROM_SCRATCH}" in searches:
            yield (
                f"{document.at(('stages', f'{name}{FROM_SCRATCH}'))}: {name}{FROM_SCRATCH}: is where {name} competes "
                "from scratch; give the stage another name, or say from_scratch: false in final"
            )
    for name, stage in spec.stages.items():
        if (
            name not in searches
            or stage.start_from not in searches
            or searches[name].task != searches[stage.start_from].task
        ):
            continue
        needed, there = searches[name].folds, searches[stage.start_from].folds
        if there is not None and (needed is None or needed > there):
            yield (
                f"{document.at(('stages', name))}: {name}: has folds that {stage.start_from} was not searched on "
                f"({needed or 'all'} > {there}), so its weights would have seen their validation records; "
                "give both the same folds"
            )


def _requirement_mistakes(spec: ExperimentSpec, tested: SearchSpec, document: Document) -> Iterator[str]:
    try:
        task = load_task(tested.task)
    except UserError:  # told with the search
        return
    for name, mistake in requirement_mistakes(spec.final.require, task):
        yield f"{document.at(('final', 'require', name))}: require: {name}: {mistake}"


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
