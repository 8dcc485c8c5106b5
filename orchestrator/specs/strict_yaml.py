"""YAML as people mean it: 1e-4 is a number, a key is given once, `no` is a mistake and not False.

The one file that imports yaml.

Gives plain data and the line of every value; all mistakes of a file at once.
"""

import math
import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from orchestrator.errors import UserError, raise_if_any

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.inf|\.nan", re.IGNORECASE)
_OLD_BOOLEANS = {"yes", "no", "on", "off", "y", "n"}
_NUMBER = re.compile(f"{_INTEGER.pattern}|{_FLOAT.pattern}", re.IGNORECASE)
_NULL = {"", "null", "~", "Null", "NULL"}
LARGEST_FILE = 2**20  # bytes
DEEPEST = 50  # levels
MOST_VALUES = 100_000  # of a file, each alias counting as all that it stands for
LARGEST_NUMBER = 2**63 - 1  # of a whole number, either way: what every library below can hold
_PLAIN_TAGS = {
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp", "value", "merge")
}

Place = tuple[str | int, ...]


@dataclass
class Document:
    """A file's data, and where each of its values stands."""

    path: Path
    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)
    mistaken: set[Place] = field(default_factory=set)  # where they are; the value there is None

    def at(self, place: Place) -> str:
        """Return `file:line` of a value, or of the nearest thing around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return f"{self.path}:{self.lines.get(place, 1)}"


def read_yaml(path: Path) -> Document:
    """Read one YAML file whose top is a mapping. Raises UserError with every mistake, each as `file:line: rule`."""
    document = read_with_mistakes(path)
    raise_if_any(document.mistakes)
    return document


def read_with_mistakes(path: Path) -> Document:
    """Read one YAML file whose top is a mapping, with its mistakes, so that others can be told beside them.

    A value that is a mistake is None. Raises UserError where the file cannot be read as YAML at all.
    """
    text = _text_of(path)
    try:
        _check_depth(text, path)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(f"{path}:{line}: not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path}: not YAML: {error}") from None
    if node is None:
        raise UserError(f"{path}: the file is empty; it must hold a mapping of keys to values")
    document = Document(path)
    document.data = _value(node, (), document, document.mistakes)
    if not isinstance(document.data, dict):
        rule = "the file must hold a mapping of keys to values"
        raise UserError(*document.mistakes, f"{path}:1: {rule}, got {_short(document.data)}")
    return document


def _text_of(path: Path) -> str:
    """Read a file of a person's. Raises UserError for pipes and devices, too: they may never end."""
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"{path}: is no plain file; give the path of a YAML file")
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); give the path of a YAML file") from None
    except UserError:
        raise
    except ValueError as error:  # a NUL in the path
        raise UserError(f"{str(path)!r}: cannot be read ({error}); give the path of a YAML file") from None
    if len(raw) > LARGEST_FILE:
        raise UserError(f"{path}: must have at most {LARGEST_FILE} bytes; is it another file than is meant?")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from None


def _check_depth(text: str, path: Path) -> None:
    """Refuse a file that is nested so deeply that to read it would end in Python's limit of calls within calls."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise UserError(f"{path}:{line}: lists and mappings may be nested {DEEPEST} levels deep, got more")


def _short(value: Any) -> str:
    """Return a value as a message shows it."""
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:60]}... ({len(shown)} characters)"


def read_scalars(settings: Iterable[str], *, option: str) -> dict[str, Any]:
    """Read an option's NAME=VALUE, the values as in a file. Raises UserError with every mistake."""
    document, mistakes = Document(Path(option), data={}), list[str]()
    for setting in settings:
        name, equals, text = setting.partition("=")
        node = _composed(text)
        if not name or not equals or not isinstance(node, yaml.ScalarNode):
            mistakes.append(f"{option}: must be NAME=VALUE with one plain value, got {setting!r}")
        elif name in document.data:
            mistakes.append(f"{option}: {name} is given twice; leave one out")
        else:
            document.data[name] = _value(node, (), document, mistakes)
    raise_if_any(mistakes)
    return dict(document.data)


