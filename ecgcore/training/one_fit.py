"""One fit, from its configuration to its last epoch. A step is an epoch: train, validate, save, report.

Whether it goes on is decided elsewhere: a stopped fit gets SystemExit in `report`, and its checkpoint is
complete by then. Checkpoints are never deleted here.
"""

import math
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from ecgcore.data.inputs import store_for
from ecgcore.data.store import Split, Store
from ecgcore.fit import Fit, Report
from ecgcore.mistakes import Mistake
from ecgcore.models.classifier import Classifier, build_classifier
from ecgcore.models.device import best_device
from ecgcore.models.normalisation import ByTraining
from ecgcore.models.size import size_of
from ecgcore.scores.calibration import probabilities
from ecgcore.scores.challenge_score import ChallengeScore
from ecgcore.scores.metrics import decide, summary
from ecgcore.scores.names import CHALLENGE, MULTIPLY_ADDS, PARAMETERS, SCORES
from ecgcore.signals.processing import changes_of
from ecgcore.training.augmentation import Augmentation
from ecgcore.training.checkpoints import (
    Checkpoint,
    Predictions,
    file_name,
    random_state,
    restore_random_state,
    write_checkpoint,
)
from ecgcore.training.early_stopping import Patience
from ecgcore.training.epoch import Learner
from ecgcore.training.feature_store import FeatureCache
from ecgcore.training.fold_parts import choose_part, refuse_judged
from ecgcore.training.hyperparameters import Hyperparameters
from ecgcore.training.losses import build_loss
from ecgcore.training.optimisation import average_of, build_optimiser, build_schedule
from ecgcore.training.published_start import is_published, load_published
from ecgcore.training.random_backbone import measure_norms
from ecgcore.training.sampling import balancing_weights, batches_an_epoch
from ecgcore.training.start_weights import load_start, read_resumed, read_start, refuse_seen
from ecgcore.training.train_statistics import TrainingStatistics, measure

Indices = NDArray[np.int64]


def train(
    fit: Fit, report: Report, store: Store, cache: FeatureCache, *, challenge: ChallengeScore | None = None
) -> None:
    """Train `fit`, reporting every epoch, for max_steps epochs, until its patience ends or a loss is not finite.

    Same fit, same machine: same weights, bit by bit, whether interrupted and resumed or not. All draws come
    from torch's global generator, seeded here from fit.seed. Raises ValueError where the configuration cannot
    be trained.
    """
    settings = Hyperparameters.read(fit.config)
    store = store_for(store, settings.takes, network=settings.model)
    part = choose_part(fit, store)
    statistics = measure(store.records, part.train, scale=settings.normalise == "train")
    refuse_judged(statistics, store, part)
    cost = _multiply_adds(settings, store, part)
    torch.manual_seed(fit.seed)
    model = build_classifier(
        settings.model,
        leads=len(store.leads),
        classes=len(store.classes),
        dropout=settings.dropout,
        normalise=settings.normalise,
        single_lead=settings.single_lead,
        own=settings.own,
    )
    resumed = read_resumed(fit.resume_from, fit, settings, store) if fit.resume_from else None
    if resumed:
        model.load_state_dict(dict(resumed.learning or resumed.weights))
        learner = _learner(model.to(best_device()), fit, settings, store, statistics, part, cache)
        _go_on(learner, resumed)
        last = resumed
    else:
        fingerprints, unknown = _start(model, fit, settings, store, statistics, part)
        if settings.train == "random_backbone":
            measure_norms(model.to(best_device()), store.records, part.train)
        learner = _learner(model.to(best_device()), fit, settings, store, statistics, part, cache)
        last = replace(_blank(fit, settings, store, fingerprints), unknown_history=unknown)
    patience = Patience.of(settings, final=fit.final)
    for step in range(last.step + 1, fit.max_steps + 1):
        if patience.is_over(last.step, best=last.best_step):
            return
        judged, predictions = _epoch(learner, part, store, statistics, challenge)
        # A smaller network may be preferred to an equal one, and what it costs is said in its table.
        metrics = {**judged, PARAMETERS: float(model.weights), **cost}
        if last.unknown_history:
            metrics["unknown_history"] = 1.0  # whoever reads its score must know it
        if not all(math.isfinite(value) for value in metrics.values()):
            report(step, metrics)  # diverged: nothing to go on from, so there is no checkpoint
            return
        score, best = patience.best(metrics, step, before=(last.best_score, last.best_step))
        filled = _filled(last, learner, step=step, predictions=predictions)
        last = replace(filled, best_score=score, best_step=best)
        write_checkpoint(fit.directory / file_name(step), last)
        report(step, metrics, file_name(step))


