"""Tells the user's own hook that a run has ended, failed, spent its budget, or had its first failed fit. Each once.

What was told is kept in notified.json, so a resume that changes nothing is silent. A hook that fails is said in one
line without its address, and fails no run.
"""

import contextlib
import json
import logging
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

from orchestrator.atomic import read_json, write_json
from orchestrator.errors import RayFailed, RunFailed, UserError, first_line
from orchestrator.history.journal import CutOff
from orchestrator.history.records import End, Record, State
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.status import status_of
from orchestrator.search.search import Search
from orchestrator.specs.own_config import Notify, read_own_config

log = logging.getLogger(__name__)

LONGEST_S = 10.0  # that a hook may take: meanwhile the driver waits
Listener = Callable[[Search, Record], None]


@contextlib.contextmanager
def notifying(folder: RunFolder) -> Iterator[None]:
    """Tell how the run in the block ended. Raises UserError, before it begins, for a mistake of the configuration."""
    hook = read_own_config().notify
    try:
        yield
    except (RayFailed, CutOff):  # the driver begins anew, or another one is at it
        raise
    except RunFailed as error:
        tell_once(hook, folder, "failed", first_line(error))
        raise
    if hook is not None:
        try:
            told = list(_ending(folder))
        except Exception as error:  # the run is done: nothing that is said of it may fail it
            log.warning("notify: the end cannot be told (%s); the run is not concerned", first_line(error))
            return
        for event, text in told:
            tell_once(hook, folder, event, text)


def telling_of_failures(listener: Listener) -> Listener:
    """Return a listener to a search that tells of the first of its fits that failed, and is the given one besides."""
    try:
        hook = read_own_config().notify
    except UserError:  # it was right when the run began: what has become of it since stops nothing
        hook = None

    def heard(search: Search, record: Record) -> None:
        listener(search, record)
        if isinstance(record, End) and record.state is State.FAILED:
            said = (record.error or "no reason given").splitlines()[0]
            run = _whole(search.folder)
            within = f"{search.folder.path.relative_to(run.path)}: " if run != search.folder else ""
            fit = f"trial {record.trial} seed {record.seed} fold {record.fold}"
            tell_once(hook, run, "first_failure", f"{within}{fit}: {said}", ever=True)

    return heard


def tell_once(hook: Notify | None, folder: RunFolder, event: str, text: str, *, ever: bool = False) -> None:
    """Tell an event unless the same was told of this run; ever: whatever was told of it."""
    if hook is None:
        return
    place = folder.path / "notified.json"
    try:
        told = read_json(place) if place.exists() else {}
        if event in told and (ever or told[event] == text):
            return
        write_json(place, {**told, event: text})  # before: rather not at all than twice
    except Exception as error:  # a full disk, a damaged file
        log.warning("notify: nothing is told (%s); the run is not concerned", first_line(error))
        return
    message = {"event": event, "run": folder.name, "folder": str(folder.path), "text": text}
    if problem := sent(hook, json.dumps(message)):
        log.warning("notify: %s; the run is not concerned", problem)


def sent(hook: Notify, message: str) -> str | None:
    """Hand a message to the hook; return what went wrong, without its address."""
    try:
        if hook.command is not None:
            nothing = subprocess.DEVNULL
            done = subprocess.run(
                hook.command, input=message.encode(), stdout=nothing, stderr=nothing, timeout=LONGEST_S, check=False
            )
            return f"{hook.command[0]} ended with exit code {done.returncode}" if done.returncode else None
        assert hook.url is not None
        headers = {"Content-Type": "application/json", "User-Agent": "orchestrate"}
        request = urllib.request.Request(hook.url, data=message.encode(), headers=headers, method="POST")
        with urllib.request.urlopen(request, timeout=LONGEST_S):
            return None
    except subprocess.TimeoutExpired:
        return f"the command did not end within {LONGEST_S:.0f} s"
    except urllib.error.HTTPError as error:
        return f"the url answered {error.code}"
    except Exception as error:  # whose text may hold the address
        return f"the hook could not be reached ({type(error).__name__})"


def _whole(folder: RunFolder) -> RunFolder:
    """Return the run that a stage, a final or an outer part belongs to, or the run itself."""
    while (parent := RunFolder(folder.path.parent)).exists:
        folder = parent
    return folder


def _ending(folder: RunFolder) -> Iterator[tuple[str, str]]:
    """Yield what is to be told of a run whose driver has come to its end."""
    found = status_of(folder, driven=False)
    for status in found:
        if status.state != "finished" and (status.budget_minutes or status.budget_gpu_hours):
            limits = {"minutes": status.budget_minutes, "GPU-hours": status.budget_gpu_hours}
            spent = ", ".join(f"{limit:g} {name}" for name, limit in limits.items() if limit is not None)
            yield "budget_spent", f"{status.run}: {spent}: {status.line(brief=True)}"
    yield "ended", "; ".join(status.line(brief=True) for status in found) or folder.name
