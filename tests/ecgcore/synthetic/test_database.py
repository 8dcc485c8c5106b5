from collections import Counter, defaultdict

import numpy as np
import pytest
from scipy.signal import find_peaks

from ecgcore.readers.labels_csv import own_source
from ecgcore.readers.record import read_record
from ecgcore.signals.arithmetic import STANDARD_LEADS
from ecgcore.synthetic.database import COHORTS, RHYTHMS, Synthesis, recordings, synthesize

LEAD_II = STANDARD_LEADS.index("II")


@pytest.fixture(scope="module")
def by_rhythm():
    """Sixty clean records at 250 Hz."""
    found = defaultdict(list)
    for recording in recordings(Synthesis(records=60, seed=4, noise=0, rate=250, seconds=20)):
        found[recording.labels[0]].append(recording)
    return found


def r_peaks(recording):
    """Samples of the R peaks: the steepest places, whatever the axis of the heart."""
    steepness = (np.diff(recording.signal, axis=1) ** 2).sum(axis=0)
    return find_peaks(steepness, height=0.25 * np.sort(steepness)[-20:].mean(), distance=int(0.25 * recording.rate))[0]


def intervals(recording):
    return np.diff(r_peaks(recording)) / recording.rate


@pytest.mark.parametrize("rhythm", RHYTHMS)
def test_every_rhythm_has_its_heart_rates(by_rhythm, rhythm):
    rates = COHORTS["A"].rates[rhythm]

    for recording in by_rhythm[rhythm]:
        assert rates.low * 0.85 < 60 / intervals(recording).mean() < rates.high * 1.15


def test_rates_of_neighbouring_rhythms_overlap():
    """So that heart rate alone never tells them apart."""
    for cohort in COHORTS.values():
        assert cohort.rates["sinus"].low < cohort.rates["bradycardia"].high
        assert cohort.rates["svt"].low < cohort.rates["sinus"].high


def test_fibrillation_is_irregular_and_the_others_are_not(by_rhythm):
    spread = {
        rhythm: np.median([intervals(recording).std() / intervals(recording).mean() for recording in found])
        for rhythm, found in by_rhythm.items()
    }

    assert spread["fibrillation"] > 0.1
    assert max(spread["sinus"], spread["bradycardia"]) < 0.08
    assert spread["svt"] < 0.03


def p_wave(recording):
    """Height of the mean beat of lead II between 0.22 and 0.10 s before R, over its own ends, in mV."""
    before = int(0.24 * recording.rate)
    beats = [recording.signal[LEAD_II, peak - before : peak] for peak in r_peaks(recording) if peak > before]
    mean = np.mean(beats, axis=0)[: int(0.17 * recording.rate)]
    return mean.max() - max(mean[0], mean[-1])


def test_fibrillation_has_no_p_wave(by_rhythm):
    p = {rhythm: np.median([p_wave(recording) for recording in found]) for rhythm, found in by_rhythm.items()}

    assert p["bradycardia"] > 0.05
    assert abs(p["fibrillation"]) < 0.03


def test_only_fibrillation_has_fast_waves_between_beats(by_rhythm):
    """Just before the next beat's P a healthy heart is silent; fibrillation waves go on."""

    def restless(recording):
        quiet = [
            recording.signal[LEAD_II, int(a + 0.62 * (b - a)) : int(a + 0.75 * (b - a))]
            for a, b in zip(r_peaks(recording), r_peaks(recording)[1:], strict=False)
        ]
        return np.median([np.abs(np.diff(part)).mean() * recording.rate for part in quiet])

    busy = {rhythm: np.median([restless(recording) for recording in found]) for rhythm, found in by_rhythm.items()}

    assert busy["fibrillation"] > 2 * busy["bradycardia"]


def test_einthoven_holds_with_noise():
    for recording in recordings(Synthesis(records=8, seed=1)):
        i, ii, iii = recording.signal[:3]
        assert iii == pytest.approx(ii - i, abs=1e-5)


def test_files_are_read_back_as_they_were_drawn(tmp_path):
    synthesis = Synthesis(records=12, seed=2, cohort="B")
    assert synthesize(tmp_path / "b", synthesis)

    source = own_source(tmp_path / "b")

    for drawn, listed in zip(recordings(synthesis), source.records, strict=True):
        read = read_record(listed.path, name=listed.name, patient="", labels=(), leads=STANDARD_LEADS)
        assert (listed.patient, listed.labels, read.rate) == (drawn.patient, drawn.labels, 100.0)
        assert read.signal == pytest.approx(drawn.signal, abs=0.00051)
    assert source.classes == tuple(sorted(RHYTHMS))


def test_rhythms_are_equally_many_and_some_patients_have_two_records():
    drawn = recordings(Synthesis(records=200, seed=1))

    assert Counter(recording.labels[0] for recording in drawn) == dict.fromkeys(RHYTHMS, 50)
    records = Counter(recording.patient for recording in drawn)
    assert set(records.values()) == {1, 2}
    assert 0.1 < sum(count == 2 for count in records.values()) / len(records) < 0.3


def test_equal_seeds_give_equal_files_and_others_do_not(tmp_path):
    for name, seed in [("one", 5), ("same", 5), ("other", 6)]:
        synthesize(tmp_path / name, Synthesis(records=4, seed=seed))
    files = sorted(path.name for path in (tmp_path / "one").iterdir())

    one, same, other = ([(tmp_path / name / file).read_bytes() for file in files] for name in ("one", "same", "other"))

    assert len(files) == 4 * 2 + 2
    assert one == same
    assert one != other


def test_cohorts_share_nobody_and_differ_in_size():
    a, b = (recordings(Synthesis(records=60, seed=1, cohort=cohort, noise=0)) for cohort in "AB")

    assert not {recording.patient for recording in a} & {recording.patient for recording in b}
    sizes = [np.median([np.ptp(recording.signal) for recording in cohort]) for cohort in (a, b)]
    assert sizes[0] > 1.15 * sizes[1]


def test_what_is_there_is_kept_and_other_values_need_replace(tmp_path):
    synthesize(tmp_path / "s", Synthesis(records=4, seed=1))

    assert not synthesize(tmp_path / "s", Synthesis(records=4, seed=1))
    with pytest.raises(ValueError, match="--replace"):
        synthesize(tmp_path / "s", Synthesis(records=4, seed=2))
    assert synthesize(tmp_path / "s", Synthesis(records=4, seed=2), replace=True)


def test_all_mistakes_are_told_at_once():
    with pytest.raises(ValueError, match="--cohort must be A or B, but got 'C'") as raised:
        Synthesis(records=1, seed=-1, cohort="C", rate=1, seconds=1, noise=-1)

    assert len(str(raised.value).splitlines()) == 6
