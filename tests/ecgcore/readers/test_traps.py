"""What archives get wrong, written at random: each trap is read rightly, or refused with the record and the reason."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecgcore.data.groups import linked
from ecgcore.readers.challenge import challenge_source, dx_codes, true_gain
from ecgcore.readers.header import Correction, header_comments, header_lines, stated_gains
from ecgcore.readers.label_map import label_map_from, with_classes
from ecgcore.readers.reading import read_listed
from ecgcore.readers.record import read_record
from ecgcore.signals.arithmetic import STANDARD_LEADS, lead_fingerprints
from ecgcore.signals.processing import Processing, scaled
from tests.ecgcore.raw_files import noise, write_wfdb

RELAXED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SPELLINGS = st.sampled_from([str, str.lower, str.upper])


@dataclass(frozen=True)
class Archive:
    """One record as some archive might have written it."""

    name: str
    suffix_in_header: bool
    mat: bool
    form: str
    gain: str
    factor: float  # mV a raw integer
    rate: str
    leads: tuple[str, ...]
    zeroed: tuple[int, ...]
    dx: str
    codes: tuple[str, ...]
    comments: tuple[str, ...]
    encoding: str


@st.composite
def archives(draw):
    gain, factor = draw(
        st.sampled_from(
            [
                ("1000/mV", 1e-3),
                ("1000.0(0)/mV", 1e-3),
                ("1000/mv", 1e-3),
                ("1e3/mV", 1e-3),
                ("200/mV", 5e-3),
                ("1/uV", 1e-3),
                ("1000000/V", 1e-3),
                ("1000.0(0)/MV", 1e-3),
                ("4880/mV", 1 / 4880),
            ]
        )
    )
    codes = draw(st.lists(st.sampled_from(["426783006", "164889003", "59118001", "284470004"]), min_size=1, max_size=4))
    gaps = draw(st.lists(st.sampled_from(["", " "]), max_size=2))
    order = draw(st.permutations(STANDARD_LEADS))
    mat = draw(st.booleans())
    return Archive(
        name=draw(st.sampled_from(["X07500", "x1", "I0042", "rec_1", "12"])),
        suffix_in_header=draw(st.booleans()),
        mat=mat,
        form=draw(st.sampled_from(["16+24", "16x1+24"])) if mat else "16",
        gain=gain,
        factor=factor,
        rate=draw(st.sampled_from(["100", "300", "360", "500", "500.0", "1000/0", "257.5"])),
        leads=tuple(draw(SPELLINGS)(lead) for lead in order),
        zeroed=tuple(draw(st.sets(st.integers(0, 11), max_size=6))),
        dx=",".join([*codes, *gaps]),
        codes=tuple(sorted(set(codes))),
        comments=tuple(draw(st.lists(st.sampled_from(["#Age: NaN", "#<sex>: F", "# Digoxin", "#", "#Sx: Ünbekannt"])))),
        encoding=draw(st.sampled_from(["utf-8", "latin-1", "utf-8-sig"])),
    )


def write(folder, archive):
    """Write the record; return its path and its raw integers in the order of STANDARD_LEADS."""
    digital = noise(1, leads=12, samples=60)
    digital[list(archive.zeroed)] = 0
    suffix = ".mat" if archive.mat else ".dat"
    shown = archive.name + (suffix if archive.suffix_in_header else "")
    path = write_wfdb(
        folder,
        archive.name,
        digital,
        leads=archive.leads,
        rate=archive.rate,
        gain=archive.gain,
        mat=archive.mat,
        header_name=shown,
    )
    header = path.with_name(f"{path.name}.hea")
    lines = [line for line in header.read_text().splitlines() if not line.startswith("#")]
    if archive.mat:
        lines = [line.replace(" 16+24 ", f" {archive.form} ") for line in lines]
    text = "\n".join([*lines, *archive.comments, f"#Dx: {archive.dx}"]) + "\n"
    header.write_bytes(text.encode(archive.encoding))
    names = [lead.lower() for lead in archive.leads]
    return path, digital[[names.index(lead.lower()) for lead in STANDARD_LEADS]]


@RELAXED
@given(archive=archives())
def test_every_way_to_write_a_record_gives_the_same_millivolts_and_codes(tmp_path_factory, archive):
    folder = tmp_path_factory.mktemp("archive")
    _, digital = write(folder, archive)

    (listed,) = challenge_source(folder).records
    recording = read_listed(listed, STANDARD_LEADS)

    assert recording.signal == pytest.approx(digital * archive.factor, rel=1e-4, abs=1e-7)
    assert recording.leads == STANDARD_LEADS
    assert recording.rate == float(archive.rate.partition("/")[0])
    assert listed.labels == archive.codes


@RELAXED
@given(archive=archives(), normalise=st.sampled_from(["lead", "record"]))
def test_missing_leads_of_zeros_stay_zero_when_normalised(tmp_path_factory, archive, normalise):
    path, digital = write(tmp_path_factory.mktemp("archive"), archive)
    signal = read_record(path, name="r", patient="p", labels=(), leads=STANDARD_LEADS).signal

    normal = scaled(signal, Processing(normalise=normalise))

    assert np.isfinite(normal).all()
    flat = ~digital.any(axis=1)
    assert not normal[flat].any()
    assert np.ptp(normal[~flat], axis=1).all()


@RELAXED
@given(
    gain=st.sampled_from(["4880/mV", "200/mV", "4880.0(0)/mV", "1000/mV"]),
    name=st.sampled_from(["E00015", "HR20715", "A0001", "Q0001", "JS00001", "S0001"]),
)
def test_a_wrong_gain_of_a_known_database_is_put_right_and_told(tmp_path_factory, gain, name):
    digital = noise(2, leads=12, samples=60)
    folder = tmp_path_factory.mktemp("archive")
    write_wfdb(folder, name, digital, leads=STANDARD_LEADS, gain=gain, mat=True)
    header = folder / f"{name}.hea"
    header.write_text(header.read_text() + "#Dx: 426783006\n")

    source = challenge_source(folder)

    assert read_listed(source.records[0]).signal == pytest.approx(digital / 1000)
    assert set(source.corrected) == (set() if gain.startswith("1000") else {name})


def test_the_gain_of_an_unknown_database_is_believed():
    assert true_gain("I0001", {306.0}) == (Correction(), "")
    assert true_gain("0001", {4880.0}) == (Correction(), "")


@RELAXED
@given(
    gain=st.sampled_from(["0/mV", "-1000/mV", "x/mV", "1000/mmHg", "1000/g"]),
    lead=st.integers(0, 11),
)
def test_a_gain_or_unit_that_cannot_be_is_refused_with_the_record(tmp_path_factory, gain, lead):
    folder = tmp_path_factory.mktemp("archive")
    path = write_wfdb(folder, "X1", noise(1, leads=12, samples=60), leads=STANDARD_LEADS)
    header = folder / "X1.hea"
    lines = header.read_text().splitlines()
    lines[1 + lead] = lines[1 + lead].replace("1000/mV", gain)
    header.write_text("\n".join(lines) + "\n")

    with pytest.raises(ValueError, match=r"^X1: the (header must state a gain above 0|unit must be mV, uV or V)"):
        read_record(path, name="X1", patient="p", labels=())


@RELAXED
@given(missing=st.sets(st.integers(0, 11), min_size=1, max_size=11), doubled=st.booleans())
def test_leads_that_are_not_there_or_twice_are_refused_with_the_record(tmp_path_factory, missing, doubled):
    leads = [lead for row, lead in enumerate(STANDARD_LEADS) if row not in missing]
    leads += [leads[0].upper()] if doubled else []
    folder = tmp_path_factory.mktemp("archive")
    path = write_wfdb(folder, "X1", noise(1, leads=len(leads), samples=60), leads=leads)

    with pytest.raises(
        ValueError, match=r"^X1: (every lead asked for must be there; missing: |lead names must differ)"
    ):
        read_record(path, name="X1", patient="p", labels=(), leads=STANDARD_LEADS)


@RELAXED
@given(copied=st.sets(st.integers(0, 11), min_size=1), seed=st.integers(0, 99))
def test_a_copy_is_known_by_any_lead_that_it_shares(copied, seed):
    """Two records of one signal under two names may differ in some leads; missing leads make no two records alike."""
    one, other = noise(seed, leads=12).astype(np.float32), noise(seed + 1000, leads=12).astype(np.float32)
    third = noise(seed + 2000, leads=12).astype(np.float32)
    other[list(copied)] = one[list(copied)]
    missing = np.setdiff1d(np.arange(12), list(copied))[:1]
    for signal in (one, other, third):
        signal[missing] = 0

    assert linked([lead_fingerprints(signal) for signal in (one, other, third)]).tolist() == [0, 0, 1]


@RELAXED
@given(codes=st.lists(st.sampled_from(["1", "2", "3", "NaN", "Unknown", "", "  "]), max_size=6))
def test_codes_are_counted_once_and_gaps_are_passed_over(codes):
    assert dx_codes(["Age: NaN", f"Dx: {','.join(codes)}"]) == tuple(sorted({"1", "2", "3"} & set(codes)))


def test_a_header_in_any_encoding_gives_its_comments_and_gains(tmp_path):
    header = tmp_path / "r.hea"
    for encoding in ("utf-8", "utf-8-sig", "latin-1"):
        header.write_bytes("r 1 100 5\nr.dat 16 4880.0(0)/mV 16 0 0 0 0 I\n#Gerät: Ä\n#Dx: 7\n".encode(encoding))

        assert header_comments(header) == ["Gerät: Ä", "Dx: 7"]
        assert stated_gains(header_lines(header)) == {4880.0}


@RELAXED
@given(codes=st.lists(st.lists(st.sampled_from("abcdz"), min_size=1, max_size=3, unique=True), min_size=3, max_size=8))
def test_no_code_is_dropped_in_silence(tmp_path_factory, codes):
    """Every record is kept or counted by reason; every code gives a class, is told to be ignored, or is named."""
    folder = tmp_path_factory.mktemp("archive")
    for number, own in enumerate([["a"], *codes]):
        write_wfdb(folder, f"X{number}", noise(number, samples=20))
        header = folder / f"X{number}.hea"
        header.write_text(header.read_text().replace("#Dx: 1,,2", f"#Dx: {','.join(own)}"))
    content = {"multilabel": False, "classes": {"first": ["a", "b"], "second": ["c"]}, "ignored": ["d"]}
    source = challenge_source(folder)

    mapped = with_classes(source, label_map_from(content, folder / "map.yaml"))

    assert len(mapped.records) + sum(mapped.left_out.values()) == len(source.records) == len(codes) + 1
    assert dict(mapped.unknown_codes) == ({"z": n} if (n := sum("z" in own for own in codes)) else {})
    assert all(len(record.labels) == 1 for record in mapped.records)
