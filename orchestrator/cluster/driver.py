"""The driver's job: goes on with the run from its journal, exactly as `orchestrate resume` does on one machine."""

import logging
import os
import signal
import uuid
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from orchestrator.cluster.accounting import write_accounting
from orchestrator.cluster.jobs_executor import JobsExecutor
from orchestrator.cluster.pool_executor import pool
from orchestrator.cluster.pool_size import PoolSize
from orchestrator.cluster.queue import Queue
from orchestrator.cluster.run_files import Done, RunFiles
from orchestrator.errors import Pointless, RunFailed, UserError
from orchestrator.execution.session import Executor, Session, open_session
from orchestrator.history.journal import CutOff
from orchestrator.history.run_contents import audit_of, experiment_of, search_of, specs_of
from orchestrator.history.run_folder import RunFolder
from orchestrator.runs.driver import drive_audit, drive_experiment, drive_final, drive_search

log = logging.getLogger(__name__)


def drive_run(run: str) -> None:
    """Be the driver of a run until it is done, or until this job must end."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    files = RunFiles(RunFolder(Path(run)))
    if files.is_over:
        return
    for number in (signal.SIGTERM, signal.SIGUSR2):  # the end of the time, or scancel: a successor goes on
        signal.signal(number, _interrupt)
    incarnation = f"{os.environ['SLURM_JOB_ID']}-{uuid.uuid4().hex[:8]}"
    pool_size = PoolSize(files, files.profile(), incarnation, cpus_per_fit=_cpus_per_fit(files.run))
    try:
        if pool_size.problem is None:
            pool_size.start()
            notes = _drive(files, pool_size, incarnation)
            write_accounting(files)
            files.write_done(Done(exit_code=0, message="finished", notes=notes))
    except KeyboardInterrupt:
        log.warning("interrupted; the next driver goes on")
    except CutOff as error:
        log.warning("%s", error)
        os._exit(1)  # whatever is not written yet is the other driver's to write
    except UserError as error:
        files.write_done(Done(exit_code=2, message=str(error)))
    except Pointless as error:
        files.write_done(Done(exit_code=1, message=str(error)))
    except RunFailed as error:
        log.warning("%s", error)
        pool_size.say(str(error))
    except Exception as error:
        pool_size.say(f"{type(error).__name__}: {error}")
        raise
    finally:
        pool_size.end()
        if pool_size.problem is not None:
            files.write_done(Done(exit_code=1, message=pool_size.problem))
        if files.is_over:
            Queue(files).cancel_pending()


def _drive(files: RunFiles, pool_size: PoolSize, incarnation: str) -> list[str]:
    """Run it; return what a person should know of its copy in MLflow."""
    folder, request, profile = files.run, files.request(), files.profile()

    def session() -> AbstractContextManager[Session]:
        executor: AbstractContextManager[Executor] = (
            nullcontext(JobsExecutor(files, most=profile.workers.max, gpus_per_fit=profile.gpus_per_fit))
            if profile.mode == "jobs"
            else pool(files, profile, pool_size, cpus_per_fit=_cpus_per_fit(folder))
        )
        return open_session(folder, executor, quiet=False, incarnation=incarnation, take_over=True)

    if request.how is not None:
        copied = drive_final(folder, session, how=request.how, reopen=request.reopen)
    elif audit := audit_of(folder):
        drive_audit(audit, folder, session)
        return []
    elif experiment := experiment_of(folder):
        copied = drive_experiment(experiment, folder, session, reopen=request.reopen)
    else:
        copied = drive_search(search_of(folder), folder, session)
    for note in copied.notes:
        log.warning("%s", note)
    return list(copied.notes)


def _cpus_per_fit(folder: RunFolder) -> int:
    return max(spec.cpus_per_fit for spec in specs_of(folder))


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
