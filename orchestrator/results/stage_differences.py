"""By how much the winners of two stages differ: fit by fit over the seeds and folds that both have, with an interval.

That of the corrected resampled t-test (see search/comparison.py). Each stage chose its winner by these fits, so each
mean is a little too good; the difference is so only where one stage tried much more than the other.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

from orchestrator.history.ledger import Ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.audit_table import over_parts
from orchestrator.search.intervals import varying
from orchestrator.search.selection import Contender, validation_over_train, winner_among


def stage_differences(searches: Sequence[tuple[Ledger, RunFolder]]) -> list[str]:
    """Return a sentence for each pair of searches whose winners have two fits or more in common and one metric."""
    winners = [winner_among([one])[1] for one in searches if one[0].ranked()]
    return [line for one, other in combinations(winners, 2) for line in _sentence(one, other)]


def _sentence(one: Contender, other: Contender) -> Iterator[str]:
    metric, ratio = _metric(one), validation_over_train(one.ledger)
    ours, theirs = (contender.ledger.scores_by_fit(contender.trial) for contender in (one, other))
    shared = sorted(ours.keys() & theirs.keys())
    alike = one.ledger.facts.get("data") == other.ledger.facts.get("data")  # folds of other data are other folds
    if metric != _metric(other) or not alike or len(shared) < 2 or _seed(one) != _seed(other):
        return
    difference = over_parts([theirs[fit] - ours[fit] for fit in shared], test_over_train=ratio)
    sign = "+" if difference.mean >= 0 else ""
    names = f"{other.folder.name} (trial {other.trial.number}) minus {one.folder.name} (trial {one.trial.number})"
    yield f"{names}: {metric} {sign}{difference} over {varying(shared)}, fit by fit"


def _seed(one: Contender) -> int:
    assert one.ledger.spec is not None
    return one.ledger.spec.seed


def _metric(one: Contender) -> str:
    assert one.ledger.spec is not None
    return one.ledger.spec.metric
