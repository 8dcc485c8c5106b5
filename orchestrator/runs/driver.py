"""One start of a driver, on whatever machine: the run's work in a session, then the copy in MLflow."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from orchestrator.execution.session import Session
from orchestrator.history.run_contents import Audit, read_ledger, searches_of
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.table import write_tables
from orchestrator.runs.audit import run_audit
from orchestrator.runs.audit_report import write_audit_tables
from orchestrator.runs.experiment_run import run_experiment
from orchestrator.runs.final_run import make_final, set_aside_if_tested
from orchestrator.runs.search_run import run_search
from orchestrator.specs.experiment import Experiment
from orchestrator.specs.specs import FinalSpec, SearchSpec

OpenSession = Callable[[], AbstractContextManager[Session]]


def drive_search(spec: SearchSpec, folder: RunFolder, open_session: OpenSession) -> str:
    """Run a search to its end or the end of its budget; return where MLflow has it."""
    with open_session() as session:
        run_search(spec, folder, session)
    return _logged(folder)


def drive_experiment(
    experiment: Experiment,
    folder: RunFolder,
    open_session: OpenSession,
    *,
    reopen: bool = False,
    afresh: bool = False,
) -> str:
    """Run an experiment to its end; return where MLflow has it.

    reopen: its final may open the test part although another did; afresh: also where that other is its own, done.
    """
    with open_session() as session:
        if afresh:
            set_aside_if_tested(folder.final)
        run_experiment(experiment, folder, session, reopen=reopen)
    return _logged(folder, tuple(search.name for search in searches_of(folder)))


def drive_audit(audit: Audit, folder: RunFolder, open_session: OpenSession) -> None:
    """Run an audit to its end, and write its tables."""
    with open_session() as session:
        run_audit(audit, folder, session)
    write_audit_tables(folder)


def drive_final(
    folder: RunFolder, open_session: OpenSession, *, how: FinalSpec, reopen: bool = False, afresh: bool = False
) -> str:
    """Make the winner of a search one model and test it; return where MLflow has it.

    reopen, afresh: as of an experiment.
    """
    with open_session() as session:
        if afresh:
            set_aside_if_tested(folder.final)
        make_final([folder], folder.final, how=how, session=session, reopen=reopen)
        write_tables(read_ledger(folder), folder, alive=False)
    return _logged(folder)


def _logged(folder: RunFolder, stages: tuple[str, ...] = ()) -> str:
    from orchestrator.results.mlflow_copy import log_run  # when it is needed: MLflow takes seconds to import

    return log_run(folder, stages)
