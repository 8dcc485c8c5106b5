"""What the search found in validation: the best trials, what ties with them, and by how much to believe it."""

from collections.abc import Iterator

from orchestrator.html_report.section import Section, Table
from orchestrator.html_report.stages_table import stages_table, trial_counts
from orchestrator.results.answer import bounded
from orchestrator.results.score_text import duration, score, value_text, with_interval
from orchestrator.results.stage_differences import stage_differences
from orchestrator.results.table import judged_at
from orchestrator.results.whole_run import WholeRun
from orchestrator.search.intervals import interval_of, varying
from orchestrator.search.selection import Contender
from orchestrator.search.start_value import what_starts_were_worth

MOST = 20  # rows


def results_section(run: WholeRun) -> Section:
    """Return the table of the best trials, the stages, and what is said of them."""
    tables = [_best(run)] if run.choice is not None else []
    if run.experiment is not None and run.searches:
        tables += [stages_table(run), *_between_stages(run)]
    counts = [] if run.experiment is not None else [f"{trial_counts(ledger)}." for ledger, _ in run.searches]
    return Section(title="Results in validation", paragraphs=[*counts, *_optimism(run)], tables=tables)


def _between_stages(run: WholeRun) -> Iterator[Table]:
    competing = [(ledger, folder) for ledger, folder in run.competing if ledger.ranked()]
    said = [*stage_differences(competing), *what_starts_were_worth(competing)]
    if said:
        yield Table(
            caption="Between stages: by how much their winners differ, and what starts from other weights were worth. "
            "In brackets: 95 % interval of the corrected resampled t-test.",
            columns=("what", "found"),
            rows=[(what, found) for what, _, found in (sentence.partition(": ") for sentence in said)],
        )


def _best(run: WholeRun) -> Table:
    assert run.choice is not None
    winner, chosen, ties = run.choice
    contenders = [Contender(folder, ledger, trial) for ledger, folder in run.competing for trial in ledger.ranked()]
    sign = 1 if winner.mode == "min" else -1
    contenders.sort(key=lambda one: sign * (one.trial.value or 0.0))
    tied = {_key(one) for one in ties}
    shown = contenders[:MOST]
    shown += [one for one in contenders[MOST:] if _key(one) == _key(chosen) or one.is_default]
    same = _fixed(contenders)
    rows = []
    for one in shown:
        marks = [
            word
            for word, holds in (
                ("winner", _key(one) == _key(chosen)),
                ("untuned default", one.is_default),
                ("tie", _key(one) in tied and len(ties) > 1),
            )
            if holds
        ]
        over = interval_of(one.ledger, one.trial)
        fits = one.trial.fits.values()
        rows.append(
            (
                run.name_of(one),
                ", ".join(marks),
                with_interval(over.mean, over.low, over.high),
                str(max((len(fit.metrics) for fit in fits), default=0)),
                duration(sum(fit.seconds for fit in fits)),
                ", ".join(
                    f"{name} {value_text(value)}" for name, value in one.trial.config.items() if name not in same
                ),
            )
        )
    specs = [ledger.spec for ledger, _ in run.competing if ledger.spec is not None]
    left = len(contenders) - len(shown)
    return Table(
        caption=f"The best {len(shown)} of {len(contenders)} complete trials by {winner.metric} in validation, mean "
        f"over {varying(chosen.ledger.scores_by_fit(chosen.trial))}, each fit at {judged_at(specs)}. In brackets: 95 % "
        "t-interval of what varies between a trial's fits. Tie: cannot be told from the best mean at 5 %."
        + (f" {left} more are in table.csv." if left else ""),
        columns=("trial", "", winner.metric, "steps", "time of fits", "hyperparameters that differ"),
        rows=rows,
    )


def _key(one: Contender) -> tuple[str, int]:
    return one.folder.name, one.trial.number


def _fixed(contenders: list[Contender]) -> set[str]:
    """Return the hyperparameters that all trials have alike."""
    names = {name for one in contenders for name in one.trial.config}
    return {
        name
        for name in names
        if len(contenders) > 1 and len({repr(one.trial.config.get(name, KeyError)) for one in contenders}) == 1
    }


def _optimism(run: WholeRun) -> Iterator[str]:
    if run.choice is None:
        return
    winner, chosen, _ = run.choice
    ledger, over = chosen.ledger, winner.interval
    if run.tested is not None and winner.metric in run.tested["metrics"]:
        yield (
            f"Optimism: the winner's {winner.metric} is {with_interval(over.mean, over.low, over.high)} in validation, "
            f"by which it was chosen, and {bounded(run.tested['metrics'], winner.metric)} on the test part, which no "
            "choice has seen. The tested model is not that of the folds, so the two may differ by more than optimism."
        )
    steps = {key: fit.best_step(winner.metric, winner.mode) for key, fit in chosen.trial.fits.items()}
    peaks = [chosen.trial.fits[key].metrics[step][winner.metric] for key, step in steps.items() if step is not None]
    assert ledger.spec is not None
    if peaks and ledger.spec.score_at != "own_best":
        flattered = sum(peaks) / len(peaks)
        yield (
            f"Had each of the winner's fits been judged at its own best step, its mean would read {score(flattered)}, "
            f"{score(flattered - over.mean, signed=True)}: that is not done, since it flatters."
        )
