"""What a person wants to know of a store or of raw recordings before using them. Changes nothing.

Of a sealed part it says the number of records and whether its bytes are those that were sealed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecgcore.data.manifest import NAME, SEALED, Manifest, file_facts, read_manifest, sealed_hash
from ecgcore.data.store import Store, open_store
from ecgcore.drawing.ecg_paper import Example
from ecgcore.inspection.survey import Survey, named
from ecgcore.mistakes import Mistake
from ecgcore.readers.reading import read_listed
from ecgcore.readers.source import BY_PATIENT, BY_RECORD, Listed, Source
from ecgcore.signals.same_recording import Outline, shared

NOT_BY_PATIENT = (
    "divided by record: one patient's records are in several parts; scores are comparable with published ones of that "
    "protocol, and say nothing about new patients"
)


@dataclass(frozen=True, kw_only=True)
class PartCounts:
    """A line of the table of parts."""

    name: str
    records: int
    patients: int | None  # None: unknown
    classes: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All that is said of one folder."""

    title: str
    parts: tuple[PartCounts, ...]
    facts: tuple[str, ...]  # `what: value`, or a line below the one before
    examples: tuple[Example, ...]
    sound: bool  # whether every record can be read
    outlines: tuple[Outline, ...] = ()  # of the recordings, if they are to be compared with those of another folder

    def lines(self) -> list[str]:
        """Return everything but the drawings as text."""
        return [self.title, *(f"{part.name}: {_part_text(part)}" for part in self.parts), *self.facts]


def describe_store(directory: Path, *, compare: bool = False) -> Findings:
    """Return facts of a prepared store, and outlines if asked to `compare` it.

    Raises ValueError if it is damaged, by the hash of every byte of it.
    """
    store, manifest = open_store(directory), read_manifest(directory)
    content = manifest.content
    if changed := [name for name in content.large if file_facts(directory / name) != content.files[name]]:
        raise Mistake(
            "\n".join(
                f"{directory / name} was changed: its sha256 is not the one in the manifest; prepare the store again "
                "with --replace"
                for name in changed
            )
        )
    survey = Survey(unit=content.units, outlines=[] if compare else None)
    for index, name in enumerate(store.records.ids):
        own = store.records.labels[index]
        labels = tuple(label for label, there in zip(store.classes, own, strict=True) if there)
        signal, units = store.records.signal(index), (content.units,)
        survey.add(name, signal, rate=store.rate, leads=store.leads, units=units)
        survey.keep(name, signal, labels, store)
    parts = tuple(
        PartCounts(
            name=name,
            records=part["records"],
            patients=part["patients"] if content.divided_by == BY_PATIENT else None,
            classes=part["classes"],
        )
        for name, part in content.counts.items()
    )
    return Findings(
        title=f"{directory}: {content.records} records{_of(content.patients, content.divided_by)}, and a test part of "
        f"{manifest.sealed_records} records ({_sealed_state(directory, manifest)})",
        parts=parts,
        facts=(
            *([f"WARNING: {NOT_BY_PATIENT}"] if store.divided_by == BY_RECORD else []),
            *_absent(store),
            *survey.lines(),
            *([f"processing: {_processing_text(content.processing)}"] if content.processing else []),
            *([f"charts: {' and '.join(store.charts.layouts)}, {store.charts.pixels} px"] if store.charts else []),
            *_origin_facts(manifest.left_out, manifest.unknown_codes, manifest.corrected),
            f"refused: {named([f'{name} ({why})' for name, why in manifest.refused.items()])}",
            f"not used: {_grouped(manifest.dropped)}",
            f"content hash: {manifest.content_hash} (fits)",
        ),
        examples=tuple(survey.examples.values()),
        sound=True,
        outlines=tuple(survey.outlines or ()),
    )


def describe_source(source: Source, *, compare: bool = False) -> Findings:
    """Return facts of raw recordings, and outlines if asked to `compare` them.

    Each recording is read once, however many records are cut out of it.
    """
    survey, refused = Survey(outlines=[] if compare else None), []
    for records in _by_recording(source):
        first = records[0]
        try:
            recording = read_listed(first)
        except ValueError as error:
            refused.append(str(error))
            continue
        name = first.path.name if first.span else first.name
        survey.add(name, recording.signal, rate=recording.rate, leads=recording.leads, units=recording.units)
        for listed in records:
            begin = round(listed.span[0] * recording.rate) if listed.span else 0  # and on, so that it can be seen
            survey.keep(listed.name, recording.signal[:, begin:], listed.labels, recording)
    known = bool(source.classes)
    total = PartCounts(
        name="all",
        records=len(source.records),
        patients=len({record.patient for record in source.records})
        if known and source.divided_by == BY_PATIENT
        else None,
        classes={name: sum(name in record.labels for record in source.records) for name in source.classes},
    )
    return Findings(
        title=f"{source.directory}: {_part_text(total)}" + (f" (reader {source.reader})" if known else ""),
        parts=(),
        facts=(
            *survey.lines(),
            *_origin_facts(source.left_out, source.unknown_codes, source.corrected),
            f"refused: {len(refused) or 'none'}",
            *(f"  {reason}" for reason in refused),
        ),
        examples=tuple(survey.examples.values()),
        sound=not refused,
        outlines=tuple(survey.outlines or ()),
    )


