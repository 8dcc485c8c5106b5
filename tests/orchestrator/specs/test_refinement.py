"""The neighbours of a configuration: each number on its own scale, within its range, one dimension at a time."""

from typing import Any

import pytest

from orchestrator.specs.refinement import configurations_around, neighbour, refined, template_of
from orchestrator.specs.specs import RefineSpec, as_data, from_data
from tests.orchestrator.in_process import toy_spec


def dimension(entry: dict[str, Any]) -> Any:
    return toy_spec(space={"x": entry}).space["x"]


@pytest.mark.parametrize(
    ("entry", "value", "below", "above"),
    [
        ({"log_uniform": [1e-4, 1.0]}, 1e-2, 0.00316228, 0.0316228),  # half a decade: an eighth of four
        ({"log_uniform": [1e-4, 1.0]}, 0.9, 0.284605, 1.0),  # at most the range's end
        ({"uniform": [0, 1]}, 0.5, 0.375, 0.625),
        ({"uniform": [0, 1]}, 1.0, 0.875, None),
        ({"uniform": [0, 0.5], "step": 0.1}, 0.2, 0.1, 0.3),
        ({"integer": [8, 32], "step": 8}, 32, 24, None),
        ({"integer": [1, 129]}, 65, 49, 81),  # a step of 1 would be no other value
        ({"choice": [64, 16, 32]}, 32, 16, 64),
        ({"choice": ["a", "b"]}, "a", None, None),
        ({"choice": [True, False]}, True, None, None),
        ({"uniform": [0, 1]}, -0.5, None, 0.0),  # an untuned default may lie outside: only towards the range
    ],
)
def test_a_neighbour_lies_on_the_dimensions_own_scale_and_within_its_range(
    entry: dict[str, Any], value: Any, below: Any, above: Any
) -> None:
    found = dimension(entry)
    assert (below, above) == (neighbour(found, value, by=-1), neighbour(found, value, by=1))


SPACE = {
    "kind": {"choice": ["plain", "bent"]},
    "x": {"uniform": [0, 1]},
    "layers": {"integer": [1, 4]},
    "turns": {"integer": [1, 4], "when": {"kind": "bent"}},
    "y": 0.5,
}


def test_one_number_is_moved_at_a_time_and_what_is_not_active_stays_away() -> None:
    winner = {"kind": "plain", "x": 0.5, "layers": 1, "y": 0.5}
    tie = {"kind": "bent", "x": 0.5, "layers": 1, "turns": 2, "y": 0.5}
    space = toy_spec(space=SPACE).space

    found = configurations_around(space, winner, [winner, tie], points=3, most=30)

    assert [winner, {**winner, "x": 0.375}, {**winner, "x": 0.625}, {**winner, "layers": 2}, tie] == found
    assert found[:2] == configurations_around(space, winner, [tie], points=3, most=2)
    further = configurations_around(space, winner, [tie], points=5, most=30)
    assert [*found, {**winner, "x": 0.25}, {**winner, "x": 0.75}, {**winner, "layers": 3}] == further


def test_a_number_on_which_others_depend_is_not_moved() -> None:
    space = toy_spec(space={"layers": {"integer": [1, 4]}, "x": {"uniform": [0, 1], "when": {"layers": [2, 3]}}}).space
    assert [{"layers": 1}] == configurations_around(space, {"layers": 1}, [], points=3, most=30)


def test_the_search_that_is_written_is_of_these_configurations_and_comes_back_from_the_journal() -> None:
    base = toy_spec(space=SPACE, prune={"successive_halving": {}}, budget={"minutes": 1}, seeds=2, folds=1)
    refine = RefineSpec(refine="base", points=3, trials=30)
    winner = {"kind": "bent", "x": 0.5, "layers": 2, "turns": 2, "y": 0.5}

    spec = refined(template_of(base, refine, folds=None), refine, winner, [])

    assert 7 == spec.total == len(spec.grid)
    assert (None, None, None, 2, False) == (spec.prune, spec.budget, spec.folds, spec.seeds, spec.baseline)
    assert "bent" == spec.space["kind"]
    assert spec == from_data(as_data(spec))
