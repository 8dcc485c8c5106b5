import numpy as np
import pytest
import torch

from ecgcore.training.augmentation import Augmentation
from ecgcore.training.hyperparameters import Hyperparameters


def test_by_default_nothing_is_changed():
    augmentation = Augmentation.read(Hyperparameters.read({}), rate=100.0, shortest=1000, leads=12)
    signals = torch.randn(3, 2, 50)
    assert not augmentation.active
    assert torch.equal(augmentation(signals), signals)
    starts, lengths = augmentation.cut(np.array([50, 60, 70]))
    assert (starts.tolist(), lengths.tolist()) == ([0, 0, 0], [50, 60, 70])


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
    starts, lengths = Augmentation(shift=10).cut(np.full(1000, 50))
    assert set(lengths.tolist()) == {40}
    assert set(starts.tolist()) == set(range(11))


def test_a_shift_of_half_a_record_is_refused_with_the_length():
    with pytest.raises(ValueError, match=r"time_shift: must be below half of the shortest record \(2 s\), got 1 s"):
        Augmentation.read(Hyperparameters.read({"time_shift": 1.0}), rate=100.0, shortest=200, leads=12)


def test_wander_is_slow_and_no_larger_than_asked():
    """All of its power lies below 1 Hz."""
    torch.manual_seed(0)
    changed = Augmentation(baseline_wander=0.3, rate=100.0)(torch.zeros(200, 2, 2000))
    wandering = changed.abs().amax(dim=(1, 2)) > 0
    assert 70 < int(wandering.sum()) < 130
    assert 0.1 < changed.abs().max() <= 0.3
    power = torch.fft.rfft(changed[wandering] * torch.hann_window(2000)).abs().square().sum(dim=(0, 1))
    frequencies = torch.fft.rfftfreq(2000, 1 / 100)
    assert power[frequencies < 1].sum() > 0.999 * power.sum()


def test_the_hum_has_the_frequency_of_the_mains():
    torch.manual_seed(0)
    changed = Augmentation(power_line=0.2, power_line_frequency=60, rate=500.0)(torch.zeros(100, 2, 1000))
    assert 0.1 < changed.abs().max() <= 0.2
    power = torch.fft.rfft(changed).abs().square().sum(dim=(0, 1))
    assert torch.fft.rfftfreq(1000, 1 / 500)[power.argmax()] == 60


def test_warp_drifts_over_the_record_and_stays_within_what_was_asked():
    torch.manual_seed(0)
    factors = Augmentation(amplitude_warp=0.2)(torch.ones(300, 2, 500))
    assert 0.8 <= factors.min() < 0.83
    assert 1.17 < factors.max() <= 1.2
    assert torch.equal(factors[:, 0], factors[:, 1])  # leads keep their proportions
    assert (factors[:, 0, 1:] - factors[:, 0, :-1]).abs().max() < 0.01
    assert (factors.amax(dim=2) - factors.amin(dim=2)).min() > 0.01


def test_a_mask_silences_one_stretch_of_all_leads_no_longer_than_asked():
    torch.manual_seed(0)
    silent = Augmentation(mask=50)(torch.ones(300, 2, 400)) == 0
    assert torch.equal(silent[:, 0], silent[:, 1])
    lengths = silent[:, 0].sum(dim=1)
    assert (int(lengths.min()), int(lengths.max())) == (0, 50)
    edges = (silent[:, 0, 1:] != silent[:, 0, :-1]).sum(dim=1)
    assert int(edges.max()) <= 2


def test_a_window_cuts_longer_records_anywhere_and_leaves_shorter_ones_whole():
    lengths = np.tile([30, 50, 80], 400)
    starts, kept = Augmentation(window=50).cut(lengths)
    assert kept.tolist() == np.minimum(lengths, 50).tolist()
    assert set(starts[lengths <= 50].tolist()) == {0}
    assert set(starts[lengths == 80].tolist()) == set(range(31))


def test_a_mask_that_could_silence_a_whole_window_is_refused():
    config = {"time_mask": 3.0, "window": 2.0}
    with pytest.raises(ValueError, match=r"time_mask: .* shortest record \(2 s\), got 3 s"):
        Augmentation.read(Hyperparameters.read(config), rate=100.0, shortest=1000, leads=12)


def test_mixup_mixes_labels_as_it_mixes_signals_where_both_records_last():
    torch.manual_seed(0)
    labels = torch.eye(8)
    signals = labels[:, None, :, None].expand(8, 1, 8, 5).reshape(8, 1, 40)  # the signal says the label
    lengths = torch.arange(33, 41)
    mixed, kept, shares = Augmentation(mixup=0.5).mix(signals, lengths, labels)
    assert mixed[:, 0].reshape(8, 8, 5)[..., 0] == pytest.approx(shares)
    assert shares.sum(dim=1) == pytest.approx(torch.ones(8))
    partner = torch.where(shares - torch.eye(8) * shares.diagonal() > 0, 1.0, 0.0)
    expected = [min(int(lengths[i]), *(int(n) for n in lengths[partner[i] > 0]), 99) for i in range(8)]
    assert kept.tolist() == expected
    assert 0 < shares.max(dim=1).values.min() < 1


def test_all_that_the_records_cannot_bear_is_told_at_once():
    config = {"power_line": 0.1, "lead_dropout": 0.1, "time_mask": 1.0, "window": 0.1}
    with pytest.raises(ValueError, match=r"time_mask: must be below half of what is used") as error:
        Augmentation.read(Hyperparameters.read(config), rate=100.0, shortest=200, leads=1)
    assert "power_line: a store at 100 Hz cannot hold 50 Hz; set it to 0, or prepare" in str(error.value)
    assert "lead_dropout: the records have one lead" in str(error.value)
    assert "window: must be 0 (never) or at least 1 s, got 0.1 s" in str(error.value)


@pytest.mark.parametrize(
    "one",
    [
        {"noise": 0.1},
        {"baseline_wander": 0.1},
        {"power_line": 0.1},
        {"lead_dropout": 0.9},
        {"amplitude_scale": 0.2},
        {"amplitude_warp": 0.2},
        {"mask": 20},
    ],
)
def test_each_follows_from_the_seed_and_keeps_the_signal_it_was_given(one):
    signals = torch.randn(16, 2, 100)
    before, changed = signals.clone(), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        changed.append(Augmentation(rate=500.0, **one)(signals))
    assert torch.equal(changed[0], changed[1])
    assert not torch.equal(changed[0], changed[2])
    assert torch.equal(signals, before)
