"""The convolutional part that resnet_lstm and resnet_pooled share: of 5000 samples at 500 Hz it makes 209 steps."""

from torch import Tensor, nn

from ecgcore.models.layers import Block, Convolution, Sequences, max_pool, shares_left_out

# inputs, outputs and stride of each block
BLOCKS = ((32, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1))


class ResidualPart(nn.Module):
    """A stem and six residual blocks with squeeze and excitation. Networks are made of it by inheritance."""

    features = 256

    def __init__(self, leads: int, *, stochastic_depth: float = 0.0) -> None:
        super().__init__()
        self.stem = Convolution(leads, 32, kernel=15, stride=3)
        shares = shares_left_out(stochastic_depth, blocks=len(BLOCKS))
        self.blocks = nn.Sequential(
            *(
                Block(inputs, outputs, stride=stride, left_out=share)
                for (inputs, outputs, stride), share in zip(BLOCKS, shares, strict=True)
            )
        )

    def convolved(self, signals: Tensor, lengths: Tensor) -> Sequences:
        """(batch, leads, samples) in mV to (batch, 256, about samples / 24); lengths (batch,) in samples."""
        hidden = max_pool(self.stem(Sequences(signals, lengths).masked()), kernel=3, stride=2, padding=1)
        return self.blocks(hidden)  # type: ignore[no-any-return]  # untyped call
