"""Every record of a source, processed and drawn by all cores into pieces on disk: a second attempt goes on there.

Knows nothing of splits and stores: the pieces hold all signals and charts, in a folder that only the user may look
into, which whoever asked for them removes.
"""

import json
import multiprocessing
import os
import signal as signals_of_the_system
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import groupby
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ecgcore.drawing.charts import ChartForm, draw
from ecgcore.mistakes import Mistake
from ecgcore.readers.reading import read_listed
from ecgcore.readers.source import Listed, Source
from ecgcore.signals.arithmetic import fingerprint, lead_fingerprints
from ecgcore.signals.processing import Processing, filtered, scaled, stored
from ecgcore.whole_files import replacing

PIECES, LARGEST = 32, 64  # a source is cut into 32 pieces, or more of 64 recordings each
# Bytes of recordings up to which one process reads, unless more are asked for, since more cost more than they save:
# CinC 2017's 2,202 records (43 MB) took 8.2 s with one process and 10.2 s with two, on 2 busy cores, since each needs
# 2 s to import its libraries.
WORTHWHILE = 64 * 2**20
WORTHWHILE_CHARTS = 2**29  # bytes of charts, likewise: 3,600 of 224 pixels, 4 s

Progress = Callable[[int, int], None]  # records done, of all


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A record that could be read, and where its signal lies."""

    listed: Listed
    samples: int
    fingerprint: int
    lead_fingerprints: Sequence[int]
    rounding: float  # the largest error of storing it, in its unit
    piece: Path
    begin: int  # bytes
    size: int  # bytes
    number: int  # of those taken of its piece, from 0

    def signal_bytes(self) -> bytes:
        """Read the processed signal, as it will be stored."""
        return _bytes_at(self.piece, self.begin, self.size)

    def chart_bytes(self, form: ChartForm) -> bytes:
        """Read its charts, as they will be stored."""
        return _bytes_at(self.piece.with_suffix(".charts"), self.number * form.size, form.size)


def _bytes_at(path: Path, begin: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read(size)


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """What a process is told: some records, and how and where."""

    records: tuple[Listed, ...]
    leads: tuple[str, ...]
    rate: float
    chosen: bool  # whether the rate was asked for; if not, a record of another is refused
    processing: Processing
    charts: ChartForm | None
    place: Path  # <place>.signals, .charts and .json; the last is written last

    @property
    def facts(self) -> Path:
        return self.place.with_suffix(".json")


def read_all(
    source: Source,
    folder: Path,
    *,
    leads: tuple[str, ...],
    rate: float | None,
    processing: Processing,
    charts: ChartForm | None,
    workers: int | None,
    progress: Progress = lambda done, records: None,
) -> tuple[list[Taken], dict[str, str], float]:
    """Read every record of the source; return those taken, those refused with the reason, and the rate in Hz.

    rate: None for that of the first record that can be read. workers: None for one a core, where that pays. Pieces that
    are in `folder` already are not read again.
    Raises OSError if the disk is full, ChildProcessError if a process that reads was ended from outside.
    """
    decided = rate or _first_rate(source, leads)
    pieces = [
        _Piece(
            records=records,
            leads=leads,
            rate=decided,
            chosen=rate is not None,
            processing=processing,
            charts=charts,
            place=folder / f"{number:06d}",
        )
        for number, records in enumerate(_cut(source.records))
    ]
    done = 0
    for piece in _read(pieces, workers=workers or _worthwhile_workers(source, charts)):
        done += len(piece.records)
        progress(done, len(source.records))
    taken: list[Taken] = []
    refused: dict[str, str] = {}
    for piece in pieces:
        _collect(piece, taken, refused)
    return taken, refused, decided


def _first_rate(source: Source, leads: tuple[str, ...]) -> float:
    for listed in source.records:
        try:
            return read_listed(listed, leads).rate
        except ValueError:  # it will be refused, with this reason, when its turn comes
            continue
    return 1.0  # none can be read: all will be refused


def _cut(records: Sequence[Listed]) -> Iterator[tuple[Listed, ...]]:
    """Cut into pieces of whole recordings; the same source is cut the same way each time."""
    recordings = [tuple(group) for _, group in groupby(records, key=lambda listed: listed.recording)]
    size = min(LARGEST, -(-len(recordings) // PIECES))
    for begin in range(0, len(recordings), max(1, size)):
        yield tuple(listed for recording in recordings[begin : begin + size] for listed in recording)


def _worthwhile_workers(source: Source, charts: ChartForm | None) -> int:
    """Return how many processes read if nobody said: one a core, or one alone where starting more takes longer."""
    drawn = len(source.records) * charts.size if charts else 0
    pays = _bytes(source) > WORTHWHILE or drawn > WORTHWHILE_CHARTS
    return len(os.sched_getaffinity(0)) if pays else 1


def _bytes(source: Source) -> int:
    paths = {
        file
        for recording in {listed.recording: listed for listed in source.records}.values()
        for file in recording.files()
    }
    return sum(path.stat().st_size for path in paths)


def _read(pieces: Sequence[_Piece], *, workers: int) -> Iterator[_Piece]:
    """Read the pieces that are not there yet; give each back as soon as it is on disk."""
    missing = []
    for piece in pieces:
        if piece.facts.is_file():
            yield piece
        else:
            missing.append(piece)
    if workers == 1 or len(missing) < 2:
        for piece in missing:
            yield _read_piece(piece)
        return
    # Not forked: libraries of this process may hold threads, whose locks a fork would copy.
    pool = ProcessPoolExecutor(
        min(workers, len(missing)), mp_context=multiprocessing.get_context("spawn"), initializer=_end_with_parent
    )
    try:
        for future in as_completed([pool.submit(_read_piece, piece) for piece in missing]):
            yield future.result()
    except BrokenProcessPool as error:
        raise ChildProcessError(
            "a process that read recordings was ended from outside, perhaps for want of memory; nothing is lost: the "
            "same command goes on, with --workers 1 if that happens again"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _end_with_parent() -> None:
    """Leave an interrupt to the parent, which then asks for no more; end at once if it is killed."""
    signals_of_the_system.signal(signals_of_the_system.SIGINT, signals_of_the_system.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _read_piece(piece: _Piece) -> _Piece:
    """Write a piece's signals and charts, each one after the other, and then what they are."""
    rows: list[dict[str, Any]] = []
    refused: dict[int, str] = {}
    number = 0
    with _writing(piece, ".signals") as file, _writing(piece, ".charts") if piece.charts else nullcontext() as drawn:
        for _, group in groupby(piece.records, key=lambda listed: listed.recording):
            spans = list(group)
            try:
                whole, rate = _recording(spans[0], piece)
            except ValueError as error:
                reason = str(error).removeprefix(f"{spans[0].name}: ")
                refused |= dict.fromkeys(range(number, number + len(spans)), reason)
                number += len(spans)
                continue
            for listed in spans:
                try:
                    signal = scaled(_span(whole, listed, rate=rate), piece.processing)
                    kept, rounding = stored(signal, piece.processing)
                    if piece.charts and drawn:
                        drawn.write(draw(signal, piece.charts, rate=rate, leads=piece.leads).tobytes())
                    rows.append(_facts(signal, number, rounding=rounding, begin=file.tell(), size=kept.nbytes))
                    file.write(kept.tobytes())
                except ValueError as error:
                    refused[number] = str(error)
                number += 1
    with replacing(piece.facts) as beside:
        beside.write_text(json.dumps({"taken": rows, "refused": list(refused.items())}), encoding="utf-8")
    return piece


