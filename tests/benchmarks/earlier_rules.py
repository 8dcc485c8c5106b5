"""What the selection rules before 2026-11-27 would have made of an audit's searches, on its outer parts.

By those rules a fit was worth its own best epoch, the largest mean won, and the final was trained anew, its schedule
compressed to the median of the best epochs. The fits of the searches are the audit's own; only choice and final differ.

python -m tests.benchmarks.earlier_rules runs/NAME-audit
"""

import argparse
import json
from pathlib import Path

from orchestrator.execution.session import Session
from orchestrator.execution.this_machine import session_here
from orchestrator.history.ledger import Ledger
from orchestrator.history.records import State
from orchestrator.history.run_contents import candidates_of, experiment_of, read_ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.runs.final_members import own_checkpoints
from orchestrator.runs.final_run import made
from orchestrator.search.selection import winner_among
from orchestrator.specs.specs import FinalSpec
from tests.benchmarks.beside_audit import beside

RULES = {"score_at": "own_best", "winner": "best"}


def by_earlier_rules(ledger: Ledger) -> Ledger:
    """Return a finished search's history with its trials judged anew."""
    assert ledger.spec is not None
    ledger.spec = ledger.spec.model_copy(update=RULES)
    for trial in ledger.trials.values():
        if trial.state is State.COMPLETE:
            trial.value = ledger.value_of(trial)
    return ledger


def tested(part: RunFolder, session: Session) -> dict[str, float]:
    """Choose, train and test the final of one outer part by the earlier rules; done once, then read."""
    place = RunFolder(part.path / "rows" / "earlier-rules")
    scores = place.path / "scores.json"
    if not scores.exists():
        experiment = experiment_of(part)
        assert experiment is not None
        stages = candidates_of(experiment, part)
        _, chosen, _ = winner_among([(by_earlier_rules(read_ledger(stage)), stage) for stage in stages])
        how = FinalSpec(stages=list(experiment.final.stages), form="retrained", seeds=experiment.final.seeds)
        with made([chosen], place, how=how, session=session) as search:
            found = session.call(search.spec.task, "test", own_checkpoints(search.ledger, place), place.path, [])
        scores.write_text(json.dumps(dict(found)))
    read: dict[str, float] = json.loads(scores.read_text())
    return read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audit", type=Path, help="the folder of a finished audit")
    audit: Path = parser.parse_args().audit
    definition = json.loads((audit / "audit.json").read_text())
    parts = [RunFolder(audit / f"outer-{number}") for number in range(definition["outer"])]
    experiment = experiment_of(parts[0])
    assert experiment is not None
    metric = experiment.tested.metric
    place = RunFolder(audit)
    with session_here(place, list(experiment.searches.values()), executor="ray", quiet=True)() as session:
        scores = [tested(part, session) for part in parts]
    for number, found in enumerate(scores):
        print(f"outer {number}: {metric} {found[metric]:.4f}")
    print(beside(audit, [{name: found[name] for name in (metric, "log_loss")} for found in scores], what="earlier"))


if __name__ == "__main__":
    main()
