"""The journal's schema: one frozen dataclass for each kind of event.

Frozen; a new field needs a new version. All earlier ones are read: 1, whose lines are not chained (journal_lines.py),
and 2, which does not say why fits failed or were lost.

Knows nothing of files (journal.py) or of what follows from the events (ledger.py).
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from orchestrator.history.failures import Failure
from orchestrator.task import Config, Metrics

VERSION = 3
READABLE = (1, 2, VERSION)


class State(StrEnum):
    """Where a trial or a fit stands."""

    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    DUPLICATE = "duplicate"

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will be run for it."""
        return self is not State.RUNNING


class FitKey(NamedTuple):
    """Which fit: `seed` is the index of the seed, `fold` of the fold."""

    trial: int
    seed: int
    fold: int


@dataclass(frozen=True, kw_only=True)
class SearchBegun:
    """A search was begun with this resolved spec."""

    spec: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Trial `trial` of grid cell `cell` will try `config` (active values only).

    origin: grid, sampler, final, or `duplicate of N`.
    """

    trial: int
    cell: int
    config: Config
    origin: str


@dataclass(frozen=True, kw_only=True)
class Start:
    """A fit was handed to a worker by the driver with this incarnation id. `bundle` is null: fits run alone."""

    trial: int
    seed: int
    fold: int
    bundle: int | None
    incarnation: str


@dataclass(frozen=True, kw_only=True)
class Reported:
    """A fit finished a step. decision: continue or stop, as the study decided then."""

    trial: int
    seed: int
    fold: int
    step: int
    metrics: Metrics
    checkpoint: str | None
    decision: str


@dataclass(frozen=True, kw_only=True)
class End:
    """A fit is over."""

    trial: int
    seed: int
    fold: int
    state: State
    error: str | None
    failure: Failure | None = None  # of what kind, where it failed


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A fit was lost with its worker, by no error of its code's, and goes on elsewhere from its newest checkpoint."""

    trial: int
    seed: int
    fold: int
    failure: Failure
    error: str


@dataclass(frozen=True, kw_only=True)
class Tell:
    """A trial is over, and the study was told this value (null unless complete)."""

    trial: int
    state: State
    value: float | None


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of an experiment ended with this winner."""

    name: str
    winner: int


@dataclass(frozen=True, kw_only=True)
class TestOpened:
    """The sealed part is about to be opened for these checkpoints."""

    final: str
    checkpoints: tuple[str, ...]


Record = SearchBegun | Ask | Start | Reported | End | Lost | Tell | Stage | TestOpened
_KINDS: dict[str, type[Record]] = {
    "search": SearchBegun,
    "ask": Ask,
    "start": Start,
    "report": Reported,
    "end": End,
    "lost": Lost,
    "tell": Tell,
    "stage": Stage,
    "test_opened": TestOpened,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def to_json(record: Record, *, at: datetime) -> dict[str, Any]:
    """Return the record as plain data: event, version, at (UTC), then its fields.

    A number that is not finite becomes null.
    """
    plain = {key: _finite(value) for key, value in asdict(record).items()}
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds")
    return {"event": _NAMES[type(record)], "version": VERSION, "at": moment, **plain}


def from_json(line: Mapping[str, Any]) -> tuple[Record, datetime]:
    """Turn plain data back into a record and its moment. Raises ValueError on an unknown event, version or field."""
    if line.get("version") not in READABLE:
        raise ValueError(
            f"version {line.get('version')!r} of the journal is none of {READABLE}, which this program reads"
        )
    kind = _KINDS.get(str(line.get("event")))
    if kind is None:
        raise ValueError(f"unknown event {line.get('event')!r}; known are {', '.join(_KINDS)}")
    names = {field.name for field in fields(kind)}
    values = {key: value for key, value in line.items() if key not in ("event", "version", "at")}
    if kind is End and line["version"] < 3:
        values["failure"] = None
    if values.keys() != names:
        raise ValueError(f"event {line['event']!r} must have exactly the fields {', '.join(sorted(names))}")
    if "state" in values:
        values["state"] = State(values["state"])
    if values.get("failure") is not None:
        values["failure"] = Failure(values["failure"])
    if "metrics" in values:
        values["metrics"] = {name: math.nan if x is None else x for name, x in values["metrics"].items()}
    if "checkpoints" in values:
        values["checkpoints"] = tuple(values["checkpoints"])
    return kind(**values), datetime.fromisoformat(line["at"])


def _finite(value: Any) -> Any:
    """JSON has no NaN; a metric that diverged is null in the journal."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    return value
