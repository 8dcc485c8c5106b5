"""The job that prepares a run's data, then begins the run and submits its driver and workers, as `submit` does."""

import logging
import os
import signal
from pathlib import Path

from orchestrator.cluster.queue import NotSubmitted, Queue
from orchestrator.cluster.run_files import PREPARATION, Done, RunFiles
from orchestrator.cluster.submit import searches_of_request, submit_prepared
from orchestrator.errors import UserError
from orchestrator.history.run_folder import RunFolder
from orchestrator.runs.preparation import prepare_data

log = logging.getLogger(__name__)


def prepare_run(run: str) -> None:
    """Prepare, begin, submit. Whatever goes wrong is written down as the end of the run; a resume goes on."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    files = RunFiles(RunFolder(Path(run)))
    if files.is_over:
        return
    for number in (signal.SIGTERM, signal.SIGUSR2):  # the end of the time, or scancel
        signal.signal(number, _interrupt)
    (files.logs / os.environ["SLURM_JOB_ID"] / PREPARATION).touch()
    try:
        prepare_data(searches_of_request(files), quiet=False)
        if not files.is_cancelled:
            submit_prepared(files)
    except KeyboardInterrupt:
        _end(files, 1, "the job that prepares the data was ended before it was done; what it has read is kept")
    except NotSubmitted as error:  # of a driver without workers, or the other way round, nobody has any use
        _end(files, 1, str(error))
        Queue(files).cancel_pending()
    except UserError as error:
        _end(files, 2, str(error))
    except Exception as error:
        _end(files, 1, f"its data could not be prepared: {error}")
        raise


def _end(files: RunFiles, exit_code: int, message: str) -> None:
    log.warning("%s", message)
    if not files.is_cancelled:
        files.write_done(Done(exit_code=exit_code, message=message))


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
