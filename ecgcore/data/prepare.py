"""A Source -> a prepared store: every record read, checked, processed and divided, the test part apart in sealed/.

Nothing of a sealed record remains outside sealed/ but the number of records and a hash. Prints nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import replace as with_fields
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.data import manifest as on_disk
from ecgcore.data.groups import linked
from ecgcore.data.kept_folder import kept_folder
from ecgcore.data.manifest import SEALED, Manifest, digest_of
from ecgcore.data.most_frequent import most_frequent, without_others
from ecgcore.data.piecewise import Progress, Taken, read_all
from ecgcore.data.splits import Division, SplitRule, divide
from ecgcore.data.store import open_store
from ecgcore.data.written_parts import label_matrix, write_open, write_part
from ecgcore.drawing.charts import ChartForm, require_libraries
from ecgcore.mistakes import Mistake
from ecgcore.readers.source import BY_PATIENT, BY_RECORD, Source
from ecgcore.signals.arithmetic import STANDARD_LEADS, canonical_lead
from ecgcore.signals.processing import UNCHANGED, Processing
from ecgcore.whole_files import whole_folder

MOST_WORKERS = 1024  # processes
MOST_HZ = 1_000_000
SHOWN = 50  # refused records in a message


@dataclass(frozen=True, kw_only=True)
class StoreRequest:
    """How a store is wanted, apart from its source."""

    rule: SplitRule
    leads: tuple[str, ...] = STANDARD_LEADS  # rows of every signal, in this order
    rate: float | None = None  # Hz, resampled to; None: that of the records, which must be one
    allow_refused: float = 5.0  # % of the records that may be unreadable before nothing is written
    processing: Processing = UNCHANGED
    charts: ChartForm | None = None  # drawn of every record from its processed signal
    most_frequent: int | None = None  # of the source's classes, as many, see most_frequent.py; None: all
    workers: int | None = 1  # processes that read; None: one a core, where that pays; the store is the same for any

    def __post_init__(self) -> None:
        mistakes = []
        if self.rate is not None and not 0 < self.rate <= MOST_HZ:
            mistakes.append(f"--rate must be above 0 and at most {MOST_HZ} Hz, but got {self.rate}")
        if not 0 <= self.allow_refused <= 100:
            mistakes.append(f"--allow-refused must be from 0 to 100 %, but got {self.allow_refused}")
        if self.workers is not None and not 1 <= self.workers <= MOST_WORKERS:
            mistakes.append(f"--workers must be from 1 to {MOST_WORKERS}, but got {self.workers}")
        if self.most_frequent is not None and self.most_frequent < 2:
            mistakes.append(f"--most-frequent must be 2 or more, but got {self.most_frequent}")
        if not all(self.leads) or not self.leads or len({lead.lower() for lead in self.leads}) < len(self.leads):
            mistakes.append(f"--leads must name one lead or more, each once, but got {','.join(self.leads)!r}")
        if self.charts and self.processing.normalise:
            got = self.processing.normalise
            mistakes.append(f"--normalise must be left out where charts are drawn, which are in mV, but got {got!r}")
        if self.charts and (missing := set(STANDARD_LEADS) - set(map(canonical_lead, self.leads))):
            names = ",".join(lead for lead in STANDARD_LEADS if lead in missing)
            mistakes.append(f"--leads must be the standard 12, or more, where charts are drawn, but lack {names}")
        if mistakes:
            raise Mistake("\n".join(mistakes))


def prepare(
    source: Source,
    target: Path,
    request: StoreRequest,
    *,
    replace: bool = False,
    renew: bool = False,
    noted: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> tuple[Manifest, bool]:
    """Write the store `target`; return its manifest, and False if it was there already, made from the same.

    replace: write anew what is there. renew: do so where that was made from something else. noted: facts for `source`
    in the manifest, by which a caller knows its store again.

    Interrupted or killed, it goes on where it was when it is asked for the same again. Raises ValueError if `target`
    holds something else (unless `replace` or `renew`) or lies among the recordings, if more records are refused than
    allowed, or if the records cannot be divided as asked; OSError if the disk is full. After either nothing is left
    behind.
    """
    if request.rule.by == BY_RECORD:
        source = source.by_record()
    input_hash = digest_of([_asked(request), source.reader, source.target, source.input_hash()])
    if (target / on_disk.NAME).is_file() and not replace:
        replace = renew and on_disk.read_manifest(target).input_hash != input_hash
        if not replace:
            return _existing(target, input_hash, noted or {}), False
    _refuse_target_inside(target, source)
    if request.charts:
        require_libraries()  # once for all records, of which otherwise each would be refused
    with (
        whole_folder(target, marker=on_disk.NAME, replace=replace) as folder,
        kept_folder(target, purpose=input_hash) as pieces,
    ):
        taken, refused, rate = read_all(
            source,
            pieces,
            leads=request.leads,
            rate=request.rate,
            processing=request.processing,
            charts=request.charts,
            workers=request.workers,
            progress=progress or _silent,
        )
        _check_refused(refused, len(source.records), request.allow_refused, source.directory)
        manifest = _write(folder, source, request, taken, refused=refused, rate=rate, input_hash=input_hash)
        manifest = _with_notes(manifest, noted or {})
        on_disk.write_manifest(folder, manifest)
    return manifest, True


def _refuse_target_inside(target: Path, source: Source) -> None:
    """Refuse to write among the recordings, where --replace would remove, and a reader might read, what is written."""
    place = target.resolve()
    for folder in source.folders:
        there = folder.resolve()
        if place == there or there in place.parents:
            raise Mistake(f"--to must lie outside the recordings, but {target} is in {folder}; choose another --to")


def _silent(_done: int, _records: int) -> None:
    """Stand for a progress display where nobody looks."""


def _asked(request: StoreRequest) -> dict[str, Any]:
    """Return what decides about a store's content; what is not asked for is left out, as if it were unknown."""
    asked = asdict(request)
    del asked["workers"]
    asked["processing"] = request.processing.described()
    asked["charts"] = request.charts.described() if request.charts else {}
    if request.rule.repeats == 1:
        del asked["rule"]["repeats"]
    if request.rule.by == BY_PATIENT:
        del asked["rule"]["by"]
    unsaid = ("processing", "charts", "most_frequent")
    return {name: value for name, value in asked.items() if name not in unsaid or value}


