"""The exported model, `model.pt`, as whoever serves it calls it: recordings as recorded in, answers by class out.

It brings recordings to the leads, unit, rate and processing of the store that it learnt from, by the functions that
prepared that. What `test` scores is what it answers with.
"""

import contextlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgcore.data.batches import EVALUATION_BATCH
from ecgcore.data.store import Records
from ecgcore.drawing.charts import draw
from ecgcore.mistakes import Mistake
from ecgcore.scores.calibration import Calibration
from ecgcore.scores.metrics import decide
from ecgcore.serving.ensemble import Ensemble, built, content_of
from ecgcore.serving.prediction import columns_of, decisions
from ecgcore.signals.arithmetic import in_millivolts, lead_order
from ecgcore.signals.processing import Processing, filtered, scaled
from ecgcore.training.checkpoints import read_tensors, write_tensors
from ecgcore.training.exported_start import FILE

UNIT = "mV"  # unless another is named
PROCESSES = "processes"  # in model.pt; where it is missing (earlier versions), signals must come as the store has them
SECONDS = "seconds"  # in model.pt, beside that
EXAMPLE = "input_example.npy"  # beside model.pt
MOST_VALUES = 100_000  # of an example, which becomes text in several places
Array = NDArray[Any]
Seconds = tuple[float, float]  # from, to
ANY_LENGTH: Seconds = (0.0, math.inf)


def export(
    paths: Sequence[Path], directory: Path, calibration: Calibration | None = None, *, seconds: Seconds = ANY_LENGTH
) -> dict[str, bool | int | float | str | None]:
    """Write the checkpoints' ensemble to `directory`/model.pt; return its signature.

    seconds: how long the shortest and the longest record is that it learnt from.
    """
    content, _ = content_of(paths, calibration)
    write_tensors(directory / FILE, {**content, PROCESSES: True, SECONDS: list(seconds)})
    return signature_of(built(content), seconds)


def write_example(records: Records, directory: Path) -> None:
    """Write the shortest record beside the model as `input_example.npy`: float32, (1, leads, samples).

    It is as the store has it, and the model answers it without being told leads, rate or unit. There is none where the
    record is long, or where the model's filters cannot run again at the store's rate.
    """
    shortest = np.asarray(records.signal(int(np.argmin(records.lengths)))[None], np.float32)
    if shortest.size > MOST_VALUES:
        return
    with contextlib.suppress(ValueError):
        load(directory)(shortest)
        np.save(directory / EXAMPLE, shortest)


def signature_of(ensemble: Ensemble, seconds: Seconds) -> dict[str, bool | int | float | str | None]:
    """Return what goes in and comes out, for whoever serves the model: lists as JSON, or joined by commas."""
    *probabilities, decision = columns_of(ensemble.classes)
    return {
        "input_shape": "-1,-1,-1",  # recordings, leads, samples
        "input_dtype": "float32",
        "options": json.dumps({"sampling_rate": ensemble.rate, "leads": list(ensemble.leads), "unit": UNIT}),
        "output_columns": json.dumps({**dict.fromkeys(probabilities, "float"), decision: "string"}),
        "classes": ",".join(ensemble.classes),
        "leads": ",".join(ensemble.leads),
        "rate": ensemble.rate,
        "seconds": ",".join(f"{value:g}" for value in seconds),
        "unit": UNIT,
        "processing": json.dumps(dict(ensemble.processing), sort_keys=True) if ensemble.processing else "",
        "calibration": ensemble.calibrated(),
        "thresholds": ",".join(repr(float(value)) for value in ensemble.calibration.thresholds),
        "decision": "probability >= threshold" if ensemble.multilabel else "largest probability / threshold",
    }


def load(directory: Path) -> Callable[..., Array | dict[str, Array]]:
    """Return the exported model as a function: `Exported.__call__`, or of earlier versions `_of_stored`.

    Raises ValueError if the file is missing or damaged.
    """
    content = read_tensors(directory / FILE)
    try:
        ensemble = built(content)
    except (KeyError, TypeError, RuntimeError) as error:
        raise Mistake(f"{directory / FILE}: not an exported model ({error}); export it again") from None
    except ValueError as error:  # a network of the user's that is not installed here
        raise Mistake(f"{directory / FILE}: {error}") from None
    if content.get(PROCESSES):
        shortest, longest = content[SECONDS]
        return Exported(ensemble, (shortest, longest))
    return lambda signals: _of_stored(ensemble, signals)


