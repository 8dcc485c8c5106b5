"""A Source -> a prepared store: every record read, checked, resampled and divided, the test part apart in sealed/.

Nothing of a sealed record is written outside sealed/ but the number of records and a hash. Prints nothing.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore import manifest as on_disk
from ecgcore.manifest import INDEX, SEALED, SIGNALS, SPLITS, Content, Manifest, digest_of, file_facts
from ecgcore.readers.reading import read_listed
from ecgcore.readers.record import Recording
from ecgcore.readers.source import Listed, Source
from ecgcore.signals import STANDARD_LEADS, fingerprint, lead_fingerprints, resample
from ecgcore.splits import Division, Indices, SplitRule, divide, linked
from ecgcore.store import COLUMNS, SEPARATOR, open_store
from ecgcore.whole_folder import whole_folder

SHOWN = 50  # refused records in a message
_SPOOL = "spool.f32"  # all signals as read, until it is known which are sealed; lies in sealed/ and is removed


@dataclass(frozen=True, kw_only=True)
class Request:
    """How a store is wanted, apart from its source."""

    rule: SplitRule
    leads: tuple[str, ...] = STANDARD_LEADS  # rows of every signal, in this order
    rate: float | None = None  # Hz, resampled to; None: that of the records, which must be one
    allow_refused: float = 5.0  # % of the records that may be unreadable before nothing is written

    def __post_init__(self) -> None:
        mistakes = []
        if self.rate is not None and not 0 < self.rate < float("inf"):
            mistakes.append(f"--rate must be above 0 Hz, but got {self.rate}")
        if not 0 <= self.allow_refused <= 100:
            mistakes.append(f"--allow-refused must be from 0 to 100 %, but got {self.allow_refused}")
        if not self.leads or len({lead.lower() for lead in self.leads}) < len(self.leads):
            mistakes.append(f"--leads must name one lead or more, each once, but got {','.join(self.leads)!r}")
        if mistakes:
            raise ValueError("\n".join(mistakes))


@dataclass(frozen=True)
class _Taken:
    """A record in the spool."""

    listed: Listed
    samples: int
    fingerprint: int
    lead_fingerprints: Sequence[int]


def prepare(source: Source, target: Path, request: Request, *, replace: bool = False) -> tuple[Manifest, bool]:
    """Write the store `target`; return its manifest, and False if it was there already, made from the same.

    Raises ValueError if `target` holds something else (unless `replace`), if more records are refused than allowed, or
    if the records cannot be divided as asked; OSError if the disk is full. After either nothing is left behind.
    """
    input_hash = digest_of([asdict(request), source.reader, source.target, source.input_hash()])
    if (target / on_disk.NAME).is_file() and not replace:
        return _existing(target, input_hash), False
    with whole_folder(target, marker=on_disk.NAME, replace=replace) as folder:
        (folder / SEALED).mkdir(mode=0o700)
        taken, refused, rate = _read_all(source, request, folder / SEALED / _SPOOL)
        labels = _label_matrix([one.listed for one in taken], source.classes)
        division = divide(
            patients=[one.listed.patient for one in taken],
            signals=linked([one.lead_fingerprints for one in taken]),
            labels=labels,
            given=[one.listed.fold for one in taken],
            rule=request.rule,
        )
        classes = _used_classes(source.classes, labels, division)
        content = _write_open(
            folder, taken, division, request=request, rate=rate, classes=classes, multilabel=source.multilabel
        )
        _write_part(folder / SEALED, taken, division.test, folder / SEALED / _SPOOL, leads=len(request.leads))
        (folder / SEALED / _SPOOL).unlink()
        manifest = Manifest(
            content=content,
            sealed_records=len(division.test),
            sealed_hash=on_disk.sealed_hash(folder),
            source=_origin(source, request),
            input_hash=input_hash,
            left_out=source.left_out,
            refused=refused,
            dropped={taken[record].listed.name: why for record, why in division.dropped.items()},
        )
        on_disk.write_manifest(folder, manifest)
    return manifest, True


def _existing(target: Path, input_hash: str) -> Manifest:
    """Return the manifest of a store that is there, if it is whole and was made from the same."""
    found = on_disk.read_manifest(target)
    if found.input_hash != input_hash:
        made = " ".join(f"{key}={value}" for key, value in found.source.items() if key != "request")
        raise ValueError(
            f"{target} holds a store of other recordings or with other options ({made}); --replace writes it anew, "
            "or choose another --to"
        )
    open_store(target)
    return found


def _read_all(source: Source, request: Request, spool: Path) -> tuple[list[_Taken], dict[str, str], float]:
    """Read every record into the spool; return those taken, those refused with the reason, and the rate in Hz."""
    taken, refused, rate = [], {}, request.rate
    with spool.open("wb") as file:
        for listed in source.records:
            try:
                recording = read_listed(listed, request.leads)
                rate = rate or recording.rate
                signal = _at_rate(recording, rate, chosen=request.rate is not None)
            except ValueError as error:
                refused[listed.name] = str(error).removeprefix(f"{listed.name}: ")
                continue
            file.write(signal.astype("<f4").tobytes())
            taken.append(_Taken(listed, signal.shape[1], fingerprint(signal), lead_fingerprints(signal)))
    _check_refused(refused, len(source.records), request.allow_refused, source.directory)
    assert rate is not None
    return taken, refused, rate


def _at_rate(recording: Recording, rate: float, *, chosen: bool) -> NDArray[np.float32]:
    if recording.rate != rate and not chosen:
        raise ValueError(
            f"its rate is {recording.rate:g} Hz, that of the records before it {rate:g}; choose one with --rate"
        )
    return resample(recording.signal, rate=recording.rate, to=rate)


def _check_refused(refused: dict[str, str], records: int, allowed: float, directory: Path) -> None:
    if len(refused) == records or 100 * len(refused) > allowed * records:
        raise ValueError(
            "\n".join(
                [
                    f"{directory}: at most {allowed:g} % of the records may be refused, but {len(refused)} of "
                    f"{records} are; mend them, take them out, or raise --allow-refused:",
                    *(f"  {name}: {reason}" for name, reason in islice(refused.items(), SHOWN)),
                    *([f"  ... and {len(refused) - SHOWN} more"] if len(refused) > SHOWN else []),
                ]
            )
        )


def _label_matrix(records: Sequence[Listed], classes: Sequence[str]) -> NDArray[np.float32]:
    return np.array([[label in record.labels for label in classes] for record in records], np.float32)


def _used_classes(classes: Sequence[str], labels: NDArray[np.float32], division: Division) -> tuple[str, ...]:
    used = np.concatenate([division.test, _open_records(division)])
    left = tuple(name for name, count in zip(classes, labels[used].sum(axis=0), strict=True) if count)
    if len(left) < 2:
        raise ValueError(
            f"there must be two classes or more, but the records that are used have {', '.join(left)} only"
        )
    return left


def _open_records(division: Division) -> Indices:
    """Return the records that are in a train or validation part, in order."""
    return np.unique(np.concatenate([part for split in division.splits for part in (split.train, split.validation)]))


def _write_open(
    folder: Path,
    taken: list[_Taken],
    division: Division,
    *,
    request: Request,
    rate: float,
    classes: tuple[str, ...],
    multilabel: bool,
) -> Content:
    """Write everything but the sealed part and return what the manifest says of it."""
    records = _open_records(division)
    _write_part(folder, taken, records, folder / SEALED / _SPOOL, leads=len(request.leads))
    parts = [{"train": split.train, "validation": split.validation} for split in division.splits]
    folds = [{name: np.searchsorted(records, part).tolist() for name, part in fold.items()} for fold in parts]
    (folder / SPLITS).write_text(json.dumps(folds) + "\n", encoding="utf-8")
    return Content(
        classes=classes,
        leads=request.leads,
        rate=rate,
        units="mV",
        multilabel=multilabel,
        records=len(records),
        patients=len({taken[record].listed.patient for record in records}),
        counts={
            f"{name} of fold {number}": _counts([taken[record].listed for record in part], classes)
            for number, fold in enumerate(parts)
            for name, part in fold.items()
        },
        files={name: file_facts(folder / name) for name in (INDEX, SIGNALS, SPLITS)},
    )


def _counts(records: Sequence[Listed], classes: Sequence[str]) -> dict[str, Any]:
    return {
        "records": len(records),
        "patients": len({record.patient for record in records}),
        "classes": {name: sum(name in record.labels for record in records) for name in classes},
    }


def _write_part(folder: Path, taken: list[_Taken], records: Indices, spool: Path, *, leads: int) -> None:
    """Write index.csv and signals.f32 of the given records into `folder`."""
    starts = np.concatenate([[0], np.cumsum([4 * leads * one.samples for one in taken])])  # in bytes
    with (folder / INDEX).open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for record in records:
            one = taken[record]
            labels = SEPARATOR.join(one.listed.labels)
            rows.writerow([one.listed.name, one.listed.patient, labels, one.samples, one.fingerprint])
    with spool.open("rb") as whole, (folder / SIGNALS).open("wb") as file:
        for record in records:
            whole.seek(int(starts[record]))
            file.write(whole.read(int(starts[record + 1] - starts[record])))


def _origin(source: Source, request: Request) -> dict[str, Any]:
    return {
        "reader": source.reader,
        "target": source.target,
        "folder": str(source.directory),
        "request": asdict(request),
    }
