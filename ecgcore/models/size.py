"""What a network costs: its weights, and the multiply-adds of one record. Computes no numbers, only their shapes."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch.utils.flop_counter import FlopCounterMode

from ecgcore.fit import Scalar
from ecgcore.mistakes import Mistake
from ecgcore.models.classifier import build_classifier
from ecgcore.models.registry import network_of

PIXELS = 224  # rows, and columns, of the chart on which networks that take charts are compared


@dataclass(frozen=True, kw_only=True)
class Size:
    """Head included."""

    weights: int
    multiply_adds: int  # of convolutions and matrix products; norms, activations and pools are not counted


def size_of(
    name: str,
    *,
    leads: int,
    classes: int,
    samples: int = 1000,
    own: Mapping[str, Scalar] = MappingProxyType({}),
    single_lead: bool = False,
    chart: tuple[int, int] = (3 * PIXELS, PIXELS),
) -> Size:
    """Return what a network costs for one record of `samples` samples, as torch's flop counter counts it.

    One that takes charts is given `chart`, (views * colours * pixels, pixels), instead. Raises ValueError where there
    is no such network, or it cannot take such a record; NotInstalled where it needs a package that is not there.
    """
    with torch.device("meta"):  # tensors without content: nothing is drawn, and an LSTM is counted by its products
        model = build_classifier(name, leads=leads, classes=classes, single_lead=single_lead, own=own).eval()
        charts = network_of(name).takes == "charts"
        record = torch.zeros(1, *chart, dtype=torch.uint8) if charts else torch.zeros(1, leads, samples)
    lengths = torch.tensor([record.shape[2]], device="cpu")
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(record, lengths)
    except (RuntimeError, NotImplementedError) as error:
        first = str(error).splitlines()[0]
        raise Mistake(f"model {name}: cannot take {leads} leads of {samples} samples ({first})") from None
    return Size(weights=model.weights, multiply_adds=counter.get_total_flops() // 2)  # it counts a multiply-add as two
