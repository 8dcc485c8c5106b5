"""The command line without a Ray: whatever runs fits runs them in the process that drives them.

    python -m tests.orchestrator.without_ray orchestrate's own words ...

For tests of what commands make of a run. What Ray does with fits is tested in execution/, faults/ and test_whole_way.
"""

import contextlib
import io
import logging
import os
import signal
import sys
from collections.abc import Iterator
from subprocess import CompletedProcess
from unittest import mock

from orchestrator import cli

RUN_FITS = ("search", "run", "resume", "retrain")


def main(words: list[str]) -> int:
    return cli.main([*words, "--executor", "in-process"] if words[0] in RUN_FITS else words)


def orchestrate_here(*words: object, **environment: str) -> CompletedProcess[str]:
    """Run a command in this process, as a user would see it."""
    out, err, on_terminate = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGTERM)
    try:
        with (
            mock.patch.dict(os.environ, environment),
            warnings_to(err),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main([str(word) for word in words])
    finally:
        signal.signal(signal.SIGTERM, on_terminate)
    return CompletedProcess(words, code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def warnings_to(err: io.StringIO) -> Iterator[None]:
    """Let what is logged be seen there, too: where a test's process has a handler, the command adds none."""
    handler = logging.StreamHandler(err)
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
