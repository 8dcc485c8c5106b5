import pytest
import torch

from ecgcore.augmentation import Augmentation
from ecgcore.parameters import Hyperparameters


def test_by_default_nothing_is_changed():
    augmentation = Augmentation.read(Hyperparameters.read({}), rate=100.0, shortest=1000)
    signals = torch.randn(3, 2, 50)
    assert not augmentation.active
    assert torch.equal(augmentation(signals), signals)
    assert not augmentation.starts(3).any()


def test_noise_has_the_sd_asked_for_and_meets_half_of_the_records():
    torch.manual_seed(0)
    changed = Augmentation(noise=0.05)(torch.zeros(400, 2, 200))
    noisy = changed.abs().sum(dim=(1, 2)) > 0
    assert 150 < int(noisy.sum()) < 250
    assert changed[noisy].std().item() == pytest.approx(0.05, rel=0.02)


def test_lead_dropout_silences_one_lead_of_as_many_records_as_asked():
    torch.manual_seed(0)
    lost = (Augmentation(lead_dropout=0.3)(torch.ones(1000, 12, 4)) == 0).all(dim=2).sum(dim=1)
    assert set(lost.tolist()) == {0, 1}
    assert 230 < int(lost.sum()) < 370


def test_amplitudes_stay_within_what_was_asked():
    scaled = Augmentation(amplitude_scale=0.2)(torch.ones(500, 2, 3))
    assert 0.8 <= scaled.min() < 0.82
    assert 1.18 < scaled.max() <= 1.2
    assert torch.equal(scaled[:, 0, 0], scaled[:, 1, 2])  # one factor a record: leads keep their proportions


def test_windows_begin_anywhere_within_the_shift():
    starts = Augmentation(shift=10).starts(1000)
    assert set(starts.tolist()) == set(range(11))


def test_a_shift_of_half_a_record_is_refused_with_the_length():
    with pytest.raises(ValueError, match=r"time_shift: must be below half of the shortest record \(2 s\), got 1 s"):
        Augmentation.read(Hyperparameters.read({"time_shift": 1.0}), rate=100.0, shortest=200)
