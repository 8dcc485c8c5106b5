"""What a network is given of a store: its records' signals, or their charts in the signals' place. The one door."""

from dataclasses import replace
from typing import Literal

import numpy as np

from ecgcore.data.store import Records, Store
from ecgcore.drawing.charts import ChartForm
from ecgcore.mistakes import Mistake

CHARTS = "charts"  # in a processing: the form of the charts that a network was given


def store_for(store: Store, takes: Literal["signals", "charts"], *, network: str) -> Store:
    """Return the store as `network` sees it, which takes either; where it takes charts, its processing says which.

    Raises ValueError where it takes charts, and the store has none.
    """
    if takes == "signals":
        return store
    if store.charts is None:
        raise Mistake(
            f"{network} takes charts, and {store.directory} has none; add `charts: {{layouts: [4x3]}}` to its recipe"
        )
    said = {**store.processing, CHARTS: store.charts.described()}
    return replace(store, records=charts_of(store.records, store.charts), processing=said)


def charts_of(records: Records, form: ChartForm) -> Records:
    """Return records whose signals are their charts: of each (views * 3 * pixels, pixels) bytes, so many `samples`.

    All that reads signals reads these in the same way: batches, features, predictions, parts of any kind.
    """
    assert records.charts is not None
    assert records.chart_numbers is not None
    return replace(
        records,
        samples=records.charts,
        leads=len(form.layouts) * 3 * form.pixels,
        lengths=np.full(len(records), form.pixels, np.int64),
        starts=records.chart_numbers * form.pixels,
    )
