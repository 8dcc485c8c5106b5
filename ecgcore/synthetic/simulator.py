"""A 12-lead electrocardiogram from a dynamical model: numbers in, signals out. Writes no file, draws no patient.

McSharry, Clifford, Tarassenko, Smith 2003, IEEE Trans Biomed Eng 50(3):289-294: a point runs round a limit cycle, once
a beat, and is pushed up or down as it passes the angles of P, Q, R, S and T. On the cycle the angle is known in closed
form and the height obeys a linear equation, so each wave is integrated by itself and the leads are weighted sums of the
waves. The weights project one heart vector per wave on the leads (Dower et al. 1980, Clin Cardiol 3:87-95).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Table I of the paper: angle (rad), height and width (rad) of P, Q, R, S, T at 60 beats a minute.
ANGLES = np.array([-np.pi / 3, -np.pi / 12, 0.0, np.pi / 12, np.pi / 2])
HEIGHTS = np.array([1.2, -5.0, 30.0, -7.5, 0.75])
WIDTHS = np.array([0.25, 0.1, 0.1, 0.1, 0.4])
# ECGSYN, the paper's program: how angles and widths stretch with heart rate, as powers of sqrt(rate / 60).
ANGLE_POWERS = np.array([0.5, 1.0, 0.0, 1.0, 0.5])

# Where each wave's vector points: (left, down, back). Q and S have negative heights, so theirs point the other way.
DIRECTIONS = np.array(
    [[0.58, 0.80, -0.15], [0.80, 0.35, 0.50], [0.68, 0.65, 0.34], [0.15, 0.35, -0.92], [0.68, 0.60, -0.42]]
)
ATRIAL_DIRECTION = np.array([0.25, 0.55, -0.80])  # of fibrillation waves: largest in V1, II, III, aVF
# Leads I, II, V1-V6 from (left, down, back).
DOWER = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)
_UNIT = 2 * np.pi / (HEIGHTS[2] * WIDTHS[2] ** 2)  # makes the R wave of the model 1 mV high at 60 beats a minute
_TWELVE = np.zeros((12, 8))  # I, II, V1-V6 -> the twelve leads
_TWELVE[[0, 1, 2, 2, 3, 3, 4, 4, 5, 5], [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]] = [1, 1, -1, 1, -0.5, -0.5, 1, -0.5, -0.5, 1]
_TWELVE[range(6, 12), range(2, 8)] = 1


def rr_intervals(
    rng: np.random.Generator, *, seconds: float, rate: float, deviation: float, ratio: float = 0.5
) -> Floats:
    """Return RR intervals in s that fill `seconds`, drawn from the paper's spectrum of two bumps.

    The bumps lie at 0.1 Hz (pressure waves) and 0.25 Hz (breathing), 0.01 Hz wide; `ratio` is the power of the first
    over that of the second. rate: mean heart rate, beats/min. deviation: standard deviation of RR in s.
    """
    samples, sampling = 2048, 4.0  # 512 s at 4 Hz: fine enough for bumps 0.01 Hz wide
    frequency = np.fft.rfftfreq(samples, 1 / sampling)
    power = sum(p * np.exp(-((frequency - f) ** 2) / (2 * 0.01**2)) for p, f in [(ratio, 0.1), (1.0, 0.25)])
    phases = np.exp(2j * np.pi * rng.random(len(frequency)))
    series = np.fft.irfft(np.sqrt(power) * phases, samples)
    series = 60 / rate + series * deviation / series.std()
    intervals: list[float] = []
    while (time := sum(intervals)) < seconds:
        intervals.append(float(np.clip(series[int(time * sampling)], 0.25, 3.0)))
    return np.array(intervals)


def irregular_intervals(rng: np.random.Generator, *, seconds: float, rate: float, spread: float) -> Floats:
    """Return independent RR intervals in s that fill `seconds`: fibrillation. spread: coefficient of variation."""
    count = int(seconds * rate / 60 * 2) + 10
    shape = 1 / spread**2
    intervals = np.clip(rng.gamma(shape, 60 / rate / shape, count), 0.28, 3.0)
    return intervals[: int(np.searchsorted(np.cumsum(intervals), seconds)) + 1]


def phase(times: Floats, beats: Floats) -> tuple[Floats, Floats]:
    """Return the angle (rad, 0 at every R peak) and its speed (rad/s) at `times`, for R peaks at `beats` (s)."""
    turns = 2 * np.pi * np.arange(len(beats))
    speed = np.diff(turns) / np.diff(beats)
    index = np.clip(np.searchsorted(beats, times, side="right") - 1, 0, len(speed) - 1)
    return turns[index] + speed[index] * (times - beats[index]), speed[index]


def waves(angle: Floats, speed: Floats, *, step: float, heart_rate: float, heights: Sequence[float] | Floats) -> Floats:
    """Integrate the paper's equation for the height of each wave alone. Returns (5, samples) in mV.

    dz/dt = -a d w exp(-d^2 / 2 b^2) - z, d the angle from the wave, w the speed: the paper's push times w, so that
    waves keep their size as the rate changes (Sameni et al. 2007, EURASIP J Adv Signal Process 2007:43407).
    step: s between samples. heart_rate: mean, beats/min. heights: a of P, Q, R, S, T.
    """
    from scipy.signal import lfilter  # a second, which a recipe's check need not wait for

    stretch = np.sqrt(heart_rate / 60)
    widths = WIDTHS * stretch
    centres = ANGLES * stretch**ANGLE_POWERS
    distance = (angle - centres[:, None] + np.pi) % (2 * np.pi) - np.pi
    push = -np.asarray(heights)[:, None] * distance * np.exp(-(distance**2) / (2 * widths[:, None] ** 2))
    push *= speed / (2 * np.pi) * _UNIT / stretch**2
    decay = np.exp(-step)  # exact for a push that stays the same between two samples
    return np.asarray(lfilter([(1 - decay) / 2, (1 - decay) / 2], [1, -decay], push, axis=1))


def to_eight_leads(directions: Floats, sources: Floats) -> Floats:
    """Project sources (n, samples) in mV with directions (n, 3) on the leads I, II, V1-V6: (8, samples) in mV."""
    return DOWER @ directions.T @ sources


def to_twelve_leads(eight: Floats) -> Floats:
    """Return the twelve standard leads (12, samples) from I, II, V1-V6. III = II - I and so on hold exactly."""
    return _TWELVE @ eight


def fibrillation(rng: np.random.Generator, times: Floats, *, frequency: float, amplitude: float) -> Floats:
    """Return fibrillation waves (samples,) in mV: about `frequency` Hz, wandering in rate and size, saw-toothed."""
    drift = np.cumsum(rng.normal(size=len(times))) * np.sqrt(
        times[1] - times[0]
    )  # rad: a slow random walk of the phase
    turn = 2 * np.pi * frequency * times + 1.5 * drift + rng.uniform(0, 2 * np.pi)
    size = 1 + 0.3 * np.sin(2 * np.pi * rng.uniform(0.1, 0.4) * times + rng.uniform(0, 2 * np.pi))
    return np.asarray(amplitude * size * (np.sin(turn) + 0.3 * np.sin(2 * turn)))


def wander(rng: np.random.Generator, times: Floats, *, amplitude: float) -> Floats:
    """Return baseline wander (samples,) in mV: five slow sines of 0.05 to 0.5 Hz."""
    frequencies, phases = rng.uniform(0.05, 0.5, 5), rng.uniform(0, 2 * np.pi, 5)
    sizes = rng.normal(size=5) * amplitude / np.sqrt(5)
    return np.asarray(sizes @ np.sin(2 * np.pi * frequencies[:, None] * times + phases[:, None]))
