"""The same configuration from scratch beside every candidate that starts from weights: a start must earn its place.

Where there is no such trial yet, it is searched in a folder of its own beside the stages, and competes with them.
"""

from orchestrator.execution.session import Session
from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.history.run_contents import candidates_of, read_ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.runs.search_run import run_search
from orchestrator.search.selection import winner_among
from orchestrator.search.start_value import from_nothing_like
from orchestrator.specs.experiment import Experiment
from orchestrator.specs.specs import of_one_configuration


def search_from_scratch(experiment: Experiment, folder: RunFolder, session: Session) -> None:
    """Search what is lacking. A configuration that cannot be trained from scratch is left out, which is said."""
    for name, stage in experiment.companions.items():
        place, searches = folder.stage(name), [(read_ledger(one), one) for one in candidates_of(experiment, folder)]
        started = winner_among([(read_ledger(folder.stage(stage)), folder.stage(stage))])[1]
        if not read_journal(place.journal) and from_nothing_like(started, searches) is not None:
            continue
        spec = started.ledger.spec
        assert spec is not None
        session.progress.say(f"stage {name}: the winner of {stage}, trial {started.trial.number}, from scratch")
        from_nothing = spec.model_copy(update={"start_from": None, "budget": None})
        ledger = run_search(of_one_configuration(from_nothing, started.trial.config), place, session, may_fail=True)
        if not ledger.ranked():
            session.progress.say(f"{name}: is left out: {_error(ledger)}")


def _error(ledger: Ledger) -> str:
    (trial,) = ledger.trials.values()
    return f"it cannot be trained from scratch ({(trial.error or trial.state).splitlines()[0]})"
