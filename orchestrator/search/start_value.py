"""What a start from other weights is worth: the same configuration over the same fits, from those and from nothing."""

from collections.abc import Iterable, Iterator, Sequence

from orchestrator.history.ledger import Ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.comparison import compare
from orchestrator.search.selection import Contender, validation_over_train, winner_among

Searches = Sequence[tuple[Ledger, RunFolder]]


def from_nothing_like(one: Contender, searches: Searches) -> Contender | None:
    """Return the complete trial of the same configuration, schedule and fits that starts from nothing, if any."""
    spec, fits = one.ledger.spec, one.ledger.scores_by_fit(one.trial).keys()
    assert spec is not None
    for ledger, folder in searches:
        other = ledger.spec
        if other is None or other.start_from is not None:
            continue
        if (other.max_steps, other.stop_at, other.seed) != (spec.max_steps, spec.stop_at, spec.seed):
            continue
        for trial in ledger.ranked():
            if trial.config == one.trial.config and fits <= ledger.scores_by_fit(trial).keys():
                return Contender(folder, ledger, trial)
    return None


def what_starts_were_worth(searches: Searches) -> list[str]:
    """Say in one sentence for each search that started from weights whether its winner is the better for it."""
    return list(_sentences(searches))


def _sentences(searches: Searches) -> Iterator[str]:
    for ledger, folder in searches:
        if ledger.spec is None or ledger.spec.start_from is None or not ledger.ranked():
            continue
        started = winner_among([(ledger, folder)])[1]
        scratch = from_nothing_like(started, searches)
        if scratch is not None:
            yield _sentence(started, scratch)
        else:
            yield f"what the start of {folder.name} is worth is not known: nothing like it was trained from scratch"


def _sentence(started: Contender, scratch: Contender) -> str:
    spec, fits = started.ledger.spec, sorted(started.ledger.scores_by_fit(started.trial))
    assert spec is not None
    found = compare(
        {number: _scores(one, fits) for number, one in enumerate((started, scratch))},
        largest=spec.mode == "max",
        test_over_train=validation_over_train(started.ledger),
    )
    means = (
        f"{found.means[0]:.4f} against {found.means[1]:.4f} for the same configuration from scratch "
        f"({scratch.folder.name}/{scratch.trial.number})"
    )
    of = f"the start of {started.folder.name}"
    if found.standard_error is None:
        return f"{of} cannot be judged: {means}, with one fit each"
    if 1 in found.within_one_error and 0 in found.within_one_error:
        return f"{of} did not earn its place: {means}, within one standard error ({found.standard_error:.4f})"
    verdict = "paid" if found.best == 0 else "did harm"
    return f"{of} {verdict}: {means}, more than one standard error ({found.standard_error:.4f})"


def _scores(one: Contender, fits: Iterable[tuple[int, int]]) -> list[float]:
    scores = one.ledger.scores_by_fit(one.trial)
    return [scores[fit] for fit in fits]