def _write(
    folder: Path,
    source: Source,
    request: StoreRequest,
    taken: list[Taken],
    *,
    refused: dict[str, str],
    rate: float,
    input_hash: str,
) -> Manifest:
    """Divide the records, write every part, and return the manifest of it all."""
    (folder / SEALED).mkdir(mode=0o700)
    labels = label_matrix([one.listed for one in taken], source.classes)
    division = divide(
        patients=[one.listed.patient for one in taken],
        signals=linked([one.lead_fingerprints for one in taken]),
        labels=labels,
        given=[one.listed.fold for one in taken],
        rule=request.rule,
    )
    left_out = dict(source.left_out)
    if request.most_frequent is None:
        classes = _used_classes(source.classes, labels, division)
    else:
        classes = most_frequent(labels, source.classes, division.splits, request.most_frequent)
        taken = [_of_classes(one, classes) for one in taken]
        labels = label_matrix([one.listed for one in taken], classes)
        before, division = division, without_others(division, labels.sum(axis=1) > 0)
        # Counted and not named: names would say something of records that were in the test part.
        left_out[f"without any of the {len(classes)} most frequent classes"] = len(before.used()) - len(division.used())
    _check_test_part(labels[division.test], source.directory)
    content = write_open(
        folder,
        taken,
        division,
        leads=request.leads,
        rate=rate,
        classes=classes,
        multilabel=source.multilabel,
        units=source.units,
        divided_by=source.divided_by,
        processing=request.processing,
        charts=request.charts,
    )
    sealed = [taken[record] for record in division.test]
    write_part(folder / SEALED, sealed, content.signals, charts=request.charts)
    return Manifest(
        content=content,
        sealed_records=len(division.test),
        sealed_hash=on_disk.sealed_hash(folder, content.large),
        source=_origin(source, request),
        input_hash=input_hash,
        left_out=left_out,
        refused=refused,
        dropped={taken[record].listed.name: why for record, why in division.dropped.items()},
        unknown_codes=source.unknown_codes,
        corrected=source.corrected,
    )


def _with_notes(manifest: Manifest, noted: Mapping[str, Any]) -> Manifest:
    """Return the manifest with facts added to its `source`, which is part of no hash."""
    return with_fields(manifest, source={**manifest.source, **noted})


def _existing(target: Path, input_hash: str, noted: Mapping[str, Any]) -> Manifest:
    """Return the manifest of a store that is there, if it is whole and was made from the same; note what is new."""
    found = on_disk.read_manifest(target)
    if found.input_hash != input_hash:
        made = " ".join(f"{key}={value}" for key, value in found.source.items() if key != "request")
        raise Mistake(
            f"{target} holds a store of other recordings or with other options ({made}); --replace writes it anew, "
            "or choose another --to"
        )
    open_store(target)
    noting = _with_notes(found, noted)
    if noting != found:
        on_disk.write_manifest(target, noting)
    return noting


def _check_refused(refused: dict[str, str], records: int, allowed: float, directory: Path) -> None:
    if len(refused) == records or 100 * len(refused) > allowed * records:
        raise Mistake(
            "\n".join(
                [
                    f"{directory}: at most {allowed:g} % of the records may be refused, but {len(refused)} of "
                    f"{records} are; mend them, take them out, or raise --allow-refused:",
                    *(f"  {name}: {reason}" for name, reason in islice(refused.items(), SHOWN)),
                    *([f"  ... and {len(refused) - SHOWN} more"] if len(refused) > SHOWN else []),
                ]
            )
        )


def _check_test_part(labels: NDArray[np.float32], directory: Path) -> None:
    """Refuse a test part that cannot be scored: found later, it would have been opened for nothing."""
    there = labels.any(axis=0)
    if len(labels) and not (there & ~labels.all(axis=0)).any():
        raise Mistake(
            f"{directory}: the test part must hold records with and without some class, or it cannot be scored, but "
            f"all of its records ({len(labels)}) have the same labels; take a larger --test-share, other --test-folds, "
            "or other records into the fold test"
        )


def _of_classes(one: Taken, classes: Sequence[str]) -> Taken:
    labels = tuple(label for label in one.listed.labels if label in classes)
    return with_fields(one, listed=with_fields(one.listed, labels=labels))


def _used_classes(classes: Sequence[str], labels: NDArray[np.float32], division: Division) -> tuple[str, ...]:
    left = tuple(name for name, count in zip(classes, labels[division.used()].sum(axis=0), strict=True) if count)
    if len(left) < 2:
        raise Mistake(f"there must be two classes or more, but the records that are used have {', '.join(left)} only")
    return left


def _origin(source: Source, request: StoreRequest) -> dict[str, Any]:
    return {
        "reader": source.reader,
        "target": source.target,
        "folder": str(source.directory),
        "request": _asked(request),
    }