def _multiply_adds(settings: Hyperparameters, store: Store, part: Split) -> dict[str, float]:
    """Return what one whole record costs, of the middle length in the train part; empty where it cannot be counted."""
    records = store.records
    middle = int(np.median(records.lengths[part.train]))
    try:
        size = size_of(
            settings.model,
            leads=len(store.leads),
            classes=len(store.classes),
            samples=middle,
            own=settings.own,
            single_lead=settings.single_lead,
            chart=(records.leads, middle),
        )
    except Exception:  # a network of the user's may do what shapes alone do not allow: it is trained all the same
        return {}
    return {MULTIPLY_ADDS: float(size.multiply_adds)}


def _start(
    model: Classifier,
    fit: Fit,
    settings: Hyperparameters,
    store: Store,
    statistics: TrainingStatistics,
    part: Split,
) -> tuple[Indices, bool]:
    """Load the earlier stage's weights; return fingerprints of all that the fit's weights will have seen.

    Besides, whether those it starts from may have seen more than anybody knows.
    """
    own = store.records.fingerprints[part.train]
    if fit.start_from is None or settings.train == "random_backbone":
        if settings.train in ("head", "none"):
            raise Mistake(
                f"train: {settings.train} needs a trained backbone, got no start_from; add an earlier stage, or set "
                "train: full"
            )
        _set_scale(model, statistics)
        return np.unique(own), False
    if is_published(fit.start_from):
        if settings.train == "none":
            raise Mistake("train: none needs a start whose head is known, and published weights have none of ours")
        unknown = load_published(model, fit.start_from)
        _set_scale(model, statistics)
        return np.unique(own), unknown
    start = read_start(fit.start_from, settings, store, seed=fit.seed)
    refuse_seen(fit.start_from, start.fingerprints, store.records, part.validation, part="validation")
    if store.withheld is not None:
        everything = np.arange(len(store.withheld.ids))
        refuse_seen(fit.start_from, start.fingerprints, store.withheld, everything, part="outer")
    load_start(model, start, store, as_it_is=settings.train == "none")
    learnt = own[:0] if settings.train == "none" else own
    return np.unique(np.concatenate([start.fingerprints, learnt])), start.unknown_history


def _set_scale(model: Classifier, statistics: TrainingStatistics) -> None:
    if isinstance(model.normalisation, ByTraining):
        scale = (torch.from_numpy(values) for values in (statistics.mean, statistics.deviation))
        model.normalisation.set_scale(*scale)


