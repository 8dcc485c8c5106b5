"""Label maps: from the codes of a database (SNOMED, SCP, rhythm names) to the classes that are wanted.

A map is data that somebody else read from YAML. Nothing is dropped in silence: codes that a map does not know are
counted by name, records that keep no class are counted by reason.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ecgcore.mistakes import Mistake
from ecgcore.readers.source import Listed, Source

SHIPPED = Path(__file__).with_name("label_maps")
KEYS = ("multilabel", "classes", "ignored")


@dataclass(frozen=True, kw_only=True)
class LabelMap:
    """Which class each code stands for."""

    path: Path  # where it was read; its bytes are part of a store's input
    multilabel: bool  # False: a record has exactly one class
    classes: tuple[str, ...]
    class_of: Mapping[str, str]  # code -> class
    ignored: frozenset[str]  # codes that are known and give no class


def label_map_from(content: Mapping[str, Any], path: Path) -> LabelMap:
    """Check the content of a label map: `multilabel: true|false`, `classes: {class: [codes]}`, `ignored: [codes]`.

    Raises ValueError with every mistake of it.
    """
    mistakes = [f"unknown key {key}; the keys are {', '.join(KEYS)}" for key in content if key not in KEYS]
    multilabel, classes = content.get("multilabel"), content.get("classes")
    if not isinstance(multilabel, bool):
        mistakes.append(f"multilabel must be true (a record may have several classes) or false, but got {multilabel!r}")
    if not isinstance(classes, Mapping) or len(classes) < 2:
        mistakes.append(f"classes must name two classes or more, each with a list of its codes, but got {classes!r}")
        classes = {}
    mistakes += [f"a class must be a name without `;`, but got {name!r}" for name in classes if ";" in name]
    class_of: dict[str, str] = {}
    for name, codes in classes.items():
        for code in _codes(codes, f"classes.{name}", mistakes):
            if code in class_of:
                mistakes.append(f"classes.{name}: code {code} is in {class_of[code]} already; a code has one class")
            class_of[code] = str(name)
    ignored = frozenset(_codes(content.get("ignored") or [], "ignored", mistakes))
    mistakes += [f"ignored: code {code} is in class {class_of[code]}, too" for code in sorted(ignored & set(class_of))]
    if mistakes:
        raise Mistake("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    return LabelMap(
        path=path, multilabel=bool(multilabel), classes=tuple(map(str, classes)), class_of=class_of, ignored=ignored
    )


def with_classes(source: Source, label_map: LabelMap) -> Source:
    """Return the source with the map's classes in place of its codes.

    Left out, and counted: records without a class of the map and, where classes exclude each other, records with more
    than one. Raises ValueError if no record is left.
    """
    kept: list[Listed] = []
    left_out, unknown = Counter(source.left_out), Counter[str]()
    for listed in source.records:
        unknown.update(code for code in listed.labels if _unknown(code, label_map))
        found = _classes_of(listed.labels, label_map)
        if not found:
            left_out["without a class of the label map"] += 1
        elif len(found) > 1 and not label_map.multilabel:
            left_out["with more than one class of a label map whose classes exclude each other"] += 1
        else:
            kept.append(replace(listed, labels=found))
    if not kept:
        raise Mistake(
            f"{label_map.path}: no record of {source.directory} has one of its codes; the records have "
            f"{', '.join(code for code, _ in unknown.most_common(10))}"
        )
    return replace(
        source,
        target=label_map.path.stem,
        classes=label_map.classes,
        multilabel=label_map.multilabel,
        records=tuple(kept),
        tables=(*source.tables, label_map.path),
        left_out=dict(left_out),
        unknown_codes=dict(unknown.most_common()),
    )


def _codes(codes: Any, place: str, mistakes: list[str]) -> list[str]:
    """Return the codes of a list as text; SNOMED codes are written as numbers."""
    if not isinstance(codes, Sequence) or isinstance(codes, str):
        mistakes.append(f"{place} must be a list of codes, but got {codes!r}")
        return []
    wrong = [code for code in codes if not isinstance(code, str | int) or isinstance(code, bool) or code == ""]
    mistakes += [f"{place}: a code must be text or a whole number, but got {code!r}; quote it" for code in wrong]
    return [str(code) for code in codes if code not in wrong]


def _unknown(code: str, label_map: LabelMap) -> bool:
    return code not in label_map.class_of and code not in label_map.ignored


def _classes_of(codes: Sequence[str], label_map: LabelMap) -> tuple[str, ...]:
    found = {label_map.class_of[code] for code in codes if code in label_map.class_of}
    return tuple(name for name in label_map.classes if name in found)
