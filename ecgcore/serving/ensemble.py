"""The model that is tested and served: the calibrated mean of its members' probabilities, in `model.pt`.

What `test` scores is what `load` answers with.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgcore.data.batches import EVALUATION_BATCH
from ecgcore.models.classifier import Classifier, build_classifier
from ecgcore.models.device import best_device
from ecgcore.models.registry import own_values
from ecgcore.scores.calibration import Calibration, probabilities
from ecgcore.training.checkpoints import Checkpoint, read_checkpoint, read_tensors, write_tensors

FILE = "model.pt"
QUESTION = ("classes", "leads", "rate", "multilabel", "processing")  # what members must agree on
Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Member:
    """One trained model."""

    model: Classifier  # in eval mode
    temperature: float = 1.0  # its own, that its logits are divided by: of models of earlier versions


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """Members that answer together."""

    members: tuple[Member, ...]
    classes: tuple[str, ...]
    leads: tuple[str, ...]
    rate: float  # Hz
    multilabel: bool
    calibration: Calibration  # of the members' mean
    processing: Mapping[str, Any] = field(
        default_factory=dict
    )  # of the signals that it learnt from; whoever asks it must process alike

    def answer(self, by_member: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the members say together, calibrated: (members, batch, classes) to (batch, classes)."""
        return self.calibration(by_member.mean(axis=0), multilabel=self.multilabel)

    def _is_of_calibrated(self) -> bool:
        return any(member.temperature != 1.0 for member in self.members)

    def by_member(self, signals: Tensor, lengths: Tensor) -> NDArray[np.float64]:
        """Probabilities (members, batch, classes) of (batch, leads, samples) in mV."""
        answers = []
        for member in self.members:
            with torch.no_grad():
                logits = member.model(signals.to(next(member.model.parameters()).device), lengths).cpu().numpy()
            answers.append(probabilities(logits, temperature=member.temperature, multilabel=self.multilabel))
        return np.stack(answers)

    def signature(self) -> dict[str, bool | int | float | str | None]:
        """Return what goes in and comes out, for whoever serves the model."""
        return {
            "input_shape": f"-1,{len(self.leads)},-1",
            "input_dtype": "float32",
            "output_shape": f"-1,{len(self.classes)}",
            "output_dtype": "float32",
            "classes": ",".join(self.classes),
            "leads": ",".join(self.leads),
            "rate": self.rate,
            "unit": "1" if "normalise" in self.processing else "mV",
            "processing": json.dumps(dict(self.processing), sort_keys=True) if self.processing else "",
            "calibration": "each member's own temperature" if self._is_of_calibrated() else self.calibration.in_words(),
            "thresholds": ",".join(f"{value:.6g}" for value in self.calibration.thresholds),
            "decision": "probability >= threshold" if self.multilabel else "largest probability / threshold",
        }


def ensemble_of(paths: Sequence[Path], calibration: Calibration | None = None) -> tuple[Ensemble, list[Checkpoint]]:
    """Read checkpoints as one ensemble, and calibrate its mean; ValueError if they answer different questions.

    calibration: None leaves the mean as it is, and to checkpoints of earlier versions what they have of their own.
    """
    content, checkpoints = _content(paths, calibration)
    return _built(content), checkpoints


def export(
    paths: Sequence[Path], directory: Path, calibration: Calibration | None = None
) -> dict[str, bool | int | float | str | None]:
    """Write the checkpoints' ensemble to `directory`/model.pt; return its signature."""
    content, _ = _content(paths, calibration)
    write_tensors(directory / FILE, content)
    return _built(content).signature()


