"""A task that needs no data and no torch: a parabola whose score rises with every step.

It drives the orchestrator's tests.

Each step it does is written down in `steps.log` of its folder, so that a test can count what was really run.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

import numpy as np

from orchestrator.errors import UserError
from orchestrator.task import Array, Doing, Fit, Metrics, Report, Scalar

START_BONUS = 0.1  # what other weights add to a score


@dataclass(frozen=True, kw_only=True)
class ToyParameter:
    default: Scalar
    kind: Literal["float", "integer", "choice", "boolean"]
    low: float | None = None
    high: float | None = None
    choices: tuple[Scalar, ...] = ()
    help: str = ""
    only_with: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)


class ToyTask:
    """Score of step s: 1 - (x - .3)^2 - |y| / 10 - 1/s, plus a little that depends on the fit's seed."""

    def __init__(self, *, step_s: float = 0.0, folds: int = 2, data: Path | None = None) -> None:
        if data is not None and not data.exists():
            raise ValueError(f"{data}: no such folder; make it with mkdir")
        self.step_s, self.folds = step_s, folds

    def parameters(self, listed: Mapping[str, Sequence[Scalar]] = MappingProxyType({})) -> Mapping[str, ToyParameter]:
        """Kinds of one's own, `own:NAME`, exist where they are listed; `turns` is of them and of `bent`."""
        own = [str(kind) for kind in listed.get("kind", []) if str(kind).startswith("own:")]
        if "own:lost" in own:
            raise ValueError("kind: own:lost: is not there; write it")
        return {
            "x": ToyParameter(default=0.0, kind="float", low=-2, high=2),
            "y": ToyParameter(default=0.0, kind="float", low=0, high=1),
            "layers": ToyParameter(default=1, kind="integer", low=1, high=8),
            "kind": ToyParameter(
                default="plain",
                kind="choice",
                choices=("plain", "bent", "raises", "diverges", "dies", "silent", "needs_start", *own),
            ),
            "turns": ToyParameter(default=2, kind="integer", low=1, high=4, only_with={"kind": ("bent", *own)}),
        }

    def describe(self) -> Mapping[str, Scalar]:
        return {"folds": self.folds, "data": "toy"}

    def fit(self, fit: Fit, report: Report) -> None:
        assert not str(fit.config["kind"]).startswith("own:") or 2 == fit.config["turns"]
        done = json.loads(fit.resume_from.read_text())["step"] if fit.resume_from else 0
        for step in range(done + 1, fit.max_steps + 1):
            time.sleep(self.step_s)
            if fit.config["kind"] == "raises":
                raise ValueError("this kind cannot be trained")
            if fit.config["kind"] == "needs_start" and fit.start_from is None:
                raise ValueError("this kind needs a start, got none")
            if fit.config["kind"] == "dies" and step == 2 and not (fit.directory / "died").exists():
                (fit.directory / "died").touch()
                os._exit(7)
            if fit.config["kind"] == "silent":
                return
            with (fit.directory / "steps.log").open("a") as log:
                log.write(f"{step} {os.getpid()}\n")
            checkpoint = fit.directory / f"checkpoint-{step}.json"
            checkpoint.write_text(json.dumps({"step": step, "score": self._score(fit, step), "x": fit.config["x"]}))
            if fit.final:
                report(step, {"loss": 1 / step}, checkpoint.name)
            else:
                unknown = {"unknown_history": 1.0} if fit.start_from and "unknown" in fit.start_from.name else {}
                report(step, {"score": self._score(fit, step), "loss": 1 / step, **unknown}, checkpoint.name)

    def _score(self, fit: Fit, step: int) -> float:
        if fit.config["kind"] == "diverges" and step == 2:
            return float("nan")
        x, y = float(fit.config["x"] or 0), float(fit.config["y"] or 0)
        noise = int.from_bytes(hashlib.sha256(f"{fit.seed}".encode()).digest()[:2], "big") / 65536
        start = START_BONUS if fit.start_from else 0.0
        return 1 + start - (x - 0.3) ** 2 - y / 10 - 1 / step + noise / 100

    def test(self, checkpoints: Sequence[Path], directory: Path, calibrate_from: Sequence[Path] = ()) -> Metrics:
        with (directory / "opened.log").open("a") as log:
            log.write("opened\n")
        (directory / "predictions.csv").write_text("record,probability\n")
        score = float(np.mean([json.loads(path.read_text())["score"] for path in checkpoints]))
        return {"score": score, "f1_Flutter, typical (2:1)": 0.5}  # a class may be called anything

    def export(
        self, checkpoints: Sequence[Path], directory: Path, calibrate_from: Sequence[Path] = ()
    ) -> Mapping[str, Scalar]:
        x = [json.loads(path.read_text())["x"] for path in checkpoints]
        (directory / "model.json").write_text(json.dumps({"x": x[0]}))
        np.save(directory / "input_example.npy", np.array([[0.5]], np.float32))
        return {"input_shape": "-1,1", "input_dtype": "float32", "output_shape": "-1,1", "output_dtype": "float32"}

    @staticmethod
    def load(directory: Path) -> Callable[[Array], Array]:
        x = json.loads((directory / "model.json").read_text())["x"]
        return lambda array: 1 - (array - x) ** 2


