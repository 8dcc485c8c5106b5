"""Ordinary users of a test cluster: accounts that every Debian has, since a test should not add any to a machine."""

import os
import pwd
import shlex
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.slurm.cluster import Cluster

NAMES = ("games", "news")
_NEEDED = (Path(sys.base_prefix), Path(sys.prefix), Path(__file__).parents[2])  # Python, its packages, the project


def open_to_users(cluster: Cluster) -> None:
    """Restart the nodes so that ordinary users can read there what only root can here, such as a Python below /root."""
    keep = cluster.base / "open"
    keep.mkdir()
    needed = {path for path in _NEEDED if _closed_above(path)}
    kept = {path: keep / str(number) for number, path in enumerate(sorted(needed))}
    for path in kept.values():
        path.mkdir()
    closed = sorted({above for path in needed if (above := _closed_above(path))})
    mounts = [
        *(f"mount --bind {_quoted(path)} {_quoted(place)}" for path, place in kept.items()),
        *(f"mount -t tmpfs -o mode=755 none {_quoted(above)}" for above in closed),
        *(f"mkdir -p {_quoted(path)} && mount --bind {_quoted(place)} {_quoted(path)}" for path, place in kept.items()),
    ]
    for node in cluster.nodes:
        cluster.stop_node(node)
        cluster.start_node(node, mounts=[*mounts, "true"])
    cluster.wait_for_nodes()


def as_user(cluster: Cluster, name: str, home: Path) -> Cluster:
    """Return the cluster as this user's commands on a node meet it; makes their home."""
    user = pwd.getpwnam(name)
    home.mkdir(mode=0o700)
    os.chown(home, user.pw_uid, user.pw_gid)
    inside = ("nsenter", f"--mount=/proc/{cluster.node_pid(cluster.nodes[0])}/ns/mnt", f"--wd={Path.cwd()}")
    rights = ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--inh-caps=-all")
    return replace(cluster, as_whom=(*inside, *rights, "env", f"HOME={home}", f"USER={name}"))


def open_folder(folder: Path) -> Iterator[Path]:
    """Give a folder through which everybody may pass, as pytest's own may not; remove it in the end."""
    folder.mkdir(mode=0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _closed_above(path: Path) -> Path | None:
    """Return the uppermost folder on the way that only its owner may pass."""
    return next((above for above in reversed(path.parents) if not above.stat().st_mode & stat.S_IXOTH), None)


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
