"""Where a result comes from: code, versions, data, seeds, host. Enough to say later what exactly was run."""

import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from orchestrator.atomic import write_json
from orchestrator.history.run_folder import RunFolder
from orchestrator.task import Scalar

PACKAGES = (
    "torch",
    "ray",
    "optuna",
    "mlflow",
    "wfdb",
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "pydantic",
)


def write_provenance(folder: RunFolder, *, facts: Mapping[str, Mapping[str, Scalar]], seeds: Mapping[str, Any]) -> None:
    """Write provenance.json unless it is there: it tells of the run's beginning.

    `facts`: each task's description by stage.
    """
    if folder.provenance.exists():
        return
    write_json(
        folder.provenance,
        {
            "begun": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
            "code": _code(Path(__file__).parent.parent),
            "python": platform.python_version(),
            "packages": {name: version for name in PACKAGES if (version := _version(name))},
            "data": {name: dict(described) for name, described in facts.items()},
            "seeds": dict(seeds),
            "host": {
                "name": platform.node(),
                "system": platform.platform(),
                "cpus": psutil.cpu_count(),
                "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
            },
        },
    )


def _code(root: Path) -> dict[str, Any]:
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {"commit": None, "why": "the code is not in a git checkout"}
    return {"commit": commit.strip(), "dirty": _git(root, "diff", "HEAD") or ""}


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