def _learner(
    model: Classifier,
    fit: Fit,
    settings: Hyperparameters,
    store: Store,
    statistics: TrainingStatistics,
    part: Split,
    cache: FeatureCache,
) -> Learner:
    records, frozen = store.records, settings.train != "full"
    shortest = int(records.lengths[part.train].min())
    augmentation = Augmentation.read(settings, rate=store.rate, shortest=shortest, leads=len(store.leads))
    model.backbone.requires_grad_(not frozen)
    optimiser = build_optimiser(model.parameters(), settings)
    batches = fit.max_steps * batches_an_epoch(len(part.train), size=settings.batch_size)
    device = next(model.parameters()).device
    return Learner(
        model=model,
        records=records,
        augmentation=augmentation,
        frozen=frozen,
        features=cache.get(model, records, content=store.content_hash) if frozen and not augmentation.active else None,
        loss=build_loss(settings, multilabel=store.multilabel, labels=statistics.labels, device=device),
        optimiser=optimiser,
        schedule=build_schedule(optimiser, settings, batches=batches, epochs=fit.max_steps),
        batch_size=settings.batch_size,
        gradient_clip=settings.gradient_clip,
        device=device,
        average=average_of(model, decay=settings.averaging) if settings.averaging else None,
        weights=balancing_weights(statistics.labels) if settings.sampling == "balanced" else None,
        similar_lengths=settings.similar_lengths,
        half=settings.precision == "bfloat16",
        parts=fit.batch_parts,
        learns=settings.train != "none",
    )


def _go_on(learner: Learner, resumed: Checkpoint) -> None:
    """Put optimiser, schedule, average and generators where the checkpoint left them."""
    learner.optimiser.load_state_dict(dict(resumed.optimiser))
    learner.schedule.load_state_dict(dict(resumed.schedule))
    if learner.average is not None:
        learner.average.module.load_state_dict(dict(resumed.weights))
        learner.average.n_averaged.fill_(resumed.averaged)
    restore_random_state(resumed.random)


def _epoch(
    learner: Learner,
    part: Split,
    store: Store,
    statistics: TrainingStatistics,
    challenge: ChallengeScore | None,
) -> tuple[dict[str, float], Predictions | None]:
    """Train and validate once: metrics (scores NaN where logits are not finite), held-out predictions."""
    train_loss = learner.train_epoch(part.train) if learner.learns else learner.predict(part.train)[1]
    if not len(part.validation):
        losses = {"train_loss": train_loss}
        learner.end_epoch(losses)
        return losses, None
    logits, loss = learner.predict(part.validation)
    losses = {"train_loss": train_loss, "val_loss": loss}
    learner.end_epoch(losses)
    if not np.isfinite(logits).all():
        return losses | dict.fromkeys(SCORES if challenge is None else (*SCORES, CHALLENGE), math.nan), None
    labels = store.records.labels[part.validation]
    scores = probabilities(logits, temperature=1.0, multilabel=store.multilabel)
    ids = tuple(store.records.ids[index] for index in part.validation.tolist())
    called = decide(scores, multilabel=store.multilabel)
    judged = summary(scores, called, labels, classes=statistics.learnable, multilabel=store.multilabel)
    if challenge is not None:
        judged[CHALLENGE] = challenge(called, labels)
    return losses | judged, Predictions(ids=ids, logits=logits, labels=labels)


def _blank(fit: Fit, settings: Hyperparameters, store: Store, fingerprints: Indices) -> Checkpoint:
    """A checkpoint before the first epoch: what stays the same from epoch to epoch, and nothing else yet."""
    return Checkpoint(
        step=0,
        max_steps=fit.max_steps,
        seed=fit.seed,
        fold=fit.fold,
        final=fit.final,
        config=settings.config(),
        data=store.content_hash,
        classes=store.classes,
        leads=store.leads,
        rate=store.rate,
        multilabel=store.multilabel,
        processing=changes_of(store.processing),
        weights={},
        optimiser={},
        schedule={},
        random={},
        fingerprints=fingerprints,
        predictions=None,
    )


def _filled(blank: Checkpoint, learner: Learner, *, step: int, predictions: Predictions | None) -> Checkpoint:
    average = learner.average
    return replace(
        blank,
        step=step,
        weights=learner.scored.state_dict(),
        learning={} if average is None else learner.model.state_dict(),
        averaged=0 if average is None else int(average.n_averaged),
        optimiser=learner.optimiser.state_dict(),
        schedule=learner.schedule.state_dict(),
        random=random_state(),
        predictions=predictions,
    )
