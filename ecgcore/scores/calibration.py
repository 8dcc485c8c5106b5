"""From averaged probabilities to ones that can be believed, and to decisions. Fitted on out-of-fold predictions.

What is calibrated is the mean of the members' probabilities, which is what is tested and served: members that are each
well calibrated are not so on average, and the other way round. So a temperature is fitted only on means of as many
members as answer together: fitted on single fits, it made averages worse than none (CHANGELOG has the figures).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit, softmax
from sklearn.metrics import precision_recall_curve

from ecgcore.data.stratify import deal
from ecgcore.scores.metrics import SMALLEST, record_log_loss

Floats = NDArray[np.floating]
HALVES_SEED = 20_170_806  # of the two halves of patients: fixed, so that a model is calibrated the same each time


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What is done to averaged probabilities, and from which probability on a class is called."""

    temperature: float = 1.0  # log odds (several labels) or log probabilities are divided by it, after the shift
    shift: tuple[float, ...] = ()  # added to them, one a class: what undoes another mix of classes; empty: none
    # Several labels: called at or above. One label: the class is called whose probability is largest beside it.
    thresholds: tuple[float, ...]  # one a class

    @classmethod
    def none(cls, classes: int) -> "Calibration":
        """Return the calibration that changes nothing."""
        return cls(thresholds=(0.5,) * classes)

    def __call__(self, scores: Floats, *, multilabel: bool) -> NDArray[np.float64]:
        """Return calibrated probabilities of averaged ones (records, classes); the very same where nothing is done."""
        plain = np.asarray(scores).astype(np.float64, copy=False)
        if self.temperature == 1.0 and not self.shift:
            return plain
        shift = np.asarray(self.shift or 0.0)
        inside = np.clip(plain, SMALLEST, 1 - SMALLEST)
        if multilabel:
            return np.asarray(expit((logit(inside) + shift) / self.temperature))
        return np.asarray(softmax((np.log(inside) + shift) / self.temperature, axis=1))

    def in_words(self) -> str:
        """Return what is done to the probabilities, for people."""
        done = ["class prior"] if self.shift else []
        done += [f"temperature {self.temperature:.3g}"] if self.temperature != 1.0 else []
        return ", ".join(done) or "none"


@dataclass(frozen=True, kw_only=True, eq=False)
class OutOfFold:
    """What models say on average of records that they were not trained on."""

    scores: NDArray[np.float64]  # (records, classes) probabilities
    labels: NDArray[np.float32]  # (records, classes) 0/1
    patients: tuple[str, ...]  # one a record
    multilabel: bool
    members: int = 1  # how many models' mean the scores are, of each record at least


def probabilities(logits: Floats, *, temperature: float, multilabel: bool) -> NDArray[np.float64]:
    """Sigmoid or softmax of logits (records, classes) / temperature."""
    scaled = np.asarray(logits, np.float64) / temperature
    return np.asarray(expit(scaled) if multilabel else softmax(scaled, axis=1))


def choose_calibration(held: OutOfFold, *, shift: Floats | None = None, averaged: int = 1) -> Calibration:
    """Return the calibration that helps records that it was not fitted on: nothing, the shift, a temperature, or both.

    averaged: how many models will answer together; of more than the scores are a mean of, no temperature is known.

    Each is fitted on one half of the patients and judged on the other, and back. The one of smallest log loss wins, but
    for simpler ones within one standard error (of the paired difference, by patient). shift: see prior_correction.py.
    """
    nothing = Calibration.none(held.labels.shape[1])
    corrected = () if shift is None or not np.any(shift) else tuple(np.asarray(shift, float).tolist())
    starts = [nothing, replace(nothing, shift=corrected)] if corrected else [nothing]
    losses = [(start, False, _losses(start, held)) for start in starts]
    halves = _halves(held) if averaged <= held.members else []
    if halves:
        losses += [(start, True, _crossed(start, held, halves)) for start in starts]
    best = min((loss for _, _, loss in losses), key=lambda loss: float(loss.mean()))
    start, tempered, _ = next(one for one in losses if _is_tie(one[2] - best, held.patients))
    chosen = _tempered(start, held) if tempered else start
    return replace(chosen, thresholds=_thresholds(chosen, held))


def best_threshold(scores: Floats, truth: Floats) -> float:
    """Return the threshold of largest F1, midway between two scores; .5 for a class without positives."""
    if not truth.any():
        return 0.5
    precision, recall, candidates = precision_recall_curve(truth, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.argmax(f1[:-1]))  # the last point belongs to no threshold
    below = candidates[best - 1] if best else candidates[best]
    return float((candidates[best] + below) / 2)


def _thresholds(chosen: Calibration, held: OutOfFold) -> tuple[float, ...]:
    """Several labels: of largest F1. One label: what undoes the shift, so that a rare class is called as it was learnt.

    Of p' ~ (p * exp(shift)) ^ (1 / T) the class of largest p is that of largest p' / exp(shift / T).
    """
    classes = held.labels.shape[1]
    if held.multilabel:
        scores = chosen(held.scores, multilabel=True)
        return tuple(best_threshold(scores[:, index], held.labels[:, index]) for index in range(classes))
    return tuple(softmax(np.asarray(chosen.shift or (0.0,) * classes) / chosen.temperature).tolist())


def _tempered(start: Calibration, held: OutOfFold) -> Calibration:
    """Return `start` with the temperature of the largest likelihood (Guo et al. 2017)."""

    def loss(logarithm: float) -> float:
        return float(_losses(replace(start, temperature=float(np.exp(logarithm))), held).mean())

    # bounded: separable predictions would send the temperature to zero
    found = minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded")
    return replace(start, temperature=float(np.exp(found.x)))


def _losses(calibration: Calibration, held: OutOfFold) -> NDArray[np.float64]:
    scores = calibration(held.scores, multilabel=held.multilabel)
    return record_log_loss(scores, held.labels, multilabel=held.multilabel)


def _crossed(start: Calibration, held: OutOfFold, halves: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Loss of each record under the temperature that the other half's patients have chosen."""
    losses = np.zeros(len(held.labels))
    for own, other in (halves, halves[::-1]):
        losses[own] = _losses(_tempered(start, _some(held, other)), _some(held, own))
    return losses


def _some(held: OutOfFold, chosen: NDArray[np.int64]) -> OutOfFold:
    patients = tuple(held.patients[index] for index in chosen.tolist())
    return replace(held, scores=held.scores[chosen], labels=held.labels[chosen], patients=patients)


def _halves(held: OutOfFold) -> list[NDArray[np.int64]]:
    """Two halves of the records, every patient whole; none where there is one patient only."""
    groups = np.unique(held.patients, return_inverse=True)[1].astype(np.int64)
    if groups.max() == 0:
        return []
    everyone = np.arange(len(groups))
    several = bool((held.labels.sum(axis=1) > 1).any())
    return deal(everyone, 2, groups=groups, labels=held.labels, seed=HALVES_SEED, multilabel=several)


def _is_tie(behind: NDArray[np.float64], patients: Sequence[str]) -> bool:
    """Whether a mean loss behind the best lies within one standard error of nothing; patients are independent."""
    groups = np.unique(np.asarray(patients), return_inverse=True)[1]
    sums = np.bincount(groups, behind)
    error = float(np.sqrt(len(sums)) * sums.std(ddof=1)) if len(sums) > 1 else 0.0
    return float(behind.sum()) <= error
