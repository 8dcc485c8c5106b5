"""The seam: what a search may know of the thing it searches. Anything that has these five methods can be searched.

Knows nothing of ECG, torch or Ray. A task is named in YAML as `{name: "package.module:Class", with: {...}}`; `with`
holds the keyword arguments of its constructor; an argument annotated `Path` is read relative to the YAML file. Where
the annotation has a Mapping, too, the path of another YAML file stands for the content of that.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from orchestrator.illustration import Section

Scalar = bool | int | float | str | None
Config = Mapping[str, Scalar]
Metrics = Mapping[str, float]
Array = np.ndarray[Any, np.dtype[Any]]


class Parameter(Protocol):
    """One hyperparameter of a task: the one home of its name, default, kind, range and help."""

    @property
    def default(self) -> Scalar: ...  # noqa: D102
    @property
    def kind(self) -> Literal["float", "integer", "choice", "boolean"]: ...  # noqa: D102
    @property
    def low(self) -> float | None: ...  # noqa: D102  smallest allowed value of a float or integer
    @property
    def high(self) -> float | None: ...  # noqa: D102  largest
    @property
    def choices(self) -> tuple[Scalar, ...]: ...  # noqa: D102  the allowed values of a choice
    @property
    def help(self) -> str: ...  # noqa: D102  one line, with the unit
    @property
    def only_with(self) -> Mapping[str, tuple[Scalar, ...]]:
        """Return the values of other hyperparameters beside which alone this one counts; empty: it always does."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One (trial, seed, fold): the unit of execution, checkpoint, resume and accounting."""

    trial: int
    # Every hyperparameter that counts (only_with) by name, defaults filled in; a condition's inactive ones hold theirs.
    config: Config
    seed: int  # what to seed with: drawn from the study's seed, the seed's index and the fold, not from the trial
    fold: int
    folds: int
    max_steps: int
    directory: Path  # the fit's own folder; whatever it writes, it writes below
    # Weights to start from: a checkpoint of an earlier stage or another run, at the step where it was judged; a file of
    # the user's; the folder that an `export` wrote; or a JSON file of `weights` (foreign: a file, or a word of the
    # task's), `names` (from there to here) and `partial`. Where nobody knows what they saw, report the metric
    # `unknown_history: 1`.
    start_from: Path | None = None
    # This fit's own newest checkpoint: go on after its step as if never interrupted. Where it is damaged, an older one
    # lies beside it: a step that was reported before is compared, and does not count twice.
    resume_from: Path | None = None
    final: bool = False  # train on train + validation for exactly max_steps
    # Compute each batch in so many parts and add up their gradients: a GPU had no room for a whole one.
    batch_parts: int = 1


class Report(Protocol):
    """How a fit speaks. It may not return: a stopped fit gets SystemExit here, so clean-up belongs in `finally`."""

    def __call__(self, step: int, metrics: Metrics, checkpoint: str | None = None) -> None:
        """Report step `step` (1, 2, ...), its metrics, and a complete checkpoint below the fit's directory."""


class Task(Protocol):
    """What can be searched. Constructed once per worker process, from the `with` of the YAML."""

    def parameters(self, listed: Mapping[str, Sequence[Scalar]] = MappingProxyType({})) -> Mapping[str, Parameter]:
        """Return every hyperparameter that a config may name.

        listed: the values that a space lists for each name, as far as it does; some hyperparameters may exist with some
        of them only. Raises ValueError, a mistake a line as `name: rule, value`, for values that cannot be used.
        """

    def describe(self) -> Mapping[str, Scalar]:
        """Return facts for the record: `folds` (how many there are), `data` (content hash), `target`, sizes.

        `test_varies`: what varies in the intervals of `test`, such as patients, where it gives any.
        """

    def fit(self, fit: Fit, report: Report) -> None:
        """Train one configuration, reporting every step.

        Raises ValueError where the configuration cannot be trained.
        """

    def test(self, checkpoints: Sequence[Path], directory: Path, calibrate_from: Sequence[Path] = ()) -> Metrics:
        """Open the sealed part and score the checkpoints' averaged predictions. The only door to the test labels.

        calibrate_from: checkpoints of the fits that were judged, on whose held-out predictions the averaged ones may
        be calibrated. An error whose class has `is_users_mistake = True` is told as a mistake of the user's, here and
        in `export`; any other as a bug, with its traceback.
        """

    def export(
        self, checkpoints: Sequence[Path], directory: Path, calibrate_from: Sequence[Path] = ()
    ) -> Mapping[str, Scalar]:
        """Write the averaged model, as it was tested, below `directory`; return its signature.

        It has `input_shape` and `input_dtype`; `output_shape` and `output_dtype`, or `output_columns` (JSON text: by
        name, float or string); and where the loaded function takes more than an array, `options` (JSON text: by
        keyword its default, a number, a text or a list of texts). It may leave `input_example.npy` beside the model, an
        array that the loaded function takes, and no part of what `test` opens.
        """

    @staticmethod
    def load(directory: Path) -> Callable[..., Array | Mapping[str, Array]]:
        """Return the exported model as a function of an array, and of its signature's options by keyword.

        It answers with an array, or with columns of one value a record. ValueError is the caller's mistake. Needs no
        data and no task.
        """


class Doing(Protocol):
    """What is told what is being done, and how far it is, while data is prepared."""

    def __call__(self, doing: str, done: int = 0, total: int | None = None) -> None: ...  # noqa: D102


