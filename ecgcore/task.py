"""ECG classification as a task that can be searched: the one class that a search names.

Knows nothing of searches. `test` is the only door to the sealed part.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.store import Store, open_store
from ecgcore.fit import Doing, Fit, Metrics, Report, Scalar
from ecgcore.parameters import Parameter
from ecgcore.scores.challenge_score import ChallengeScore
from ecgcore.training.hyperparameters import known_parameters

if TYPE_CHECKING:
    from ecgcore.data.recipe_file import RecipeFile
    from ecgcore.scores.calibration import Calibration
    from ecgcore.training.feature_store import FeatureCache

# torch, scipy and scikit-learn are imported inside the methods that train and test: whoever only reads a search space
# and asks for `parameters` and `describe` need not wait for them.

Array = NDArray[Any]


class ArrhythmiaTask:
    """Classify the recordings of one prepared store. Constructed once a worker process."""

    def __init__(self, *, data: Path | Mapping[str, Any], rewards: Path | None = None) -> None:
        """Take the place of a prepared store, which is opened when it is first needed, or the recipe of one.

        data: the store's folder; or the content of a recipe's YAML file, and where that lies under `file`.
        rewards: the challenge's matrix of rewards, with which every step and the test have a challenge_score.
        """
        self._recipe: RecipeFile | None = None
        if isinstance(data, Path):
            self._data = data
        else:
            from ecgcore.data.recipe_file import recipe_from

            self._recipe = recipe_from(data)
            self._data = self._recipe.store
        self._rewards = rewards

    @cached_property
    def _store(self) -> Store:
        """The opened store. Raises ValueError if it is missing, incomplete or damaged."""
        return open_store(self._data)

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
        return {
            "folds": len(store.splits),
            "data": store.content_hash,
            "classes": ",".join(store.classes),
            "multilabel": store.multilabel,
            "leads": ",".join(store.leads),
            "rate": store.rate,
            "processing": json.dumps(dict(store.processing), sort_keys=True) if store.processing else "",
            "records": len(store.records),
            "patients": len(set(store.records.patients)),
        }

    def fit(self, fit: Fit, report: Report) -> None:
        """Train one configuration on one fold, reporting every epoch: see training/one_fit.py."""
        from ecgcore.training.one_fit import train

        train(fit, report, self._store, self._features, challenge=self._challenge)

    def test(self, checkpoints: Sequence[Path], directory: Path, calibrate_from: Sequence[Path] = ()) -> Metrics:
        """Open the sealed part, score the checkpoints' mean probabilities, write `directory`/predictions.csv.

        calibrate_from: fits on whose held-out predictions the mean may be calibrated, see training/out_of_fold.py.
        Raises ValueError if a checkpoint does not fit the store, or its weights were trained on a sealed
        record.
        """
        from ecgcore.data.sealed import open_sealed
        from ecgcore.scores.metrics import decide
        from ecgcore.scores.test_report import score
        from ecgcore.serving.ensemble import ensemble_of
        from ecgcore.serving.prediction import predict_records, write_predictions
        from ecgcore.signals.processing import changes_of
        from ecgcore.training.start_weights import refuse_seen

        ensemble, read = ensemble_of(checkpoints, self._calibration(calibrate_from))
        store = self._store
        own = (store.classes, store.leads, store.rate, changes_of(store.processing))
        if (ensemble.classes, ensemble.leads, ensemble.rate, dict(ensemble.processing)) != own:
            raise ValueError(
                f"{checkpoints[0]}: must have the classes, leads, rate and processing of "
                f"{store.directory}; test it on its own store"
            )
        sealed = open_sealed(store.directory)
        everything = np.arange(len(sealed))
        for path, checkpoint in zip(checkpoints, read, strict=True):
            refuse_seen(path, checkpoint.fingerprints, sealed, everything, part="sealed")
        by_member = predict_records(ensemble, sealed)
        answers = ensemble.answer(by_member)
        called = decide(answers, multilabel=ensemble.multilabel, thresholds=ensemble.calibration.thresholds)
        write_predictions(directory / "predictions.csv", answers, called, sealed, store.classes)
        return score(ensemble, by_member, sealed, challenge=self._challenge)

    def export(
        self, checkpoints: Sequence[Path], directory: Path, calibrate_from: Sequence[Path] = ()
    ) -> Mapping[str, Scalar]:
        """Write the averaged model, calibrated as `test` does it, to `directory`/model.pt; return its signature."""
        from ecgcore.serving.ensemble import export

        return export(checkpoints, directory, self._calibration(calibrate_from))

    def _calibration(self, judged: Sequence[Path]) -> "Calibration | None":
        from ecgcore.training.out_of_fold import calibration_of

        return calibration_of(judged, self._store) if judged else None

    @staticmethod
    def load(directory: Path) -> Callable[[Array], Array]:
        """Return the exported model: (batch, leads, samples) in mV to (batch, classes) probabilities."""
        from ecgcore.serving.ensemble import load

        return load(directory)
