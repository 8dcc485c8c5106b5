"""What the judged fits say of the records that each of them held out, and the calibration that follows from it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.store import Store
from ecgcore.mistakes import Mistake
from ecgcore.scores.calibration import Calibration, OutOfFold, choose_calibration, probabilities
from ecgcore.scores.prior_correction import prior_shift
from ecgcore.training.checkpoints import Checkpoint, Predictions, read_checkpoint
from ecgcore.training.hyperparameters import Hyperparameters
from ecgcore.training.losses import loss_weights
from ecgcore.training.sampling import balancing_weights
from ecgcore.training.start_weights import refuse_seen


def calibration_of(paths: Sequence[Path], store: Store, *, averaged: int) -> Calibration:
    """Return the calibration for the mean of so many models that the fits in `paths` are evidence for.

    Raises ValueError if one holds no held-out predictions, or is of another store: its records might be sealed here.
    """
    checkpoints = [read_checkpoint(path) for path in paths]
    held = out_of_fold(paths, checkpoints, store)
    shifts = [learnt_shift(checkpoint, store) for checkpoint in checkpoints]
    # where the fits of an average learnt from different mixes of classes, there is no one mix to correct for
    alike = all(np.array_equal(shift, shifts[0]) for shift in shifts)
    return choose_calibration(held, shift=shifts[0] if alike else None, averaged=averaged)


def out_of_fold(paths: Sequence[Path], checkpoints: Sequence[Checkpoint], store: Store) -> OutOfFold:
    """Pool held-out predictions: of each record the mean probability over all fits that held it out."""
    row = {name: index for index, name in enumerate(store.records.ids)}
    sums, counts = np.zeros(store.records.labels.shape), np.zeros(len(store.records), np.int64)
    for path, checkpoint in zip(paths, checkpoints, strict=True):
        predictions = _predictions(path, checkpoint, store)
        rows = np.array([row[name] for name in predictions.ids], np.int64)
        refuse_seen(path, checkpoint.fingerprints, store.records, rows, part="held-out")
        sums[rows] += probabilities(predictions.logits, temperature=1.0, multilabel=store.multilabel)
        counts[rows] += 1
    held = np.flatnonzero(counts)
    return OutOfFold(
        scores=sums[held] / counts[held, None],
        labels=store.records.labels[held],
        patients=tuple(store.records.patients[index] for index in held.tolist()),
        multilabel=store.multilabel,
        members=int(counts[held].min()),
    )


def learnt_shift(checkpoint: Checkpoint, store: Store) -> NDArray[np.float64]:
    """Return what undoes the fit's sampling and class weights (classes,), see scores/prior_correction.py.

    By the mix of classes of all open records, of which the train parts of folds have like shares.
    """
    settings, labels = Hyperparameters.read(checkpoint.config), store.records.labels
    if settings.train == "none":  # it learnt nothing of these
        return np.zeros(labels.shape[1])
    return prior_shift(
        labels,
        multilabel=store.multilabel,
        record_weights=balancing_weights(labels) if settings.sampling == "balanced" else None,
        class_weights=loss_weights(settings, multilabel=store.multilabel, labels=labels),
    )


def _predictions(path: Path, checkpoint: Checkpoint, store: Store) -> Predictions:
    if checkpoint.data != store.content_hash:
        raise Mistake(
            f"{path}: its predictions must be of this store's records; calibrate from fits on {store.directory}"
        )
    if checkpoint.predictions is None:
        raise Mistake(f"{path}: holds no held-out predictions; calibrate from a search's fits, not from a final")
    return checkpoint.predictions
