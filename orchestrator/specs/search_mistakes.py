"""What is wrong with a search whose keys and kinds are right: numbers, contradictions, and what its task says of it."""

from collections.abc import Iterator

from orchestrator.errors import UserError
from orchestrator.specs.dimensions import Cell, Choice, Entry
from orchestrator.specs.limits import numbers_too_large
from orchestrator.specs.space import conditions_of, grid_is_finite, in_order, listed, nearest
from orchestrator.specs.space_mistakes import enqueue_mistakes, mistakes_in
from orchestrator.specs.specs import STEPS, SearchSpec
from orchestrator.specs.steps import with_steps
from orchestrator.specs.strict_yaml import Document, Place
from orchestrator.specs.task_loading import load_task, told_of
from orchestrator.task import ReportingTask, Scalar, Task


def search_mistakes(spec: SearchSpec, document: Document, *, task_is_known: bool = True) -> Iterator[str]:
    """Yield each mistake as `file:line: key: rule, value`. Without a task, those that need none to be seen."""
    if spec.configurations is not None:
        yield f"{document.at(('configurations',))}: configurations: are written by a stage that refines another"
    if spec.sampler != "grid" and spec.trials is None:
        yield f"{document.at(())}: trials: is required unless the sampler is grid; it is the total, not further trials"
    yield from (f"{document.at(place)}: {mistake}" for place, mistake in numbers_too_large(spec))
    yield from (f"{document.at(place)}: {mistake}" for place, mistake in _contradictions(spec))
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
    if not task_is_known:
        return
    try:
        task = load_task(spec.task)
    except UserError as error:
        yield from told_of(error, spec.task, document.at(("task", "with")))
        return
    yield from _space_mistakes(spec, task, document)
    yield from _metric_mistakes(spec, task, document)
    try:
        folds = task.describe().get("folds")
    except (ValueError, OSError) as error:
        yield from told_of(error, spec.task, document.at(("task", "with")))
        return
    if spec.folds is not None and isinstance(folds, int) and spec.folds > folds:
        yield f"{document.at(('folds',))}: folds: must be at most {folds}, which the data has, got {spec.folds}"


def _contradictions(spec: SearchSpec) -> Iterator[tuple[Place, str]]:
    """Yield (place, mistake) for values that are right one by one, each with the key at which to mend it."""
    prune = spec.prune
    halving = prune and (prune.hyperband or prune.successive_halving)
    if prune and halving and halving.min_steps > spec.most_steps:
        key = "prune.hyperband.min_steps" if prune.hyperband else "prune.successive_halving.min_steps"
        yield _path(key), f"{key}: must be at most max_steps, {spec.most_steps}, got {halving.min_steps}"
    if prune and prune.median and prune.median.warmup_steps >= spec.most_steps:
        key = "prune.median.warmup_steps"
        yield _path(key), f"{key}: must be below max_steps, {spec.most_steps}, got {prune.median.warmup_steps}"
    said = {"startup_trials": spec} | ({"prune.median.startup_trials": prune.median} if prune and prune.median else {})
    for key, model in said.items():  # a default is no mistake of the user's
        startup = model.startup_trials if "startup_trials" in model.model_fields_set else 0
        if spec.trials is not None and startup > spec.trials:
            yield _path(key), f"{key}: must be at most trials, {spec.trials}, got {startup}"
    for name, entry in spec.space.items():
        for values in _lists_of(entry):
            if twice := _given_twice(values):
                yield ("space", name), f"{name}: a value may be given once, got {', '.join(map(repr, twice))} again"
    for index, config in enumerate(spec.enqueue):
        if config in spec.enqueue[:index]:
            yield ("enqueue", index), f"enqueue: a configuration may be given once, got {config} again"


def _path(key: str) -> Place:
    return tuple(key.split("."))


def _lists_of(entry: Entry) -> Iterator[list[Scalar]]:
    if isinstance(entry, Choice | Cell):
        yield entry.values()
    yield from (wanted for wanted in conditions_of(entry).values() if isinstance(wanted, list))


def _given_twice(values: list[Scalar]) -> list[Scalar]:
    keys = [(isinstance(value, bool), value) for value in values]  # true is no other way to write 1
    first = {key: place for place, key in reversed([*enumerate(keys)])}
    return [value for place, value in enumerate(values) if first[keys[place]] != place]


def _metric_mistakes(spec: SearchSpec, task: Task, document: Document) -> Iterator[str]:
    known = task.reports() if isinstance(task, ReportingTask) else None
    if known is not None and spec.metric not in known:
        way_out = nearest(spec.metric, dict.fromkeys(known))
        yield f"{document.at(('metric',))}: metric: {spec.metric} is not among what the task reports{way_out}"


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
