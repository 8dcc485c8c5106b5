"""A network of one lead on records of several: a random lead at each visit in training, else the mean over all leads.

Leads that are flat (zeros throughout) were not recorded, and are passed over; of a record without any other they count.
"""

import torch
from torch import Tensor, nn


class SingleLead(nn.Module):
    """Backbone: (batch, leads, samples) to the features that a backbone of one lead makes of (batch, 1, samples)."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.features = backbone.features

    def forward(self, signals: Tensor, lengths: Tensor, *, there: Tensor) -> Tensor:
        """Return (batch, features); there: (batch, leads) whether a lead was recorded, see `recorded`.

        In training mode a lead is drawn from torch's global generator.
        """
        count, leads, samples = signals.shape
        if self.training:
            chosen = torch.multinomial(there.cpu().float(), 1)[:, 0]
            one = signals[torch.arange(count), chosen.to(signals.device)]
            return self.backbone(one[:, None], lengths)  # type: ignore[no-any-return]  # untyped call
        every = self.backbone(signals.reshape(count * leads, 1, samples), lengths.repeat_interleave(leads))
        weights = there.to(every)[..., None]
        mean: Tensor = (every.reshape(count, leads, -1) * weights).sum(1) / weights.sum(1)
        return mean


def recorded(signals: Tensor) -> Tensor:
    """Return which leads of (batch, leads, samples) in mV are not flat; all of a record of which each is: booleans."""
    there = signals.abs().amax(-1) > 0
    return there | ~there.any(1, keepdim=True)