@contextmanager
def _writing(piece: _Piece, suffix: str) -> Iterator[BinaryIO]:
    with replacing(piece.place.with_suffix(suffix)) as beside, beside.open("wb") as file:
        yield file


def _recording(listed: Listed, piece: _Piece) -> tuple[NDArray[np.float32], float]:
    recording = read_listed(listed, piece.leads)
    if recording.rate != piece.rate and not piece.chosen:
        raise Mistake(
            f"its rate is {recording.rate:g} Hz, that of the records before it {piece.rate:g}; choose one with --rate"
        )
    return filtered(recording.signal, piece.processing, rate=recording.rate, to=piece.rate), piece.rate


def _span(whole: NDArray[np.float32], listed: Listed, *, rate: float) -> NDArray[np.float32]:
    if listed.span is None:
        return whole
    begin, samples = round(listed.span[0] * rate), round(listed.span[1] * rate)
    if begin < 0 or begin + samples > whole.shape[1]:
        raise Mistake(f"its span, {listed.span[1]:g} s from {listed.span[0]:g} s, leaves the recording")
    signal = whole[:, begin : begin + samples]
    if samples == 0 or not np.ptp(signal, axis=1).any():
        raise Mistake("every lead is flat: there is no signal in it")
    return np.ascontiguousarray(signal)


def _facts(signal: NDArray[np.float32], number: int, *, rounding: float, begin: int, size: int) -> dict[str, Any]:
    # Identity is that of the signal before it is rounded: stores with and without --half know each other's records.
    return {
        "number": number,
        "samples": signal.shape[1],
        "fingerprint": fingerprint(signal),
        "lead_fingerprints": lead_fingerprints(signal),
        "rounding": rounding,
        "begin": begin,
        "size": size,
    }


def _collect(piece: _Piece, taken: list[Taken], refused: dict[str, str]) -> None:
    found = json.loads(piece.facts.read_text(encoding="utf-8"))
    place = piece.place.with_suffix(".signals")
    for number, row in enumerate(found["taken"]):
        listed = piece.records[row.pop("number")]
        taken.append(Taken(listed=listed, piece=place, number=number, **row))
    refused.update({piece.records[number].name: reason for number, reason in found["refused"]})
