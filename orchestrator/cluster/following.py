"""Follow a submitted run from the command that submitted it. Ctrl-C ends only the following."""

import sys
import time

from orchestrator.cluster.run_files import RunFiles
from orchestrator.cluster.watching import is_driven, watch
from orchestrator.errors import RunFailed, UserError
from orchestrator.history.run_folder import RunFolder


def follow(folder: RunFolder, said: str, *, quiet: bool) -> None:
    """Show where the run stands until it is done. Raises what it failed with."""
    if not quiet:
        print(said, flush=True)
    try:
        _wait(folder, quiet=quiet)
    except KeyboardInterrupt:
        raise RunFailed(
            f"{folder.name}: goes on without you; `orchestrate status {folder.name} --watch` follows it again, "
            f"`orchestrate cancel {folder.name}` ends it"
        ) from None
    done = RunFiles(folder).done()
    if done is None:
        raise RunFailed(f"{folder.name}: has no driver any more; `orchestrate status {folder.name}` says more")
    if done.exit_code == 2:
        raise UserError(done.message)
    if done.exit_code:
        raise RunFailed(done.message)
    for note in done.notes:
        print(note, file=sys.stderr)


def _wait(folder: RunFolder, *, quiet: bool) -> None:
    if not quiet:
        watch(folder)
        return
    while is_driven(folder):
        time.sleep(1)
