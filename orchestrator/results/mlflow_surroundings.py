"""What surrounds MLflow while we speak to it: no chatter, an end to its patience, and no setting that outlives that.

Imports no MLflow: that takes seconds.
"""

import contextlib
import io
import logging
import os
import queue
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

PATIENCE_S = 20  # with a store that does not answer; MLFLOW_HTTP_REQUEST_TIMEOUT says another
_TIMEOUT, _RETRIES = "MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"


def patience_s() -> int:
    """Return for how many seconds a store may be silent."""
    return int(os.environ.get(_TIMEOUT) or PATIENCE_S)


@contextlib.contextmanager
def settings(*, retries: int | None) -> Iterator[None]:
    """Let MLflow give up a request after our patience, and try it again so often; None: as the user says, or twice."""
    often = os.environ.get(_RETRIES, "2") if retries is None else str(retries)
    wanted = {
        "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        _TIMEOUT: str(patience_s()),
        _RETRIES: often,
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def within(seconds: float, call: Callable[[], Any]) -> Any:
    """Return what a call returns. Raises TimeoutError where it does not return: the call is left to itself then."""
    answers: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue()

    def ask() -> None:
        try:
            answers.put((call(), None))
        except BaseException as error:
            answers.put((None, error))

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {seconds:g} s") from None
    if error is not None:
        raise error
    return answer


@contextlib.contextmanager
def speaking_to(uri: str, mlflow: Any) -> Iterator[None]:
    """Let MLflow speak to this store: it keeps that in the environment, where a next run takes it for the user's."""
    before = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)  # None: nobody's again


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep MLflow's and alembic's chatter out of the user's terminal; errors still raise."""
    names = ("mlflow", "alembic", "mlflow.store.db.utils")
    before = {name: logging.getLogger(name).level for name in names}
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        try:
            for name in names:
                logging.getLogger(name).setLevel(logging.ERROR)
            yield
        finally:
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)
