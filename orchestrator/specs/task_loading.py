"""From a task's name in YAML to the task: the only door between a search and what it searches."""

import importlib
import inspect
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchestrator.errors import UserError, raise_if_any
from orchestrator.specs.space import listed, nearest
from orchestrator.specs.specs import SearchSpec, TaskSpec
from orchestrator.task import Parameter, Scalar, Task


def load_task(spec: TaskSpec) -> Task:
    """Import and construct the task. Raises UserError where name or `with` do not fit, or the constructor refuses."""
    task_class = task_class_of(spec.name)
    raise_if_any(list(with_mistakes(spec)))
    paths = path_arguments(task_class)
    values = {name: Path(str(value)) if name in paths else value for name, value in spec.with_.items()}
    try:
        task: Task = task_class(**values)
    except (ValueError, OSError) as error:
        raise UserError(*str(error).splitlines()) from None
    return task


def task_class_of(name: str) -> type:
    """Import `package.module:Class`. Raises UserError naming what is missing."""
    module_name, _, class_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a module of the user's may fail in any way
        raise UserError(
            f"task {name}: cannot be imported ({type(error).__name__}: {error}); is its package installed here?"
        ) from None
    found = getattr(module, class_name, None)
    if not isinstance(found, type):
        raise UserError(f"task {name}: {module_name} has no class {class_name}{nearest(class_name, vars(module))}")
    return found


def path_arguments(task_class: type) -> set[str]:
    """Return the constructor's arguments that are paths, and so are read relative to the YAML file."""
    constructor = vars(task_class).get("__init__", object.__init__)
    return {
        name
        for name, hint in typing.get_type_hints(constructor).items()
        if hint is Path or Path in typing.get_args(hint)
    }


def with_mistakes(spec: TaskSpec) -> Iterator[str]:
    """Yield each way in which `with` does not fit the constructor."""
    signature = inspect.signature(task_class_of(spec.name))
    for name in spec.with_:
        if name not in signature.parameters:
            yield f"with: {name} is not an argument of {spec.name}{nearest(name, signature.parameters)}"
    for name, argument in signature.parameters.items():
        if argument.default is argument.empty and name not in spec.with_:
            yield f"with: {name} is required by {spec.name}"


def parameters_of(spec: SearchSpec, task: Task) -> Mapping[str, Parameter]:
    """Return the task's hyperparameters beside the values that the space lists. Raises UserError if it refuses."""
    try:
        return task.parameters(listed(spec.space))
    except ValueError as error:
        raise UserError(*str(error).splitlines()) from None


def folds_of(spec: SearchSpec, task: Task) -> int:
    """Return the number of folds of a search: its own, or all that the task's data has."""
    return spec.folds or int(task.describe().get("folds") or 1)


def data_of(spec: SearchSpec) -> Scalar:
    """Return the content hash of the data that a search is about."""
    return load_task(spec.task).describe().get("data")
