"""The driver's job: goes on with the run from its journal, exactly as `orchestrate resume` does on one machine."""

import logging
import os
import signal
import uuid
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from orchestrator.cluster.accounting import write_accounting
from orchestrator.cluster.alone import JobsExecutor
from orchestrator.cluster.keeper import Keeper
from orchestrator.cluster.meeting_point import Done, MeetingPoint
from orchestrator.cluster.pool import pool
from orchestrator.cluster.queue import Queue
from orchestrator.driving import drive_experiment, drive_final, drive_search
from orchestrator.errors import Pointless, RunFailed, UserError
from orchestrator.experiment import Experiment
from orchestrator.journal import CutOff
from orchestrator.run_folder import RunFolder
from orchestrator.running import search_of
from orchestrator.session import Executor, Session, open_session

log = logging.getLogger(__name__)


def drive_run(run: str) -> None:
    """Be the driver of a run until it is done, or until this job must end."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    point = MeetingPoint(RunFolder(Path(run)))
    if point.is_over:
        return
    for number in (signal.SIGTERM, signal.SIGUSR2):  # the end of the time, or scancel: a successor goes on
        signal.signal(number, _interrupt)
    incarnation = f"{os.environ['SLURM_JOB_ID']}-{uuid.uuid4().hex[:8]}"
    keeper = Keeper(point, point.profile(), incarnation, cpus_per_fit=_cpus_per_fit(point.run))
    try:
        if keeper.problem is None:
            keeper.start()
            _drive(point, keeper, incarnation)
            write_accounting(point)
            point.write_done(Done(exit_code=0, message="finished"))
    except KeyboardInterrupt:
        log.warning("interrupted; the next driver goes on")
    except CutOff as error:
        log.warning("%s", error)
        os._exit(1)  # whatever is not written yet is the other driver's to write
    except UserError as error:
        point.write_done(Done(exit_code=2, message=str(error)))
    except Pointless as error:
        point.write_done(Done(exit_code=1, message=str(error)))
    except RunFailed as error:
        log.warning("%s", error)
        keeper.say(str(error))
    except Exception as error:
        keeper.say(f"{type(error).__name__}: {error}")
        raise
    finally:
        keeper.end()
        if keeper.problem is not None:
            point.write_done(Done(exit_code=1, message=keeper.problem))
        if point.is_over:
            Queue(point).cancel_pending()


def _drive(point: MeetingPoint, keeper: Keeper, incarnation: str) -> None:
    folder, request, profile = point.run, point.request(), point.profile()

    def session() -> AbstractContextManager[Session]:
        executor: AbstractContextManager[Executor] = (
            nullcontext(JobsExecutor(point, most=profile.workers.max, gpus_per_fit=profile.gpus_per_fit))
            if profile.mode == "jobs"
            else pool(point, profile, keeper, cpus_per_fit=_cpus_per_fit(folder))
        )
        return open_session(folder, executor, quiet=False, incarnation=incarnation, take_over=True)

    if request.retrain_seeds is not None:
        drive_final(folder, session, seeds=request.retrain_seeds)
    elif experiment := Experiment.from_run(folder):
        drive_experiment(experiment, folder, session)
    else:
        drive_search(search_of(folder), folder, session)


def _cpus_per_fit(folder: RunFolder) -> int:
    experiment = Experiment.from_run(folder)
    if experiment is not None:
        return max(spec.cpus_per_fit for spec in experiment.searches.values())
    return search_of(folder).cpus_per_fit


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
