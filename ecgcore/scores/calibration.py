"""From logits to probabilities and decisions: a temperature, and a threshold a class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, softmax
from sklearn.metrics import log_loss, precision_recall_curve

Floats = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What a trained model needs beside its weights."""

    temperature: float = 1.0  # logits are divided by it
    thresholds: tuple[float, ...]  # one a class; several-label decisions are `probability >= threshold`

    @classmethod
    def none(cls, classes: int) -> "Calibration":
        """Return the calibration that changes nothing."""
        return cls(thresholds=(0.5,) * classes)


def probabilities(logits: Floats, *, temperature: float, multilabel: bool) -> NDArray[np.float64]:
    """Sigmoid or softmax of logits (records, classes) / temperature."""
    scaled = np.asarray(logits, np.float64) / temperature
    return np.asarray(expit(scaled) if multilabel else softmax(scaled, axis=1))


def calibrate(logits: Floats, labels: Floats, *, multilabel: bool) -> Calibration:
    """Choose the temperature of the largest likelihood (Guo et al. 2017) and the thresholds of largest F1.


    logits, labels: (records, classes), of records that the model which made the logits never saw.
    """

    def likelihood(logarithm: float) -> float:
        return _negative_log_likelihood(
            probabilities(logits, temperature=float(np.exp(logarithm)), multilabel=multilabel),
            labels,
            multilabel,
        )

    # bounded: separable predictions would send the temperature to zero
    logarithm = minimize_scalar(likelihood, bounds=(-3.0, 3.0), method="bounded").x
    temperature = float(np.exp(logarithm))
    if not multilabel:
        return Calibration(temperature=temperature, thresholds=(0.5,) * labels.shape[1])
    scores = probabilities(logits, temperature=temperature, multilabel=True)
    thresholds = tuple(best_threshold(scores[:, index], labels[:, index]) for index in range(labels.shape[1]))
    return Calibration(temperature=temperature, thresholds=thresholds)


def best_threshold(scores: Floats, truth: Floats) -> float:
    """Return the threshold of largest F1, midway between two scores; .5 for a class without positives."""
    if not truth.any():
        return 0.5
    precision, recall, candidates = precision_recall_curve(truth, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.argmax(f1[:-1]))  # the last point belongs to no threshold
    below = candidates[best - 1] if best else candidates[best]
    return float((candidates[best] + below) / 2)


def _negative_log_likelihood(scores: Floats, labels: Floats, multilabel: bool) -> float:
    if not multilabel:
        return float(log_loss(labels.argmax(axis=1), scores, labels=range(labels.shape[1])))
    return float(log_loss(labels.ravel(), scores.ravel(), labels=[0, 1]))
