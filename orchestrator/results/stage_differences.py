"""By how much the winners of two stages differ: fit by fit over the seeds and folds that both have, with an interval.

That of the corrected resampled t-test (see search/comparison.py). Each stage chose its winner by these fits, so each
mean is a little too good; the difference is so only where one stage tried much more than the other.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

from orchestrator.history.ledger import Ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.intervals import CorrectedMean, corrected_mean, varying
from orchestrator.search.selection import Contender, validation_over_train, winner_among


def stage_differences(searches: Sequence[tuple[Ledger, RunFolder]]) -> list[str]:
    """Return a sentence for each pair of searches whose winners have two fits or more in common and one metric."""
    winners = [winner_among([one])[1] for one in searches if one[0].ranked()]
    return [line for one, other in combinations(winners, 2) for line in _sentence(one, other)]


def difference_by_fits(one: Contender, other: Contender) -> tuple[list[tuple[int, int]], CorrectedMean] | None:
    """Return over which (seed, fold) two trials have the same fits, and by how much the second is more there.

    None: their fits are of other seeds, data or metrics, or fewer than two are of both; see `why_other_fits`.
    """
    ours, theirs = (contender.ledger.scores_by_fit(contender.trial) for contender in (one, other))
    shared = sorted(ours.keys() & theirs.keys())
    if len(shared) < 2 or _fits_of(one) != _fits_of(other):
        return None
    ratio = validation_over_train(one.ledger)
    return shared, corrected_mean([theirs[fit] - ours[fit] for fit in shared], test_over_train=ratio)


def why_other_fits(one: Contender, other: Contender) -> str:
    """Return why two trials have no fits to compare."""
    (metric, seed, data), (other_metric, other_seed, other_data) = _fits_of(one), _fits_of(other)
    unlike = [
        *([f"another metric, {metric} and {other_metric}"] if metric != other_metric else []),
        *([f"another seed, {seed} and {other_seed}"] if seed != other_seed else []),
        *(["other data"] if data != other_data else []),
    ]
    return "; ".join(unlike) or "fewer than two fits are of the same seed and fold"


def _sentence(one: Contender, other: Contender) -> Iterator[str]:
    found = difference_by_fits(one, other)
    if found is None:
        return
    shared, difference = found
    sign = "+" if difference.mean >= 0 else ""
    names = f"{other.folder.name} (trial {other.trial.number}) minus {one.folder.name} (trial {one.trial.number})"
    assert one.ledger.spec is not None
    yield f"{names}: {one.ledger.spec.metric} {sign}{difference} over {varying(shared)}, fit by fit"


def _fits_of(one: Contender) -> tuple[object, object, object]:
    """Return what must be equal for fits of equal seed and fold to be the same fits: folds of other data are others."""
    assert one.ledger.spec is not None
    return one.ledger.spec.metric, one.ledger.spec.seed, one.ledger.facts.get("data")