class AuditableToyTask(ToyTask):
    """The toy whose records can be divided again: on outer part i of n everything scores i / 100 more.

    data: a file that is written before anything runs.
    """

    def __init__(self, *, folds: int = 2, outer: str | None = None, data: Path | None = None) -> None:
        super().__init__(folds=folds)
        self.part = int(outer.partition("/")[0]) if outer else None
        self.data = data

    def missing(self) -> str | None:
        return None if self.data is None or self.data.exists() else f"{self.data} from nothing (not there)"

    def prepare(self, doing: Doing) -> None:
        if self.data is not None:
            self.data.touch()

    def describe(self) -> Mapping[str, Scalar]:
        return {**super().describe(), "data": f"toy without {self.part}", "test_over_train": 0.5}

    def baselines(self) -> Mapping[str, Mapping[str, Scalar]]:
        return {"far away": {"x": 2.0}}

    def test(self, checkpoints: Sequence[Path], directory: Path, calibrate_from: Sequence[Path] = ()) -> Metrics:
        if not checkpoints:
            return {"score": 0.0, "log_loss": 2.0}
        found = super().test(checkpoints, directory)
        return {"score": found["score"] + (self.part or 0) / 100, "log_loss": 1.0}


class PreparableToyTask(ToyTask):
    """The toy with data of its own, a file that it writes as its recipe says: `{folds: 2, content: text}`."""

    def __init__(self, *, data: Path | Mapping[str, Scalar], step_s: float = 0.0) -> None:
        super().__init__(step_s=step_s)
        self.recipe = {} if isinstance(data, Path) else dict(data)
        if self.recipe and not isinstance(self.recipe.get("folds"), int):
            raise ValueError(f"{self.recipe['file']}: folds: must be a whole number, got {self.recipe.get('folds')!r}")
        self.place = data if isinstance(data, Path) else Path(str(self.recipe["file"])).with_suffix(".data")

    def missing(self) -> str | None:
        there = self.place.exists() and self.recipe.get("content") in (None, self.place.read_text())
        return None if there else f"{self.place} from nothing (not there)"

    def prepare(self, doing: Doing) -> None:
        if self.recipe.get("content") == "impossible":
            raise ValueError(f"{self.recipe['file']}: content: cannot be made")
        doing(f"writing {self.place}")
        self.place.write_text(str(self.recipe["content"]))

    def describe(self) -> Mapping[str, Scalar]:
        known: dict[str, Scalar] = {"folds": self.recipe.get("folds", 1)}
        return known if self.missing() else {**known, "data": self.place.read_text()}


class ScepticalToyTask(ToyTask):
    """The toy that says that nothing was learnt where its score is below 0."""

    def learnt_nothing(self, scores: Metrics) -> str | None:
        return "the score is below 0" if scores["score"] < 0 else None


