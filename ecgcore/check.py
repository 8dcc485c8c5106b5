"""What a person wants to know of a store or of raw recordings before using them, as lines of text. Changes nothing.

Of a sealed part it says the number of records and whether its bytes are those that were sealed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.manifest import NAME, SEALED, Manifest, file_facts, read_manifest, sealed_hash
from ecgcore.readers.own import own_source
from ecgcore.readers.ptbxl import DATABASE, ptbxl_source
from ecgcore.readers.record import read_record
from ecgcore.readers.source import Listed, Source
from ecgcore.signals import flat_leads, lead_fingerprints
from ecgcore.splits import linked
from ecgcore.store import Store, open_store

SHOWN = 10  # names per line; the number is always given


@dataclass
class Survey:
    """Facts gathered from one signal after the other."""

    lengths: list[float] = field(default_factory=list)  # s
    rates: set[float] = field(default_factory=set)  # Hz
    leads: set[tuple[str, ...]] = field(default_factory=set)
    lowest: float = np.inf  # mV
    highest: float = -np.inf
    flat: list[str] = field(default_factory=list)  # `record: leads`
    names: list[str] = field(default_factory=list)
    identities: list[list[int]] = field(default_factory=list)  # of each record's leads

    def add(self, name: str, signal: NDArray[np.float32], *, rate: float, leads: tuple[str, ...]) -> None:
        """Take in one (leads, samples) signal in mV."""
        self.lengths.append(signal.shape[1] / rate)
        self.rates.add(rate)
        self.leads.add(leads)
        self.lowest, self.highest = min(self.lowest, float(signal.min())), max(self.highest, float(signal.max()))
        if flat := flat_leads(signal):
            self.flat.append(f"{name} ({' '.join(leads[row] for row in flat)})")
        self.names.append(name)
        self.identities.append(lead_fingerprints(signal))

    def lines(self) -> list[str]:
        """Return the facts, a line each."""
        if not self.lengths:
            return ["no record could be read"]
        kinds = [" ".join(leads) for leads in sorted(self.leads)]
        same: dict[int, list[str]] = {}
        for name, recording in zip(self.names, linked(self.identities).tolist(), strict=True):
            same.setdefault(recording, []).append(name)
        copies = [" = ".join(names) for names in same.values() if len(names) > 1]
        return [
            f"leads: {_some(kinds, ' | ')}",
            f"rate: {', '.join(f'{rate:g}' for rate in sorted(self.rates))} Hz",
            f"length: {min(self.lengths):g} to {max(self.lengths):g} s, median {np.median(self.lengths):g} s",
            f"amplitude: {self.lowest:.3f} to {self.highest:.3f} mV",
            f"flat leads: {_named(self.flat)}",
            f"duplicate signals: {_named(copies)}",
        ]


def describe_store(directory: Path) -> list[str]:
    """Return facts of a prepared store. Raises ValueError if it is damaged, by the hash of every byte of it."""
    store, manifest = open_store(directory), read_manifest(directory)
    signals = manifest.content.signals
    if file_facts(directory / signals) != manifest.content.files[signals]:
        raise ValueError(
            f"{directory / signals} was changed: its sha256 is not the one in the manifest; prepare the store again "
            "with --replace"
        )
    survey = Survey()
    for index, name in enumerate(store.records.ids):
        survey.add(name, store.records.signal(index), rate=store.rate, leads=store.leads)
    content = manifest.content
    return [
        f"{directory}: {content.records} records of {content.patients} patients, and a test part of "
        f"{manifest.sealed_records} records ({_sealed_state(directory, manifest)})",
        *(
            f"{part}: {counts['records']} records of {counts['patients']} patients; {_class_counts(counts['classes'])}"
            for part, counts in content.counts.items()
        ),
        *_absent(store),
        *survey.lines(),
        *(f"left out: {count} records {why}" for why, count in manifest.left_out.items()),
        f"refused: {_named([f'{name} ({why})' for name, why in manifest.refused.items()])}",
        f"not used: {_grouped(manifest.dropped)}",
        f"content hash: {manifest.content_hash} (fits)",
    ]


def describe_source(directory: Path, *, table: Path | None = None) -> tuple[list[str], bool]:
    """Return facts of raw recordings, and whether every record can be read.

    Known are PTB-XL, a folder with a table of labels (`table`, or labels.csv in it), and any folder of WFDB records.
    Raises ValueError for mistakes in a table, or if there are no records.
    """
    source = _recognise(directory, table)
    survey, refused = Survey(), []
    for listed in source.records:
        try:
            recording = read_record(listed.path, name=listed.name, patient=listed.patient, labels=listed.labels)
        except ValueError as error:
            refused.append(str(error))
            continue
        survey.add(listed.name, recording.signal, rate=recording.rate, leads=recording.leads)
    counts = {name: sum(name in record.labels for record in source.records) for name in source.classes}
    patients = len({record.patient for record in source.records})
    lines = [
        f"{directory}: {len(source.records)} records"
        + (f" of {patients} patients; {_class_counts(counts)}" if counts else ", patients and labels unknown"),
        *survey.lines(),
        *(f"left out: {count} records {why}" for why, count in source.left_out.items()),
        f"refused: {len(refused) or 'none'}",
        *(f"  {reason}" for reason in refused),
    ]
    return lines, not refused


def _recognise(directory: Path, table: Path | None) -> Source:
    if table is None and (directory / DATABASE).is_file():
        return ptbxl_source(directory)
    if table is not None or (directory / "labels.csv").is_file():
        return own_source(directory, table=table)
    headers = sorted(directory.rglob("*.hea"))
    if not headers:
        raise ValueError(f"{directory} must hold {NAME} (a store) or WFDB records (.hea), but has neither")
    names = [(str(header.relative_to(directory).with_suffix("")), header.with_suffix("")) for header in headers]
    records = tuple(Listed(name=name, path=path, patient="", labels=()) for name, path in names)
    return Source(
        reader="folder", directory=directory, target="", classes=(), multilabel=False, records=records, tables=()
    )


def _sealed_state(directory: Path, manifest: Manifest) -> str:
    """Say whether the sealed part is the one that was sealed, from its hash alone."""
    if not manifest.sealed_records:
        return "none was asked for"
    if not (directory / SEALED).is_dir():
        return "sealed/ is not here"
    try:
        fits = sealed_hash(directory, manifest.content.signals) == manifest.sealed_hash
    except FileNotFoundError:
        fits = False
    if not fits:
        raise ValueError(
            f"{directory / SEALED} was changed after it was sealed; prepare the store again with --replace"
        )
    return f"sealed, hash {manifest.sealed_hash[:12]} fits"


def _absent(store: Store) -> list[str]:
    """Say which classes a part lacks: they are not learnt, or cannot be scored, there."""
    lines = []
    for fold, split in enumerate(store.splits):
        for name, part in (("train", split.train), ("validation", split.validation)):
            absent = [label for label, n in zip(store.classes, store.records.labels[part].sum(0), strict=True) if not n]
            lines += [f"note: {name} of fold {fold} has no record of {', '.join(absent)}"] if absent else []
    return lines


def _class_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _named(names: Sequence[str]) -> str:
    return f"{len(names)}: {_some(names, ', ')}" if names else "none"


def _some(names: Sequence[str], separator: str) -> str:
    return separator.join(names[:SHOWN]) + (f"{separator}..." if len(names) > SHOWN else "")


def _grouped(dropped: Mapping[str, str]) -> str:
    """Group records by why they are in no part."""
    reasons: dict[str, list[str]] = {}
    for name, why in dropped.items():
        reasons.setdefault(why, []).append(name)
    return "; ".join(f"{why}: {_named(names)}" for why, names in reasons.items()) or "none"
