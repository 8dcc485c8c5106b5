"""The records of any store made what a model learnt from: its leads, rate and processing; or refused, with the way out.

A store holds processed signals. Where it left them as they are, they are processed here as the model's were; where it
processed them alike, only leads and rate are put right; any other way cannot be undone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.batches import EVALUATION_BATCH, by_length
from ecgcore.data.inputs import CHARTS
from ecgcore.data.store import Records, Store
from ecgcore.drawing.charts import draw
from ecgcore.mistakes import Mistake
from ecgcore.serving.ensemble import Ensemble
from ecgcore.signals.arithmetic import fingerprint, lead_order, resample, resampling_ratio
from ecgcore.signals.processing import Processing, changes_of, filtered, scaled

AT_ONCE = 16 * EVALUATION_BATCH  # records in memory


@dataclass(frozen=True, kw_only=True)
class SignalFit:
    """How records of a store become what a model learnt from."""

    rows: tuple[int, ...]  # of the store's signals: the model's leads, in its order
    rate: float  # Hz, of the store
    to: float  # Hz, of the model
    processing: Processing  # of the model
    filters: bool  # whether the filters are still to be run

    def __call__(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (the model's leads, samples at its rate), processed as what it learnt from.

        Raises ValueError for a signal that is too short for a filter.
        """
        chosen = signal[list(self.rows)]
        if self.filters:
            return scaled(filtered(chosen, self.processing, rate=self.rate, to=self.to), self.processing)
        return scaled(resample(chosen, rate=self.rate, to=self.to), self.processing)  # scaling again changes nothing

    def in_words(self) -> str:
        """Return what is done to the signals, for people."""
        done = [f"{self.rate:g} Hz made {self.to:g} Hz"] if self.rate != self.to else [f"{self.to:g} Hz as they are"]
        what = ", ".join(f"{name} {value}" for name, value in self.processing.described().items())
        if what:
            done.append(f"{what}: {'done here' if self.filters else 'as the store has it'}")
        return f"{len(self.rows)} leads, " + "; ".join(done)


def signal_fit(ensemble: Ensemble, store: Store) -> SignalFit:
    """Return how the store's records become what the model learnt from. Raises ValueError with all that keeps them."""
    mistakes: list[str] = []
    rows: list[int] = []
    try:
        rows = lead_order(
            store.leads, ensemble.leads, way_out="prepare the store with all its leads: leave `leads` out"
        )
    except Mistake as error:
        mistakes.append(str(error))
    there = changes_of(store.processing)
    wanted = {name: value for name, value in changes_of(ensemble.processing).items() if name != CHARTS}
    if there and _plain(there) != _plain(wanted):
        mistakes.append(
            f"signals must be left as they are, or processed as the model's were ({wanted or 'left as they are'}), but "
            f"are {there}, which cannot be undone; prepare the store without that"
        )
    processing = Processing.of(wanted)
    try:
        resampling_ratio(rate=store.rate, to=ensemble.rate)
        _refuse_filters(processing if not there else Processing(), store.rate)
    except Mistake as error:
        mistakes.append(f"{error}; prepare the store at {ensemble.rate:g} Hz or more")
    if mistakes:
        raise Mistake("\n".join(f"{store.directory}: {mistake}" for mistake in mistakes))
    return SignalFit(
        rows=tuple(rows), rate=store.rate, to=ensemble.rate, processing=processing, filters=bool(wanted) and not there
    )


def fitted(records: Records, fit: SignalFit, ensemble: Ensemble) -> Iterator[tuple[NDArray[np.int64], Records]]:
    """Yield some records at a time, of similar length and by index, as the model takes them; all of them in the end.

    Their fingerprints are those that a store of the model's own kind would have. Raises ValueError naming the records
    that cannot be made so.
    """
    order = np.concatenate([np.zeros(0, np.int64), *by_length(records, np.arange(len(records)))])
    for begin in range(0, len(order), AT_ONCE):
        indices = order[begin : begin + AT_ONCE]
        yield indices, _made(records.only(indices), fit, ensemble)


def _made(records: Records, fit: SignalFit, ensemble: Ensemble) -> Records:
    signals, mistakes = [], []
    for index, name in enumerate(records.ids):
        try:
            signals.append(fit(records.signal(index)))
        except Mistake as error:
            mistakes.append(f"{name}: {error}; leave the record out (`leave_out`)")
    if mistakes:
        raise Mistake("\n".join(mistakes))
    drawn = None
    if ensemble.charts is not None:
        form = ensemble.charts
        drawn = np.stack([draw(one, form, rate=fit.to, leads=ensemble.leads) for one in signals]).ravel()
    return replace(
        records,
        lengths=np.array([signal.shape[1] for signal in signals], np.int64),
        fingerprints=np.array([fingerprint(signal) for signal in signals], np.int64),
        leads=len(fit.rows),
        samples=np.concatenate([signal.ravel() for signal in signals]),
        starts=None,
        charts=drawn,
        chart_numbers=None if drawn is None else np.arange(len(signals)),
    )


def _refuse_filters(processing: Processing, rate: float) -> None:
    for name, highest in (("band_pass", processing.band_pass and processing.band_pass[1]), ("notch", processing.notch)):
        if highest and highest >= rate / 2:
            raise Mistake(f"the model's {name} needs a rate above {2 * highest:g} Hz, got {rate:g} Hz")


def _plain(changes: dict[str, object]) -> dict[str, object]:
    """Return the changes with lists for tuples, as JSON has them."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in changes.items()}
