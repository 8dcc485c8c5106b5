"""The final: the winner's configuration retrained over seeds on train + validation, tested once, exported.

It is a run of its own in `final/`, with the journal of a search of one trial. The opening of the test part is journaled
before it happens: the same checkpoints after a crash are the same opening, any other opening must be asked for.
"""

import json
import math
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.atomic import write_json, write_text
from orchestrator.errors import RunFailed
from orchestrator.execution.session import Session
from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.history.openings import openings_of
from orchestrator.history.records import State
from orchestrator.history.run_contents import read_ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.runs.search_run import start_from_of
from orchestrator.search.lineage import Lineage
from orchestrator.search.search import Search
from orchestrator.search.selection import Winner, checkpoint_of, winner_checkpoints, winner_of
from orchestrator.search.task_facts import TaskFacts
from orchestrator.specs.specs import SearchSpec, as_data, differences
from orchestrator.specs.strict_yaml import write_yaml
from orchestrator.specs.task_loading import prepared_task


def retrain(
    source: RunFolder, final: RunFolder, *, seeds: int, session: Session, reopen: bool = False
) -> dict[str, Any]:
    """Retrain the winner of the search in `source` into `final`, test and export it; return the content of test.json.

    A final that is already tested is returned as it is, unless `reopen` asks for another one. One that never opened the
    test part and is of another winner, or failed, is set aside.
    """
    ledger = read_ledger(source)
    assert ledger.spec is not None
    winner = winner_of(ledger, source)
    spec = final_spec(ledger.spec, winner, seeds=seeds)
    task = prepared_task(spec.task)
    if (reopen and final.test.exists()) or _is_of_no_use(final, spec):
        set_aside(final)
    search = Search(
        spec,
        final,
        facts=TaskFacts.of(task, spec),
        incarnation=session.incarnation,
        lineage=Lineage(start_from=start_from_of(ledger.spec, source), final=True),
        listener=session.progress,
    )
    try:
        write_text(final.spec, write_yaml(as_data(search.spec)))
        if not search.is_finished:
            session.progress.say(
                f"final: trial {winner.trial} of {source.name}, {seeds} seeds, {search.spec.max_steps} steps"
            )
        session.execute(search)
        return _test(search, final, winner, source.name, session, judged=list(winner_checkpoints(ledger, source)))
    finally:
        search.close()


def final_spec(spec: SearchSpec, winner: Winner, *, seeds: int) -> SearchSpec:
    """Return the search of one trial that retrains the winner for the median best step of its fits."""
    return spec.model_copy(
        update={
            "sampler": "grid",
            "space": dict(winner.config),
            "trials": None,
            "seeds": seeds,
            "folds": 1,
            "max_steps": winner.median_best_step,
            "prune": None,
            "budget": None,
        }
    )


def _test(
    search: Search, final: RunFolder, winner: Winner, source: str, session: Session, *, judged: list[Path]
) -> dict[str, Any]:
    if not final.test.exists():
        trial = search.ledger.trials[0]
        if trial.error:
            raise RunFailed(f"{final.path}: the final could not be trained: {trial.error}")
        paths = [checkpoint_of(search.ledger, final, trial, seed=seed, fold=0) for seed in range(search.spec.seeds)]
        names = tuple(str(path.relative_to(final.path)) for path in paths)
        if names not in [opened.checkpoints for opened in search.ledger.tests_opened]:
            search.open_test(names)
        scores = session.call(search.spec.task, "test", paths, final.path, judged)
        metrics = {name: float(value) for name, value in scores.items() if math.isfinite(value)}
        openings = len(openings_of(search.facts.data, final))
        write_json(
            final.test,
            {
                "metrics": metrics,
                "openings": openings,
                "note": ""
                if openings == 1
                else f"the test part was opened {openings} times: these scores may be chosen",
                "undefined": sorted(scores.keys() - metrics.keys()),
                "opened_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "stage": source,
                "trial": winner.trial,
                "config": winner.config,
                "steps": search.spec.max_steps,
                "seeds": search.spec.seeds,
                "checkpoints": names,
            },
        )
    if not final.model.exists():
        _export(search, final, session, judged)
    tested: dict[str, Any] = json.loads(final.test.read_text())
    return tested


def _export(search: Search, final: RunFolder, session: Session, judged: list[Path]) -> None:
    beside = final.path / "model.part"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    trial = search.ledger.trials[0]
    paths = [checkpoint_of(search.ledger, final, trial, seed=key.seed, fold=0) for key in sorted(trial.fits)]
    signature = session.call(search.spec.task, "export", paths, beside, judged)
    openings = len(openings_of(search.facts.data, final))
    write_json(beside / "signature.json", {"task": search.spec.task.name, "test_openings": openings, **signature})
    beside.rename(final.model)


def _is_of_no_use(final: RunFolder, spec: SearchSpec) -> bool:
    """Return whether a final that was begun is not the one wanted, or failed, and may go since it opened nothing."""
    ledger = Ledger(read_journal(final.journal))
    if ledger.spec is None or ledger.tests_opened:
        return False
    changed = list(differences(as_data(ledger.spec), as_data(spec)))
    return bool(changed) or any(trial.state is State.FAILED for trial in ledger.trials.values())


def set_aside(final: RunFolder) -> None:
    """Keep an earlier final under a number: its opening counts for ever."""
    if final.path.exists():
        number = 1
        while (earlier := final.path.with_name(f"{final.name}-{number}")).exists():
            number += 1
        final.path.rename(earlier)