@dataclass(frozen=True)
class Exported:
    """A model that is given recordings as they were recorded."""

    ensemble: Ensemble
    seconds: Seconds  # of the shortest and the longest record that it learnt from

    def __call__(
        self,
        signals: Array,
        *,
        sampling_rate: float | None = None,
        leads: Sequence[str] | None = None,
        unit: str = UNIT,
    ) -> dict[str, Array]:
        """Return columns of one value a recording: probability_CLASS, ... (float32), and decision (text).

        signals: whole recordings (recordings, leads, samples), unprocessed, at `sampling_rate` Hz (None: the store's),
        their rows being `leads` (None: the store's, in its order), in `unit`: mV, uV or V. Raises ValueError for
        another shape, gaps (NaN), a missing lead, an unknown unit, a rate at which the store's filters cannot run or
        from which nothing can be resampled, and one by which they last twice as long as any record of the store, or
        half as long: that is how a wrong one shows. A store of beats or pieces has them from recordings that were
        filtered and resampled whole: one that comes cut out already differs from that at its ends.
        """
        model = self.ensemble
        rate = model.rate if sampling_rate is None else float(sampling_rate)
        rows = self._rows(np.asarray(signals), model.leads if leads is None else list(leads), rate)
        parts = [np.zeros((0, len(model.classes)))]
        for begin in range(0, len(signals), EVALUATION_BATCH):
            batch = signals[begin : begin + EVALUATION_BATCH]
            parts.append(_probabilities(model, np.stack([self._processed(one[rows], rate, unit) for one in batch])))
        scores = np.concatenate(parts)
        called = decide(scores, multilabel=model.multilabel, thresholds=model.calibration.thresholds)
        answers = [*scores.astype(np.float32).T, np.array(decisions(called, model.classes), object)]
        return dict(zip(columns_of(model.classes), answers, strict=True))

    def _rows(self, signals: Array, leads: Sequence[str], rate: float) -> list[int]:
        if not 0 < rate < np.inf:
            raise Mistake(f"sampling_rate must be above 0 Hz, got {rate:g}")
        if signals.ndim != 3 or signals.shape[1] != len(leads):
            expected = f"(recordings, {len(leads)} leads: {' '.join(leads)}, samples)"
            raise Mistake(f"signals must have shape {expected}, got {signals.shape}; name the rows with `leads`")
        _refuse_gaps(signals)
        self._refuse_length(signals.shape[2], rate)
        return lead_order(leads, self.ensemble.leads, way_out="name the rows of the signals with `leads`")

    def _refuse_length(self, samples: int, rate: float) -> None:
        shortest, longest = self.seconds
        if not shortest / 2 < samples / rate < longest * 2:
            raise Mistake(
                f"the model learnt from recordings of {shortest:g} to {longest:g} s, and {samples} samples at {rate:g} "
                f"Hz are {samples / rate:g} s: say their sampling_rate, or cut them"
            )

    def _processed(self, signal: Array, rate: float, unit: str) -> NDArray[np.float32]:
        processing = Processing.of(self.ensemble.processing)
        raw = in_millivolts(signal, [unit] * len(signal))
        try:
            return scaled(filtered(raw, processing, rate=rate, to=self.ensemble.rate), processing)
        except ValueError as error:
            raise Mistake(f"sampling_rate {rate:g} Hz, {signal.shape[1]} samples: {error}") from None


def _of_stored(ensemble: Ensemble, signals: Array) -> NDArray[np.float32]:
    """Return probabilities (batch, classes) of signals (batch, leads, samples) as a store has them, processed."""
    expected = f"(batch, {len(ensemble.leads)} leads: {' '.join(ensemble.leads)}, samples)"
    if signals.ndim != 3 or signals.shape[1] != len(ensemble.leads):
        raise Mistake(f"signals must have shape {expected}, in mV at {ensemble.rate:g} Hz, got {signals.shape}")
    _refuse_gaps(signals)
    parts = np.array_split(np.asarray(signals, np.float32), -(-len(signals) // EVALUATION_BATCH) or 1)
    return np.concatenate([_probabilities(ensemble, part) for part in parts]).astype(np.float32)


def _probabilities(ensemble: Ensemble, signals: NDArray[np.float32]) -> NDArray[np.float64]:
    if not len(signals):
        return np.zeros((0, len(ensemble.classes)))
    lengths = torch.full((len(signals),), signals.shape[2], dtype=torch.int64)
    # a copy: torch refuses to promise that it leaves a read-only array alone
    return ensemble.answer(ensemble.by_member(torch.tensor(signals), lengths, _charts(ensemble, signals)))


def _charts(ensemble: Ensemble, signals: NDArray[np.float32]) -> Tensor | None:
    """Draw the charts that the ensemble's members are given, if they are, as those of a store are drawn."""
    if ensemble.charts is None:
        return None
    drawn = [draw(one, ensemble.charts, rate=ensemble.rate, leads=ensemble.leads) for one in signals]
    return torch.from_numpy(np.stack(drawn).reshape(len(drawn), -1, ensemble.charts.pixels))


def _refuse_gaps(signals: Array) -> None:
    if signals.ndim == 3 and not signals.shape[2]:
        raise Mistake("signals must have samples, got none")
    if not np.isfinite(signals).all():
        raise Mistake("signals must be finite numbers, got NaN or infinity; cut or fill the gaps")
