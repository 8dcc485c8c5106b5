"""What a test leaves in its folder for who looks at it later, written and read: answers, and whose records these were.

predictions.csv (serving/prediction.py writes it), question.json, about.csv of the tested records, and errors.npz: the
signals of the most confident wrong answers, since the part that they come from is not opened again. Of a test of an
earlier version there is predictions.csv alone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.about_file import ABOUT, read_about, write_about
from ecgcore.data.manifest import Content
from ecgcore.data.store import Records
from ecgcore.drawing.ecg_paper import SECONDS, Example
from ecgcore.mistakes import Mistake
from ecgcore.readers.source import BY_PATIENT
from ecgcore.reporting.wrong_answers import WRONG_DRAWN, wrong_answers
from ecgcore.scores.metrics import decide, macro_auc, macro_f1
from ecgcore.scores.predicted import Predicted
from ecgcore.scores.test_report import Question
from ecgcore.whole_files import replacing

PREDICTIONS, QUESTION, ERRORS = "predictions.csv", "question.json", "errors.npz"
ROUNDED = 1e-4  # by how much six written digits of some thirty probabilities may miss a sum of 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Tested:
    """A test as its files tell it."""

    records: tuple[str, ...]  # names, n
    patients: tuple[str, ...]  # n
    classes: tuple[str, ...]
    labels: NDArray[np.float32]  # (n, classes) 0/1
    scores: NDArray[np.float64]  # (n, classes) probabilities
    called: NDArray[np.bool_]  # (n, classes)
    multilabel: bool
    divided_by: str = BY_PATIENT
    thresholds: Mapping[str, float] = field(default_factory=dict)  # of several labels, by class; empty: unknown
    by_seed: Mapping[str, Sequence[float]] = field(default_factory=dict)  # macro_auc and macro_f1 of each member
    about: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by record, see readers/about.py
    signals: Mapping[str, Example] = field(default_factory=dict)  # of wrong answers, by record


def write_beside_predictions(
    directory: Path,
    asked: Question,
    by_member: NDArray[np.float64],
    records: Records,
    *,
    content: Content,
    about: Mapping[str, Mapping[str, str]],
) -> None:
    """Write question.json, about.csv and errors.npz of the tested `records`, each whole.

    by_member: (members, records, classes) probabilities before calibration; content: of the records' store; about: by
    record, as far as it is known.
    """
    calibration, multilabel = asked.calibration, asked.multilabel
    scores = calibration(by_member.mean(axis=0), multilabel=multilabel)
    called = decide(scores, multilabel=multilabel, thresholds=calibration.thresholds)
    question = {
        "format": 1,
        "classes": asked.classes,
        "multilabel": multilabel,
        "divided_by": content.divided_by,
        "thresholds": dict(zip(asked.classes, calibration.thresholds, strict=True)),
        "temperature": calibration.temperature,
        "by_seed": {
            "macro_auc": [macro_auc(member, records.labels) for member in by_member],
            "macro_f1": [macro_f1(decide(member, multilabel=multilabel), records.labels) for member in by_member],
        },
        "leads": content.leads,
        "rate": content.rate,
        "units": content.units,
    }
    with replacing(directory / QUESTION) as beside:
        _private(beside).write_text(json.dumps(question, indent=2) + "\n", encoding="utf-8")
    write_about(directory, {name: about.get(name, {}) for name in records.ids})
    if (directory / ABOUT).is_file():
        (directory / ABOUT).chmod(0o600)
    worst = wrong_answers(scores, called, records.labels, records.patients, multilabel=multilabel)[:WRONG_DRAWN]
    drawn = round(SECONDS * content.rate)
    largest = np.finfo(np.float16).max  # raw units may be larger
    first = [np.clip(records.signal(wrong.index)[:, :drawn], -largest, largest) for wrong in worst]
    signals = [signal.astype(np.float16) for signal in first]
    with replacing(directory / ERRORS) as beside, _private(beside).open("wb") as file:
        names = np.array([records.ids[wrong.index] for wrong in worst], np.str_)
        np.savez_compressed(file, allow_pickle=False, records=names, **_numbered(signals))


def read_tested(directory: Path) -> Tested | None:
    """Return what a test left in a folder; None where it left no predictions. Raises ValueError for a damaged file."""
    if not (directory / PREDICTIONS).is_file():
        return None
    try:
        question = _question(directory)
        answers = Predicted.read(directory / PREDICTIONS)
        return Tested(
            records=answers.ids,
            patients=answers.patients,
            classes=answers.classes,
            labels=answers.labels,
            scores=answers.scores,
            called=answers.called,
            multilabel=bool(question["multilabel"]) if question else not _excludes(answers),
            divided_by=question.get("divided_by", BY_PATIENT),
            thresholds=question.get("thresholds", {}),
            by_seed=question.get("by_seed", {}),
            about=read_about(directory),
            signals=_signals(directory / ERRORS, question, answers.ids) if question else {},
        )
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise Mistake(f"{directory}: what the test left there is damaged ({error}); restore it from a copy") from error


def _question(directory: Path) -> dict[str, Any]:
    path = directory / QUESTION
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _excludes(answers: Predicted) -> bool:
    """Tell by the answers of an earlier version whether the classes exclude each other."""
    one_each = all((each.sum(axis=1) == 1).all() for each in (answers.labels, answers.called))
    return one_each and bool((np.abs(answers.scores.sum(axis=1) - 1) < ROUNDED).all())


def _signals(path: Path, question: Mapping[str, Any], records: Sequence[str]) -> dict[str, Example]:
    if not path.is_file():
        return {}
    form: dict[str, Any] = {
        "rate": float(question["rate"]),
        "leads": tuple(question["leads"]),
        "unit": str(question["units"]),
    }
    with np.load(path) as arrays:
        names = [str(name) for name in arrays["records"]]
        signals = [arrays[f"signal_{number}"].astype(np.float32) for number in range(len(names))]
    return {
        name: Example(name=name, labels=(), signal=signal, **form)
        for name, signal in zip(names, signals, strict=True)
        if name in records
    }


def _numbered(signals: Sequence[NDArray[np.float16]]) -> dict[str, Any]:
    return {f"signal_{number}": signal for number, signal in enumerate(signals)}


def _private(path: Path) -> Path:
    """Make a file that its owner alone may read: run folders are private, wherever they are copied to."""
    path.touch(mode=0o600)
    return path
