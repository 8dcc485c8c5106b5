"""The search spaces, experiments and recipes that are shipped: planned at once, and their stores are those measured."""

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecgcore.data.recipe_file import recipe_from
from ecgcore.readers.class_map import class_map
from orchestrator.specs.strict_yaml import read_with_files
from tests.orchestrator.command import orchestrate

ROOT = Path(__file__).parent.parent
RECIPES = sorted((ROOT / "experiments" / "recordings").glob("*.yaml"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the shipped YAML files and label maps, with room for data beside them."""
    for name in ("search_spaces", "experiments", "ecgcore/readers/label_maps"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def planned(project: Path, name: str, **environment: str) -> str:
    """The plan of a shipped experiment, none of whose stores is prepared."""
    plan = orchestrate("plan", project / "experiments" / f"{name}.yaml", **environment)
    assert 0 == plan.returncode, plan.stderr
    assert not (project / "data").exists()
    return plan.stdout


def content_hash(store: Path) -> str:
    return str(json.loads((store / "manifest.json").read_text())["content_hash"])


def data(*words: object, **environment: str) -> None:
    done = orchestrate("data", *words, **environment)
    assert 0 == done.returncode, done.stderr


def test_the_quickstart_plans_at_least_24_head_and_8_full_trials(project: Path) -> None:
    plan = planned(project, "quickstart")
    assert f"{project}/data/quickstart/target from 240 synthetic records (not there yet)" in plan
    assert "24 trials x 1 seeds x 3 folds = 72 fits" in plan
    assert "10 trials x 1 seeds x 3 folds = 30 fits" in plan


def test_every_other_experiment_plans_where_its_recordings_are(project: Path, tmp_path: Path) -> None:
    """Of recordings only that they are there is looked at."""
    for name in ("ptbxl500", "cinc2017", "challenge2021_mix", "ludb", "mitdb"):
        (tmp_path / "shared" / name).mkdir(parents=True)
    (project / "my_recordings").mkdir()
    shared = {"ECG_DATA": str(tmp_path / "shared")}
    assert 2 == planned(project, "ptbxl_two_stage", **shared).count(
        "16 trials x 1 seeds x 4 folds = 64 fits of at most 40"
    )
    assert "8 trials x 1 seeds x 3 folds = 24 fits" in planned(project, "cinc2017", **shared)
    assert 3 == planned(project, "transfer", **shared).count("3 trials x 1 seeds x 4 folds = 12 fits")
    assert "12 trials x 1 seeds x 3 folds = 36 fits" in planned(project, "mine", **shared)
    published = ("adaptation", "charts", "cnn1d_cnn2d", "rhythm_mcu", "heartbeats_by_beat", "heartbeats_by_patient")
    assert all("the sealed part is opened once" in planned(project, name, **shared) for name in published)


def test_an_experiment_without_its_recordings_says_where_to_get_them(project: Path) -> None:
    plan = orchestrate("plan", project / "experiments" / "ptbxl_two_stage.yaml", ECG_DATA="")
    assert 2 == plan.returncode
    assert 1 == len(plan.stderr.splitlines())  # though several of its search spaces name the recipe
    assert "https://physionet.org/content/ptb-xl/1.0.3/ (3 GB)" in plan.stderr


def test_the_recipes_of_the_quickstart_make_the_stores_that_were_measured(project: Path) -> None:
    """The same content as by the commands with which its figures were measured."""
    by_hand = {
        "source": (["--seed", 1, "--cohort", "A"], ["--folds", 1, "--test-share", 0]),
        "target": (["--seed", 2, "--cohort", "B"], ["--folds", 3]),
    }
    for name, (synthetic, split) in by_hand.items():
        data("prepare", project / "experiments" / "recordings" / f"quickstart_{name}.yaml")
        raw, store = project / f"{name}-raw", project / name
        data("synthesize", "--records", 240, *synthetic, "--to", raw)
        data("prepare", "--reader", "own", "--from", raw, "--to", store, *split)
        assert content_hash(store) == content_hash(project / "data" / "quickstart" / name)


@pytest.mark.parametrize(
    ("name", "hash_"),
    [
        ("ptbxl500", "6c30b30dee76"),
        ("challenge_ludb", "adf4b617237f"),
    ],
)
def test_the_recipes_of_real_recordings_make_the_stores_that_were_measured(
    project: Path, recordings: Path, name: str, hash_: str
) -> None:
    data("prepare", project / "experiments" / "recordings" / f"{name}.yaml", ECG_DATA=str(recordings))
    assert content_hash(project / "data" / name).startswith(hash_)


def test_every_shipped_search_space_is_used_by_a_shipped_experiment() -> None:
    told = "".join(path.read_text() for path in (ROOT / "experiments").glob("*.yaml"))
    assert not [path.name for path in (ROOT / "search_spaces").glob("*.yaml") if path.name not in told]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_shipped_recipe_is_used_and_right_and_makes_a_store_of_its_own_name(path: Path) -> None:
    told = "".join(space.read_text() for space in (ROOT / "search_spaces").glob("*.yaml"))
    to_test_on = f"orchestrate test RUN --data experiments/recordings/{path.name}" in path.read_text()
    assert to_test_on or f"../experiments/recordings/{path.name}" in told
    recipe = recipe_from({**read_with_files(path).data, "file": str(path)})
    assert path.stem == "_".join(recipe.store.relative_to(ROOT / "data").parts)


@pytest.mark.parametrize("path", sorted((ROOT / "experiments" / "labels").glob("*.csv")), ids=lambda path: path.stem)
def test_every_shipped_label_map_can_be_read_for_the_classes_it_names(path: Path) -> None:
    ours = sorted({row["ours"] for row in csv.DictReader(path.read_text().splitlines()) if row["ours"]})
    assert len(ours) >= 2
    assert class_map(["none of these", *ours], ours, path).absent


def test_the_ray_cluster_on_kubernetes_has_our_ray_and_python_one_token_from_a_secret_and_one_shared_volume() -> None:
    """Its structure: that it runs is not tested."""
    text = (ROOT / "experiments" / "kubernetes" / "ray_cluster.yaml").read_text()
    cluster = yaml.safe_load(text)
    (ray,) = re.findall(r"^ray==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    (python,) = re.findall(r"\(Python (.+)\)", (ROOT / "constraints.txt").read_text())
    assert ("ray.io/v1", "RayCluster", ray) == (cluster["apiVersion"], cluster["kind"], cluster["spec"]["rayVersion"])
    groups = [cluster["spec"]["headGroupSpec"], *cluster["spec"]["workerGroupSpecs"]]
    assert [None, "cpu", "gpu"] == [group.get("groupName") for group in groups]
    assert [0, 0, 1] == [gpus_of(group) for group in groups]
    assert "0" == groups[0]["rayStartParams"]["num-cpus"]
    for group in groups:
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        environment = {one["name"]: one for one in container["env"]}
        assert f"{ray}-py{python.replace('.', '')}" in container["image"]
        assert "token" == environment["RAY_AUTH_MODE"]["value"]
        assert {"valueFrom"} == set(environment["RAY_AUTH_TOKEN"]) - {"name"}
        assert "ray-token" == environment["RAY_AUTH_TOKEN"]["valueFrom"]["secretKeyRef"]["name"]
        (volume,), (mounted,) = pod["volumes"], container["volumeMounts"]
        assert (volume["name"], "/shared") == (mounted["name"], mounted["mountPath"])
        assert "your-shared-claim" == volume["persistentVolumeClaim"]["claimName"]
    assert len(text.splitlines()) <= 45
    assert "NOT RUN" in text


def gpus_of(group: dict[str, Any]) -> int:
    (container,) = group["template"]["spec"]["containers"]
    return int(container["resources"]["limits"].get("nvidia.com/gpu", 0))
