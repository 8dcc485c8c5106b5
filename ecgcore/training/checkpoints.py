"""Checkpoints: all that it takes to go on with a fit, start another from it, or serve it, as plain data.


Read with torch's weights_only, so that a file from elsewhere cannot run code.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgcore.fit import Scalar
from ecgcore.mistakes import Mistake
from ecgcore.scores.calibration import Calibration
from ecgcore.whole_files import replacing

VERSION = 1


class DamagedFile(Mistake):
    """A file that is not what was written."""


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What the model says of records that it was not trained on."""

    ids: tuple[str, ...]  # record names
    logits: NDArray[np.float32]  # (records, classes)
    labels: NDArray[np.float32]  # (records, classes)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A fit at the end of an epoch."""

    step: int  # epochs done
    max_steps: int
    seed: int
    fold: int
    final: bool
    config: Mapping[str, Scalar]  # every hyperparameter
    data: str  # content hash of the store
    classes: tuple[str, ...]
    leads: tuple[str, ...]
    rate: float  # Hz
    multilabel: bool
    weights: Mapping[str, Tensor]  # those that are scored: the moving average where there is one
    optimiser: Mapping[str, Any]
    schedule: Mapping[str, Any]
    random: Mapping[str, Tensor]  # states of torch's generators, by device
    fingerprints: NDArray[np.int64]  # sorted: every record that these weights were ever trained on, in any stage
    predictions: Predictions | None  # of this fold's validation records; None in a final
    learning: Mapping[str, Tensor] = field(default_factory=dict)  # the weights that learn, where an average is scored
    averaged: int = 0  # updates of that average
    best_score: float | None = None  # of what `stop_on` names, at best_step; None without patience
    best_step: int = 0
    unknown_history: bool = False  # whether they started from weights of which nobody knows what they had seen
    processing: Mapping[str, Any] = field(default_factory=dict)  # of the store's signals, see signals/processing.py
    calibration: Calibration | None = None  # of this fit alone, by earlier versions; now the mean is calibrated


def file_name(step: int) -> str:
    """Return the name of epoch `step`'s checkpoint."""
    return f"checkpoint-{step:06d}.pt"


def with_older(path: Path) -> list[Path]:
    """Return this checkpoint of a fit and the older ones beside it, the newest first."""
    return [path, *sorted((one for one in path.parent.glob("checkpoint-*.pt") if one.name < path.name), reverse=True)]


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write `path` whole or not at all."""
    content = {item.name: getattr(checkpoint, item.name) for item in fields(checkpoint)}
    held = checkpoint.predictions
    content["config"] = dict(checkpoint.config)
    content["processing"] = dict(checkpoint.processing)
    content["fingerprints"] = torch.from_numpy(checkpoint.fingerprints)
    content["predictions"] = held and {
        "ids": held.ids,
        "logits": torch.from_numpy(held.logits),
        "labels": torch.from_numpy(held.labels),
    }
    content["calibration"] = checkpoint.calibration and vars(checkpoint.calibration)
    write_tensors(path, content)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint onto the CPU; ValueError for a file missing, damaged (DamagedFile) or something else."""
    return checkpoint_of(path, read_tensors(path))


def checkpoint_of(path: Path, content: dict[str, Any]) -> Checkpoint:
    """Turn the content of a checkpoint's file into one; ValueError for something else."""
    held, calibration = content.pop("predictions", None), content.pop("calibration", None)
    try:
        return Checkpoint(
            **{
                **content,
                "fingerprints": content["fingerprints"].numpy(),
                "predictions": held
                and Predictions(ids=held["ids"], logits=held["logits"].numpy(), labels=held["labels"].numpy()),
                "calibration": calibration and Calibration(**calibration),
            }
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise Mistake(f"{path}: not a checkpoint of a fit ({error}); name one that a fit wrote") from None


def write_tensors(path: Path, content: Mapping[str, Any]) -> None:
    """Write tensors and plain data with a checksum a part, whole or not at all."""
    buffer = io.BytesIO()  # torch reports a full disk as an internal error of its writer; a plain file says what it is
    torch.save({"version": VERSION, **content}, buffer)
    with replacing(path) as beside:
        beside.write_bytes(buffer.getbuffer())


def read_tensors(path: Path) -> dict[str, Any]:
    """Read what `write_tensors` wrote; ValueError for a file missing, damaged (DamagedFile) or of another version."""
    if not path.is_file():
        raise Mistake(f"{path}: no such file; it was moved or deleted, run the fit that wrote it again")
    try:
        # torch itself does not compare the checksums in its file: a flipped bit would be read as a weight
        with zipfile.ZipFile(path) as parts:
            damaged = parts.testzip()
        content = None if damaged else torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes zipfile and torch raise nearly anything
        raise DamagedFile(
            _damaged(path, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        ) from None
    if not isinstance(content, dict):
        raise DamagedFile(_damaged(path, f"checksum of {damaged}" if damaged else "no dictionary"))
    version = content.pop("version", None)
    if version != VERSION:
        raise Mistake(f"{path}: must have format version {VERSION}, got {version}; run the fit that wrote it again")
    return content


def _damaged(path: Path, reason: str) -> str:
    return f"{path}: damaged ({reason}); delete it and run again what wrote it: it goes on from an earlier one"


def random_state() -> dict[str, Tensor]:
    """Return the states of torch's global generators."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def restore_random_state(states: Mapping[str, Tensor]) -> None:
    """Put torch's global generators where `random_state` found them."""
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