def in_both(one: Findings, other: Findings) -> str:
    """Say which recordings two folders share, however files, rates or filters differ; sealed parts are left alone."""
    pairs = [f"{first} = {second}" for first, second in shared(one.outlines, other.outlines)]
    return f"recordings in both {_place(one)} and {_place(other)}: {named(pairs)}"


def bare_source(directory: Path) -> Source:
    """List every WFDB record below a folder, of whom and which label unknown. Raises ValueError if there is none."""
    headers = sorted(directory.rglob("*.hea"))
    if not headers:
        raise Mistake(f"{directory} must hold {NAME} (a store) or WFDB records (.hea), but has neither")
    names = [(str(header.relative_to(directory).with_suffix("")), header.with_suffix("")) for header in headers]
    records = tuple(Listed(name=name, path=path, patient="", labels=()) for name, path in names)
    return Source(
        reader="folder", directory=directory, target="", classes=(), multilabel=False, records=records, tables=()
    )


def _by_recording(source: Source) -> Iterable[list[Listed]]:
    """Return the records of each recording, in order."""
    groups: dict[tuple[Path, int], list[Listed]] = {}
    for listed in source.records:
        groups.setdefault(listed.recording, []).append(listed)
    return groups.values()


def _of(patients: int, divided_by: str) -> str:
    return f" of {patients} patients" if divided_by == BY_PATIENT else ""


def _place(findings: Findings) -> str:
    return findings.title.partition(": ")[0]


def _part_text(part: PartCounts) -> str:
    if not part.classes:
        return f"{part.records} records, patients and labels unknown"
    counts = ", ".join(f"{name} {count}" for name, count in part.classes.items())
    return (
        f"{part.records} records" + ("" if part.patients is None else f" of {part.patients} patients") + f"; {counts}"
    )


def _origin_facts(
    left_out: Mapping[str, int], unknown_codes: Mapping[str, int], corrected: Mapping[str, str]
) -> list[str]:
    """Say what was not taken as it was found: records left out, codes without a class, wrong headers."""
    wrong: dict[str, list[str]] = {}
    for name, what in corrected.items():
        wrong.setdefault(what, []).append(name)
    return [
        *(f"left out: {count} records {why}" for why, count in left_out.items()),
        *(
            [f"codes without a class: {named([f'{c} ({n})' for c, n in unknown_codes.items()])}"]
            if unknown_codes
            else []
        ),
        *(f"corrected: {what}: {named(names)}" for what, names in wrong.items()),
    ]


def _processing_text(processing: Mapping[str, Any]) -> str:
    """Return `band pass 0.5-40, half, largest rounding error 0.001`."""
    texts = []
    for name, value in processing.items():
        shown = "-".join(f"{number:g}" for number in value) if isinstance(value, list | tuple) else value
        shown = f"{shown:.3g}" if isinstance(shown, float) else shown
        texts.append(name.replace("_", " ") + ("" if shown is True else f" {shown}"))
    return ", ".join(texts)


def _sealed_state(directory: Path, manifest: Manifest) -> str:
    """Say whether the sealed part is the one that was sealed, from its hash alone."""
    if not manifest.sealed_records:
        return "none was asked for"
    if not (directory / SEALED).is_dir():
        return "sealed/ is not here"
    try:
        fits = sealed_hash(directory, manifest.content.large) == manifest.sealed_hash
    except FileNotFoundError:
        fits = False
    if not fits:
        raise Mistake(f"{directory / SEALED} was changed after it was sealed; prepare the store again with --replace")
    return f"sealed, hash {manifest.sealed_hash[:12]} fits"


def _absent(store: Store) -> list[str]:
    """Say which classes a part lacks: they are not learnt, or cannot be scored, there."""
    lines = []
    for fold, split in enumerate(store.splits):
        for name, part in (("train", split.train), ("validation", split.validation)):
            absent = [label for label, n in zip(store.classes, store.records.labels[part].sum(0), strict=True) if not n]
            lines += [f"note: {name} of fold {fold} has no record of {', '.join(absent)}"] if absent else []
    return lines


def _grouped(dropped: Mapping[str, str]) -> str:
    """Group records by why they are in no part."""
    reasons: dict[str, list[str]] = {}
    for name, why in dropped.items():
        reasons.setdefault(why, []).append(name)
    return "; ".join(f"{why}: {named(names)}" for why, names in reasons.items()) or "none"
