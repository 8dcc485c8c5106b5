"""A network is one file: dropped into the package, registered by another, or one's own, it is known everywhere."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrator.command import orchestrate, written

ROOT = Path(__file__).parent.parent
SIXTH = ROOT / "experiments" / "own_network.py"

# One epoch, the exported model, and its answer to three records.
TRAIN = """
import sys
from pathlib import Path
import numpy as np
import ecgcore
from ecgcore.task import ArrhythmiaTask
from orchestrator.task import Fit

store, folder = Path(sys.argv[1]), Path(sys.argv[2])
assert Path(ecgcore.__file__).is_relative_to(Path.cwd()), ecgcore.__file__
config = {"model": sys.argv[3], "reach": 15}
fit = Fit(trial=0, config=config, seed=1, fold=0, folds=1, max_steps=1, directory=folder)
said = []
ArrhythmiaTask(data=store).fit(fit, lambda step, metrics, checkpoint=None: said.append(checkpoint))
ArrhythmiaTask(data=store).export([folder / said[-1]], folder)
answers = ArrhythmiaTask.load(folder)(np.zeros((3, 12, 500), np.float32))
print(np.shape([column for name, column in answers.items() if name.startswith("probability_")])[::-1])
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    for words in (
        ("synthesize", "--records", "48", "--seed", "1", "--seconds", "5", "--to", folder / "records"),
        ("prepare", "--reader", "own", "--from", folder / "records", "--to", folder / "store", "--folds", "1"),
    ):
        done = orchestrate("data", *words)
        assert 0 == done.returncode, done.stderr
    return folder / "store"


def search(store: Path, **space: Any) -> dict[str, Any]:
    task = {"name": "ecgcore.task:ArrhythmiaTask", "with": {"data": str(store)}}
    return {"task": task, "metric": "macro_auc", "max_steps": 1, "sampler": "random", "trials": 2, "space": space}


def test_a_file_in_the_folder_of_networks_is_all_that_a_further_network_needs(store: Path, tmp_path: Path) -> None:
    """In a copy of the packages: listed, explained, planned, trained for an epoch, exported and loaded."""
    for package in ("ecgcore", "orchestrator"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(SIXTH, tmp_path / "ecgcore" / "models" / "networks" / "two_scales.py")
    written(tmp_path / "train.py", TRAIN)
    written(tmp_path / "s.yaml", search(store, model="two_scales", reach={"choice": [15, 31]}))
    (tmp_path / "fit").mkdir()

    def said(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert 0 == done.returncode, done.stderr
        return done.stdout

    assert "two_scales" in said("-m", "orchestrator.cli", "models")
    assert "reach " in said("-m", "orchestrator.cli", "parameters", "--model", "two_scales")
    assert "model                    two_scales" in said("-m", "orchestrator.cli", "plan", "s.yaml")
    assert "(3, 4)\n" == said("train.py", str(store), "fit", "two_scales")


def test_a_registered_network_is_known_by_its_name(store: Path, tmp_path: Path) -> None:
    """As of an installed package: its metadata lies beside its module."""
    shutil.copy(SIXTH, tmp_path)
    info = tmp_path / "their_networks-1.0.dist-info"
    info.mkdir()
    written(info / "METADATA", "Metadata-Version: 2.1\nName: their_networks\nVersion: 1.0\n")
    written(info / "entry_points.txt", "[orchestrate.networks]\ntheirs = own_network:TwoScales\n")
    space = written(tmp_path / "s.yaml", search(store, model="theirs", reach={"choice": [15, 31]}))

    assert "theirs" in orchestrate("models", PYTHONPATH=str(tmp_path)).stdout
    planned = orchestrate("plan", space, PYTHONPATH=str(tmp_path))

    assert 0 == planned.returncode, planned.stderr
    refused = orchestrate("plan", space)
    assert f"{space}:10: model: must be one of 'beat_cnn', " in refused.stderr
    assert 2 == refused.returncode


OWN = "own_network:TwoScales"


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"kernel": 5}, "kernel: is of heartbeat_cnn, and model is cnn1d; leave it out, or give model: heartbeat"),
        ({"model": "resnet1d", "kernel": 5}, "kernel: is of heartbeat_cnn, and model is resnet1d; "),
        (
            {"model": {"choice": ["cnn1d", "heartbeat_cnn"]}, "kernel": 5},
            "kernel: is of heartbeat_cnn, and model may be cnn1d; write `{choice: [5], when: {model: heartbeat_cnn}}`",
        ),
        ({"model": "heartbeat_cnn", "kernel": 6}, "kernel: must be one of 3, 5, 7, 9, 11, got 6"),
        ({"model": OWN, "kernel": 5}, f"kernel: is of heartbeat_cnn, and model is {OWN}; "),
        ({"model": OWN, "reach": 16}, "reach: must be one of 15, 31, 63, got 16"),
        (
            {"model": "lost_network:Net"},
            "model: lost_network:Net: there is no module lost_network; install its",
        ),
        ({"model": "own_network:Three"}, "model: own_network:Three: own_network has no class Three; give package"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_without_torch(
    store: Path, tmp_path: Path, space: dict[str, Any], said: str
) -> None:
    file = written(tmp_path / "s.yaml", search(store, **space))
    done = planned(file)
    (line,) = [
        n for n, text in enumerate(file.read_text().splitlines(), 1) if text.startswith(f"  {said.split(':')[0]}:")
    ]
    assert done.stderr.startswith(f"{file}:{line}: {said}")
    assert 1 == len(done.stderr.splitlines())
    # a class that is not in the text of its module may be made there: only importing it, and torch with it, can tell
    assert f"2 {['torch'] if 'Three' in str(space) else []}" == done.stdout.splitlines()[-1]


def test_spaces_of_several_networks_are_planned_without_torch(store: Path, tmp_path: Path) -> None:
    space = {
        "model": {"choice": ["cnn1d", "heartbeat_cnn", OWN]},
        "kernel": {"choice": [3, 5], "when": {"model": "heartbeat_cnn"}},
        "reach": {"choice": [15, 31], "when": {"model": OWN}},
    }
    done = planned(written(tmp_path / "s.yaml", search(store, **space)))
    assert "0 []" == done.stdout.splitlines()[-1], done.stderr


def planned(file: Path) -> subprocess.CompletedProcess[str]:
    """Plan a file; the last line of what is printed is the exit code, and what was imported that takes seconds."""
    code = f"import sys, orchestrator.cli as cli\ncode = cli.main(['plan', {str(file)!r}])\n"
    code += "print(code, sorted({'torch', 'ray', 'optuna', 'mlflow', 'scipy'} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{SIXTH.parent}"}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
