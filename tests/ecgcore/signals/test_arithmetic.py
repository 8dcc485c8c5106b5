import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgcore.signals.arithmetic import (
    STANDARD_LEADS,
    canonical_lead,
    fingerprint,
    in_millivolts,
    lead_fingerprints,
    lead_order,
    resample,
)


@pytest.mark.parametrize("name", ["AVR", "aVR", "avr", " aVR "])
def test_a_standard_lead_has_one_spelling(name):
    assert canonical_lead(name) == "aVR"


def test_another_lead_keeps_its_name():
    assert canonical_lead("MLII") == "MLII"


@given(st.permutations([lead.upper() for lead in STANDARD_LEADS]))
def test_any_order_of_leads_is_brought_into_the_order_asked_for(present):
    rows = lead_order(present, STANDARD_LEADS)

    assert [present[row] for row in rows] == [lead.upper() for lead in STANDARD_LEADS]


def test_a_missing_lead_is_refused_with_those_that_are_there():
    with pytest.raises(ValueError, match=r"missing: V1; the record has I, aVR \(choose others with --leads\)"):
        lead_order(["i", "AVR"], ["I", "V1"])


def test_two_leads_of_one_name_are_refused():
    with pytest.raises(ValueError, match="avr more than once"):
        lead_order(["aVR", "AVR"], ["aVR"])


def test_every_lead_is_converted_from_its_own_unit():
    signal = in_millivolts(np.array([[1.0], [1.0], [1.0], [1.0], [1.0]]), ["mV", "mv", "uV", "V", "\u00b5V"])

    assert signal[:, 0].tolist() == pytest.approx([1, 1, 1e-3, 1e3, 1e-3])
    assert signal.dtype == np.float32


def test_a_unit_that_is_no_voltage_is_refused_by_name():
    with pytest.raises(ValueError, match=r"must be mV, uV or V, but got 'mmHg'"):
        in_millivolts(np.zeros((2, 3)), ["mV", "mmHg"])


@pytest.mark.parametrize(("rate", "to"), [(500, 100), (360, 100), (300, 100), (100, 257), (1000, 360)])
def test_resampling_keeps_a_slow_wave_and_its_offset(rate, to):
    seconds = np.arange(10 * rate) / rate
    signal = (2 + np.sin(2 * np.pi * 3 * seconds))[None].astype(np.float32)

    resampled = resample(signal, rate=rate, to=to)

    expected = 2 + np.sin(2 * np.pi * 3 * np.arange(10 * to) / to)
    assert resampled.shape == (1, 10 * to)
    assert np.abs(resampled[0] - expected)[to // 5 : -to // 5].max() < 0.02
    assert np.abs(resampled[0] - expected).max() < 0.5


def test_a_rate_of_zero_is_refused():
    with pytest.raises(ValueError, match="rate=0"):
        resample(np.zeros((1, 10), np.float32), rate=0, to=100)


def test_flat_leads_identify_nobody():
    signal = np.array([[0, 0, 0], [1, 2, 3]], np.float32)

    assert lead_fingerprints(signal) == [fingerprint(signal[1])]


def test_a_stuck_lead_stays_flat_when_resampled():
    signal = np.stack([np.full(3600, 3.2767), np.sin(np.arange(3600) / 50), np.zeros(3600)]).astype(np.float32)

    resampled = resample(signal, rate=360, to=100)

    assert set(resampled[0].tolist()) == {signal[0, 0]}
    assert lead_fingerprints(resampled) == [fingerprint(resampled[1])]


@pytest.mark.parametrize(("rate", "to"), [(1e9, 100), (100.0, 1e9), (1500.0, 1.0), (0.0, 100.0), (100.0, np.inf)])
def test_rates_so_far_apart_that_time_would_be_stretched_are_refused(rate, to):
    with pytest.raises(ValueError, match=r"cannot be resampled|rates must be positive"):
        resample(np.zeros((1, 10), np.float32), rate=rate, to=to)
