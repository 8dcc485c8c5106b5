import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecgcore.readers.record import Recording, read_record, record_files, write_record
from ecgcore.signals.arithmetic import STANDARD_LEADS
from tests.ecgcore.raw_files import noise, write_wfdb


def read(path, leads=None):
    return read_record(path, name=path.name, patient="p", labels=("a",), leads=leads)


@pytest.mark.parametrize(
    ("gain", "factor"), [("1000/mV", 1), ("1000.0(0)/mv", 1), ("1/uV", 1), ("1e6/V", 1), ("200/mV", 5)]
)
def test_any_voltage_becomes_millivolts(tmp_path, gain, factor):
    digital = noise(1)

    recording = read(write_wfdb(tmp_path, "r", digital, gain=gain))

    assert recording.signal == pytest.approx(digital / 1000 * factor, rel=1e-5)
    assert recording.signal.dtype == np.float32


def test_a_micro_sign_is_not_taken_for_volts(tmp_path):
    """wfdb drops the sign, which would make an ECG of 1 mV one of 1 MV."""
    recording = read(write_wfdb(tmp_path, "r", noise(1), gain="1/\u00b5V"))

    assert np.abs(recording.signal).max() < 1


@pytest.mark.parametrize("mat", [False, True])
def test_a_header_that_names_its_record_with_the_suffix_is_read(tmp_path, mat):
    digital = noise(2)

    recording = read(write_wfdb(tmp_path, "E07500", digital, mat=mat, header_name="E07500.mat"))

    assert recording.signal == pytest.approx(digital / 1000)


def test_a_header_separated_by_tabs_is_read(tmp_path):
    path = write_wfdb(tmp_path, "E07500", noise(1), header_name="E07500.mat")
    header = path.with_suffix(".hea")
    plain = read(path)
    header.write_text(header.read_text().replace(" ", "\t"))

    assert np.array_equal(read(path).signal, plain.signal)
    header.write_text(header.read_text().replace("E07500.mat\t2", "E07500\t2"))
    assert np.array_equal(read(path).signal, plain.signal)


def test_leads_come_in_the_order_asked_for(tmp_path):
    digital = noise(3, leads=3)

    recording = read(write_wfdb(tmp_path, "r", digital, leads=("avr", "V1", "i")), leads=("I", "aVR"))

    assert recording.leads == ("I", "aVR")
    assert recording.signal == pytest.approx(digital[[2, 0]] / 1000)


def test_without_a_wish_leads_come_as_they_are(tmp_path):
    assert read(write_wfdb(tmp_path, "114", noise(3), leads=("V5", "MLII"), gain="200")).leads == ("V5", "MLII")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"leads": ("I", "V9")}, "r: every lead asked for must be there; missing: II; the record has I, V9"),
        ({"gain": "100/mmHg"}, "r: the unit must be mV, uV or V, but got 'mmHg'"),
        ({"gain": "0/mV"}, "r: the header must state a gain above 0"),
        ({"rate": "0"}, "r: the header must begin with record name, number of leads, sampling rate"),
        ({"rate": ""}, "r: the header must begin with record name, number of leads, sampling rate"),
        ({"rate": "fast"}, "r: the header must begin with record name, number of leads, sampling rate"),
        ({"rate": "-100"}, "r: the header must begin with record name, number of leads, sampling rate"),
    ],
)
def test_what_a_header_states_wrongly_is_refused_with_the_record(tmp_path, wrong, reason):
    with pytest.raises(ValueError) as raised:  # noqa: PT011  the message is compared below
        read(write_wfdb(tmp_path, "r", noise(1), **wrong), leads=("I", "II"))

    assert str(raised.value).startswith(reason)


def test_a_header_without_a_rate_is_refused(tmp_path):
    path = write_wfdb(tmp_path, "r", noise(1))
    (tmp_path / "r.hea").write_text("r 2\nr.dat 16 1000/mV 16 0 0 0 0 I\nr.dat 16 1000/mV 16 0 0 0 0 II\n")

    with pytest.raises(ValueError, match=r"r: the header must begin with .* but begins with 'r 2'"):
        read(path)


def test_an_invalid_sample_is_refused_with_its_lead(tmp_path):
    digital = noise(1)
    digital[1, 17] = -32768  # how format 16 marks a missing sample

    with pytest.raises(ValueError, match=r"r: invalid samples .* in II$"):
        read(write_wfdb(tmp_path, "r", digital))


def test_a_missing_lead_written_as_zeros_is_read(tmp_path):
    digital = noise(1)
    digital[0] = 0

    assert not read(write_wfdb(tmp_path, "r", digital)).signal[0].any()


def test_a_record_that_is_flat_in_every_lead_is_refused(tmp_path):
    with pytest.raises(ValueError, match="r: every lead is flat"):
        read(write_wfdb(tmp_path, "r", np.full((2, 50), 7, np.int16)))


