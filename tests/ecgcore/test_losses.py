import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ecgcore.losses import build_loss, cross_entropy, focal, positive_weights, weighted_bce
from ecgcore.parameters import Hyperparameters

CPU = torch.device("cpu")


def test_cross_entropy_is_minus_the_log_of_the_right_class():
    assert cross_entropy(torch.zeros(1, 4), torch.tensor([[0.0, 0, 1, 0]])).item() == pytest.approx(np.log(4))


def test_positives_count_as_much_as_negatives_do_together():
    labels = np.array([[1, 0], [0, 0], [0, 0], [0, 0]], np.float32)
    assert positive_weights(labels).tolist() == [3.0, 1.0]  # no positives at all: 1
    weights = torch.tensor([3.0, 1.0])
    missed = weighted_bce(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]), positive_weights=weights)
    assert missed.item() == pytest.approx((3 + 1) * np.log(2) / 2)


def test_a_larger_alpha_makes_a_missed_positive_dearer_and_a_false_alarm_cheaper():
    missed = (torch.tensor([[-2.0]]), torch.tensor([[1.0]]))
    false_alarm = (torch.tensor([[2.0]]), torch.tensor([[0.0]]))
    assert focal(*missed, gamma=2, alpha=0.75) == pytest.approx(3 * focal(*missed, gamma=2, alpha=0.25))
    assert focal(*false_alarm, gamma=2, alpha=0.75) == pytest.approx(focal(*false_alarm, gamma=2, alpha=0.25) / 3)


def test_focal_without_focus_is_half_the_cross_entropy():
    logits, labels = torch.randn(5, 3), torch.randint(0, 2, (5, 3)).float()
    plain = F.binary_cross_entropy_with_logits(logits, labels)
    assert focal(logits, labels, gamma=0, alpha=0.5).item() == pytest.approx(plain.item() / 2)


def test_gamma_silences_what_is_already_right():
    right, wrong = torch.tensor([[4.0]]), torch.tensor([[-4.0]])
    label = torch.ones(1, 1)
    plain = (focal(right, label, gamma=0, alpha=0.5) / focal(wrong, label, gamma=0, alpha=0.5)).item()
    focused = (focal(right, label, gamma=2, alpha=0.5) / focal(wrong, label, gamma=2, alpha=0.5)).item()
    assert focused < plain / 100


@pytest.mark.parametrize(("loss", "multilabel"), [("cross_entropy", True), ("weighted_bce", False), ("focal", False)])
def test_a_loss_that_does_not_fit_the_labels_is_refused_with_the_way_out(loss, multilabel):
    with pytest.raises(ValueError, match=f"labels? each, got {loss}; use .* or auto"):
        build_loss(
            Hyperparameters.read({"loss": loss}), multilabel=multilabel, labels=np.ones((2, 2), np.float32), device=CPU
        )


def test_auto_chooses_by_the_labels():
    logits, labels = torch.randn(4, 2), torch.tensor([[1.0, 0], [0, 1], [0, 1], [0, 1]])
    settings = Hyperparameters.read({})
    single = build_loss(settings, multilabel=False, labels=labels.numpy(), device=CPU)
    several = build_loss(settings, multilabel=True, labels=labels.numpy(), device=CPU)
    assert single(logits, labels) == cross_entropy(logits, labels)
    assert several(logits, labels) == weighted_bce(logits, labels, positive_weights=torch.tensor([3.0, 1 / 3]))
