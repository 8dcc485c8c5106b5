"""Diagonal state spaces (S4D, Gu et al. 2022) that read a record both ways, as S4 on PTB-XL (Mehari, Strodthoff 2023).

A layer's states are complex numbers that decay and turn, each by its own rate. What they answer to one impulse is a
kernel as long as the record; the record is convolved with it by Fourier transform. Where the source learns dense states
in a low-rank form, these are diagonal.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ecgcore.models.layers import Sequences, mean_over_time
from ecgcore.models.network import Network
from ecgcore.parameters import choice, integer

SLOWEST, FASTEST = 1e-3, 1e-1  # time that a sample lasts for a channel's states, as they are drawn
BLOCK = 64  # samples of a kernel that are computed together


class S4(nn.Module):
    """Backbone: (batch, leads, samples) in mV to (batch, state_width)."""

    network = Network(
        input="any leads and length; made for 2.5 to 10 s at 100 Hz",
        source="the S4 classifier of Mehari and Strodthoff (2023), with diagonal states (Gu et al. 2022)",
        parameters={
            "state_width": integer(512, low=8, high=1024, help="channels of every layer, and features of a record"),
            "states": choice(8, (2, 4, 8, 16, 32, 64), help="real states of a channel; two make a complex one"),
            "state_layers": integer(4, low=1, high=8, help="how many layers of states"),
        },
    )

    def __init__(self, leads: int, *, state_width: int, states: int, state_layers: int) -> None:
        super().__init__()
        self.features = state_width
        self.encoder = nn.Conv1d(leads, state_width, 1)
        self.layers = nn.Sequential(*(_Layer(state_width, modes=states // 2) for _ in range(state_layers)))

    def forward(self, signals: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean over each record's own time; lengths (batch,) in samples, on the CPU."""
        return mean_over_time(self.layers(Sequences(self.encoder(signals), lengths).masked()))


class _Layer(nn.Module):
    """State spaces, activation, a mixture of channels, a shortcut, and a norm over the channels of each moment."""

    def __init__(self, width: int, *, modes: int) -> None:
        super().__init__()
        self.states = _States(width, modes=modes)
        self.mixture = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, inputs: Sequences) -> Sequences:
        """Same shape."""
        answers = F.gelu(self.states(inputs.values)).transpose(1, 2)
        outputs = self.norm(inputs.values.transpose(1, 2) + self.mixture(answers))
        return Sequences(outputs.transpose(1, 2), inputs.lengths).masked()


class _States(nn.Module):
    """Each channel's own states, driven by the channel forwards and, with weights of their own, backwards."""

    def __init__(self, width: int, *, modes: int) -> None:
        super().__init__()
        self.width, self.modes = width, modes
        # All flat: the decay of weights is for matrices, and would slow or quicken the states.
        self.log_step = nn.Parameter(torch.empty(width).uniform_(math.log(SLOWEST), math.log(FASTEST)))
        self.log_decay = nn.Parameter(torch.full((width * modes,), math.log(0.5)))
        self.turns = nn.Parameter(math.pi * torch.arange(modes).float().repeat(width))  # radians a unit of time
        self.readout = nn.Parameter(torch.randn(2 * width * modes * 2) * 0.5**0.5)  # ways, channels, modes, complex
        self.direct = nn.Parameter(torch.randn(width))  # of the input itself, unchanged

    def forward(self, values: Tensor) -> Tensor:
        """(batch, width, time), zero beyond each record's end, to the same shape, not zero there."""
        time = values.shape[-1]
        exact = values.to(self.log_step.dtype)  # Fourier transforms know no bfloat16
        spectrum = torch.fft.rfft(exact, 2 * time)
        forwards, backwards = (torch.fft.rfft(kernel, 2 * time) for kernel in self.kernels(time))
        # Backwards is forwards on the mirrored record. The zeros behind a record's end say nothing to either way.
        answers = torch.fft.irfft(spectrum * (forwards + backwards.conj()), 2 * time)[..., :time]
        return answers + exact * self.direct[:, None]  # type: ignore[no-any-return]  # torch.fft is untyped

    def kernels(self, time: int) -> Tensor:
        """Return what the states answer to an impulse, forwards and backwards: (2, width, time)."""
        step = self.log_step.exp()[:, None]
        rates = torch.complex(-self.log_decay.exp(), self.turns).view(self.width, self.modes)
        readout = torch.view_as_complex(self.readout.view(2, self.width, self.modes, 2))
        held = readout * ((rates * step).exp() - 1) / rates  # the input is held constant over a sample
        # A moment is so many blocks and so many samples: few exponentials, and their products by one multiplication.
        turned = (rates * step)[..., None]
        late = (turned * BLOCK * torch.arange(-(-time // BLOCK), device=step.device)).exp()
        early = (turned * torch.arange(BLOCK, device=step.device)).exp()
        answers = torch.einsum("dcmb,cms->dcbs", held[..., None] * late, early).real
        return 2 * answers.flatten(2)[..., :time]
