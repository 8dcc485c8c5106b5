"""What a network says of itself: its input, its source, its head, its published size, its own hyperparameters.

A network is a file with one nn.Module that has `network = Network(...)` in its class body, takes the number of leads
and its own hyperparameters by name, and says in `features` how many numbers it makes of a record:

    class MyNet(nn.Module):
        network = Network(
            input="one lead or more, at least 16 samples",
            source="our own",
            parameters={"kernel": integer(5, low=3, high=15, help="samples that a convolution sees")},
        )

        def __init__(self, leads: int, *, kernel: int) -> None: ...
        def forward(self, signals: Tensor, lengths: Tensor) -> Tensor: ...  # to (batch, features)

Where the declaration is made of literals, as here, it is read without importing the file (declarations.py), and so
without torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from ecgcore.mistakes import Mistake
from ecgcore.parameters import Parameter, number

Takes = Literal["signals", "charts"]


@dataclass(frozen=True)
class Published:
    """How many weights the source counts, head included, for these sizes."""

    weights: int
    leads: int
    classes: int


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network's declaration, checked once. Raises ValueError for a default that its own range refuses."""

    input: str  # the records that it is made for: leads, length, rate
    source: str  # whom it is after
    takes: Takes = "signals"  # charts: pictures of the records, see charts_backbone.py
    head: Literal["linear", "hidden"] = "linear"  # hidden: one hidden layer of 64
    published: Published | None = None  # None: a network of our own
    parameters: Mapping[str, Parameter] = field(
        default_factory=dict
    )  # its own hyperparameters, by the constructor's names

    def __post_init__(self) -> None:
        mistakes = [
            f"{name}: its default {mistake}"
            for name, parameter in self.parameters.items()
            if (mistake := parameter.mistake(parameter.default)) is not None
        ]
        if self.takes not in get_args(Takes):
            mistakes.append(f"takes: must be signals or charts, got {self.takes!r}")
        if self.head not in ("linear", "hidden"):
            mistakes.append(f"head: must be linear or hidden, got {self.head!r}")
        if "leads" in self.parameters:
            mistakes.append("leads: is what the data has, and no hyperparameter; give it another name")
        if mistakes:
            raise Mistake("; ".join(mistakes))


def stochastic_depth() -> Parameter:
    """Declare the share of records that pass a residual block by: the same of every network that has it."""
    text = "share of records that pass the last residual block by; earlier ones less"
    return replace(number(0.0, low=0.0, high=0.9, help=text), of_training=True)
