"""From a document to a model: every mistake as `file:line: key: rule, value`, and what is left of it without them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from orchestrator.errors import UserError
from orchestrator.specs.dimensions import DIMENSION_KEYS
from orchestrator.specs.space import nearest
from orchestrator.specs.strict_yaml import Document, Place

Model = TypeVar("Model", bound=BaseModel)
SHOWN = 200  # characters of a value in a message


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
    shown = repr(given) if len(repr(given)) <= SHOWN else f"{repr(given)[:SHOWN]}..."
    value = "" if "got " in rule or isinstance(given, dict) else f", got {shown}"
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


def as_far_as_possible(
    model: type[Model], document: Document, *, parts: Iterable[str] = (), stand_ins: Mapping[str, Any]
) -> tuple[Model | None, list[str], set[str]]:
    """Return the model without what is wrong in the file, the mistakes, and the names of what was left out.

    So that mistakes of another kind, in the rest, can be told in the same answer. parts: mappings at the top of which
    only the entry that is wrong is left out. stand_ins: of keys that are required. Model None: too little is left.
    """
    mistakes, left_out, touched = list(document.mistakes), set[str](), set[str | int]()
    data = dict(document.data)
    wrong = [(place, "") for place in document.mistaken if place]
    for _attempt in range(3):
        for place, said in wrong:
            if place[:1] not in [(key,) for key in touched]:  # what lacks what was left out is no mistake
                mistakes += [said] if said and said not in mistakes else []
            left_out |= _left_out(data, place, parts)
        touched |= {place[0] for place, _ in wrong}
        for key in touched & stand_ins.keys():
            data.setdefault(str(key), stand_ins[str(key)])
        try:
            return model.model_validate(data), mistakes, left_out
        except ValidationError as error:
            given = Document(document.path, data, document.lines)
            wrong = [(one["loc"], _sentence(one, given, model)) for one in error.errors() if one["loc"]]
    return None, mistakes, left_out


def not_of(names: Iterable[str], mistakes: Iterable[str], *, file: str) -> Iterator[str]:
    """Yield the mistakes that speak of none of the names: what was left out may be why they are told."""
    unknown = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(names)) or r"(?!)")
    for mistake in mistakes:
        said, _, _other_names = mistake.removeprefix(file).partition("; known are ")
        if not unknown.search(said):
            yield mistake


def _left_out(data: dict[str, Any], place: Place, parts: Iterable[str]) -> set[str]:
    """Take what is at a place out of the data, as a whole; return its name."""
    names = [part for part in place if isinstance(part, str)]
    if not names or names[0] not in data:
        return set(names[:1])
    inner = data[names[0]]
    if names[0] in parts and len(names) > 1 and isinstance(inner, dict) and names[1] in inner:
        data[names[0]] = {name: value for name, value in inner.items() if name != names[1]}
        return {names[1]}
    del data[names[0]]
    return {names[0]}
