"""The same recordings, written otherwise: in another order, unit or rate, they make the same signals."""

import numpy as np
import pytest

from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import open_store
from ecgcore.readers.labels_csv import own_source
from ecgcore.readers.ptbxl import ptbxl_source
from ecgcore.readers.reading import read_listed
from ecgcore.readers.record import read_record
from ecgcore.signals.arithmetic import STANDARD_LEADS, resample
from tests.ecgcore.raw_files import noise, write_table, write_wfdb

ALL = StoreRequest(rule=SplitRule(folds=2, test_share=0))
# PTB-XL's authors made the 100 Hz files with a resampler of their own, whose samples lie about a millisecond beside
# ours. Measured over 115 records: the difference is .094 of the signal's size at the median, .139 at worst; the
# smallest correlation of a lead is .983.
TYPICAL, WORST, CORRELATED = 0.1, 0.15, 0.98


def folder_of(folder, *, order, leads=STANDARD_LEADS, gain="1000/mV"):
    """Twelve records of six patients, listed in `order`, their leads as named; the signals do not depend on either."""
    rows = []
    for number in order:
        digital = noise(number, leads=12)[[STANDARD_LEADS.index(lead) for lead in leads]]
        write_wfdb(folder, f"r{number}", digital, leads=leads, gain=gain)
        rows.append([f"r{number}", f"p{number // 2}", "ab"[number // 2 % 2]])
    write_table(folder, rows)
    return own_source(folder)


def signals(source, store):
    prepare(source, store, ALL)
    records = open_store(store).records
    return {name: records.signal(index) for index, name in enumerate(records.ids)}


@pytest.mark.parametrize(
    ("change", "tolerance"),
    [
        ({"order": [7, 3, 11, 0, 1, 9, 2, 10, 4, 8, 6, 5]}, 0),
        ({"leads": tuple(reversed(STANDARD_LEADS))}, 0),
        ({"gain": "1/uV"}, 1e-6),
        ({"gain": "1/\u00b5V"}, 1e-6),
        ({"gain": "1000000/V"}, 1e-6),
    ],
    ids=["record order", "lead order", "uV", "micro sign", "V"],
)
def test_the_same_recordings_make_the_same_signals(tmp_path, change, tolerance):
    usual = signals(folder_of(tmp_path / "usual", order=range(12)), tmp_path / "one")

    other = signals(folder_of(tmp_path / "other", **{"order": range(12), **change}), tmp_path / "two")

    assert usual.keys() == other.keys()
    for name, signal in usual.items():
        assert np.abs(signal - other[name]).max() <= tolerance


def test_ptbxl_at_500_hz_resampled_is_ptbxl_at_100_hz(recordings):
    by_rate = {rate: ptbxl_source(recordings / "ptbxl500", rate=rate) for rate in (100.0, 500.0)}
    at_500 = {record.name: record for record in by_rate[500.0].records if record.files()}
    differences, correlations = [], []
    for record in by_rate[100.0].records:
        if record.name not in at_500:
            continue
        low, high = read_listed(record, STANDARD_LEADS), read_listed(at_500[record.name], STANDARD_LEADS)
        assert (low.rate, high.rate) == (100.0, 500.0)
        again = resample(high.signal, rate=500.0, to=100.0)
        # Offsets and the ends, where a resampler has only half of what it needs, are the resampler's own.
        inner = low.signal[:, 20:-20] - low.signal[:, 20:-20].mean(axis=1, keepdims=True)
        other = again[:, 20:-20] - again[:, 20:-20].mean(axis=1, keepdims=True)
        correlations += [np.corrcoef(*pair)[0, 1] for pair in zip(inner, other, strict=True)]
        differences.append(np.sqrt(np.mean(np.square(inner - other)) / np.mean(np.square(inner))))

    assert len(differences) > 100
    assert np.median(differences) < TYPICAL
    assert max(differences) < WORST
    assert min(correlations) > CORRELATED


def test_the_same_record_of_two_databases_is_the_same_signal(recordings):
    """HR00001 to HR00010 of the challenge are PTB-XL 1 to 10, in another file format; eight are here at 500 Hz."""
    if not (recordings / "challenge2021_mix").is_dir():
        pytest.skip(f"needs challenge2021_mix in {recordings}")
    for number in range(1, 9):
        challenge = recordings / "challenge2021_mix" / "ptb-xl" / f"HR{number:05d}"
        original = recordings / "ptbxl500" / "records500" / "00000" / f"{number:05d}_hr"
        one, other = (
            read_record(path, name=path.name, patient="", labels=(), leads=STANDARD_LEADS)
            for path in (challenge, original)
        )
        assert np.array_equal(one.signal, other.signal)


def test_a_table_in_another_order_lists_the_same_patients(tmp_path):
    source = folder_of(tmp_path, order=range(12))
    header, *rows = (tmp_path / "labels.csv").read_text().splitlines()
    (tmp_path / "labels.csv").write_text("\n".join([header, *reversed(rows)]) + "\n")

    again = own_source(tmp_path)

    assert {(r.name, r.patient, r.labels) for r in source.records} == {
        (r.name, r.patient, r.labels) for r in again.records
    }
