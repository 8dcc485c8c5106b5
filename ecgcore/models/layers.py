"""Layers over records of different lengths: what lies behind a record's end never influences its prediction.

The invariant: values beyond a record's length are zero. A convolution then sees at a record's end the zeros
that it would pad with if the record were alone; what it and the normalisation write there is set to zero
again. Hence a record's features are the same alone and in a padded batch. Where all lengths are equal nothing
is masked, and nothing is paid.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Sequences(NamedTuple):
    """A padded batch in flight through a network."""

    values: Tensor  # (batch, channels, time), zero beyond each length
    lengths: Tensor  # (batch,) int64, on the CPU

    def mask(self) -> Tensor | None:
        """Return (batch, time) booleans, true where a value is valid; None where all are."""
        time = self.values.shape[-1]
        if bool((self.lengths == time).all()):
            return None
        return (torch.arange(time) < self.lengths[:, None]).to(self.values.device)

    def masked(self) -> "Sequences":
        """Return the same with zeros beyond each length."""
        mask = self.mask()
        return self if mask is None else Sequences(self.values.masked_fill(~mask[:, None], 0.0), self.lengths)


def output_lengths(lengths: Tensor, *, kernel: int, stride: int, padding: int) -> Tensor:
    """Lengths behind a convolution or pooling of these numbers, as torch counts its own output."""
    return torch.div(lengths + 2 * padding - kernel, stride, rounding_mode="floor") + 1


class Convolution(nn.Module):
    """Convolution over time, batch normalisation and, unless told otherwise, ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int,
        stride: int = 1,
        bias: bool = False,
        relu: bool = True,
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding, self.relu = kernel, stride, kernel // 2, relu
        self.convolution = nn.Conv1d(inputs, outputs, kernel, stride, self.padding, bias=bias)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, inputs: Sequences) -> Sequences:
        """(batch, inputs, time) to (batch, outputs, about time / stride)."""
        lengths = output_lengths(inputs.lengths, kernel=self.kernel, stride=self.stride, padding=self.padding)
        outputs = normalise(self.norm, Sequences(self.convolution(inputs.values), lengths))
        return Sequences(F.relu(outputs.values), lengths) if self.relu else outputs


def normalise(norm: nn.BatchNorm1d, inputs: Sequences) -> Sequences:
    """Batch normalisation whose statistics count valid values only, with zeros beyond each length.

    In training, padding would otherwise pull mean and variance towards zero, more so in batches of unequal
    lengths.
    """
    mask = inputs.mask()
    if mask is None or not norm.training:
        return Sequences(norm(inputs.values), inputs.lengths).masked()
    values = inputs.values.transpose(1, 2)
    outputs = torch.zeros_like(values)
    outputs[mask] = norm(values[mask])
    return Sequences(outputs.transpose(1, 2), inputs.lengths)


def normalise_features(norm: nn.BatchNorm1d, features: Tensor) -> Tensor:
    """Batch normalisation of (batch, features). A single record, as an epoch's last batch may be, has no variance."""
    if norm.training and len(features) == 1:
        return F.batch_norm(features, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)
    return norm(features)  # type: ignore[no-any-return]  # untyped call


def max_pool(inputs: Sequences, *, kernel: int, stride: int, padding: int = 0) -> Sequences:
    """Maximum over windows of time, of values that are not negative (behind a ReLU).

    There the zeros beyond a record's end are never the larger, as the minus infinity that torch pads with
    would not be.
    """
    lengths = output_lengths(inputs.lengths, kernel=kernel, stride=stride, padding=padding)
    return Sequences(F.max_pool1d(inputs.values, kernel, stride, padding), lengths).masked()


def signed_max_pool(inputs: Sequences, *, kernel: int, stride: int, padding: int = 0) -> Sequences:
    """Maximum over windows of time, of values of either sign: beyond a record's end lies minus infinity."""
    mask = inputs.mask()
    values = inputs.values if mask is None else inputs.values.masked_fill(~mask[:, None], -torch.inf)
    lengths = output_lengths(inputs.lengths, kernel=kernel, stride=stride, padding=padding)
    return Sequences(F.max_pool1d(values, kernel, stride, padding), lengths).masked()


def mean_over_time(inputs: Sequences) -> Tensor:
    """Mean of each record's valid values: (batch, channels)."""
    return inputs.values.sum(-1) / inputs.lengths.to(inputs.values)[:, None]


def recurrent(layer: nn.LSTM, inputs: Sequences) -> Sequences:
    """Run a batch-first LSTM over each record's own length; backwards it starts at the record's end."""
    values = inputs.values.transpose(1, 2)
    if inputs.mask() is None:
        outputs, _ = layer(values)
    else:
        packed = pack_padded_sequence(values, inputs.lengths, batch_first=True, enforce_sorted=False)
        outputs, _ = pad_packed_sequence(layer(packed)[0], batch_first=True, total_length=values.shape[1])
    return Sequences(outputs.transpose(1, 2), inputs.lengths)


def attention_pool(score: nn.Linear, inputs: Sequences) -> Tensor:
    """Mean over valid time, weighted with the softmax of `score` (channels to 1): (batch, channels)."""
    scores = score(inputs.values.transpose(1, 2)).squeeze(-1)
    mask = inputs.mask()
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return torch.einsum("bct,bt->bc", inputs.values, scores.softmax(-1))


class LeftOut(nn.Module):
    """Stochastic depth (Huang et al. 2016): in training, a share of the records pass a residual block by its shortcut.

    What a block adds is divided by the share of records that it is there for, so that nothing is to be done later.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, residual: Tensor) -> Tensor:
        """(batch, channels, time) to the same, zero for records drawn by torch's global generator; without, nothing."""
        if not self.training or self.share == 0.0:
            return residual
        kept = torch.rand(len(residual)) >= self.share  # on the CPU: alike whatever the device
        return residual * (kept.to(residual) / (1.0 - self.share))[:, None, None]


def shares_left_out(stochastic_depth: float, *, blocks: int) -> list[float]:
    """Return each block's share, rising in equal steps from the first block's to the last one's, stochastic_depth."""
    return [stochastic_depth * (number + 1) / blocks for number in range(blocks)]


class Excitation(nn.Module):
    """Squeeze and excitation (Hu et al. 2018): scales channels by their means over time; biasless."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, channels // 16, bias=False)
        self.excite = nn.Linear(channels // 16, channels, bias=False)

    def forward(self, inputs: Sequences) -> Sequences:
        """Same shape; zeros beyond a record's end stay zeros."""
        scale = torch.sigmoid(self.excite(F.relu(self.squeeze(mean_over_time(inputs)))))
        return Sequences(inputs.values * scale[..., None], inputs.lengths)


class Block(nn.Module):
    """Two convolutions of 7 samples, excitation, and a shortcut."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, left_out: float = 0.0) -> None:
        super().__init__()
        self.first = Convolution(inputs, outputs, kernel=7, stride=stride)
        self.second = Convolution(outputs, outputs, kernel=7, relu=False)
        self.excitation = Excitation(outputs)
        same = inputs == outputs and stride == 1
        self.shortcut = None if same else Convolution(inputs, outputs, kernel=1, stride=stride, relu=False)
        self.left_out = LeftOut(left_out)

    def forward(self, inputs: Sequences) -> Sequences:
        """(batch, inputs, time) to (batch, outputs, about time / stride)."""
        hidden = self.excitation(self.second(self.first(inputs)))
        shortcut = inputs if self.shortcut is None else self.shortcut(inputs)
        return Sequences(F.relu(self.left_out(hidden.values) + shortcut.values), hidden.lengths)