@pytest.mark.parametrize("size", [0, 1, 24, 399, 799])
@pytest.mark.parametrize("mat", [False, True])
def test_a_torn_signal_file_is_refused_by_name(tmp_path, size, mat):
    path = write_wfdb(tmp_path, "torn", noise(1), mat=mat)
    file = record_files(path)[1]
    file.write_bytes(file.read_bytes()[:size])

    with pytest.raises(ValueError, match=r"^torn: the signal is not as long"):
        read(path)


def test_a_record_without_files_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"gone: there is no header .*gone\.hea"):
        read(tmp_path / "gone")
    path = write_wfdb(tmp_path, "half", noise(1))
    (tmp_path / "half.dat").unlink()
    with pytest.raises(ValueError, match=r"half: the header names half\.dat, which is not there"):
        read(path)


def test_a_matlab_file_of_another_version_is_refused(tmp_path):
    path = write_wfdb(tmp_path, "r", noise(1), mat=True)
    (tmp_path / "r.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(2000))

    with pytest.raises(ValueError, match="save with -v4"):
        read(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=st.text(max_size=80) | st.binary(max_size=80))
def test_no_header_whatever_raises_anything_but_a_refusal(tmp_path, header):
    (tmp_path / "r.hea").write_bytes(header if isinstance(header, bytes) else header.encode("utf-8", "replace"))
    try:
        read(tmp_path / "r")
    except ValueError as error:
        assert str(error).startswith("r: ")  # noqa: PT017  a header that happens to be right is no failure


def test_a_record_is_read_as_it_was_written(tmp_path):
    signal = noise(5, leads=12).astype(np.float32) / 1000
    written = Recording(name="w", patient="p", labels=("a",), signal=signal, rate=250.0, leads=STANDARD_LEADS)

    write_record(tmp_path, written)
    recording = read(tmp_path / "w")

    assert recording.signal == pytest.approx(signal, abs=5e-7)
    assert (recording.rate, recording.leads) == (250.0, STANDARD_LEADS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "leads", "count"),
    [
        ("ptbxl500", STANDARD_LEADS, 554),
        ("challenge2021_mix", STANDARD_LEADS, 203),
        ("cinc2017/A00", ("ECG",), 263),
        ("mitdb", None, 33),
    ],
)
def test_real_records_are_read(recordings, folder, leads, count):
    if not (recordings / folder).is_dir():
        pytest.skip(f"needs {folder} in {recordings}")
    headers = sorted((recordings / folder).rglob("*.hea"))

    lengths = [read(header.with_suffix(""), leads).signal.shape[1] for header in headers]

    assert len(lengths) == count
    assert min(lengths) > 0


def header(folder, *lines):
    path = write_wfdb(folder, "r", noise(1))
    path.with_suffix(".hea").write_text("\n".join(lines) + "\n")
    return path


SIGNAL = "r.dat 16 1000/mV 16 0 0 0 0"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["r 2 100 1000000000000000", f"{SIGNAL} I", f"{SIGNAL} II"], "at most 100000000000 samples, but states 10000"),
        (
            ["r 2 100 90000000000", f"{SIGNAL} I", f"{SIGNAL} II"],
            r"is a file torn\? \(r.dat has 800 bytes for 2 x 9000",
        ),
        (["r 1000000000 100 200", f"{SIGNAL} I"], "as many leads as it states, but states 1000000000 and describes 1"),
        (["r 2 100 200", f"{SIGNAL} I", "r.dat 212 1000/mV 16 0 0 0 0 II"], "must have one format, but have 16, 212"),
        (["r 1 100 200", "../r.dat 16 1000/mV 16 0 0 0 0 I"], "must name signal files beside it, but names ../r.dat"),
        (["r 1 100 200", "/etc/passwd 16 1000/mV 16 0 0 0 0 I"], "beside it, but names /etc/passwd"),
    ],
)
def test_a_header_cannot_ask_for_what_its_files_do_not_hold(tmp_path, lines, said):
    """Memory for 10^15 samples, a file elsewhere, signals of two formats that wfdb would read as of one."""
    with pytest.raises(ValueError, match=f"^r: .*{said}"):
        read(header(tmp_path, *lines))


def test_a_header_of_many_megabytes_is_none(tmp_path):
    with pytest.raises(ValueError, match="must have at most 1048576 bytes, as headers are short"):
        read(header(tmp_path, "r 1 100 200", f"{SIGNAL} I", "#" * 2**20))


def test_files_elsewhere_are_not_hashed_either(tmp_path):
    path = header(tmp_path / "raw", "r 1 100 200", "../r.dat 16 1000/mV 16 0 0 0 0 I")
    (tmp_path / "r.dat").write_text("secret")
    assert record_files(path) == [path.with_suffix(".hea")]
