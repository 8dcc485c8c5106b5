"""The model that is tested and served: the calibrated mean of its members' probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgcore.data.inputs import CHARTS
from ecgcore.drawing.charts import ChartForm
from ecgcore.mistakes import Mistake
from ecgcore.models.classifier import Classifier, build_classifier
from ecgcore.models.device import best_device
from ecgcore.models.network import Takes
from ecgcore.models.registry import network_of, own_values
from ecgcore.scores.calibration import Calibration, probabilities
from ecgcore.training.checkpoints import Checkpoint, read_checkpoint

QUESTION = ("classes", "leads", "rate", "multilabel", "processing")  # what members must agree on


@dataclass(frozen=True, kw_only=True)
class Member:
    """One trained model."""

    model: Classifier  # in eval mode
    takes: Takes = "signals"
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

    @property
    def charts(self) -> ChartForm | None:
        """Return the charts that those members are given that take charts; None: no member does."""
        return ChartForm.of(self.processing[CHARTS]) if CHARTS in self.processing else None

    def answer(self, by_member: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the members say together, calibrated: (members, batch, classes) to (batch, classes)."""
        return self.calibration(by_member.mean(axis=0), multilabel=self.multilabel)

    def calibrated(self) -> str:
        """Return what is done to the probabilities, for people."""
        own = any(member.temperature != 1.0 for member in self.members)
        return "each member's own temperature" if own else self.calibration.in_words()

    def by_member(self, signals: Tensor, lengths: Tensor, charts: Tensor | None = None) -> NDArray[np.float64]:
        """Probabilities (members, batch, classes) of (batch, leads, samples) in mV.

        charts: (batch, views * 3 * pixels, pixels), for those members that take them.
        """
        answers = []
        for member in self.members:
            given = (signals, lengths)
            if member.takes == "charts":
                assert charts is not None
                given = (charts, torch.full_like(lengths, charts.shape[2]))
            with torch.no_grad():
                logits = member.model(given[0].to(next(member.model.parameters()).device), given[1]).cpu().numpy()
            answers.append(probabilities(logits, temperature=member.temperature, multilabel=self.multilabel))
        return np.stack(answers)


def ensemble_of(paths: Sequence[Path], calibration: Calibration | None = None) -> tuple[Ensemble, list[Checkpoint]]:
    """Read checkpoints as one ensemble, and calibrate its mean; ValueError if they answer different questions.

    calibration: None leaves the mean as it is, and to checkpoints of earlier versions what they have of their own.
    """
    content, checkpoints = content_of(paths, calibration)
    return built(content), checkpoints


def _questions(checkpoints: Sequence[Checkpoint]) -> list[dict[str, Any]]:
    """Return what each answers; one that takes signals has nothing against the charts that others are given."""
    charts = next(({CHARTS: one.processing[CHARTS]} for one in checkpoints if CHARTS in one.processing), {})
    return [
        {**{name: getattr(one, name) for name in QUESTION}, "processing": {**charts, **one.processing}}
        for one in checkpoints
    ]


def content_of(paths: Sequence[Path], calibration: Calibration | None) -> tuple[dict[str, Any], list[Checkpoint]]:
    """Return an ensemble as plain data, and the checkpoints that it was made from.

    Raises ValueError if there is none, or if they answer different questions.
    """
    if not paths:
        raise Mistake("an ensemble needs at least one checkpoint, got none; retrain the winner first")
    checkpoints = [read_checkpoint(path) for path in paths]
    questions = _questions(checkpoints)
    first = questions[0]
    for path, question in zip(paths, questions, strict=True):
        if question != first:
            raise Mistake(
                f"{path}: must have classes, leads, rate and processing of {paths[0]}; average only one winner's finals"
            )
    members = [{"config": dict(checkpoint.config), "weights": dict(checkpoint.weights)} for checkpoint in checkpoints]
    if calibration is None:  # what checkpoints of earlier versions say for themselves
        own = [checkpoint.calibration or Calibration.none(len(first["classes"])) for checkpoint in checkpoints]
        members = [{**member, **vars(one)} for member, one in zip(members, own, strict=True)]
    whole = {} if calibration is None else {"calibration": vars(calibration)}
    return {"members": members, **whole, **first, **_history(checkpoints)}, checkpoints


def _history(checkpoints: Sequence[Checkpoint]) -> dict[str, Any]:
    """Return what whoever starts from the model must know: every record that any of its members saw."""
    seen = np.unique(np.concatenate([checkpoint.fingerprints for checkpoint in checkpoints]))
    unknown = any(checkpoint.unknown_history for checkpoint in checkpoints)
    return {"fingerprints": torch.from_numpy(seen), "unknown_history": unknown}


def built(content: Mapping[str, Any]) -> Ensemble:
    """Return the ensemble that `content_of` made plain data of."""
    sizes = {"leads": len(content["leads"]), "classes": len(content["classes"])}
    members = []
    for member in content["members"]:
        config = member["config"]
        name = config["model"]
        own = own_values(name, config)
        model = build_classifier(
            name,
            normalise=config.get("normalise", "none"),
            single_lead=config.get("single_lead", False),
            own=own,
            **sizes,
        )
        model.load_state_dict(member["weights"])
        takes, temperature = network_of(name).takes, member.get("temperature", 1.0)
        members.append(Member(model=model.eval().to(best_device()), takes=takes, temperature=temperature))
    question = {"processing": {}} | {name: content[name] for name in QUESTION if name in content}
    return Ensemble(members=tuple(members), calibration=_calibration(content), **question)


def _calibration(content: Mapping[str, Any]) -> Calibration:
    """Return the calibration of the mean; in a file of members that have their own, the mean of their thresholds."""
    if "calibration" in content:
        return Calibration(**content["calibration"])
    thresholds = np.mean([member["thresholds"] for member in content["members"]], axis=0)
    return Calibration(thresholds=tuple(thresholds.tolist()))
