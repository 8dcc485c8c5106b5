"""From a task's name in YAML to the task: the only door between a search and what it searches."""

import importlib
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.errors import UserError, raise_if_any
from orchestrator.specs.space import listed, nearest
from orchestrator.specs.specs import SearchSpec, TaskSpec
from orchestrator.specs.strict_yaml import Document, read_with_files
from orchestrator.task import Parameter, PreparableTask, Task


def load_task(spec: TaskSpec) -> Task:
    """Import and construct the task. Raises UserError where name or `with` do not fit, or the constructor refuses."""
    task_class = task_class_of(spec.name)
    raise_if_any(list(with_mistakes(spec)))
    paths, files = path_arguments(task_class), _file_arguments(task_class, spec)
    documents = {name: read_with_files(path) for name, path in files.items()}
    values: dict[str, Any] = {name: Path(str(value)) if name in paths else value for name, value in spec.with_.items()}
    for name, document in documents.items():
        values[name] = {**document.data, "file": str(document.path)}
    try:
        task: Task = task_class(**values)
    except (ValueError, OSError) as error:
        raise UserError(*(_with_line(line, documents.values()) for line in str(error).splitlines())) from None
    return task


def told_of(error: Exception, spec: TaskSpec, place: str) -> Iterator[str]:
    """Yield each line of what a task refuses, with the place it is about: in a file that it was given, else `place`."""
    files = _file_arguments(task_class_of(spec.name), spec).values()
    for line in str(error).splitlines():
        if any(line.startswith(f"{file}:") for file in files):
            yield _with_line(line, map(read_with_files, files))
        else:
            yield f"{place}: task: {line}"


def prepared_task(spec: TaskSpec) -> Task:
    """Load a task whose data is there. Raises UserError where it has to be prepared first."""
    task = load_task(spec)
    if lacking := missing_of(task):
        raise UserError(
            f"the data of {spec.name} has to be prepared: {lacking}; `orchestrate run`, `search` and `resume` do that "
            "before they begin: was a recipe changed meanwhile?"
        )
    return task


def missing_of(task: Task) -> str | None:
    """Return what a task has to prepare before anything is described. Raises UserError where that is not possible."""
    try:
        return task.missing() if isinstance(task, PreparableTask) else None
    except (ValueError, OSError) as error:
        raise UserError(*str(error).splitlines()) from None


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
    return {
        name for name, kinds in _kinds(task_class).items() if Path in kinds or any(_is_mapping(kind) for kind in kinds)
    }


def _file_arguments(task_class: type, spec: TaskSpec) -> dict[str, Path]:
    """Return the arguments for which the path of a YAML file is given, where its content is wanted."""
    return {
        name: Path(str(spec.with_[name]))
        for name, kinds in _kinds(task_class).items()
        if any(_is_mapping(kind) for kind in kinds) and str(spec.with_.get(name)).endswith((".yaml", ".yml"))
    }


def _kinds(task_class: type) -> dict[str, tuple[Any, ...]]:
    """Return what each argument of the constructor may be: of a union, each of its members."""
    unions = (typing.Union, types.UnionType)
    hints: dict[str, Any] = {}
    for constructor in _constructors(task_class):
        hints = {**typing.get_type_hints(constructor), **hints}
    return {
        name: typing.get_args(hint) if typing.get_origin(hint) in unions else (hint,) for name, hint in hints.items()
    }


def _constructors(task_class: type) -> Iterator[Callable[..., None]]:
    """Yield the constructor, inherited or not, and those to which each hands on, by `**`, what it does not name."""
    for one in task_class.__mro__[:-1]:  # but for that of object, which takes nothing
        if "__init__" in vars(one):
            constructor = vars(one)["__init__"]
            yield constructor
            if not any(_is_rest(argument) for argument in inspect.signature(constructor).parameters.values()):
                return


def _arguments(task_class: type) -> dict[str, inspect.Parameter]:
    """Return the arguments of the constructor by name."""
    found: dict[str, inspect.Parameter] = {}
    for constructor in _constructors(task_class):
        _self, *arguments = inspect.signature(constructor).parameters.values()
        found = {**{one.name: one for one in arguments if not _is_rest(one)}, **found}
    return found


def _is_rest(argument: inspect.Parameter) -> bool:
    return argument.kind in (argument.VAR_KEYWORD, argument.VAR_POSITIONAL)


def _is_mapping(kind: Any) -> bool:
    found = typing.get_origin(kind) or kind
    return isinstance(found, type) and issubclass(found, Mapping)


def _with_line(mistake: str, documents: Iterable[Document]) -> str:
    """Say in which line a mistake stands that a task tells of a file's content as `file: key.key: rule`."""
    for document in documents:
        if mistake.startswith(f"{document.path}: "):
            said = mistake.removeprefix(f"{document.path}: ")
            keys = said.partition(": ")[0].split(".")
            return f"{document.at(tuple(int(key) if key.isdigit() else key for key in keys))}: {said}"
    return mistake


def with_mistakes(spec: TaskSpec) -> Iterator[str]:
    """Yield each way in which `with` does not fit the constructor."""
    arguments = _arguments(task_class_of(spec.name))
    for name in spec.with_:
        if name not in arguments:
            yield f"with: {name} is not an argument of {spec.name}{nearest(name, arguments)}"
    for name, argument in arguments.items():
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
    return known_folds(spec, task) or 1


def known_folds(spec: SearchSpec, task: Task) -> int | None:
    """Return the number of folds of a search; None where only data that has to be prepared first will say it."""
    return spec.folds or int(task.describe().get("folds") or 0) or None