@runtime_checkable
class PreparableTask(Task, Protocol):
    """A task that can make its data itself, before anything is described. Until then `describe` says what is known."""

    def missing(self) -> str | None:
        """Return in one line what has to be made, from what and why; None: nothing. Raises ValueError if it cannot."""

    def prepare(self, doing: Doing) -> None:
        """Make it. Of two processes that make the same, the second waits, and says so."""


@runtime_checkable
class ReportingTask(Task, Protocol):
    """A task that can say what its fits report, so that a misspelt metric is a mistake of the file."""

    def reports(self) -> Sequence[str]:
        """Return the names of the metrics that every step reports (Task.fit); no data is needed."""


@runtime_checkable
class SealedTask(Task, Protocol):
    """A task that knows its test part again in other data. Of others, what was opened is known by `data` alone."""

    def sealed_records(self) -> Collection[str]:
        """Return names, by content, of the records that `test` opens; several of one record where it has several.

        Whatever shares a name was opened together. Empty: nothing sealed is opened. Raises ValueError where the test
        part cannot be opened.
        """

    def openings_file(self) -> Path:
        """Return where openings are written down, beside the data: the task neither reads nor writes it."""


class Foreseen(Protocol):
    """What the test of a model on other data will be, said before it opens anything."""

    @property
    def data(self) -> Scalar: ...  # noqa: D102  content hash of that data
    @property
    def opens(self) -> bool: ...  # noqa: D102  whether sealed records are among what is tested


class TestedElsewhere(Protocol):
    """What came of such a test."""

    @property
    def metrics(self) -> Metrics: ...  # noqa: D102  with NAME_low and NAME_high where there is an interval
    @property
    def own(self) -> Metrics: ...  # noqa: D102  the same scores in the model's own test; empty: not known
    @property
    def said(self) -> Sequence[str]: ...  # noqa: D102  lines: how it was asked, what was left out
    @property
    def facts(self) -> Mapping[str, Any]: ...  # noqa: D102  the same as plain data, for test.json


@runtime_checkable
class TransferableTask(SealedTask, Protocol):
    """A task on whose data the exported model of a run can be tested that was of other data.

    It is the run's own with another `data`. part: all, sealed or open records; labels: which there is which of ours.
    """

    def foresee(self, model: Path, part: str, labels: Path | None) -> Foreseen:
        """Say what a test will be; opens nothing. Raises ValueError with all that keeps model and data apart."""

    def test_model(
        self, model: Path, directory: Path, part: str, labels: Path | None, own: Path | None
    ) -> "TestedElsewhere":
        """Test it, opening what `foresee` says, and write `directory`/predictions.csv.

        own: the folder of the model's own test, in which the same is scored again from what that left.
        """


@runtime_checkable
class ComparableTask(Task, Protocol):
    """A task that can compare two models by what their tests left in files, record by record."""

    @staticmethod
    def compare_tests(one: Path, other: Path) -> Mapping[str, Any]:
        """Return `classes`, `records`, `patients`, and by name `scores`: one, other, difference, low, high."""


@runtime_checkable
class BoundedTask(Task, Protocol):
    """A task that knows between which values its scores lie: no interval of a mean leaves them."""

    def metric_bounds(self, metric: str) -> tuple[float, float] | None:
        """Return the smallest and the largest value that a metric can have; None: it is not bounded on both sides."""


@runtime_checkable
class ScoredTask(Task, Protocol):
    """A task that knows the scores of its test before that, so that one which is required can be checked."""

    def best_of(self, score: str) -> Literal["max", "min"] | None:
        """Return which value of a score of `test` is best; None: there is no such score, or no value is better."""


@runtime_checkable
class ScepticalTask(Task, Protocol):
    """A task that can tell by a test's scores that the model has learnt nothing: such a model is not registered."""

    def learnt_nothing(self, scores: Metrics) -> str | None:
        """Return by what one sees it, such as one answer to every record, in a few words; None: by nothing."""


@runtime_checkable
class IllustratingTask(Task, Protocol):
    """A task that has more to show of its data and of a test than numbers."""

    def illustrate(self, tested: Path | None, figures: Path) -> Sequence[Section]:
        """Return what a report shows of the data and, from what `test` left in the folder `tested`, of the test.

        Draws into the folder `figures`. Opens no test part: whatever of that is shown, `test` has written down.
        """


@runtime_checkable
class AuditableTask(Task, Protocol):
    """A task whose open records can be divided again, so that a whole search can be judged (runs/audit.py).

    Its constructor takes `outer: str | None`: with "3/10" the fourth of ten parts, each about a fifth, is what `test`
    scores in the sealed part's place, no fit sees a record of it, and `describe` gives other `data`.
    """

    def baselines(self) -> Mapping[str, Config]:
        """Return what every audit shows beside the untuned default: by name, what is changed of the configuration."""


def fit_to_json(fit: Fit) -> str:
    """Return the fit as text."""
    return json.dumps(asdict(fit), default=str)


def fit_from_json(text: str) -> Fit:
    """Return the fit that the text was made from."""
    values = json.loads(text)
    for name in ("directory", "start_from", "resume_from"):
        values[name] = Path(values[name]) if values[name] else None
    assert values.keys() == {field.name for field in fields(Fit)}
    return Fit(**values)
