"""Where a fit's weights come from (an earlier stage, its own checkpoint), and what they must not have seen."""

import logging
import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgcore.data.store import Records, Store, Withheld
from ecgcore.fit import Fit, Scalar
from ecgcore.mistakes import Mistake
from ecgcore.models.classifier import Classifier
from ecgcore.models.registry import network_of
from ecgcore.signals.processing import changes_of
from ecgcore.training.checkpoints import Checkpoint, DamagedFile, read_checkpoint, with_older
from ecgcore.training.exported_start import read_weights
from ecgcore.training.hyperparameters import Hyperparameters

log = logging.getLogger(__name__)

Indices = NDArray[np.int64]
NAMED = 5  # records in a message
RARELY = 0.01  # what a model that is taken as it is says of a class that it does not know


def read_start(path: Path, settings: Hyperparameters, store: Store, *, seed: int = 0) -> Checkpoint:
    """Read an earlier stage's checkpoint, or the member of an exported model that the fit's seed draws.

    Raises ValueError with every way in which it does not fit.
    """
    start = read_weights(path, seed=seed)
    was, now = _config_of(start, settings), settings.config()
    own = network_of(settings.model).parameters if was["model"] == settings.model else {}
    shaping = [name for name, parameter in own.items() if not parameter.of_training]
    mistakes = [
        f"{name} must be the checkpoint's {was[name]}, got {now[name]}"
        for name in ("model", "normalise", "single_lead", *shaping)
        if was[name] != now[name]
    ]
    if start.leads != store.leads:
        mistakes.append(
            f"leads must be equal: the checkpoint has {' '.join(start.leads)}, "
            f"the store {' '.join(store.leads)}; "
            "prepare one of the stores with the leads of the other"
        )
    if start.rate != store.rate:
        mistakes.append(
            f"sampling rates must be equal: the checkpoint has {start.rate:g} Hz, "
            f"the store {store.rate:g} Hz; "
            f"prepare the store at {start.rate:g} Hz"
        )
    asked = changes_of(store.processing)
    if dict(start.processing) != asked:
        mistakes.append(
            f"signals must be processed alike: the checkpoint's were {dict(start.processing) or 'left as they are'}, "
            f"the store's {asked or 'left as they are'}; prepare one of the stores as the other"
        )
    if mistakes:
        raise Mistake("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    return start


def load_start(model: Classifier, start: Checkpoint, store: Store, *, as_it_is: bool = False) -> None:
    """Load normalisation and backbone, and the head where it answers the same question; else the head stays fresh.

    as_it_is: the head answers as it did for the classes that both know; of the store's others it says the same of every
    record, before a softmax: with several labels a record 1 %. Raises ValueError where there is no class of both, or
    records have one label there and several here.
    """
    halves = ["normalisation.", "backbone."]
    if (start.classes, start.multilabel) == (store.classes, store.multilabel):
        halves.append("head.")
    elif as_it_is:
        model.head.load_state_dict(_head_of_known_classes(start, store))
    for half in halves:
        weights = {name.removeprefix(half): value for name, value in start.weights.items() if name.startswith(half)}
        model.get_submodule(half[:-1]).load_state_dict(weights)


def _head_of_known_classes(start: Checkpoint, store: Store) -> dict[str, Tensor]:
    shared = [name for name in store.classes if name in start.classes]
    if not shared or start.multilabel != store.multilabel:
        raise Mistake(
            f"train: none needs classes that the start knows, of the same kind: it knows {', '.join(start.classes)} "
            f"({_kind(start.multilabel)}), the store has {', '.join(store.classes)} ({_kind(store.multilabel)}); "
            "use one label map for both"
        )
    theirs = [start.classes.index(name) for name in shared]
    ours = [store.classes.index(name) for name in shared]
    head = {name.removeprefix("head."): value for name, value in start.weights.items() if name.startswith("head.")}
    last = max(int(name.partition(".")[0]) for name in head)  # the layer that has a row a class
    weight, bias = f"{last}.weight", f"{last}.bias"
    answers = torch.zeros(len(store.classes), head[weight].shape[1])
    unknown = torch.full((len(store.classes),), math.log(RARELY / (1 - RARELY)))
    answers[ours], unknown[ours] = head[weight][theirs].cpu(), head[bias][theirs].cpu()
    return {**head, weight: answers, bias: unknown}


def _kind(multilabel: bool) -> str:
    return "several labels a record" if multilabel else "one label a record"


def _config_of(checkpoint: Checkpoint, settings: Hyperparameters) -> dict[str, Scalar]:
    """Return the checkpoint's hyperparameters; what there was not when it was written has its default."""
    return {**Hyperparameters.read({"model": settings.model}).config(), **checkpoint.config}


def read_resumed(newest: Path, fit: Fit, settings: Hyperparameters, store: Store) -> Checkpoint | None:
    """Read the fit's own checkpoint; where that is damaged, the newest of the older ones that is not. None: all are.

    Raises ValueError with every way in which it is another fit's.
    """
    for path in with_older(newest):
        try:
            return _read_own(path, fit, settings, store)
        except DamagedFile as error:
            log.warning("%s", error)
    return None


def _read_own(path: Path, fit: Fit, settings: Hyperparameters, store: Store) -> Checkpoint:
    resumed = read_checkpoint(path)
    was = _config_of(resumed, settings)
    pairs = {
        "seed": (resumed.seed, fit.seed),
        "fold": (resumed.fold, fit.fold),
        "final": (resumed.final, fit.final),
        "max_steps": (resumed.max_steps, fit.max_steps),
        "data": (resumed.data, store.content_hash),
        **{name: (was[name], now) for name, now in settings.config().items()},
    }
    mistakes = [
        f"{path}: a fit goes on from its own checkpoint: {name} must be {before}, got {now}; start it afresh"
        for name, (before, now) in pairs.items()
        if before != now
    ]
    if mistakes:
        raise Mistake("\n".join(mistakes))
    return resumed


def refuse_seen(
    path: Path, seen: NDArray[np.int64], records: Records | Withheld, indices: Indices, *, part: str
) -> None:
    """Raise ValueError naming the records among `indices` that the weights in `path` were trained on, if any.

    Records are compared by the content of their signals as they were before rounding to 16 bits: another name, or
    another store, hides no record. A copy at another rate, or with other filters, is not met: `data check` finds those.
    """
    met = indices[np.isin(records.fingerprints[indices], seen)]
    if len(met):
        names = ", ".join(records.ids[index] for index in met[:NAMED].tolist())
        more = f" and {len(met) - NAMED} more" if len(met) > NAMED else ""
        raise Mistake(
            f"{path}: its weights, or those it started from, were trained on {len(met)} {part} records: "
            f"{names}{more}; leave them out of that stage's store, or start from its fit of the same fold"
        )
