"""One WFDB record on disk -> one checked `Recording`, and back. The only file that imports wfdb.

Reads `.hea` with `.dat` or MATLAB v4 `.mat`, and annotations. Knows nothing of tables of labels, folds or stores, and
corrects a gain only where it is told the right one.
"""

import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.mistakes import Mistake
from ecgcore.readers.header import AS_STATED, Correction, check_header, header_lines, header_path, mended
from ecgcore.readers.table_words import leads_outside
from ecgcore.signals.arithmetic import canonical_lead, in_millivolts, lead_order

# What wfdb raises for a broken file is whatever its parsing ran into first.
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, OSError, ArithmeticError, RuntimeError, MemoryError)

COMPRESSED = ("508", "516", "524")  # formats (FLAC) that may hold a sample in less than a byte


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """One record as read: everything about it that a store needs."""

    name: str
    patient: str
    labels: tuple[str, ...]
    signal: NDArray[np.float32]  # (leads, samples) in mV
    rate: float  # Hz
    leads: tuple[str, ...]  # canonical names, in the order of the rows
    units: tuple[str, ...] = ("mV",)  # of the rows as the file has them, before they became mV


def read_record(
    path: Path,
    *,
    name: str,
    patient: str,
    labels: Sequence[str],
    leads: Sequence[str] | None = None,
    correction: Correction = AS_STATED,
) -> Recording:
    """Read the record at `path` (no suffix), its rows in the order of `leads` (None: all leads, as they come).

    Raises ValueError `<name>: <reason>` if the record cannot be read or breaks a rule: its rate and gain stated, units
    mV, uV or V, every lead there, at least one sample, no invalid sample, not flat in every lead.
    """
    try:
        record = _read(path, correction)
        present = [canonical_lead(correction.lead_names.get(lead, lead)) for lead in record.sig_name]
        rows = lead_order(present, present if leads is None else leads)
        signal = in_millivolts(record.p_signal.T[rows], [record.units[row] for row in rows])
        check_samples(signal, [present[row] for row in rows])
    except _UNREADABLE as error:
        raise Mistake(f"{name}: {error}") from error
    return Recording(
        name=name,
        patient=patient,
        labels=tuple(labels),
        signal=signal,
        rate=float(record.fs),
        leads=tuple(present[row] for row in rows),
        units=tuple(record.units[row] for row in rows),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Annotations:
    """Marks along a record, in order of time."""

    samples: NDArray[np.int64]  # (marks,) where, in samples of the record
    symbols: tuple[str, ...]  # (marks) what: WFDB's one-character codes
    notes: tuple[str, ...]  # (marks) text beside, such as `(AFIB`; empty where there is none


def read_annotations(path: Path, extension: str) -> Annotations:
    """Return the annotations `<path>.<extension>`. Raises ValueError `<name>: <reason>` if they cannot be read."""
    file = path.with_name(f"{path.name}.{extension}")
    if not file.is_file():
        raise Mistake(f"{path.name}: there is no annotation file {file}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # as above
            found = _wfdb().rdann(str(path), extension)
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise Mistake(f"{path.name}: {file} cannot be read as annotations; is it torn? (wfdb: {reason})") from error
    notes = tuple(note.rstrip("\x00").strip() for note in found.aux_note)  # a note may end in NUL
    return Annotations(samples=np.asarray(found.sample, np.int64), symbols=tuple(found.symbol), notes=notes)


def record_files(path: Path) -> list[Path]:
    """Return the files of the record at `path` (no suffix) that exist: its header and the signal files it names."""
    header = header_path(path)
    if not header.is_file():
        return []
    named = {name for line in header_lines(header)[1:] if not leads_outside(name := line.split()[0])}
    return [header, *(header.parent / name for name in sorted(named) if (header.parent / name).is_file())]


def write_record(directory: Path, recording: Recording, *, gain: int = 1000) -> None:
    """Write `<directory>/<name>.hea` and `.dat`: format 16, `gain` steps per mV, values beyond the range cut off.

    Written by hand: wfdb.wrsamp looks up every field in a pandas table, 40 ms a record against less than one.
    """
    # -32768 is left out: in format 16 it marks a missing sample.
    digital = np.clip(np.rint(recording.signal.astype(np.float64) * gain), -32767, 32767).astype("<i2")
    name, (leads, samples) = recording.name, digital.shape
    checksums = digital.sum(axis=1, dtype=np.int64).astype("<i2")  # the sum, cut to 16 bits
    lines = [f"{name} {leads} {recording.rate:g} {samples}"]
    for lead, row, checksum in zip(recording.leads, digital, checksums, strict=True):
        lines.append(f"{name}.dat 16 {gain}(0)/mV 16 0 {row[0]} {checksum} 0 {lead}")
    (directory / f"{name}.dat").write_bytes(np.ascontiguousarray(digital.T).tobytes())
    header_path(directory / name).write_text("\n".join(lines) + "\n", encoding="ascii")


@cache
def _wfdb() -> Any:
    """Import wfdb when a record is read: it takes a second, which a recipe's check need not wait for."""
    with warnings.catch_warnings():
        # wfdb 4.3 calls pandas in a way that pandas 3.1 announces to drop; nothing that we use depends on it.
        warnings.simplefilter("ignore", DeprecationWarning)
        import wfdb
    return wfdb


def _read(path: Path, correction: Correction) -> Any:
    """Return the wfdb record at `path`, through a mended copy of its header where wfdb would refuse or misread it."""
    header = header_path(path)
    if not header.is_file():
        raise FileNotFoundError(f"there is no header {header}")
    lines = header_lines(header)
    check_header(lines)
    _check_signal_files(header.parent, lines)
    right = mended(lines, correction)
    if right == lines:
        return _rdrecord(path)
    with tempfile.TemporaryDirectory(prefix="header-") as folder:
        Path(folder, "mended.hea").write_text("\n".join(right) + "\n", encoding="ascii", errors="ignore")
        for file in record_files(path)[1:]:
            Path(folder, file.name).symlink_to(file.resolve())
        return _rdrecord(Path(folder, "mended"))


def _rdrecord(path: Path) -> Any:
    try:
        return _wfdb().rdrecord(str(path))
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise Mistake(
            f"the signal is not as long, or not in the form, that the header states; is a file torn? (wfdb: {reason})"
        ) from error


def _check_signal_files(directory: Path, lines: list[str]) -> None:
    """Raise ValueError for a signal file that is missing, or whose bytes would pass for another signal than it holds.

    lines: of the header. wfdb reads all signals of a file in the form of the first, and asks for the memory of as many
    samples as the header states before it looks whether they are there.
    """
    samples = int(lines[0].split()[3])
    described = sorted(line.split() for line in lines[1:])
    for name, group in groupby(described, key=lambda fields: fields[0]):
        forms = [fields[1] for fields in group]
        if leads_outside(name) or "/" in name:
            raise Mistake(f"the header must name signal files beside it, but names {name}")
        file = directory / name
        if not file.is_file():
            raise FileNotFoundError(f"the header names {name}, which is not there")
        if len(set(forms)) > 1:
            raise Mistake(f"all leads in {name} must have one format, but have {', '.join(sorted(set(forms)))}")
        if not forms[0].startswith(COMPRESSED) and len(forms) * samples > file.stat().st_size:
            raise Mistake(
                "the signal is not as long, or not in the form, that the header states; is a file torn? "
                f"({name} has {file.stat().st_size} bytes for {len(forms)} x {samples} samples)"
            )
        with file.open("rb") as opened:
            if opened.read(6) == b"MATLAB":
                raise Mistake(f"{name} is MATLAB version 5 or later; WFDB signals are version 4 (save with -v4)")


def check_samples(signal: NDArray[np.float32], leads: list[str]) -> None:
    """Raise ValueError unless a (leads, samples) signal has samples, all valid, and is not flat in every lead."""
    if signal.size == 0:
        raise Mistake("there are no samples")
    invalid = [lead for lead, row in zip(leads, signal, strict=True) if not np.isfinite(row).all()]
    if invalid:
        raise Mistake(f"invalid samples (marked as missing, or not a number) in {', '.join(invalid)}")
    if not np.ptp(signal, axis=1).any():
        raise Mistake("every lead is flat: there is no signal in it")
