"""Startup trials: each a function of the study's seed and its number, spread evenly or near a prior."""

from collections.abc import Mapping
from statistics import fmean

import pytest

from orchestrator.search.draws import FromUnits, bent, startup_config
from orchestrator.specs.space import holds, suggest
from orchestrator.specs.specs import SearchSpec
from orchestrator.task import Config, Scalar
from tests.orchestrator.in_process import toy_spec

SPACE = {
    "x": {"uniform": [-1, 1]},
    "rate": {"log_uniform": [1e-4, 1e-1], "prior": 1e-3},
    "y": {"uniform": [0, 1], "step": 0.25},
    "layers": {"integer": [1, 8], "prior": 6},
    "kind": {"choice": ["plain", "bent", "raises"]},
    "turns": {"integer": [1, 4], "when": {"kind": "bent"}},
}
DEFAULTS: Mapping[str, Scalar] = {"x": 0.5, "rate": 0.05, "y": 0.0, "layers": 1, "kind": "bent", "turns": 2}


def drawn(spec: SearchSpec, places: range) -> list[Config]:
    return [startup_config(spec, {}, DEFAULTS, study=0, place=place, number=place) for place in places]


@pytest.mark.parametrize("startup", ["near_defaults", "qmc"])
def test_what_is_drawn_lies_in_the_space_and_depends_on_the_number_alone(startup: str) -> None:
    spec = toy_spec(space=SPACE, startup=startup)
    configs = drawn(spec, range(40))
    assert all(holds(spec.space, config) for config in configs)
    assert all(("turns" in config) == (config["kind"] == "bent") for config in configs)
    assert configs[17:20] == drawn(spec, range(17, 20))
    assert configs != drawn(toy_spec(space=SPACE, startup=startup, seed=1), range(40))


def test_every_other_startup_trial_lies_near_the_prior_or_else_near_the_default() -> None:
    configs = drawn(toy_spec(space=SPACE), range(400))
    near, anywhere = configs[::2], configs[1::2]
    assert 0.3 < fmean(float(config["x"] or 0) for config in near) < 0.5 > 0.1 > abs(mean_of(anywhere, "x"))
    assert 5 < mean_of(near, "layers") < 6.5 > 5 > mean_of(anywhere, "layers") > 4
    kept = fmean(config["kind"] == "bent" for config in near)
    assert 0.4 < kept < 0.6
    assert 0.25 < fmean(config["kind"] == "bent" for config in anywhere) < 0.42


def mean_of(configs: list[Config], name: str) -> float:
    return fmean(float(config[name] or 0) for config in configs)


def test_of_sixteen_sobol_points_each_sixteenth_of_a_range_has_one() -> None:
    configs = drawn(toy_spec(space=SPACE, startup="qmc"), range(16))
    assert list(range(16)) == sorted(int((float(config["x"] or 0) + 1) * 8) for config in configs)


def test_a_value_is_the_same_share_of_its_range_as_its_number_is_of_one() -> None:
    space = toy_spec(space=SPACE).space
    units = {"x": 0.25, "rate": 2 / 3, "y": 0.99, "layers": 0.0, "kind": 0.4, "turns": 0.5}
    config = suggest(space, {}, FromUnits(units, {}))
    assert {"x": -0.5, "rate": pytest.approx(1e-2), "y": 1.0, "layers": 1, "kind": "bent", "turns": 3} == config


def test_a_prior_beyond_the_range_is_taken_to_be_at_its_edge() -> None:
    assert bent(0.3, 7.0) == bent(0.3, 1.0) > 0.5
    assert 0.3 == bent(0.3, None)
    assert [0.0, 1.0] == pytest.approx([bent(0.0, 0.5), bent(1.0, 0.5)])
