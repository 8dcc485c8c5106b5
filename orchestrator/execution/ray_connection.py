"""Ray in this process: one of our own is started, or one that exists is joined and asked what its nodes see; and left.

Knows of environments and folders only that they are in place (private_ray.py).
"""

import atexit
import contextlib
import logging
import os
import re
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.errors import UserError, printable, text_of
from orchestrator.execution.private_ray import end_processes_of, has_token
from orchestrator.interrupts import is_told_to_end

STOP_S = 10.0  # with one of its processes dead, Ray needs up to seven to leave
LOOK_S = 60.0  # for a node to start a worker and look at a file


def start(temp: Path, *, cpus: int, address: str = "127.0.0.1") -> str:
    """Start a Ray in this process, with so many CPUs; return the address at which others may join it."""
    import ray  # here: it takes a second, and reads its environment when it is imported

    with _own_signals():
        context: Any = ray.init(
            num_cpus=cpus,
            num_gpus=0,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=True,
            object_store_memory=100_000_000,
            _temp_dir=str(temp / "ray"),
            _node_ip_address=address,
        )
    _hush()
    return str(context.address_info["gcs_address"])


def join(address: str, temp: Path, *, environment: Mapping[str, str]) -> str:
    """Join the Ray whose GCS is at this address, and return the socket of the raylet on this machine.

    environment: what its workers get besides their own, for us only. Raises UserError, in one sentence, where it wants
    another token, is of another version, or does not answer.
    """
    import ray

    with _own_signals():
        try:
            with _errors_to(temp / "joining.txt"):  # Ray's C++ says on it what the exception says, too
                context: Any = ray.init(
                    address=address,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    configure_logging=True,
                    runtime_env={"env_vars": dict(environment)},
                )
        except Exception as error:  # of many kinds, whose text is in their causes
            if is_told_to_end():
                raise KeyboardInterrupt from None
            raise UserError(f"--ray {address}: {why_not_joined(error)}") from None
    _hush()
    return str(context.address_info["raylet_socket_name"])


def why_not_joined(error: BaseException) -> str:
    """Return why a Ray was not joined, and the way out."""
    text, cause = text_of(error), error.__cause__
    while cause is not None:
        text, cause = f"{text}\n{text_of(cause)}", cause.__cause__
    if "Version mismatch" in text:
        (theirs, ours), (its_python, our_python) = (re.findall(rf"{name}: (\S+)", text) for name in ("Ray", "Python"))
        return (
            f"that cluster has Ray {theirs} and Python {its_python}, this environment has Ray {ours} and Python "
            f"{our_python}; they must be the same"
        )
    if "AuthToken" in text or "uthenticat" in text:
        refused = "does not take the token that it was shown" if has_token() else "wants a token, got none"
        return (
            f"that cluster {refused}; let RAY_AUTH_TOKEN_PATH name a file with its token (or RAY_AUTH_TOKEN hold it), "
            "as on its nodes"
        )
    if "No node info found" in text:
        return "no node of that cluster is on this machine; give the command on one of its nodes, such as the head"
    return f"no Ray that could be joined ({printable(_last_line(text), most=200)})"


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no message").strip()


@dataclass(frozen=True, kw_only=True)
class NodeView:
    """What a worker on a node sees: the version of `orchestrate` there, None without one, and a file of the driver's.

    reads: with the content that the driver wrote; writes: beside it.
    """

    node: str
    version: str | None
    reads: bool
    writes: bool


def alive_nodes() -> list[dict[str, Any]]:
    """Return the nodes of the Ray that this process is connected to, as Ray describes them."""
    import ray

    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]  # Ray's has no annotations
    return [node for node in nodes if node["Alive"]]


def views(nodes: Sequence[dict[str, Any]], file: Path, content: str) -> list[NodeView]:
    """Return what workers on these nodes see, one task on each. Raises UserError where they do not answer."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def look(path: str) -> tuple[str | None, str | None, bool]:  # comes there by value: it needs nothing of ours
        import importlib.metadata
        import importlib.util
        import os

        there = importlib.util.find_spec("orchestrator") is not None
        try:
            version = importlib.metadata.version("orchestrate") if there else None
        except importlib.metadata.PackageNotFoundError:
            version = None
        try:
            with open(path, encoding="utf-8") as file:
                return version, file.read(), os.access(os.path.dirname(path), os.W_OK)
        except OSError:
            return version, None, False

    looking = ray.remote(num_cpus=0, max_retries=0)(look)
    asked = []
    for node in nodes:
        here = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        asked.append(looking.options(scheduling_strategy=here).remote(str(file)))
    try:
        seen = ray.get(asked, timeout=LOOK_S)
    except ray.exceptions.RayError as error:
        raise UserError(
            f"--ray: its nodes run no task of ours ({printable(_last_line(text_of(error)), most=200)})"
        ) from None
    return [
        NodeView(node=node["NodeManagerAddress"], version=version, reads=content == read, writes=writes)
        for node, (version, read, writes) in zip(nodes, seen, strict=True)
    ]


def _hush() -> None:
    for name in ("ray", "ray.tune", "ray.train", "ray.air"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextlib.contextmanager
def _errors_to(path: Path) -> Iterator[None]:
    """Let what this process writes where errors go go to a file for the length of the block, C++ included."""
    kept = os.dup(2)
    with path.open("ab") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Let SIGTERM do what it did before also while Ray starts, and the end of a terminal end us, and not Ray before us.

    Ray puts a handler of its own in place, which ends the process with code 15.
    """
    on_terminate = signal.getsignal(signal.SIGTERM)
    # What is blocked here is blocked in Ray's processes for ever. In this one another thread hears it.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    try:
        yield
    except SystemExit as error:
        if error.code == signal.SIGTERM and callable(on_terminate):
            on_terminate(signal.SIGTERM, None)
        raise
    finally:
        signal.signal(signal.SIGTERM, on_terminate)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def stop(temp: Path) -> None:
    """Leave the Ray of this process, which may be half up, dead, or stopped and then waits for ever."""
    import ray

    def leave() -> None:
        with contextlib.suppress(Exception):  # what is left is ended by its environment
            ray.shutdown()

    leaving = threading.Thread(target=leave, name="leave-ray", daemon=True)
    leaving.start()
    leaving.join(STOP_S)
    if leaving.is_alive():
        end_processes_of(temp)  # whom it waits for
        leaving.join(STOP_S)
        atexit.unregister(ray.shutdown)  # it would wait once more