class ScoredToyTask(ToyTask):
    """The toy that knows the scores of its test, and a loss that it has not."""

    def reports(self) -> Sequence[str]:
        return ["score", "loss"]

    def best_of(self, score: str) -> Literal["max", "min"] | None:
        bests: dict[str, Literal["max", "min"]] = {"score": "max", "loss": "min"}
        return bests.get(score)


class SealedToyTask(ToyTask):
    """The toy that names the records of its test part: `records`, by commas. `data` is the hash of what lies beside."""

    # What a test has happen: while a final is trained, once; while its test part is opened, each time.
    while_final: ClassVar[list[Callable[[], None]]] = []
    while_tested: ClassVar[list[Callable[[], None]]] = []

    def __init__(self, *, records: str, place: Path, data: str = "toy") -> None:
        super().__init__()
        self.records, self.place, self.hash = records, place, data

    def describe(self) -> Mapping[str, Scalar]:
        return {**super().describe(), "data": self.hash}

    def sealed_records(self) -> Sequence[str]:
        if self.records == "gone":
            raise ValueError("the test part is not there; put it back")
        return self.records.split(",")

    def openings_file(self) -> Path:
        return self.place / "openings.jsonl"

    def fit(self, fit: Fit, report: Report) -> None:
        if fit.final and self.while_final:
            self.while_final.pop()()
        super().fit(fit, report)

    def test(self, checkpoints: Sequence[Path], directory: Path, calibrate_from: Sequence[Path] = ()) -> Metrics:
        for happens in self.while_tested:
            happens()
        return super().test(checkpoints, directory)


@dataclass(frozen=True, kw_only=True)
class ToyForeseen:
    data: str
    opens: bool


@dataclass(frozen=True, kw_only=True)
class ToyTested:
    metrics: Metrics
    own: Metrics
    said: Sequence[str]
    facts: Mapping[str, object]


class TransferableToyTask(ToyTask):
    """The toy whose data is a file of names, one a line, of sealed records; models of others are worse by their number.

    A label map that says `wrong` is a mistake of the user's, one that says `nothing` leaves no record to be tested.
    """

    while_tested: ClassVar[list[Callable[[], None]]] = []

    def __init__(self, *, data: Path) -> None:
        super().__init__()
        if not data.exists():
            raise ValueError(f"{data}: no such data; write it")
        self.data = data

    def describe(self) -> Mapping[str, Scalar]:
        return {**super().describe(), "data": self.data.name}

    def sealed_records(self) -> Sequence[str]:
        return self.data.read_text().split()

    def openings_file(self) -> Path:
        return self.data.parent / "openings.jsonl"

    def foresee(self, model: Path, part: str, labels: Path | None) -> ToyForeseen:
        assert (model / "model.json").exists()
        if labels is not None and "wrong" in labels.read_text():
            raise UserError(f"{labels}:1: wrong", f"{labels}:2: wrong, too")
        return ToyForeseen(data=self.data.name, opens=part != "open" and bool(self.sealed_records()))

    def test_model(self, model: Path, directory: Path, part: str, labels: Path | None, own: Path | None) -> ToyTested:
        for happens in self.while_tested:
            happens()
        if labels is not None and "nothing" in labels.read_text():
            raise UserError("no record is left")
        with (directory / "opened.log").open("a") as log:
            log.write("opened\n")
        (directory / "predictions.csv").write_text("record,probability\n")
        there = {"score": 0.5, "score_low": 0.25, "score_high": 0.75, "count": float(len(self.sealed_records()))}
        return ToyTested(metrics=there, own={"score": 0.875}, said=["said"], facts={"left_out": {"why": 3}})

    @staticmethod
    def compare_tests(one: Path, other: Path) -> Mapping[str, object]:
        scores = {"score": {"one": 0.5, "other": 0.75, "difference": 0.25, "low": 0.125, "high": 0.375}}
        return {"classes": ["a", "b"], "records": 8, "patients": 4, "scores": scores}
