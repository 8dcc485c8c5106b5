"""A watch over the processes that this one's Ray consists of: when one dies, nobody else may notice for a minute.

The same for a driver on this machine, which then starts afresh, and for one in a SLURM job, whose successor goes on.
"""

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import psutil

from orchestrator.execution.private_ray import end_processes_of
from orchestrator.interrupts import is_told_to_end, remind

POLL_S = 0.3
START_S = 120.0  # Ray's own patience is 30 s for each of its parts
ENDED_WITH_US_S = 0.5  # a signal to a whole process group comes to Ray's processes and to this one in any order
REMIND_S = 3.0  # so long may the main thread take to leave Ray when it is told to end
_PARTS = ("gcs_server", "raylet")


class RayWatch:
    """Sees a Ray through its start and its life. `lost` is told what happened to it, and never returns.

    dead: says what has died, if anything has; unless given, one of the processes that this one started.
    """

    def __init__(
        self, temp: Path, lost: Callable[[str], NoReturn], *, dead: Callable[[], str | None] | None = None
    ) -> None:
        self._temp, self._lost, self._dead = temp, lost, dead or self._dead_part
        self._over = threading.Event()
        self._up = threading.Event()
        self._once = threading.Lock()
        self._parts: dict[str, psutil.Process] = {}
        self._others = set(psutil.Process().children())  # dead ones of before, perhaps, which nobody has buried
        self._begun = time.monotonic()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch for the length of the block."""
        threading.Thread(target=self._watch, name="ray-watch", daemon=True).start()
        try:
            yield
        finally:
            self._over.set()

    def is_up(self) -> None:
        """Take note that the start is over."""
        self._up.set()

    def lose(self, why: str) -> None:
        """Give this Ray up and do what is done then; return only where this process is about to end anyway."""
        time.sleep(ENDED_WITH_US_S)
        if is_told_to_end() or self._over.is_set():
            return
        self._once.acquire()  # for ever: two threads may have seen it
        end_processes_of(self._temp)
        shutil.rmtree(self._temp, ignore_errors=True)
        if not is_told_to_end():
            self._lost(why)

    def lose_if_dead(self) -> None:
        """Give this Ray up where a part of it has died, which is seen a moment later than what follows from it."""
        deadline = time.monotonic() + 2 * POLL_S
        while time.monotonic() < deadline:
            if dead := self._dead():
                self.lose(dead)
            time.sleep(POLL_S / 10)

    def _watch(self) -> None:
        reminded = time.monotonic()
        while not self._over.wait(POLL_S):
            if not is_told_to_end():
                reminded = time.monotonic()
            elif time.monotonic() - reminded > REMIND_S:
                remind()
                reminded = time.monotonic()
            if why := self._dead() or self._not_up():
                self.lose(why)  # it returns where this process is told to end, of which it may need to be reminded

    def _dead_part(self) -> str | None:
        if len(self._parts) < len(_PARTS):
            for child in set(psutil.Process().children()) - self._others:
                with contextlib.suppress(psutil.Error):
                    if child.name() in _PARTS:
                        self._parts.setdefault(child.name(), child)
        return next((f"Ray's {name} has died" for name, part in self._parts.items() if not lives(part)), None)

    def _not_up(self) -> str | None:
        late = not self._up.is_set() and time.monotonic() - self._begun > START_S
        return f"Ray was not up after {START_S:g} s" if late else None


def lives(process: psutil.Process) -> bool:
    """Return whether a process is there, and no dead one that nobody has buried."""
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
