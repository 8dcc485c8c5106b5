"""A tested model on the records of another store, another hospital's: as it is, nothing of it is trained or calibrated.

Its answers are scored over the classes that both have, and beside them its own test over the same classes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.manifest import read_manifest
from ecgcore.data.store import Records, Store
from ecgcore.mistakes import Mistake
from ecgcore.readers.class_map import ClassMap, class_map
from ecgcore.readers.source import BY_RECORD
from ecgcore.scores.metrics import decide
from ecgcore.scores.predicted import Predicted, scores_over
from ecgcore.serving.ensemble import Ensemble, built
from ecgcore.serving.fitted_signals import SignalFit, fitted, signal_fit
from ecgcore.serving.prediction import predict_records, write_predictions
from ecgcore.training.checkpoints import read_tensors
from ecgcore.training.exported_start import FILE

NAMED = 8  # classes, or reasons for which records are left out, in a sentence


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """What a test on another store will be, said before it opens anything."""

    data: str  # content hash of the store
    opens: bool  # whether the sealed part is among what is tested


@dataclass(frozen=True, kw_only=True)
class TestedElsewhere:
    """What came of a test on another store."""

    metrics: Mapping[str, float]  # there
    own: Mapping[str, float]  # the same scores, over the same classes, of the model's own test; empty: not known
    said: tuple[str, ...]
    facts: Mapping[str, Any]  # plain data


class LeftOut:
    """Records that cannot be scored: how many for which reason, and with which labels."""

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = classes
        self.records = Counter[str]()
        self._labels: dict[str, Counter[str]] = {}

    def count(self, reasons: Mapping[int, str], labels: NDArray[np.float32]) -> None:
        """Add records by their numbers, of which the labels (records, classes) are these."""
        for record, why in reasons.items():
            self.records[why] += 1
            theirs = (name for name, label in zip(self._classes, labels[record], strict=True) if label)
            self._labels.setdefault(why, Counter()).update(theirs)

    def said(self) -> list[str]:
        """Return a line for each reason."""
        return [
            f"{count} records {why}: {_listed(f'{name} ({of})' for name, of in self._labels[why].most_common())}"
            for why, count in self.records.most_common()
        ]


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """A model, and how the records of another store are made what it can be asked."""

    path: Path  # of the model
    ensemble: Ensemble
    seen: NDArray[np.int64] | None  # fingerprints of all that it was ever trained on; None: not known
    seconds: tuple[float, float] | None  # of the shortest and the longest record that it learnt from
    store: Store
    classes: ClassMap
    signals: SignalFit

    @classmethod
    def of(cls, model: Path, store: Store, labels: Path | None) -> Self:
        """Read an exported model and hold it against the store. Raises ValueError with all that keeps them apart."""
        content = read_tensors(model / FILE)
        try:
            ensemble = built(content)
        except (KeyError, TypeError, RuntimeError) as error:
            raise Mistake(f"{model / FILE}: not an exported model ({error}); export it again") from None
        mistakes: list[str] = []
        found = [
            _or_mistake(lambda: class_map(store.classes, ensemble.classes, labels), mistakes),
            _or_mistake(lambda: signal_fit(ensemble, store), mistakes),
        ]
        if mistakes:
            raise Mistake("\n".join(mistakes))
        seen, known = content.get("fingerprints"), not content.get("unknown_history", False)
        seconds = content.get("seconds")
        return cls(
            path=model / FILE,
            ensemble=ensemble,
            seen=seen.numpy() if seen is not None and known else None,
            seconds=None if seconds is None else (seconds[0], seconds[1]),
            store=store,
            classes=found[0],
            signals=found[1],
        )

    def foreseen(self, part: str) -> Foreseen:
        """Return what a test of all, of the sealed or of the open records will be; opens nothing.

        Raises ValueError where the store has no such part, or the model was trained on its open records.
        """
        directory = self.store.directory
        sealed = read_manifest(directory).sealed_records > 0
        if part == "sealed" and not sealed:
            raise Mistake(f"{directory}: nothing of it is sealed; test all of its records: leave --part out")
        if part != "sealed":
            self.refuse_seen(self.store.records)
        return Foreseen(data=self.store.content_hash, opens=sealed and part != "open")

    def _said(self) -> tuple[str, ...]:
        """Return how classes and signals are taken."""
        of = {
            ours: [name for name, other in self.classes.ours_of.items() if other == ours] for ours in self.classes.ours
        }
        lines = [f"signals: {self.signals.in_words()}"]
        lines += [f"{ours} is there: {_listed(names)}" for ours, names in of.items() if names]
        if self.classes.none_of_ours:
            lines.append(f"none of the model's: {_listed(sorted(self.classes.none_of_ours))}")
        if self.classes.unknown:
            lines.append(f"of no known class: {_listed(self.classes.unknown)}")
        if self.classes.absent:
            lines.append(f"named in the label map, and not there: {_listed(self.classes.absent)}")
        if self.store.divided_by == BY_RECORD:
            lines.append("NOTE intervals are as if each record were of another patient: the store is divided by record")
        if self.seen is None:
            lines.append("NOTE which records the model's weights have seen is not known: they may be among these")
        return tuple(lines)

    def refuse_seen(self, records: Records) -> None:
        """Raise ValueError naming the records on which the model was trained, as far as that is known.

        By the content of signals: `data check` of two stores finds copies at other rates and with other filters, too.
        """
        met = [] if self.seen is None else np.flatnonzero(np.isin(records.fingerprints, self.seen)).tolist()
        if met:
            raise Mistake(
                f"{self.store.directory}: a model must not be tested on what it was trained on, and {self.path} was on "
                f"{len(met)} of these records: {_listed(records.ids[index] for index in met)}; take them out of the "
                "store (`leave_out`)"
            )

    def predicted(self, parts: Sequence[Records]) -> tuple[Predicted, "LeftOut"]:
        """Ask the model about the records that can be scored; return the answers, and what is left out.

        Raises ValueError where no record is left, or the model was trained on one of them.
        """
        answers, left_out = [], LeftOut(self.classes.theirs)
        for records in parts:
            reasons = self.classes.left_out(records.labels, multilabel=self.ensemble.multilabel)
            left_out.count(reasons, records.labels)
            kept = np.setdiff1d(np.arange(len(records)), list(reasons)).astype(np.int64)
            if len(kept):
                answers.append(self._answers(records.only(kept)))
        if not answers:
            raise Mistake(
                f"{self.store.directory}: no record can be scored: {'; '.join(left_out.said())}; see --labels"
            )
        return _together(answers), left_out

    def _answers(self, records: Records) -> Predicted:
        self.refuse_seen(records)
        ensemble = self.ensemble
        scores = np.zeros((len(records), len(ensemble.classes)))
        for indices, some in fitted(records, self.signals, ensemble):
            self.refuse_seen(some)
            scores[indices] = ensemble.answer(predict_records(ensemble, some))
        called = decide(scores, multilabel=ensemble.multilabel, thresholds=ensemble.calibration.thresholds)
        return Predicted(
            ids=records.ids,
            patients=records.patients,
            classes=ensemble.classes,
            labels=self.classes.labels(records.labels),
            scores=scores,
            called=called,
        )

    def tested(self, parts: Sequence[Records], directory: Path, own: Path | None) -> TestedElsewhere:
        """Ask, write `directory`/predictions.csv, and score: over the classes that are there, and in the own test.

        own: the predictions of the model's own test, by which it is scored over the same classes.
        """
        predicted, left_out = self.predicted(parts)
        write_predictions(
            directory / "predictions.csv", predicted.scores, predicted.called, predicted, predicted.classes
        )
        home, why_not = _own(own)
        scored = [name for name in _present(predicted) if home is None or name in _present(home)]
        absent = [name for name in predicted.classes if name not in scored]
        multilabel = self.ensemble.multilabel
        said = [*self._said(), f"scored over {', '.join(scored)}"]
        if absent:
            where = "here" if home is None else "here, or none in the model's own test"
            said.append(f"not scored, since no record has it {where}: {', '.join(absent)}")
        said += [f"left out: {line}" for line in left_out.said()]
        if lengths := self._lengths(parts):
            said.append(lengths)
        metrics = scores_over(predicted, scored, multilabel=multilabel)
        own_scores: dict[str, float] = {}
        if home is None:
            said.append(f"NOTE the model's own test cannot be scored over these classes: {why_not}")
        else:
            if not multilabel:  # those of other classes have no place here either
                home = home.only(np.flatnonzero(home.labels[:, home.among(scored)].any(axis=1)))
            own_scores = scores_over(home, scored, multilabel=multilabel)
        facts = {
            "classes": dict(self.classes.ours_of),
            "none_of_ours": sorted(self.classes.none_of_ours),
            "scored": scored,
            "not_scored": absent,
            "left_out": dict(left_out.records),
            "signals": self.signals.in_words(),
        }
        return TestedElsewhere(metrics=metrics, own=own_scores, said=tuple(said), facts=facts)

    def _lengths(self, parts: Sequence[Records]) -> str | None:
        lengths = np.concatenate([records.lengths for records in parts]) / self.store.rate
        if self.seconds is None or (self.seconds[0] <= lengths.min() and lengths.max() <= self.seconds[1]):
            return None
        shortest, longest = self.seconds
        return (
            f"NOTE records are {lengths.min():g} to {lengths.max():g} s long; the model learnt from {shortest:g} to "
            f"{longest:g} s"
        )


def _own(path: Path | None) -> tuple[Predicted | None, str]:
    try:
        return (None, "there is none") if path is None else (Predicted.read(path), "")
    except Mistake as error:
        return None, str(error)


def _present(predicted: Predicted) -> list[str]:
    """Return the classes that some record has."""
    return [name for name, count in zip(predicted.classes, predicted.labels.sum(axis=0), strict=True) if count]


def _together(answers: Sequence[Predicted]) -> Predicted:
    return Predicted(
        ids=tuple(name for one in answers for name in one.ids),
        patients=tuple(name for one in answers for name in one.patients),
        classes=answers[0].classes,
        labels=np.concatenate([one.labels for one in answers]),
        scores=np.concatenate([one.scores for one in answers]),
        called=np.concatenate([one.called for one in answers]),
    )


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    return "; ".join(known[:NAMED]) + (f"; and {len(known) - NAMED} more" if len(known) > NAMED else "")


def _or_mistake(function: Callable[[], Any], mistakes: list[str]) -> Any:
    try:
        return function()
    except Mistake as error:
        mistakes += str(error).splitlines()
        return None
