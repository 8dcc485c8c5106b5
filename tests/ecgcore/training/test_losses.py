import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ecgcore.training.hyperparameters import Hyperparameters
from ecgcore.training.losses import (
    asymmetric,
    bce,
    build_loss,
    categorical_focal,
    class_weights,
    cross_entropy,
    focal,
    loss_weights,
    positive_weights,
)

CPU = torch.device("cpu")


def test_cross_entropy_is_minus_the_log_of_the_right_class():
    assert cross_entropy(torch.zeros(1, 4), torch.tensor([[0.0, 0, 1, 0]])).item() == pytest.approx(np.log(4))


def test_positives_count_as_much_as_negatives_do_together():
    labels = np.array([[1, 0], [0, 0], [0, 0], [0, 0]], np.float32)
    assert positive_weights(labels).tolist() == [3.0, 1.0]  # no positives at all: 1
    weights = torch.tensor([3.0, 1.0])
    missed = bce(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]), positive_weights=weights)
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


@pytest.mark.parametrize(
    ("loss", "multilabel"), [("cross_entropy", True), ("weighted_bce", False), ("weighted_focal", True)]
)
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
    assert several(logits, labels) == bce(logits, labels, positive_weights=torch.tensor([3.0, 1 / 3]))


@pytest.mark.parametrize("exponent", [0.3, 0.5, 2.0])
@pytest.mark.parametrize("logit", [-200.0, -90.0, 90.0, 200.0])
def test_no_logit_is_so_certain_that_its_gradient_is_lost(exponent, logit):
    for label in (0.0, 1.0):
        logits = torch.tensor([[logit]], requires_grad=True)
        labels = torch.tensor([[label]])
        loss = focal(logits, labels, gamma=exponent, alpha=0.5)
        loss = loss + asymmetric(logits, labels, positive=exponent, negative=exponent, margin=0.05)
        loss.backward()
        assert torch.isfinite(logits.grad).all()


def test_focal_is_its_definition():
    """Lin et al. 2017, equation 5: - alpha_t (1 - p_t)^gamma log p_t, alpha_t being alpha for positives."""
    torch.manual_seed(0)
    logits, labels = torch.randn(50, 3, dtype=torch.float64), torch.randint(0, 2, (50, 3)).double()
    probability = torch.sigmoid(logits)
    right = torch.where(labels == 1, probability, 1 - probability)
    alpha = torch.where(labels == 1, 0.8, 0.2)
    expected = (-alpha * (1 - right) ** 1.5 * right.log()).mean().item()
    assert focal(logits, labels, gamma=1.5, alpha=0.8).item() == pytest.approx(expected)


def test_asymmetric_is_its_definition():
    """Ridnik et al. 2021: positives (1 - p)^g+ log p; negatives q^g- log (1 - q) with q = max(p - margin, 0)."""
    torch.manual_seed(0)
    logits, labels = torch.randn(50, 3, dtype=torch.float64), torch.randint(0, 2, (50, 3)).double()
    p = torch.sigmoid(logits).numpy()
    q = np.maximum(p - 0.05, 0)
    losses = np.where(labels.numpy() == 1, -((1 - p) ** 1) * np.log(p), -(q**4) * np.log(1 - q))
    found = asymmetric(logits, labels, positive=1, negative=4, margin=0.05).item()
    assert found == pytest.approx(losses.mean())


def test_asymmetric_without_asymmetry_is_binary_cross_entropy():
    logits, labels = torch.randn(5, 3), torch.randint(0, 2, (5, 3)).float()
    plain = asymmetric(logits, labels, positive=0, negative=0, margin=0)
    assert plain.item() == pytest.approx(bce(logits, labels).item(), rel=1e-5)


def test_weighted_classes_count_as_much_as_each_other():
    labels = np.eye(2, dtype=np.float32)[[0, 0, 0, 1]]
    weights = class_weights(labels)
    assert (weights * labels.sum(axis=0)).tolist() == pytest.approx([2, 2])
    logits, truth = torch.randn(4, 2), torch.from_numpy(labels)
    each = F.cross_entropy(logits, truth.argmax(dim=1), reduction="none")
    expected = (each[:3].mean() + each[3]) / 2
    found = (
        cross_entropy(logits, truth, weights=torch.from_numpy(weights)) / torch.from_numpy(weights)[[0, 0, 0, 1]].mean()
    )
    assert found.item() == pytest.approx(expected.item())


@pytest.mark.parametrize(
    "loss", ["bce", "weighted_bce", "focal", "asymmetric", "cross_entropy", "weighted_cross_entropy"]
)
def test_mixed_labels_cost_what_their_parts_cost_together(loss):
    """Every loss is linear in the label, so that mixup's shares mean what they say."""
    single = "cross" in loss and "bce" not in loss
    known = np.eye(3, dtype=np.float32)[[0, 1, 1, 2]]
    build = build_loss(Hyperparameters.read({"loss": loss}), multilabel=not single, labels=known, device=CPU)
    logits = torch.randn(1, 3)
    first, second = torch.tensor([[1.0, 0, 0]]), torch.tensor([[0.0, 0, 1]])
    mixed = build(logits, 0.3 * first + 0.7 * second).item()
    assert mixed == pytest.approx(0.3 * build(logits, first).item() + 0.7 * build(logits, second).item(), rel=1e-5)


def test_a_class_that_nobody_has_weighs_one_and_nothing_is_divided_by_nothing():
    labels = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    assert class_weights(labels).tolist() == [1, 1, 1]
    assert positive_weights(labels).tolist() == [1, 1, 1]


def test_the_focal_loss_of_one_label_is_cross_entropy_that_forgets_what_is_right_already():
    logits, labels = torch.randn(6, 3), torch.eye(3).repeat(2, 1)
    assert categorical_focal(logits, labels, gamma=0).item() == pytest.approx(cross_entropy(logits, labels).item())
    right, wrong = torch.tensor([[4.0, 0, 0]]), torch.tensor([[-4.0, 0, 0]])
    label = torch.tensor([[1.0, 0, 0]])
    plain = (cross_entropy(right, label) / cross_entropy(wrong, label)).item()
    assert (categorical_focal(right, label, gamma=2) / categorical_focal(wrong, label, gamma=2)).item() < plain / 100


def test_a_record_that_is_surely_right_has_a_gradient_of_zero_and_not_of_nothing():
    logits = torch.tensor([[200.0, 0, 0]], requires_grad=True)
    categorical_focal(logits, torch.tensor([[1.0, 0, 0]]), gamma=0.5).backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_weighted_focal_counts_rare_classes_more_and_its_weights_are_known_to_the_prior_correction():
    labels = np.array([[1, 0], [0, 1], [0, 1], [0, 1]], np.float32)
    settings = Hyperparameters.read({"loss": "weighted_focal", "focal_gamma": 0.0})
    loss = build_loss(settings, multilabel=False, labels=labels, device=CPU)
    rare, common = torch.zeros(1, 2), torch.zeros(1, 2)
    assert loss(rare, torch.tensor([[1.0, 0]])) == pytest.approx(3 * loss(common, torch.tensor([[0, 1.0]])))
    weights = loss_weights(settings, multilabel=False, labels=labels)
    assert weights is not None
    assert weights.tolist() == pytest.approx(class_weights(labels).tolist())
