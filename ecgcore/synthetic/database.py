"""A synthetic 12-lead database of four rhythms, written as real WFDB files with a table of labels.

Draws patients and records for simulator.py, which has the model. What makes it hard: rates of neighbouring rhythms
overlap, fibrillation may be nearly regular or nearly without waves, and two cohorts differ in rates, sizes and noise.
"""

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.mistakes import Mistake
from ecgcore.readers.record import Recording, write_record
from ecgcore.signals.arithmetic import STANDARD_LEADS
from ecgcore.synthetic import simulator
from ecgcore.whole_files import whole_folder

RHYTHMS = ("sinus", "bradycardia", "fibrillation", "svt")
MARKER = "synthetic.json"
_INTERNAL_RATE = 500  # Hz, at least: an R wave lasts 16 ms
_LEAD_IN = 3.0  # s
_SECOND_RECORD = 0.2  # of the patients have two records, their rhythms drawn apart

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Heart rates of a rhythm, beats/min: a normal distribution, cut off."""

    mean: float
    sd: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """A population and its recorder."""

    rates: Mapping[str, Rates]
    amplitude: float  # R wave of the median patient, mV
    amplitude_spread: float  # sd of its logarithm between patients
    axis_spread: float  # sd of the turn of the heart between patients, degrees
    noise: float  # broadband noise of each lead, mV
    wander: float  # baseline wander of each lead, mV
    irregularity: tuple[float, float]  # coefficient of variation of RR in fibrillation, lowest and highest
    atrial_waves: tuple[float, float]  # amplitude of fibrillation waves, mV, lowest and highest


COHORTS = {
    "A": Cohort(
        rates={
            "sinus": Rates(mean=74, sd=14, low=54, high=130),
            "bradycardia": Rates(mean=51, sd=6, low=36, high=62),
            "fibrillation": Rates(mean=88, sd=22, low=50, high=150),
            "svt": Rates(mean=150, sd=22, low=108, high=205),
        },
        amplitude=1.0,
        amplitude_spread=0.25,
        axis_spread=15,
        noise=0.04,
        wander=0.10,
        irregularity=(0.07, 0.25),
        atrial_waves=(0.02, 0.09),
    ),
    "B": Cohort(
        rates={
            "sinus": Rates(mean=80, sd=16, low=56, high=138),
            "bradycardia": Rates(mean=54, sd=6, low=38, high=64),
            "fibrillation": Rates(mean=100, sd=26, low=52, high=165),
            "svt": Rates(mean=142, sd=20, low=104, high=190),
        },
        amplitude=0.7,
        amplitude_spread=0.35,
        axis_spread=25,
        noise=0.07,
        wander=0.18,
        irregularity=(0.06, 0.20),
        atrial_waves=(0.015, 0.06),
    ),
}
MOST_RECORDS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """What is to be synthesized. Equal values give equal files, byte for byte."""

    records: int
    seed: int
    cohort: str = "A"
    rate: float = 100.0  # Hz
    seconds: float = 10.0  # of each record
    noise: float = 1.0  # times the cohort's noise and wander

    def __post_init__(self) -> None:
        mistakes = []
        if not len(RHYTHMS) <= self.records <= MOST_RECORDS:
            mistakes.append(
                f"--records must be from {len(RHYTHMS)}, one of each rhythm, to {MOST_RECORDS}, but got {self.records}"
            )
        if not 0 <= self.seed < 2**32:
            mistakes.append(f"--seed must be from 0 to {2**32 - 1}, but got {self.seed}")
        if self.cohort not in COHORTS:
            mistakes.append(f"--cohort must be {' or '.join(COHORTS)}, but got {self.cohort!r}")
        if not 50 <= self.rate <= 2000:
            mistakes.append(f"--rate must be from 50 to 2000 Hz, but got {self.rate:g}")
        if not 2 <= self.seconds <= 300:
            mistakes.append(f"--seconds must be from 2 to 300, but got {self.seconds:g}")
        if not 0 <= self.noise <= 100:
            mistakes.append(f"--noise must be from 0 to 100, but got {self.noise:g}")
        if mistakes:
            raise Mistake("\n".join(mistakes))


@dataclass(frozen=True)
class _Patient:
    """What two records of one person have in common."""

    name: str
    amplitude: float  # mV
    turn: Floats  # (3, 3) rotation of the heart
    heights: Floats  # (5,) of P, Q, R, S, T


def synthesize(target: Path, synthesis: Synthesis, *, replace: bool = False) -> bool:
    """Write WFDB records and labels.csv to `target`; return False if it was there already, from the same values.

    Raises ValueError if `target` holds something else (unless `replace`); nothing half-written is left.
    """
    if not replace and is_synthesized(target, synthesis):
        return False
    with whole_folder(target, marker=MARKER, replace=replace) as folder:
        rows = []
        for recording in recordings(synthesis):
            write_record(folder, recording)
            rows.append((recording.name, recording.patient, ";".join(recording.labels)))
        with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([("record", "patient", "labels"), *rows])
        (folder / MARKER).write_text(_described(synthesis), encoding="utf-8")
    return True


def is_synthesized(target: Path, synthesis: Synthesis) -> bool:
    """Return whether `target` holds what is made from the same values."""
    marker = target / MARKER
    return marker.is_file() and marker.read_text(encoding="utf-8") == _described(synthesis)


def _described(synthesis: Synthesis) -> str:
    return json.dumps(asdict(synthesis), indent=2) + "\n"


def recordings(synthesis: Synthesis) -> list[Recording]:
    """Draw all recordings: equally many of each rhythm, as near as the number allows, in random order."""
    rng = np.random.default_rng([synthesis.seed, *synthesis.cohort.encode()])
    cohort = COHORTS[synthesis.cohort]
    rhythms = rng.permutation(np.arange(synthesis.records) % len(RHYTHMS))
    drawn: list[Recording] = []
    patients = 0
    while len(drawn) < synthesis.records:
        patient = _patient(rng, cohort, name=f"{synthesis.cohort}-{patients:05d}")
        patients += 1
        for _ in range(min(1 + int(rng.random() < _SECOND_RECORD), synthesis.records - len(drawn))):
            rhythm = RHYTHMS[rhythms[len(drawn)]]
            signal = _record(rng, patient, rhythm, cohort, synthesis)
            drawn.append(
                Recording(
                    name=f"{synthesis.cohort}{len(drawn):05d}",
                    patient=patient.name,
                    labels=(rhythm,),
                    signal=signal.astype(np.float32),
                    rate=synthesis.rate,
                    leads=STANDARD_LEADS,
                )
            )
    return drawn


def _patient(rng: np.random.Generator, cohort: Cohort, *, name: str) -> _Patient:
    return _Patient(
        name=name,
        amplitude=cohort.amplitude * float(np.exp(rng.normal() * cohort.amplitude_spread)),
        turn=_rotation(*np.deg2rad(rng.normal(size=2) * cohort.axis_spread)),
        heights=simulator.HEIGHTS * np.exp(rng.normal(size=5) * [0.25, 0.3, 0.0, 0.3, 0.3]),
    )


def _rotation(frontal: float, horizontal: float) -> Floats:
    """Return the rotation of (left, down, back) by two angles in rad, in the frontal and the horizontal plane."""
    (c, s), (d, t) = (np.cos(frontal), np.sin(frontal)), (np.cos(horizontal), np.sin(horizontal))
    in_front: Floats = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    turned: Floats = in_front @ np.array([[d, 0, -t], [0, 1, 0], [t, 0, d]])
    return turned


def _record(rng: np.random.Generator, patient: _Patient, rhythm: str, cohort: Cohort, synthesis: Synthesis) -> Floats:
    """Return one record, (12, samples) in mV."""
    factor = int(np.ceil(_INTERNAL_RATE / synthesis.rate))
    samples = round(synthesis.seconds * synthesis.rate)
    step = 1 / (synthesis.rate * factor)
    # The heart runs for a while before the record begins, until the model has forgotten where it was started.
    times = np.arange(-round(_LEAD_IN / step), samples * factor, dtype=np.float64) * step
    rate = _heart_rate(rng, cohort.rates[rhythm])
    beats = _beats(rng, rhythm, rate, seconds=synthesis.seconds, irregularity=cohort.irregularity)
    angle, speed = simulator.phase(times, beats)
    heights = patient.heights * [_p_wave(rng, rhythm), 1, 1, 1, 1]
    sources = patient.amplitude * simulator.waves(angle, speed, step=step, heart_rate=rate, heights=heights)
    recorded = slice(-samples * factor, None, factor)  # every so many: no wave reaches half the sampling rate
    eight = simulator.to_eight_leads(simulator.DIRECTIONS @ patient.turn.T, sources[:, recorded])
    coarse = times[recorded]
    if rhythm == "fibrillation":
        amplitude = rng.uniform(*cohort.atrial_waves)
        atrial = simulator.fibrillation(rng, coarse, frequency=rng.uniform(4, 9), amplitude=amplitude)
        eight = eight + simulator.to_eight_leads((patient.turn @ simulator.ATRIAL_DIRECTION)[None], atrial[None])
    eight = eight + rng.normal(size=eight.shape) * cohort.noise * synthesis.noise
    drift = cohort.wander * synthesis.noise
    eight = eight + np.stack([simulator.wander(rng, coarse, amplitude=drift) for _ in range(len(eight))])
    return simulator.to_twelve_leads(eight)


def _heart_rate(rng: np.random.Generator, rates: Rates) -> float:
    while not rates.low <= (rate := rng.normal(rates.mean, rates.sd)) <= rates.high:
        pass
    return float(rate)


def _beats(
    rng: np.random.Generator, rhythm: str, rate: float, *, seconds: float, irregularity: tuple[float, float]
) -> Floats:
    """Return the times of the R peaks in s, from before the record to after it."""
    length = seconds + 8  # two intervals of the slowest heart before the record, and as much after
    if rhythm == "fibrillation":
        intervals = simulator.irregular_intervals(rng, seconds=length, rate=rate, spread=rng.uniform(*irregularity))
    else:
        variation = rng.uniform(0.005, 0.02) if rhythm == "svt" else rng.uniform(0.02, 0.07)
        intervals = simulator.rr_intervals(rng, seconds=length, rate=rate, deviation=variation * 60 / rate)
    return np.cumsum(intervals) - rng.uniform(3, 4)


def _p_wave(rng: np.random.Generator, rhythm: str) -> float:
    """Return the size of the P wave: none in fibrillation, small or hidden in supraventricular tachycardia."""
    if rhythm == "fibrillation":
        return 0.0
    return float(rng.uniform(0, 0.35)) if rhythm == "svt" else 1.0