def _composed(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        return None


def read_with_files(path: Path) -> Document:
    """Read a file and, in place of each text in it that is the path of a YAML file, that file's content.

    Such a content says under `file` where it lies. Raises UserError with every mistake of all the files.
    """
    document = read_yaml(path.absolute())
    mistakes: list[str] = []
    if "file" in document.data:
        mistakes.append(f"{document.at(('file',))}: file: unknown key; leave it out")
    for key, value in document.data.items():
        if isinstance(value, str) and value.endswith((".yaml", ".yml")):
            try:
                inner = read_yaml((document.path.parent / value).resolve())
            except UserError as error:
                mistakes += [f"{document.at((key,))}: {key}: {line}" for line in str(error).splitlines()]
            else:
                document.data[key] = {**inner.data, "file": str(inner.path)}
    raise_if_any(mistakes)
    return document


def write_yaml(data: Any) -> str:
    """Return plain data as YAML in the order given."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class _Dumper(yaml.SafeDumper):
    """Quotes each text that read_yaml would not read as text."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    special = _NUMBER.fullmatch(text) or text.lower() in {*_OLD_BOOLEANS, *_NULL, "true", "false"}
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if special else None)


_Dumper.add_representer(str, _represent_text)


def _value(node: yaml.Node, place: Place, document: Document, mistakes: list[str]) -> Any:
    line = node.start_mark.line + 1
    if len(place) > DEEPEST or len(document.lines) > MOST_VALUES:  # only by aliases: of themselves, or of aliases
        raise UserError(
            f"{document.path}:{line}: aliases may make a file {MOST_VALUES} values long and {DEEPEST} levels deep, "
            "got more"
        )
    document.lines.setdefault(place, line)
    if node.tag not in _PLAIN_TAGS:
        mistakes.append(f"{document.path}:{line}: the tag {node.tag} is not allowed; write the plain value")
        document.mistaken.add(place)
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, document, mistakes)
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*place, index), document, mistakes) for index, child in enumerate(node.value)]
    before = len(mistakes)
    value = _scalar(node, document, mistakes)
    if len(mistakes) > before:
        document.mistaken.add(place)
    return value


def _mapping(node: yaml.MappingNode, place: Place, document: Document, mistakes: list[str]) -> dict[Hashable, Any]:
    result: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        key = key_node.value
        if not isinstance(key_node, yaml.ScalarNode) or not isinstance(key, str) or key == "<<":
            mistakes.append(
                f"{document.path}:{line}: a key must be plain text, and `<<` is not supported; write the keys out"
            )
            continue
        if key in result:
            first = document.lines[(*place, key)]
            mistakes.append(
                f"{document.path}:{line}: {key}: the key is given twice (first in line {first}); delete one"
            )
            continue
        document.lines[(*place, key)] = line
        result[key] = _value(value_node, (*place, key), document, mistakes)
    return result


def _scalar(node: yaml.Node, document: Document, mistakes: list[str]) -> Any:
    text = node.value
    if getattr(node, "style", None) in ("'", '"', "|", ">"):
        return text
    if text in _NULL:
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text.lower() in _OLD_BOOLEANS:
        line = node.start_mark.line + 1
        mistakes.append(
            f"{document.path}:{line}: `{text}` is read as a truth value by some and as text by others; "
            f'write true or false, or "{text}" in quotes'
        )
        return None
    if _INTEGER.fullmatch(text):
        number = int(text) if len(text) <= len(str(LARGEST_NUMBER)) + 1 else LARGEST_NUMBER + 1
        if abs(number) <= LARGEST_NUMBER:
            return number
        line = node.start_mark.line + 1
        mistakes.append(
            f"{document.path}:{line}: a whole number must lie between -{LARGEST_NUMBER} and {LARGEST_NUMBER}, "
            f"got {_short(text)}; write a name of digits in quotes"
        )
        return None
    if _NOT_FINITE.fullmatch(text) or (_FLOAT.fullmatch(text) and not math.isfinite(float(text))):
        line = node.start_mark.line + 1
        mistakes.append(f"{document.path}:{line}: a number must be finite, got {text}; leave the key out for no limit")
        return None
    return float(text) if _FLOAT.fullmatch(text) else text
