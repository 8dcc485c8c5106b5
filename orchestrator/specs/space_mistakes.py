"""A search space against the hyperparameters of a task: what it names, draws and asks for that cannot be."""

from collections.abc import Iterator, Mapping

from orchestrator.specs.dimensions import Cell, Dimension, Entry, LogUniform, Range, Uniform
from orchestrator.specs.space import (
    Space,
    conditions_of,
    extremes_of,
    grid_is_finite,
    is_active,
    nearest,
    values_of,
)
from orchestrator.task import Parameter, Scalar


def mistakes_in(space: Space, parameters: Mapping[str, Parameter]) -> Iterator[tuple[str, str]]:
    """Yield (name, mistake) for every value of the space that the task's parameters do not allow."""
    for name, entry in space.items():
        if name not in parameters:
            yield name, f"is not a hyperparameter of this task{nearest(name, parameters)}"
            continue
        for other, wanted in conditions_of(entry).items():
            if other not in space:
                yield name, f"its condition names {other}, which is not in this space"
            elif grid_is_finite(space[other]):
                for one in wanted if isinstance(wanted, list) else [wanted]:
                    if not _may_be(space[other], one):
                        yield name, f"its condition wants {other} to be {one!r}, which it never is"
        yield from ((name, mistake) for mistake in _out_of_place(name, space, parameters))
        if parameters[name].kind == "integer" and isinstance(entry, Uniform | LogUniform):
            yield name, "must be whole numbers; give integer or choice"
            continue
        every = parameters[name].kind in ("choice", "boolean") and not isinstance(entry, Range)
        checked = values_of(entry) if every else extremes_of(entry)
        problems = dict.fromkeys(problem for value in checked if (problem := _not_allowed(value, parameters[name])))
        yield from ((name, problem) for problem in problems)


def enqueue_mistakes(
    values: Mapping[str, Scalar], space: Space, defaults: Mapping[str, Scalar]
) -> Iterator[tuple[str, str]]:
    """Yield (name, mistake) for every value of a configuration to be tried first that could not be drawn."""
    fixed = {name: entry for name, entry in space.items() if not isinstance(entry, Dimension)}
    for name, value in values.items():
        entry = space.get(name)
        if name not in space:
            yield name, f"is not in this space{nearest(name, space)}"
        elif not isinstance(entry, Dimension):
            yield name, f"is fixed at {entry!r} in this space; give it a dimension, or leave it out"
        elif not entry.holds(value):
            drawn = _as_yaml(tuple(values_of(entry))) if not isinstance(entry, Range) else _as_range(entry)
            yield name, f"must be a value that can be drawn from {drawn}, got {value!r}"
        elif not is_active(entry, {**defaults, **fixed, **values}):
            yield name, f"counts only when {dict(conditions_of(entry))}; give these values, too, or leave it out"


def _out_of_place(name: str, space: Space, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    """Yield where `name` would be drawn beside values with which it does not count."""
    for other, allowed in parameters[name].only_with.items():
        beside = _allowed_by_conditions(name, other, space, frozenset())
        if beside is None:
            entry = space.get(other, parameters[other].default)
            beside = values_of(entry) + [parameters[other].default] * bool(conditions_of(entry))
        if wrong := [value for value in dict.fromkeys(beside) if value not in allowed]:
            never = len(wrong) == len(set(beside))
            way_out = _when(space[name], other, allowed)
            if never:
                way_out = f"leave it out, or give {other}: {_as_yaml(allowed)}"
            yield (
                f"is of {', '.join(map(str, allowed))}, and {other} {'is' if never else 'may be'} "
                f"{', '.join(map(str, wrong))}; {way_out}"
            )


def _allowed_by_conditions(name: str, other: str, space: Space, seen: frozenset[str]) -> list[Scalar] | None:
    """Return the values of `other` to which the conditions of `name`, or theirs, restrict it; None: to none."""
    if name in seen or name not in space:  # a circle, or a name that is not there, is a mistake of its own
        return None
    conditions = conditions_of(space[name])
    if other in conditions:
        wanted = conditions[other]
        return wanted if isinstance(wanted, list) else [wanted]
    found = (_allowed_by_conditions(condition, other, space, seen | {name}) for condition in conditions)
    return next((values for values in found if values is not None), None)


def _when(entry: Entry, other: str, allowed: tuple[Scalar, ...]) -> str:
    """Return how an entry is restricted to values of another."""
    when = f"when: {{{other}: {_as_yaml(allowed)}}}"
    if isinstance(entry, Cell):  # which takes no `when`
        return f"write `{{choice: {entry.grid}, {when}}}`"
    return f"write `{{choice: [{entry}], {when}}}`" if not isinstance(entry, Dimension) else f"add `{when}`"


def _as_yaml(values: tuple[Scalar, ...]) -> str:
    return str(values[0]) if len(values) == 1 else f"[{', '.join(map(str, values))}]"


def _as_range(entry: Range) -> str:
    low, high = entry.bounds() or (0.0, 0.0)
    step = getattr(entry, "step", None)
    return f"{low:g} to {high:g}" + (f" in steps of {step:g}" if step else "")


def _may_be(entry: Entry, value: Scalar) -> bool:
    return entry.holds(value) if isinstance(entry, Range) else value in values_of(entry)


def _not_allowed(value: Scalar, parameter: Parameter) -> str | None:
    if parameter.kind in ("choice", "boolean"):
        allowed = parameter.choices if parameter.kind == "choice" else (True, False)
        same = any(value == one and type(value) is type(one) for one in allowed)
        return None if same else f"must be one of {', '.join(map(repr, allowed))}, got {value!r}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"must be a {parameter.kind}, got {value!r}"
    if parameter.kind == "integer" and value != int(value):
        return f"must be a whole number, got {value!r}"
    if (parameter.low is not None and value < parameter.low) or (parameter.high is not None and value > parameter.high):
        return f"must lie between {parameter.low} and {parameter.high}, got {value!r}"
    return None
