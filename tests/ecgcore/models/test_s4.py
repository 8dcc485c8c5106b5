"""A layer of states computed by Fourier transform is the recurrence that it stands for, sample by sample."""

import torch
from torch import Tensor

from ecgcore.models.classifier import build_classifier
from ecgcore.models.networks.s4 import _States


def recurrence(states: _States, values: Tensor, way: int) -> Tensor:
    """What the readout of one way says of states that are held, turned and driven a sample at a time."""
    rates = torch.complex(-states.log_decay.exp(), states.turns).view(states.width, states.modes)
    turn = (rates * states.log_step.exp()[:, None]).exp()
    readout = torch.view_as_complex(states.readout.view(2, states.width, states.modes, 2))[way]
    state, said = torch.zeros(len(values), *turn.shape, dtype=turn.dtype), []
    for at in range(values.shape[-1]):
        state = turn * state + (turn - 1) / rates * values[..., at, None]
        said.append(2 * (readout * state).sum(-1).real)
    return torch.stack(said, dim=-1)


def test_the_kernel_is_the_recurrence_in_both_ways():
    torch.manual_seed(1)
    states = _States(3, modes=4).double()
    values = torch.randn(2, 3, 150, dtype=torch.float64)  # more than two of the blocks in which a kernel is computed

    with torch.no_grad():
        said = states(values)
        backwards = recurrence(states, values.flip(-1), 1).flip(-1)
        by_hand = recurrence(states, values, 0) + backwards + values * states.direct[:, None]

    assert torch.allclose(said, by_hand, atol=1e-12)


def test_the_kernel_of_a_short_record_is_the_beginning_of_a_long_ones():
    torch.manual_seed(1)
    states = _States(8, modes=4)
    with torch.no_grad():
        assert torch.allclose(states.kernels(100), states.kernels(5000)[..., :100], atol=1e-6)


def test_states_are_never_decayed_as_weights_are():
    states = _States(8, modes=4)
    assert {1} == {weight.ndim for weight in states.parameters()}  # the optimizer decays matrices


def test_it_learns_in_bfloat16():
    model = build_classifier("s4", leads=2, classes=3, own={"state_width": 16}).train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(torch.randn(3, 2, 90), torch.tensor([90, 40, 66]))
    logits.float().square().sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())
