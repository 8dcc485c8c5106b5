"""What came of one outer part of an audit: a value that is written when the part is done, and read ever after."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestrator.atomic import read_json, write_json
from orchestrator.task import Scalar

FILE = "outer.json"

# The models that an audit tests, beside those that the task compares itself with.
WINNER = "winner"
AVERAGED = "winner, its judged fits averaged"
TIES = "ensemble of ties"
BEST = "best mean"
DEFAULT = "untuned default"
RANDOM = "random configuration"
PRIOR = "class prior"


@dataclass(frozen=True, kw_only=True)
class OuterPart:
    """One outer part, searched without and tested on."""

    number: int
    rows: Mapping[str, Mapping[str, float]]  # by model, its test metrics
    config: Mapping[str, Scalar]  # the winner's
    validation: float  # the winner's score in its own search
    best_validation: float  # the best mean of the search, which is what an unguarded one would report
    kept_default: bool
    why: str  # it won


def is_done(folder: Path) -> bool:
    """Return whether an outer part is done."""
    return (folder / FILE).exists()


def write_part(folder: Path, part: OuterPart) -> None:
    """Write what came of an outer part into its folder."""
    write_json(folder / FILE, asdict(part))


def read_part(folder: Path) -> OuterPart:
    """Read what came of an outer part."""
    return OuterPart(**read_json(folder / FILE))
