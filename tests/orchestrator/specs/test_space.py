"""Spaces: fixed, choice, uniform, log_uniform, integer, quantised and conditional values; their grid and cells."""

import random
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from orchestrator.specs.space import cells, complete_config, grid_configs, in_order, listed, suggest
from orchestrator.specs.space_mistakes import mistakes_in
from tests.orchestrator.in_process import toy_spec
from tests.toy_task import ToyParameter, ToyTask


class Dice:
    """Draws at random what Optuna would suggest."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.asked: list[str] = []

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None, log: bool) -> float:
        self.asked.append(name)
        return self._random.uniform(low, high)

    def suggest_int(self, name: str, low: int, high: int, *, step: int, log: bool) -> int:
        self.asked.append(name)
        return self._random.randrange(low, high + 1, step)

    def suggest_categorical(self, name: str, choices: list[object]) -> object:
        self.asked.append(name)
        return self._random.choice(choices)


SGD = {
    "momentum": {"uniform": [0.0, 0.9], "when": {"optimizer": "sgd"}},
    "optimizer": {"choice": ["sgd", "adamw"]},
    "beta": {"choice": [0.9, 0.99], "when": {"optimizer": ["adamw"]}},
    "model": "cnn1d",
}


def test_a_conditional_value_is_drawn_only_when_its_condition_holds() -> None:
    space = toy_spec(space=SGD).space
    for seed in range(20):
        config = suggest(space, {}, Dice(seed))
        assert ("momentum" in config) == (config["optimizer"] == "sgd")
        assert ("beta" in config) == (config["optimizer"] == "adamw")
        assert "cnn1d" == config["model"]


def test_a_grid_has_each_active_configuration_once() -> None:
    space = toy_spec(space={**SGD, "momentum": {"uniform": [0, 0.9], "step": 0.45, "when": {"optimizer": "sgd"}}}).space
    configs = grid_configs(space)
    assert [0.0, 0.45, 0.9] == [c["momentum"] for c in configs if c["optimizer"] == "sgd"]
    assert [0.9, 0.99] == [c["beta"] for c in configs if c["optimizer"] == "adamw"]
    assert 5 == len(configs)


def test_a_value_listed_twice_is_one_configuration() -> None:
    assert 2 == len(grid_configs(toy_spec(space={"x": {"choice": [1, 1, 2]}}).space))


def test_integers_and_quantised_floats_reach_both_ends() -> None:
    space = toy_spec(space={"a": {"integer": [1, 7], "step": 3}, "b": {"uniform": [0.1, 0.3], "step": 0.1}}).space
    assert [1, 4, 7] == sorted({int(str(c["a"])) for c in grid_configs(space)})
    assert [0.0, 0.6] == [c["x"] for c in grid_configs(toy_spec(space={"x": {"uniform": [0, 1], "step": 0.6}}).space)]
    assert [0.1, 0.2, 0.3] == sorted({float(str(c["b"])) for c in grid_configs(space)})


def test_the_outer_grid_makes_one_cell_for_each_combination() -> None:
    space = toy_spec(space={"a": {"grid": [1, 2]}, "b": {"grid": ["x", "y"]}, "c": {"uniform": [0, 1]}}).space
    assert [{"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 2, "b": "x"}, {"a": 2, "b": "y"}] == cells(space)
    dice = Dice(0)
    assert {"a": 2, "b": "y"}.items() <= suggest(space, cells(space)[3], dice).items()
    assert ["c"] == dice.asked


def test_conditions_in_a_circle_are_refused() -> None:
    space = toy_spec(space={"a": {"choice": [1], "when": {"b": 1}}, "b": {"choice": [1], "when": {"a": 1}}}).space
    with pytest.raises(ValueError, match="a, b go in a circle"):
        in_order(space)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"uniform": [1, 1]}, "low < high"),
        ({"uniform": [2, 1]}, "low < high"),
        ({"log_uniform": [0, 1]}, "must be positive"),
        ({"uniform": [0, 1], "step": 2}, "at most high - low"),
        ({"uniform": [0, float("inf")]}, "low < high"),
        ({"choice": []}, "at least 1 item"),
        ({"integer": [1.5, 3]}, "integer"),
        ({"normal": [0, 1]}, "must be one value, or a mapping with one of"),
        ([1, 2], "must be one value, or a mapping with one of"),
        ({"grid": [1], "when": {"x": 1}}, "takes no `when`"),
    ],
)
def test_an_impossible_entry_is_refused_with_its_rule(entry: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        toy_spec(space={"x": entry})


def test_names_kinds_and_ranges_are_checked_against_the_task() -> None:
    entries = {"layrs": 3, "x": {"uniform": [-3, 1]}, "layers": 2.5, "kind": {"choice": ["plain", "odd"]}, "y": True}
    found = dict(mistakes_in(toy_spec(space=entries).space, ToyTask().parameters()))
    assert "is not a hyperparameter of this task; did you mean layers?" == found["layrs"]
    assert "must lie between -2 and 2, got -3.0" == found["x"]
    assert "must be a whole number, got 2.5" == found["layers"]
    assert "must be one of 'plain'" in found["kind"]
    assert "must be a float, got True" == found["y"]


def test_a_range_for_a_whole_number_and_a_condition_that_never_holds_are_named() -> None:
    entries = {"layers": {"log_uniform": [1, 8]}, "kind": "plain", "x": {"choice": [1], "when": {"kind": "plian"}}}
    found = dict(mistakes_in(toy_spec(space=entries).space, ToyTask().parameters()))
    assert "must be whole numbers; give integer or choice" == found["layers"]
    assert "its condition wants kind to be 'plian', which it never is" == found["x"]


def test_a_config_is_completed_with_the_defaults_of_the_task() -> None:
    assert {"x": 0.5, "y": 0.0, "layers": 1, "kind": "plain"} == completed({"x": 0.5}, ToyTask().parameters())


def test_what_does_not_count_beside_the_other_values_is_left_out_of_a_completed_config() -> None:
    parameters = ToyTask().parameters()
    assert "turns" not in completed({"kind": "plain"}, parameters)
    assert 2 == completed({"kind": "bent"}, parameters)["turns"]
    assert 3 == completed({"kind": "bent", "turns": 3}, parameters)["turns"]


BENT_ONLY = {"choice": [1, 3], "when": {"kind": "bent"}}
BOTH = {"choice": ["plain", "bent"]}
IF_BENT = {"choice": [1, 2], "when": {"kind": "bent"}}
MAY_BE_PLAIN = "is of bent, and kind may be plain; "
WRITE_IT = MAY_BE_PLAIN + "write `{choice: [3], when: {kind: bent}}`"


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"turns": 3}, "is of bent, and kind is plain; leave it out, or give kind: bent"),
        ({"turns": 3, "kind": "plain"}, "is of bent, and kind is plain; leave it out, or give kind: bent"),
        ({"turns": 3, "kind": BOTH}, WRITE_IT),
        (
            {"turns": {"grid": [1, 3]}, "kind": {"grid": ["bent", "plain"]}},
            MAY_BE_PLAIN + "write `{choice: [1, 3], when: {kind: bent}}`",
        ),
        (
            {"turns": {"choice": [1], "when": {"kind": ["bent", "plain"]}}, "kind": BOTH},
            MAY_BE_PLAIN + "add `when: {kind: bent}`",
        ),
        (
            {"turns": 3, "layers": {"choice": [1, 2]}, "kind": {"choice": ["bent"], "when": {"layers": 1}}},
            WRITE_IT,  # where kind is not drawn, it has its default
        ),
        ({"turns": 3, "kind": "bent"}, None),
        ({"turns": {"integer": [1, 4]}, "kind": {"grid": ["bent"]}}, None),
        ({"turns": BENT_ONLY, "kind": BOTH}, None),
        ({"x": {"choice": [1, 2], "when": {"turns": 3}}, "turns": BENT_ONLY, "kind": BOTH}, None),
        (
            {
                "turns": {"choice": [1], "when": {"x": 1}},
                "x": {"choice": [1, 2], "when": {"kind": "bent"}},
                "kind": BOTH,
            },
            None,
        ),
        ({"turns": {"choice": [1], "when": {"turns": 1}}, "kind": BOTH}, MAY_BE_PLAIN),
    ],
)
def test_what_counts_beside_some_values_only_must_be_restricted_to_them(
    entries: dict[str, object], message: str | None
) -> None:
    found = dict(mistakes_in(toy_spec(space=entries).space, ToyTask().parameters()))
    assert (message is None) == ("turns" not in found)
    assert message is None or found["turns"].startswith(message)


def test_the_values_that_a_file_lists_are_told_and_ranges_are_not() -> None:
    entries = {"x": 1, "kind": BOTH, "y": {"uniform": [0, 1]}, "layers": {"integer": [1, 8]}, "z": {"grid": [1, 2]}}
    assert {"x": [1], "kind": ["plain", "bent"], "z": [1, 2]} == listed(toy_spec(space=entries).space)


def completed(config: dict[str, Any], parameters: Mapping[str, ToyParameter]) -> dict[str, Any]:
    return complete_config(config, parameters, {name: parameter.default for name, parameter in parameters.items()})
