"""The command line as a user has it: a process of its own, its exit code, what it prints."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from orchestrator.specs.strict_yaml import write_yaml


def orchestrate(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "orchestrator.cli", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **environment},
    )


def written(path: Path, data: Any) -> Path:
    path.write_text(data if isinstance(data, str) else write_yaml(data))
    return path


def toy_search(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "task": {"name": "tests.toy_task:ToyTask", "with": {}},
        "metric": "score",
        "max_steps": 3,
        "sampler": "grid",
        "baseline": False,  # most tests count the trials that they name
        "space": {"x": {"choice": [0.1, 0.3]}},
    }
    return {**plain, **changes}
