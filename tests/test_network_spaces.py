"""Whatever a search draws of the hyperparameters that networks declare, over their whole ranges, is a network."""

from collections.abc import Iterator, Mapping
from itertools import cycle, product

import pytest
import torch

from ecgcore.fit import Scalar
from ecgcore.models.classifier import Classifier, build_classifier
from ecgcore.models.registry import network_of, own_parameters, shipped
from ecgcore.parameters import Parameter
from ecgcore.training.hyperparameters import Hyperparameters
from orchestrator.search.draws import drawn_evenly
from orchestrator.specs.dimensions import AnyDimension, Choice, Integer, Uniform

DRAWS = 2_000
OWN = own_parameters(list(shipped()), taken=())


def dimension(parameter: Parameter) -> AnyDimension:
    """The whole range that a hyperparameter declares, beside the networks that have it."""
    when: dict[str, Scalar | list[Scalar]] = {name: list(allowed) for name, allowed in parameter.only_with.items()}
    if parameter.kind in ("choice", "boolean"):
        return Choice(choice=list(parameter.choices) or [False, True], when=when)
    low, high = parameter.low, parameter.high
    assert low is not None
    assert high is not None
    if parameter.kind == "integer":
        return Integer(integer=(int(low), int(high)), when=when)
    return Uniform(uniform=(low, high), when=when)


def structures(models: list[str]) -> Iterator[tuple[str, Mapping[str, Scalar]]]:
    """Draw as a search does; of draws that differ in numbers alone, which shape no network, the first."""
    owned = {name: each for name, each in OWN.items() if set(models) & set(map(str, each.only_with["model"]))}
    space = {"model": Choice(choice=list(models)), **{name: dimension(each) for name, each in owned.items()}}
    seen = set()
    for seed in range(DRAWS):
        config = Hyperparameters.read(drawn_evenly(space, seed))
        shape = (config.model, *(value for value in config.own.values() if not isinstance(value, float)))
        if shape not in seen:
            seen.add(shape)
            yield config.model, config.own


def built(model: str, own: Mapping[str, Scalar], *, leads: int) -> Classifier:
    with torch.device("meta"):  # shapes alone: nothing is drawn or held
        return build_classifier(model, leads=leads, classes=5, own=own).eval()


def test_no_draw_of_a_search_through_all_networks_is_impossible() -> None:
    """Each is fed with one lead or twelve, and the shortest record that may be or a longer one; or with two views."""
    sizes = cycle(product((1, 12), (16, 300)))
    models = set()
    for (model, own), (leads, samples) in zip(structures(list(shipped())), sizes, strict=False):
        models.add(model)
        with torch.no_grad():
            rows, columns = (2 * 3 * 64, 64) if network_of(model).takes == "charts" else (leads, samples)
            records = torch.empty(1, rows, columns, device="meta")
            logits = built(model, own, leads=leads)(records, torch.tensor([columns]))
        assert (1, 5) == logits.shape, own
    assert set(shipped()) == models


@pytest.mark.slow
@pytest.mark.parametrize("model", shipped())
def test_no_draw_of_a_search_through_one_network_is_impossible(model: str) -> None:
    for _model, own in structures([model]):
        built(model, own, leads=12)
