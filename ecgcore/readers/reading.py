"""From a record as it is listed to its signal, whatever file it lies in."""

from collections.abc import Sequence

from ecgcore.readers.array import mapped_row, read_row
from ecgcore.readers.chapman import chapman_values
from ecgcore.readers.heartbeat_csv import beat_values
from ecgcore.readers.record import Recording, read_record
from ecgcore.readers.source import Listed

_VALUES_OF = {"npy": mapped_row, "beats": beat_values, "chapman": chapman_values}


def read_listed(listed: Listed, leads: Sequence[str] | None = None) -> Recording:
    """Read the recording that a record is all, or a span, of; the whole of it, its rows in the order of `leads`.

    Raises ValueError `<name>: <reason>` if it cannot be read.
    """
    if listed.array:
        return read_row(listed, leads, values_of=_VALUES_OF[listed.array.form])
    return read_record(
        listed.path,
        name=listed.name,
        patient=listed.patient,
        labels=listed.labels,
        leads=leads,
        correction=listed.correction,
    )
