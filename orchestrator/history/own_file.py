"""A file that is open, and locked, in this process alone: one that it forks, as fits do, has it no more."""

import os
import weakref
from pathlib import Path

CLOSED = -1


class OwnFile:
    """An open file, made where it is not there, for this user only. `number`: its descriptor; CLOSED: no more.

    A lock lies on what forked processes share: one that a fit left behind would keep a run locked whose driver is
    gone, and one that went on with the driver's code would write into its journal.
    """

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _open.add(self)

    def close(self) -> None:
        """Give it back, and the lock on it. Nothing happens where it is closed."""
        if self.number != CLOSED:
            number, self.number = self.number, CLOSED
            os.close(number)


_open: "weakref.WeakSet[OwnFile]" = weakref.WeakSet()


def _close_all() -> None:
    for file in list(_open):
        file.close()


os.register_at_fork(after_in_child=_close_all)
