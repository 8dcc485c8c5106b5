import numpy as np
import pytest
from scipy.signal import find_peaks, welch

from ecgcore.synthetic.database import simulator as heart


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("rate", [45, 75, 160])
def test_intervals_have_the_rate_and_the_deviation_asked_for(rng, rate):
    intervals = heart.rr_intervals(rng, seconds=400, rate=rate, deviation=0.03)

    assert 60 / intervals.mean() == pytest.approx(rate, rel=0.03)
    assert intervals.std() == pytest.approx(0.03, rel=0.15)


def test_intervals_vary_with_pressure_waves_and_breathing(rng):
    """The paper's spectrum: bumps at 0.1 and 0.25 Hz, the first with half the power of the second."""
    intervals = heart.rr_intervals(rng, seconds=500, rate=120, deviation=0.03)
    even = np.interp(np.arange(0, 480, 0.25), np.cumsum(intervals), intervals)

    frequency, power = welch(even - even.mean(), fs=4, nperseg=512)

    def within(low, high):
        return power[(frequency >= low) & (frequency < high)].sum()

    assert within(0.06, 0.14) / within(0.21, 0.29) == pytest.approx(0.5, abs=0.25)
    assert within(0.06, 0.29) / power.sum() > 0.9


def test_fibrillation_is_irregular_without_memory(rng):
    intervals = heart.irregular_intervals(rng, seconds=2000, rate=90, spread=0.2)

    assert intervals.std() / intervals.mean() == pytest.approx(0.2, rel=0.1)
    assert abs(np.corrcoef(intervals[1:], intervals[:-1])[0, 1]) < 0.1


@pytest.mark.parametrize("frequency", [4.0, 6.5, 9.0])
def test_fibrillation_waves_have_their_frequency(rng, frequency):
    waves = heart.fibrillation(rng, np.arange(0, 20, 0.01), frequency=frequency, amplitude=0.1)

    found, power = welch(waves, fs=100, nperseg=512)
    assert found[power.argmax()] == pytest.approx(frequency, abs=0.5)


@pytest.mark.parametrize("rate", [45, 60, 150])
def test_waves_peak_at_their_angles_and_keep_their_size(rate):
    beats = np.arange(30) * 60 / rate
    times = np.arange(0.5, 10, 0.002)
    angle, speed = heart.phase(times, beats)

    waves = heart.waves(angle, speed, step=0.002, heart_rate=rate, heights=heart.HEIGHTS)

    settled = 3000  # of 4750 samples: after several time constants of 1 s
    angle, waves = angle[-settled:], waves[:, -settled:]
    peaks, _ = find_peaks(waves[2], height=0.5)
    assert waves[2][peaks] == pytest.approx(np.full(len(peaks), 1.0), abs=0.08)
    assert np.diff(peaks) == pytest.approx(np.full(len(peaks) - 1, 60 / rate / 0.002), abs=2)
    assert np.abs((angle[peaks] + np.pi) % (2 * np.pi) - np.pi).max() < 0.05


def test_the_twelve_leads_obey_einthoven_and_goldberger(rng):
    i, ii, iii, avr, avl, avf, *chest = heart.to_twelve_leads(rng.normal(size=(8, 50)))

    assert iii == pytest.approx(ii - i)
    assert avr == pytest.approx(-(i + ii) / 2)
    assert avl == pytest.approx(i - ii / 2)
    assert avf == pytest.approx(ii - i / 2)
    assert len(chest) == 6
