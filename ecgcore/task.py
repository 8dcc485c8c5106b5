"""ECG classification as a task that can be searched: the one class that a search names.

Knows nothing of searches. `test` is the only door to the sealed part; `sealed_records` says who is behind it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.about_file import read_about
from ecgcore.data.manifest import read_manifest
from ecgcore.data.outer_parts import OuterPart, without_outer
from ecgcore.data.store import Records, Store, open_store
from ecgcore.data.store_facts import facts_of
from ecgcore.fit import Doing, Fit, Metrics, Report, Scalar
from ecgcore.mistakes import Mistake
from ecgcore.parameters import Parameter
from ecgcore.scores.challenge_score import ChallengeScore
from ecgcore.scores.names import BOUNDED, best_of, reported
from ecgcore.training.hyperparameters import known_parameters

if TYPE_CHECKING:
    from ecgcore.data.recipe_file import RecipeFile
    from ecgcore.reporting.section import Section
    from ecgcore.scores.calibration import Calibration
    from ecgcore.serving.elsewhere import Foreseen, TestedElsewhere
    from ecgcore.serving.ensemble import Ensemble
    from ecgcore.training.feature_store import FeatureCache

# torch, scipy and scikit-learn are imported inside the methods that train and test: whoever only reads a search space
# and asks for `parameters` and `describe` need not wait for them.

Array = NDArray[Any]


class ArrhythmiaTask:
    """Classify the recordings of one prepared store. Constructed once a worker process."""

    def __init__(
        self, *, data: Path | Mapping[str, Any], rewards: Path | None = None, outer: str | None = None
    ) -> None:
        """Take the place of a prepared store, which is opened when it is first needed, or the recipe of one.

        data: the store's folder; or the content of a recipe's YAML file, and where that lies under `file`.
        rewards: the challenge's matrix of rewards, with which every step and the test have a challenge_score.
        outer: `i/n`: part i of n of the open records is the test part in the sealed one's place, see outer_parts.py.
        Raises ValueError for an outer part or a recipe that cannot be.
        """
        self._outer = None if outer is None else OuterPart.read(outer)
        self._recipe: RecipeFile | None = None
        if isinstance(data, Path):
            self._data = data
        else:
            from ecgcore.data.recipe_file import recipe_from

            self._recipe = recipe_from(data)
            self._data = self._recipe.store
        self._rewards = rewards

    @cached_property
    def _divided(self) -> tuple[Store, Records | None]:
        """The opened store, without its outer part; and that part, if one is asked for."""
        store = open_store(self._data)
        return (store, None) if self._outer is None else without_outer(store, self._outer)

    @property
    def _store(self) -> Store:
        """What a fit may see. Raises ValueError if the store is missing, incomplete or damaged."""
        return self._divided[0]

    @cached_property
    def _challenge(self) -> ChallengeScore | None:
        return None if self._rewards is None else ChallengeScore.read(self._rewards, self._store.classes)

    @cached_property
    def _features(self) -> "FeatureCache":
        from ecgcore.training.feature_store import FeatureCache

        return FeatureCache()

    def parameters(self, listed: Mapping[str, Sequence[Scalar]] = MappingProxyType({})) -> Mapping[str, Parameter]:
        """Return every hyperparameter that a config may name; `listed` may name networks of one's own, as `model`."""
        return known_parameters(listed)

    def missing(self) -> str | None:
        """Return what has to be prepared first; None: nothing. Raises ValueError if its recordings are nowhere."""
        if self._recipe is None:
            return None
        from ecgcore.data.recipe_store import missing

        return missing(self._recipe)

    def prepare(self, doing: Doing) -> None:
        """Prepare the store that the recipe says. Raises ValueError for what is wrong with its recordings."""
        from ecgcore.data.recipe_store import prepare_store

        if self._recipe is not None:
            prepare_store(self._recipe, doing)

    def describe(self) -> dict[str, Scalar]:
        """Return facts for the record; before the store is prepared, what of them its recipe says.

        Raises ValueError if the store or the rewards cannot be used.
        """
        if self._recipe is not None and self.missing() is not None:
            return {} if self._recipe.folds is None else {"folds": self._recipe.folds}
        store, _rewards = self._store, self._challenge
        outer = {} if self._outer is None else {"outer": str(self._outer)}
        return {**outer, **facts_of(store)}

    def reports(self) -> tuple[str, ...]:
        """Return the names of the metrics that every step reports; the store need not be there."""
        return reported(challenge=self._rewards is not None)

    def metric_bounds(self, metric: str) -> tuple[float, float] | None:
        """Return 0 and 1 for the scores that are shares, areas or distances of probabilities; None for others."""
        per_class = metric.startswith(("auc_", "pr_auc_", "precision_", "recall_", "f1_"))
        return (0.0, 1.0) if metric in BOUNDED or per_class else None

    def best_of(self, score: str) -> Literal["max", "min"] | None:
        """Return which value of a score of `test` is best; None: there is no such score, or it has no best value."""
        try:
            classes = None if self.missing() is not None else self._store.classes
        except ValueError:  # told where the store is needed
            classes = None
        return best_of(score, classes=classes, challenge=self._rewards is not None)

    def learnt_nothing(self, scores: Metrics) -> str | None:
        """Return by what a test shows that the model knows nothing of the signals; None: by nothing."""
        area = scores.get("macro_auc", 1.0)
        if scores.get("collapsed"):
            return "every record of the test part gets the same answer (collapsed)"
        return None if area > 0.5 else f"macro_auc is {area:.3f}, and chance is .5"

    def baselines(self) -> Mapping[str, Mapping[str, Scalar]]:
        """Return configurations, by name, that a search should beat: what they name, on top of the defaults."""
        return {"random frozen encoder": {"train": "random_backbone"}}

    def fit(self, fit: Fit, report: Report) -> None:
        """Train one configuration on one fold, reporting every epoch: see training/one_fit.py."""
        from ecgcore.training.one_fit import train

        train(fit, report, self._store, self._features, challenge=self._challenge)

    def test(self, checkpoints: Sequence[Path], directory: Path, calibrate_from: Sequence[Path] = ()) -> Metrics:
        """Open the sealed part, score the checkpoints' mean probabilities, write `directory`/predictions.csv.

        Beside it lies what `illustrate` needs, see reporting/tested_files.py: the test part is not opened for that.
        Of a task with an outer part, that is scored and the sealed part is not touched. No checkpoints: the score of
        the classes' frequencies. calibrate_from: fits on whose held-out predictions the mean may be calibrated, see
        training/out_of_fold.py. Raises ValueError if a checkpoint does not fit the store, or its weights were trained
        on a record of the test part.
        """
        from ecgcore.reporting.tested_files import write_beside_predictions
        from ecgcore.scores.class_prior import ClassPrior
        from ecgcore.scores.metrics import decide
        from ecgcore.scores.test_report import Question, score
        from ecgcore.serving.prediction import predict_records, write_predictions

        store = self._store
        asked: Question
        if checkpoints:
            asked, seen = self._ensemble(checkpoints, calibrate_from)
            records = self._test_part(seen)
            by_member = predict_records(asked, records)
        else:
            asked = ClassPrior.of(store.records.labels, classes=store.classes, multilabel=store.multilabel)
            records = self._test_part({})
            by_member = asked.by_member(len(records))
        answers = asked.calibration(by_member.mean(axis=0), multilabel=asked.multilabel)
        called = decide(answers, multilabel=asked.multilabel, thresholds=asked.calibration.thresholds)
        write_predictions(directory / "predictions.csv", answers, called, records, store.classes)
        content, about = read_manifest(store.directory).content, self._about_tested()
        write_beside_predictions(directory, asked, by_member, records, content=content, about=about)
        return score(asked, by_member, records, challenge=self._challenge)

    def _ensemble(self, paths: Sequence[Path], judged: Sequence[Path]) -> "tuple[Ensemble, dict[Path, Array]]":
        """Return the model that is tested, and by checkpoint the fingerprints of all records that it ever saw.

        Raises ValueError if it answers another question than the store asks.
        """
        from ecgcore.data.inputs import store_for
        from ecgcore.serving.ensemble import ensemble_of
        from ecgcore.signals.processing import changes_of

        ensemble, read = ensemble_of(paths, self._calibration(judged, averaged=len(paths)))
        store = store_for(self._store, "charts" if ensemble.charts else "signals", network=str(paths[0]))
        own = (store.classes, store.leads, store.rate, changes_of(store.processing))
        if (ensemble.classes, ensemble.leads, ensemble.rate, dict(ensemble.processing)) != own:
            raise Mistake(
                f"{paths[0]}: must have the classes, leads, rate and processing of "
                f"{store.directory}; test it on its own store"
            )
        return ensemble, {path: checkpoint.fingerprints for path, checkpoint in zip(paths, read, strict=True)}

    def _test_part(self, seen: Mapping[Path, Array]) -> Records:
        """Return the outer part, or open the sealed one. Raises ValueError if a checkpoint saw a record of it."""
        from ecgcore.data.sealed import open_sealed
        from ecgcore.training.start_weights import refuse_seen

        store, outer = self._divided
        records, part = (open_sealed(store.directory), "sealed") if outer is None else (outer, "outer")
        for path, fingerprints in seen.items():
            refuse_seen(path, fingerprints, records, np.arange(len(records)), part=part)
        return records

    def _about_tested(self) -> Mapping[str, Mapping[str, str]]:
        """Return what is known of whose records `test` scores, by name; of others, too, where it is an outer part."""
        from ecgcore.data.sealed import about_of_sealed

        return about_of_sealed(self._data) if self._outer is None else read_about(self._data)

    def illustrate(self, tested: Path | None, figures: Path) -> "Sequence[Section]":
        """Return what a report shows of the data and of the test in the folder `tested`, drawn into `figures`.

        Needs neither the store, of which nothing is said then, nor torch; the test part stays closed. Raises ValueError
        for files of the test that are damaged.
        """
        from ecgcore.reporting.illustration import illustrate

        return illustrate(self._data, tested, figures, outer=self._outer)

    def sealed_records(self) -> list[str]:
        """Return by which names the records that `test` opens are known again, in other stores, too.

        Nothing sealed is opened by a task with an outer part. Raises ValueError if the test part cannot be opened.
        """
        from ecgcore.data.sealed import names_of_sealed

        return [] if self._outer is not None else names_of_sealed(self._data)

    def openings_file(self) -> Path:
        """Return where openings of the sealed part are written down: beside the store, which may be written anew."""
        return self._data.parent / "openings.jsonl"

    def export(
        self, checkpoints: Sequence[Path], directory: Path, calibrate_from: Sequence[Path] = ()
    ) -> Mapping[str, Scalar]:
        """Write the averaged model, calibrated as `test` does it, to `directory`/model.pt; return its signature.

        An open record lies beside it as an example of what the model takes.
        """
        from ecgcore.serving.exported import export, write_example

        lengths = self._store.records.lengths / self._store.rate
        seconds = (float(lengths.min()), float(lengths.max()))
        calibration = self._calibration(calibrate_from, averaged=len(checkpoints))
        signature = export(checkpoints, directory, calibration, seconds=seconds)
        write_example(self._store.records, directory)
        return signature

    def foresee(self, model: Path, part: str, labels: Path | None) -> "Foreseen":
        """Say what a test of an exported model on this store would be; opens nothing sealed.

        model: the folder that `export` wrote; part: all, sealed or open records; labels: a CSV (theirs,ours) of which
        class here is which of the model's. Raises ValueError with all that keeps them apart, such as missing leads.
        """
        from ecgcore.serving.elsewhere import Elsewhere

        return Elsewhere.of(model, self._store, labels).foreseen(part)

    def test_model(
        self, model: Path, directory: Path, part: str, labels: Path | None, own: Path | None
    ) -> "TestedElsewhere":
        """Test an exported model on this store, opening what `foresee` says; write `directory`/predictions.csv.

        own: the folder of the model's own test, which is scored over the same classes. Raises ValueError as `foresee`.
        """
        from ecgcore.data.sealed import open_sealed
        from ecgcore.serving.elsewhere import Elsewhere

        elsewhere = Elsewhere.of(model, self._store, labels)
        sealed = [open_sealed(self._data)] if elsewhere.foreseen(part).opens else []
        parts = sealed if part == "sealed" else [self._store.records, *sealed]
        return elsewhere.tested(parts, directory, None if own is None else own / "predictions.csv")

    @staticmethod
    def compare_tests(one: Path, other: Path) -> Mapping[str, Any]:
        """Return how two models differ on the records of both tests: see scores/paired.py. Opens nothing."""
        from ecgcore.scores.paired import paired_differences
        from ecgcore.scores.predicted import Predicted

        return paired_differences(*(Predicted.read(place / "predictions.csv") for place in (one, other)))

    def _calibration(self, judged: Sequence[Path], *, averaged: int) -> "Calibration | None":
        from ecgcore.training.out_of_fold import calibration_of

        return calibration_of(judged, self._store, averaged=averaged) if judged else None

    @staticmethod
    def load(directory: Path) -> Callable[..., Array | dict[str, Array]]:
        """Return the exported model: recordings (recordings, leads, samples) to columns of answers."""
        from ecgcore.serving.exported import load

        return load(directory)
