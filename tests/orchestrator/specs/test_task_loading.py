"""What a task is constructed with: paths, and the content of files where that is wanted in place of a path."""

from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import UserError
from orchestrator.specs.reading import read_search
from orchestrator.specs.specs import TaskSpec
from orchestrator.specs.task_loading import load_task, prepared_task
from tests.orchestrator.command import toy_search, written
from tests.toy_task import PreparableToyTask


def preparable(data: Path) -> TaskSpec:
    return TaskSpec(name="tests.toy_task:PreparableToyTask", **{"with": {"data": str(data)}})


def loaded(data: Path) -> PreparableToyTask:
    task = load_task(preparable(data))
    assert isinstance(task, PreparableToyTask)
    return task


def test_a_yaml_is_handed_over_as_its_content_and_its_place(tmp_path: Path) -> None:
    recipe = written(tmp_path / "recipe.yaml", "folds: 2\nrate: 1e2\ncodes: inner/map.yaml\n")
    (tmp_path / "inner").mkdir()
    inner = written(tmp_path / "inner" / "map.yaml", "a: [1]\n")

    assert loaded(recipe).recipe == {
        "folds": 2,
        "rate": 100.0,
        "codes": {"a": [1], "file": str(inner)},
        "file": str(recipe),
    }


def test_any_other_path_stays_a_path(tmp_path: Path) -> None:
    assert (loaded(tmp_path).recipe, loaded(tmp_path).place) == ({}, tmp_path)


def test_the_spec_keeps_the_path_and_reads_it_relative_to_its_own_file(tmp_path: Path) -> None:
    recipe = written(tmp_path / "recipe.yaml", "folds: 2\n")
    (tmp_path / "spaces").mkdir()
    task = {"name": "tests.toy_task:PreparableToyTask", "with": {"data": "../recipe.yaml"}}

    spec = read_search(written(tmp_path / "spaces" / "s.yaml", toy_search(task=task)))

    assert spec.task.with_ == {"data": str(recipe)}


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        ("content: x\nfolds: two\n", "recipe.yaml:2: folds: must be a whole number, got 'two'"),
        ("folds: 2\nfolds: 3\n", "recipe.yaml:2: folds: the key is given twice (first in line 1); delete one"),
        ("folds: 2\nmap: none.yaml\n", "recipe.yaml:2: map: {here}/none.yaml: cannot be read"),
        ("folds: 2\nfile: mine\n", "recipe.yaml:2: file: unknown key; leave it out"),
    ],
)
def test_a_mistake_in_such_a_file_is_told_with_its_line(tmp_path: Path, content: str, mistake: str) -> None:
    recipe = written(tmp_path / "recipe.yaml", content)
    task = {"name": "tests.toy_task:PreparableToyTask", "with": {"data": str(recipe)}}

    with pytest.raises(UserError) as raised:
        read_search(written(tmp_path / "s.yaml", toy_search(task=task)))

    assert f"{tmp_path}/{mistake.format(here=tmp_path)}" in str(raised.value)
    assert 1 == len(str(raised.value).splitlines())


def test_nothing_is_described_before_its_data_is_prepared(tmp_path: Path) -> None:
    recipe = written(tmp_path / "recipe.yaml", "folds: 2\ncontent: x\n")

    with pytest.raises(UserError, match=r"has to be prepared: .*was a recipe changed meanwhile"):
        prepared_task(preparable(recipe))
    loaded(recipe).prepare(lambda doing, done=0, total=None: None)

    assert {"folds": 2, "data": "x"} == dict(prepared_task(preparable(recipe)).describe())


class Inheriting(PreparableToyTask):
    """Its constructor is the other's."""


class Extending(PreparableToyTask):
    def __init__(self, *, map_file: Path, **others: Any) -> None:
        super().__init__(**others)
        self.map_file = map_file


class Replacing(PreparableToyTask):
    def __init__(self, *, place: str) -> None:
        super().__init__(data=Path(place))


def test_a_subclass_takes_paths_as_the_class_does_that_it_is_of(tmp_path: Path) -> None:
    recipe = written(tmp_path / "recipe.yaml", "folds: 2\n")
    (tmp_path / "spaces").mkdir()

    def with_of(task: str, **given: object) -> dict[str, object]:
        told = {"name": f"{__name__}:{task}", "with": given}
        spec = read_search(written(tmp_path / "spaces" / "s.yaml", toy_search(task=told, folds=1))).task
        load_task(spec)
        return dict(spec.with_)

    assert {"data": str(recipe)} == with_of("Inheriting", data="../recipe.yaml")
    both = {"data": "../recipe.yaml", "map_file": "../map.csv", "step_s": 0.5}
    read = {"data": str(recipe), "map_file": str(tmp_path / "map.csv"), "step_s": 0.5}
    assert read == with_of("Extending", **both)
    assert {"place": "../there"} == with_of("Replacing", place="../there"), "a text that is no path"


@pytest.mark.parametrize(
    ("task", "given", "mistake"),
    [
        ("Extending", {"data": ".", "mapfile": "x"}, r"with: mapfile is not an argument .*did you mean map_file"),
        ("Extending", {"map_file": "x"}, "with: data is required by"),
        ("Replacing", {"place": ".", "data": "."}, "with: data is not an argument of"),
    ],
)
def test_what_no_constructor_of_a_subclass_takes_is_refused(task: str, given: dict[str, object], mistake: str) -> None:
    with pytest.raises(UserError, match=mistake):
        load_task(TaskSpec(name=f"{__name__}:{task}", **{"with": given}))
