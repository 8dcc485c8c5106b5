"""By how much the winner differs from the untuned default, fit by fit, in validation.

The interval is that of the corrected resampled t-test (search/comparison.py). The winner was chosen by these very
fits, so its mean, and the difference, are a little too good.
"""

from dataclasses import dataclass, replace

from orchestrator.results.score_text import with_interval
from orchestrator.results.stage_differences import difference_by_fits, why_other_fits
from orchestrator.results.whole_run import WholeRun
from orchestrator.search.intervals import CorrectedMean, varying
from orchestrator.search.selection import Contender


@dataclass(frozen=True, kw_only=True, eq=False)
class AgainstDefault:
    """The winner beside the untuned default."""

    winner: Contender
    default: Contender
    difference: CorrectedMean | None = None  # the winner's score minus the default's; None: it is that, or see why_not
    over: str = ""  # what varies
    why_not: str = ""  # they cannot be compared

    @property
    def kept(self) -> bool:
        """Whether the default itself won."""
        return (self.winner.folder.path, self.winner.trial.number) == (
            self.default.folder.path,
            self.default.trial.number,
        )

    @property
    def is_told(self) -> bool:
        """Whether the interval leaves no difference out."""
        found = self.difference
        return (
            found is not None and found.low is not None and found.high is not None and not found.low <= 0 <= found.high
        )

    def text(self) -> str:
        """Return the difference with its interval and what varies in it."""
        found = self.difference
        assert found is not None
        return f"{with_interval(found.mean, found.low, found.high, signed=True)} over {self.over}"


def against_default(run: WholeRun) -> AgainstDefault | None:
    """Return the comparison; None where nothing won, or no untuned default is complete beside it."""
    if run.choice is None or run.default is None:
        return None
    winner, default = run.choice[1], run.default
    found = difference_by_fits(default, winner)
    if found is None:
        return AgainstDefault(winner=winner, default=default, why_not=why_other_fits(default, winner))
    fits, difference = found
    plain = AgainstDefault(winner=winner, default=default)
    return plain if plain.kept else replace(plain, difference=difference, over=varying(fits))
