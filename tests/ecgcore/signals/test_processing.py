import numpy as np
import pytest

from ecgcore.signals.arithmetic import band_pass, clipped_leads, normalised, notch
from ecgcore.signals.processing import Processing, filtered, scaled, stored

RATE = 500.0
SECONDS = np.arange(5000) / RATE


def sine(frequency, *, amplitude=1.0):
    return (amplitude * np.sin(2 * np.pi * frequency * SECONDS)).astype(np.float32)


def size(signal):
    return float(np.sqrt(2 * np.mean(np.square(signal[1000:-1000]))))  # away from the ends


@pytest.mark.parametrize(("frequency", "kept"), [(0.1, 0.0), (5, 1.0), (20, 1.0), (90, 0.0)])
def test_a_band_pass_keeps_its_band_without_delay(frequency, kept):
    signal = np.stack([sine(frequency), sine(frequency)])

    passed = band_pass(signal, rate=RATE, low=0.5, high=40)

    assert size(passed[0]) == pytest.approx(kept, abs=0.04)
    if kept:
        assert passed[0, 1000:-1000] == pytest.approx(signal[0, 1000:-1000], abs=0.1)


def test_a_notch_takes_out_the_power_line_and_leaves_the_rest():
    signal = (sine(10) + sine(50, amplitude=0.3))[None]

    assert notch(signal, rate=RATE, frequency=50)[0, 1000:-1000] == pytest.approx(sine(10)[1000:-1000], abs=0.01)


def test_filters_run_before_resampling_where_the_power_line_still_is():
    signal = (sine(5) + sine(50, amplitude=0.5) + 3)[None].astype(np.float32)
    processing = Processing(band_pass=(0.5, 40), notch=50)

    result = filtered(signal, processing, rate=RATE, to=100.0)

    assert result.shape == (1, 1000)
    assert result[0, 200:-200] == pytest.approx(sine(5)[::5][200:-200], abs=0.05)


@pytest.mark.parametrize(
    ("processing", "reason"),
    [
        (Processing(band_pass=(0.5, 60)), "a band must lie between 0 and half the rate, 50 Hz, but got 0.5-60 Hz"),
        (Processing(notch=50), "a notch must lie between 0 and half the rate, 50 Hz, but got 50 Hz"),
        (Processing(band_pass=(0.5, 40)), "10 samples are too short for the filter"),
    ],
)
def test_a_filter_that_does_not_fit_the_recording_is_refused(processing, reason):
    with pytest.raises(ValueError, match=reason):
        filtered(np.ones((1, 10), np.float32), processing, rate=100.0, to=100.0)


def test_a_missing_lead_stays_missing_through_every_step():
    signal = np.stack([sine(5), np.zeros(5000, np.float32), np.full(5000, 2, np.float32)])

    result = filtered(signal, Processing(band_pass=(0.5, 40), notch=50), rate=RATE, to=100.0)
    normal = scaled(result, Processing(normalise="lead"))

    assert normal[0].std() == pytest.approx(1, rel=1e-3)
    assert not normal[1:].any()


def test_leads_of_a_record_stay_comparable_under_one_scale():
    signal = np.stack([sine(5), sine(5, amplitude=3), np.zeros(5000, np.float32)])

    result = normalised(signal, together=True)

    assert result[1] == pytest.approx(3 * result[0], rel=1e-4)
    assert np.square(result[:2]).mean() == pytest.approx(1, rel=1e-4)


def test_half_precision_states_its_largest_error():
    signal = np.random.default_rng(0).normal(0, 2, (2, 1000)).astype(np.float32)

    rounded, error = stored(signal, Processing(half=True))

    assert rounded.dtype == np.float16
    assert error == np.abs(signal - rounded.astype(np.float32)).max()
    assert 0 < error <= np.abs(signal).max() * 2**-11
    with pytest.raises(ValueError, match="cannot be stored with --half"):
        stored(signal * 1e5, Processing(half=True))


def test_all_mistakes_of_a_processing_are_told_at_once():
    with pytest.raises(
        ValueError, match=r"--band-pass must be LOW-HIGH in Hz, 0 < LOW < HIGH, but got 40-0\.5"
    ) as raised:
        Processing(band_pass=(40, 0.5), notch=-50, normalise="all")

    assert len(str(raised.value).splitlines()) == 3


def test_what_is_not_done_is_not_described():
    assert Processing().described() == {}
    assert Processing(notch=50, half=True).described() == {"notch": 50, "half": True}


def test_a_lead_at_its_limit_at_every_beat_is_clipped_and_a_heart_is_not():
    beats = np.maximum(0, sine(1.2)) ** 8
    signal = np.stack([beats, np.minimum(beats, 0.6), -np.minimum(beats, 0.6), np.zeros(5000)]).astype(np.float32)
    signal[:3] += np.random.default_rng(0).normal(0, 1e-3, (3, 5000)).astype(np.float32) * (np.abs(signal[:3]) < 0.59)

    assert clipped_leads(signal, rate=RATE) == [1, 2]
