"""Facts gathered from one signal after the other: leads, rates, lengths, amplitudes, what is flat, clipped or twice."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.groups import linked
from ecgcore.drawing.ecg_paper import Example
from ecgcore.signals.arithmetic import clipped_leads, flat_leads, lead_fingerprints
from ecgcore.signals.same_recording import Outline, outline

SHOWN = 10  # names per line; the number is always given


class SurveyedAs(Protocol):
    """Whatever says the rate and the leads of a signal: a recording, or a store."""

    @property
    def rate(self) -> float: ...  # noqa: D102  Hz
    @property
    def leads(self) -> tuple[str, ...]: ...  # noqa: D102


@dataclass
class Survey:
    """What a folder holds, signal by signal, and an example of each class."""

    lengths: list[float] = field(default_factory=list)  # s
    rates: Counter[float] = field(default_factory=Counter)  # Hz -> recordings
    leads: Counter[tuple[str, ...]] = field(default_factory=Counter)  # in order -> recordings
    units: Counter[str] = field(default_factory=Counter)  # as stored -> recordings
    lowest: float = np.inf
    highest: float = -np.inf
    unit: str = "mV"  # of lowest and highest
    flat: list[str] = field(default_factory=list)  # `record (leads)`
    clipped: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    carried: list[tuple[str, ...]] = field(default_factory=list)  # the leads of each recording
    identities: list[list[int]] = field(default_factory=list)  # of each recording's leads
    examples: dict[str, Example] = field(default_factory=dict)  # class -> its first record
    outlines: list[Outline] | None = None  # gathered if there is a list, to compare folders by

    def add(
        self,
        name: str,
        signal: NDArray[np.float32],
        *,
        rate: float,
        leads: tuple[str, ...],
        units: Sequence[str] = ("mV",),
    ) -> None:
        """Take in one (leads, samples) signal in mV, whose file has it in `units`."""
        self.lengths.append(signal.shape[1] / rate)
        self.rates[rate] += 1
        self.leads[leads] += 1
        self.units[", ".join(sorted(set(units)))] += 1
        self.lowest, self.highest = min(self.lowest, float(signal.min())), max(self.highest, float(signal.max()))
        if flat := flat_leads(signal):
            self.flat.append(f"{name} ({' '.join(leads[row] for row in flat)})")
        if clipped := clipped_leads(signal, rate=rate):
            self.clipped.append(f"{name} ({' '.join(leads[row] for row in clipped)})")
        self.names.append(name)
        self.carried.append(leads)
        self.identities.append(lead_fingerprints(signal))
        if self.outlines is not None:
            self.outlines.append(outline(name, signal, rate=rate, leads=leads))

    def keep(self, name: str, signal: NDArray[np.float32], labels: Sequence[str], like: SurveyedAs) -> None:
        """Keep a record as an example if it is the first of one of its classes (or the first at all without any)."""
        for label in labels or ("",):
            if label not in self.examples:
                self.examples[label] = Example(
                    name=name, labels=tuple(labels), signal=signal, rate=like.rate, leads=like.leads, unit=self.unit
                )

    def lines(self) -> list[str]:
        """Return the facts, a line each."""
        if not self.lengths:
            return ["no record could be read"]
        same: dict[int, list[str]] = {}
        for name, recording in zip(self.names, linked(self.identities).tolist(), strict=True):
            same.setdefault(recording, []).append(name)
        copies = [" = ".join(names) for names in same.values() if len(names) > 1]
        unit = f" {self.unit}" if self.unit != "1" else " (normalised)"
        return [
            f"leads: {some(_counted({' '.join(leads): n for leads, n in sorted(self.leads.items())}), ' | ')}",
            f"missing leads: {named(self._missing())}",
            f"rate: {', '.join(_counted({f'{rate:g} Hz': n for rate, n in sorted(self.rates.items())}))}",
            f"length: {min(self.lengths):g} to {max(self.lengths):g} s, median {np.median(self.lengths):g} s",
            f"units: {', '.join(_counted(self.units))}",
            f"amplitude: {self.lowest:.3f} to {self.highest:.3f}{unit}",
            f"flat leads: {named(self.flat)}",
            f"clipped leads: {named(self.clipped)}",
            f"duplicate signals: {named(copies)}",
        ]

    def _missing(self) -> list[str]:
        """Name the recordings without a lead that more than half of them have."""
        frequency = Counter(lead for leads in self.carried for lead in leads)
        usual = [lead for lead, count in frequency.items() if 2 * count > len(self.carried)]
        lacking = {
            name: [lead for lead in usual if lead not in leads]
            for name, leads in zip(self.names, self.carried, strict=True)
        }
        return [f"{name} ({' '.join(leads)})" for name, leads in lacking.items() if leads]


def named(names: Sequence[str]) -> str:
    """Return the number of names and the first of them, or `none`."""
    return f"{len(names)}: {some(names, ', ')}" if names else "none"


def some(names: Sequence[str], separator: str) -> str:
    """Return the first names, with dots if there are more."""
    return separator.join(names[:SHOWN]) + (f"{separator}..." if len(names) > SHOWN else "")


def _counted(kinds: dict[str, int] | Counter[str]) -> list[str]:
    """Return the kinds; how often each occurs is told only where there are several."""
    if len(kinds) == 1:
        return list(kinds)
    return [f"{kind} ({count})" for kind, count in kinds.items()]
