"""One start of a driver, on whatever machine: the run's work in a session, then its page and its copy in MLflow."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from orchestrator.execution.session import Session
from orchestrator.history.run_contents import Audit, read_ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.html_report.page import try_page
from orchestrator.results.mlflow_copy import Copied, NotCopied, copy_run
from orchestrator.results.table_files import write_tables
from orchestrator.runs.audit import run_audit
from orchestrator.runs.audit_report import write_audit_tables
from orchestrator.runs.experiment_run import run_experiment
from orchestrator.runs.final_run import make_final, set_aside_if_tested
from orchestrator.runs.notification import notifying
from orchestrator.runs.search_run import run_search
from orchestrator.specs.experiment import Experiment
from orchestrator.specs.specs import FinalSpec, SearchSpec

log = logging.getLogger(__name__)

OpenSession = Callable[[], AbstractContextManager[Session]]


def drive_search(spec: SearchSpec, folder: RunFolder, open_session: OpenSession) -> Copied:
    """Run a search to its end or the end of its budget; return what became of its copy in MLflow."""
    with notifying(folder):
        with open_session() as session:
            run_search(spec, folder, session)
        return shown_and_copied(folder)


def drive_experiment(
    experiment: Experiment,
    folder: RunFolder,
    open_session: OpenSession,
    *,
    reopen: bool = False,
    afresh: bool = False,
) -> Copied:
    """Run an experiment to its end; return what became of its copy in MLflow.

    reopen: its final may open the test part although another did; afresh: also where that other is its own, done.
    """
    with notifying(folder):
        with open_session() as session:
            if afresh:
                set_aside_if_tested(folder.final)
            run_experiment(experiment, folder, session, reopen=reopen)
        return shown_and_copied(folder)


def drive_audit(audit: Audit, folder: RunFolder, open_session: OpenSession) -> None:
    """Run an audit to its end, and write its tables."""
    with notifying(folder):
        with open_session() as session:
            run_audit(audit, folder, session)
        write_audit_tables(folder)
        if missing := try_page(folder):
            log.warning("%s", missing)


def drive_final(
    folder: RunFolder, open_session: OpenSession, *, how: FinalSpec, reopen: bool = False, afresh: bool = False
) -> Copied:
    """Make the winner of a search one model and test it; return what became of its copy in MLflow.

    reopen, afresh: as of an experiment.
    """
    with notifying(folder):
        with open_session() as session:
            if afresh:
                set_aside_if_tested(folder.final)
            make_final([folder], folder.final, how=how, session=session, reopen=reopen)
            write_tables(read_ledger(folder), folder, alive=False)
        return shown_and_copied(folder)


def shown_and_copied(folder: RunFolder) -> Copied:
    """Write the page of a run and copy the run into MLflow.

    Neither fails anything else: what is missing is said, and the next start, `report` or `sync` makes it.
    """
    missing = try_page(folder)
    copy = copied(folder)
    return replace(copy, notes=[missing, *copy.notes]) if missing else copy


def copied(folder: RunFolder) -> Copied:
    """Copy a run into MLflow. A copy that fails fails nothing else: it is missing, and the next one makes it."""
    try:
        return copy_run(folder)
    except NotCopied as error:
        return Copied(place=None, notes=[str(error)])