def load(directory: Path) -> Callable[[Array], Array]:
    """Return the exported model: (batch, leads, samples) in mV to probabilities (batch, classes), float32.

    Raises ValueError if the file is missing or damaged; the function does so for signals of another shape or
    with gaps (NaN).
    """
    content = read_tensors(directory / FILE)
    try:
        ensemble = _built(content)
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{directory / FILE}: not an exported model ({error}); export it again") from None
    except ValueError as error:  # a network of the user's that is not installed here
        raise ValueError(f"{directory / FILE}: {error}") from None

    def predict(signals: Array) -> Array:
        _check(signals, ensemble)
        parts = np.array_split(np.asarray(signals, np.float32), -(-len(signals) // EVALUATION_BATCH) or 1)
        return np.concatenate([_mean(ensemble, part) for part in parts])

    return predict


def _mean(ensemble: Ensemble, signals: NDArray[np.float32]) -> NDArray[np.float32]:
    if not len(signals):
        return np.zeros((0, len(ensemble.classes)), np.float32)
    lengths = torch.full((len(signals),), signals.shape[2], dtype=torch.int64)
    # a copy: torch refuses to promise that it leaves a read-only array alone
    return np.asarray(ensemble.answer(ensemble.by_member(torch.tensor(signals), lengths)), np.float32)


def _check(signals: Array, ensemble: Ensemble) -> None:
    expected = f"(batch, {len(ensemble.leads)} leads: {' '.join(ensemble.leads)}, samples)"
    if signals.ndim != 3 or signals.shape[1] != len(ensemble.leads):
        raise ValueError(f"signals must have shape {expected}, in mV at {ensemble.rate:g} Hz, got {signals.shape}")
    if not np.isfinite(signals).all():
        raise ValueError("signals must be finite numbers in mV, got NaN or infinity; cut or fill the gaps")


def _question(checkpoint: Checkpoint) -> dict[str, Any]:
    return {name: getattr(checkpoint, name) for name in QUESTION}


def _content(paths: Sequence[Path], calibration: Calibration | None) -> tuple[dict[str, Any], list[Checkpoint]]:
    """Return the content of model.pt, as plain data, and the checkpoints that it was made from."""
    if not paths:
        raise ValueError("an ensemble needs at least one checkpoint, got none; retrain the winner first")
    checkpoints = [read_checkpoint(path) for path in paths]
    first = checkpoints[0]
    for path, checkpoint in zip(paths, checkpoints, strict=True):
        if _question(checkpoint) != _question(first):
            raise ValueError(
                f"{path}: must have classes, leads, rate and processing of {paths[0]}; average only one winner's finals"
            )
    members = [{"config": dict(checkpoint.config), "weights": dict(checkpoint.weights)} for checkpoint in checkpoints]
    if calibration is None:  # what checkpoints of earlier versions say for themselves
        own = [checkpoint.calibration or Calibration.none(len(first.classes)) for checkpoint in checkpoints]
        members = [{**member, **vars(one)} for member, one in zip(members, own, strict=True)]
    whole = {} if calibration is None else {"calibration": vars(calibration)}
    return {"members": members, **whole, **_question(first)}, checkpoints


def _built(content: dict[str, Any]) -> Ensemble:
    sizes = {"leads": len(content["leads"]), "classes": len(content["classes"])}
    members = []
    for member in content["members"]:
        config = member["config"]
        name = config["model"]
        own = own_values(name, config)
        model = build_classifier(name, normalise=config.get("normalise", "none"), own=own, **sizes)
        model.load_state_dict(member["weights"])
        members.append(Member(model=model.eval().to(best_device()), temperature=member.get("temperature", 1.0)))
    question = {"processing": {}} | {name: content[name] for name in QUESTION if name in content}
    return Ensemble(members=tuple(members), calibration=_calibration(content), **question)


def _calibration(content: dict[str, Any]) -> Calibration:
    """Return the calibration of the mean; in a file of members that have their own, the mean of their thresholds."""
    if "calibration" in content:
        return Calibration(**content["calibration"])
    thresholds = np.mean([member["thresholds"] for member in content["members"]], axis=0)
    return Calibration(thresholds=tuple(thresholds.tolist()))
