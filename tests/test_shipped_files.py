"""The search spaces and experiments that are shipped can be planned, on stores made as their headers say."""

import shutil
from pathlib import Path

import pytest

from tests.orchestrator.command import orchestrate

ROOT = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the shipped YAML files, with room for data beside them."""
    for name in ("search_spaces", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def data(*words: object) -> None:
    done = orchestrate("data", *words)
    assert 0 == done.returncode, done.stderr


def synthetic_store(store: Path, *, records: int = 48, folds: int = 1) -> None:
    data("synthesize", "--records", records, "--seed", 1, "--to", f"{store}-records")
    data("prepare", "--reader", "own", "--from", f"{store}-records", "--to", store, "--folds", folds)


def test_the_quickstart_plans_at_least_24_head_and_8_full_trials(project: Path) -> None:
    synthetic_store(project / "data" / "quickstart" / "source")
    synthetic_store(project / "data" / "quickstart" / "target", records=96, folds=3)
    plan = orchestrate("plan", project / "experiments" / "quickstart.yaml")
    assert 0 == plan.returncode, plan.stderr
    assert "24 trials x 1 seeds x 3 folds = 72 fits" in plan.stdout
    assert "10 trials x 1 seeds x 3 folds = 30 fits" in plan.stdout


def test_the_ptbxl_experiment_plans_on_the_real_recordings(project: Path, recordings: Path) -> None:
    synthetic_store(project / "data" / "rhythms")
    folds = ("--train-folds", "1-6", "--validation-folds", "7,8", "--test-folds", "9")
    source = recordings / "ptbxl500"
    data("prepare", "--reader", "ptbxl", "--from", source, "--to", project / "data" / "ptbxl500", *folds)
    plan = orchestrate("plan", project / "experiments" / "ptbxl_two_stage.yaml")
    assert 0 == plan.returncode, plan.stderr
    assert "classes NORM,MI,STTC,CD,HYP" in plan.stdout
    assert "records 352, patients 338" in plan.stdout


def test_the_cinc2017_and_the_transfer_experiment_plan(project: Path) -> None:
    """On synthetic stores in the places of the real ones: names, folds and the chain of stages are checked."""
    for name, folds in (("cinc2017", 3), ("challenge_ludb", 3), ("ptbxl500_transfer", 4)):
        synthetic_store(project / "data" / name, records=96, folds=folds)
    plan = orchestrate("plan", project / "experiments" / "cinc2017.yaml")
    assert 0 == plan.returncode, plan.stderr
    assert "5 trials x 1 seeds x 1 folds = 5 fits" in plan.stdout
    plan = orchestrate("plan", project / "experiments" / "transfer.yaml")
    assert 0 == plan.returncode, plan.stderr
    assert 3 == plan.stdout.count("2 trials x 1 seeds x 4 folds = 8 fits")


def test_every_shipped_search_space_is_used_by_a_shipped_experiment() -> None:
    told = "".join(path.read_text() for path in (ROOT / "experiments").glob("*.yaml"))
    assert not [path.name for path in (ROOT / "search_spaces").glob("*.yaml") if path.name not in told]
