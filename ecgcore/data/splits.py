"""Who is in which part: by given folds, or stratified by patient. Names and numbers in, indices out; reads no file."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.automatic_folds import AUTO, automatic_folds
from ecgcore.data.disjoint import Members, assert_disjoint
from ecgcore.data.groups import linked
from ecgcore.data.store import Split
from ecgcore.data.stratify import Indices, deal
from ecgcore.mistakes import Mistake
from ecgcore.readers.source import BY_PATIENT, BY_RECORD

MOST_FOLDS = 1000
_NUMBER = re.compile("[0-9]{1,4}")  # of a fold in a range
HOLD_OUT = 5  # one hold-out validation part is a fifth of what is not test
GIVEN_TEST = "test"  # in a column of folds: the sealed part


@dataclass(frozen=True, kw_only=True)
class SplitRule:
    """How records are divided: by folds that are named here, by those that the records bring, or drawn by patient."""

    # How many validation folds to draw; 1: one hold-out part of a fifth; auto: what automatic_folds.py says.
    folds: int | Literal["auto"] | None = None
    repeats: int = 1  # how often the folds are drawn, each time anew: repeats x folds splits
    test_share: float = 0.2  # of the records, for a drawn test part; 0: none
    seed: int = 0  # of whatever is drawn
    train: tuple[str, ...] = ()  # given folds, by name; records of a fold that is not named are left out
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    by: str = BY_PATIENT  # record: patients are not kept whole, as in published work on single heartbeats

    def __post_init__(self) -> None:
        mistakes = []
        if self.folds not in (None, AUTO) and (isinstance(self.folds, str) or not 1 <= self.folds <= MOST_FOLDS):
            mistakes.append(
                f"--folds must be from 1 (one hold-out part) to {MOST_FOLDS}, or auto, but got {self.folds}"
            )
        if self.folds == AUTO and self.repeats > 1:
            mistakes.append(f"--folds auto says how often they are drawn, too: leave --repeats {self.repeats} out")
        if not 1 <= self.repeats <= MOST_FOLDS or (self.repeats > 1 and self.folds is None):
            mistakes.append(f"--repeats must be from 1 to {MOST_FOLDS}, and needs --folds, but got {self.repeats}")
        if self.by not in (BY_PATIENT, BY_RECORD):
            mistakes.append(f"--by must be {BY_PATIENT} or {BY_RECORD}, but got {self.by!r}")
        if not 0 <= self.seed < 2**32:
            mistakes.append(f"--seed must be from 0 to {2**32 - 1}, but got {self.seed}")
        if self.test_share != 0 and not 0.05 <= self.test_share <= 0.5:
            mistakes.append(f"--test-share must be 0 (no test part) or from 0.05 to 0.5, but got {self.test_share}")
        if bool(self.train) != bool(self.validation):
            mistakes.append("--train-folds and --validation-folds go together, but only one of them was given")
        if self.train and self.folds is not None:
            mistakes.append("--folds draws the validation part, --validation-folds names it: give one of the two")
        twice = [name for name, n in Counter(self.train + self.validation + self.test).items() if n > 1]
        if twice:
            mistakes.append(f"a fold may be named once, but got {', '.join(sorted(twice))} more than once")
        if mistakes:
            raise Mistake("\n".join(mistakes))


@dataclass(frozen=True, kw_only=True, eq=False)
class Division:
    """Where every record goes; indices are into the records that were divided."""

    test: Indices
    splits: tuple[Split, ...]  # one a fold
    dropped: dict[int, str] = field(default_factory=dict)  # record -> why it is in no part

    def open(self) -> Indices:
        """Return the records that are in a train or validation part, in order."""
        return np.unique(np.concatenate([part for split in self.splits for part in (split.train, split.validation)]))

    def used(self) -> Indices:
        """Return the records that are in any part."""
        return np.concatenate([self.test, self.open()])


def fold_names(text: str | None, option: str) -> tuple[str, ...]:
    """Read `1-6`, `7,8` or names separated by commas. Raises ValueError naming the option."""
    names: list[str] = []
    for part in (text or "").split(",") if text is not None else []:
        first, dash, last = part.strip().partition("-")
        numbered = dash and _NUMBER.fullmatch(first) and _NUMBER.fullmatch(last)
        if numbered and int(first) <= int(last):
            names += [str(number) for number in range(int(first), int(last) + 1)]
        elif part.strip() and not numbered and not re.fullmatch(r"[0-9]+-[0-9]+", part.strip()):
            names.append(part.strip())
        else:
            raise Mistake(f"{option} must be folds like 1-6 or 7,8, but got {text!r}")
    return tuple(names)


def divide(
    *, patients: Sequence[str], signals: Indices, labels: NDArray[np.float32], given: Sequence[str], rule: SplitRule
) -> Division:
    """Divide n records into a test part and folds of train and validation that share no patient and no signal.

    signals: equal where two records hold the same recording. labels: (n, classes) 0/1, of which the rarest of each
    record is balanced over drawn parts. given: the name of each record's fold, empty where it has none. A copy of a
    test (validation) signal is dropped from the other parts, not from test. Raises ValueError if the folds named are
    not there, share a patient, or leave a part empty.
    """
    _check_names(given, rule)
    # Two patients who share a recording are one person under two names.
    groups = linked([(patient, int(signal)) for patient, signal in zip(patients, signals, strict=True)])
    test = _test_part(np.array(given, dtype=object), groups=groups, labels=labels, rule=rule)
    rest = np.setdiff1d(np.arange(len(patients)), test)
    rest = rest[~np.isin(signals[rest], signals[test])]
    folds = _folds(np.array(given, dtype=object), rest, groups=groups, labels=labels, rule=rule)
    splits = tuple(
        Split(train[~np.isin(signals[train], signals[validation])], validation) for train, validation in folds
    )
    for fold, split in enumerate(splits):
        if not (len(split.train) and len(split.validation)):
            raise Mistake(
                f"no part may be empty, but fold {fold} has {len(split.train)} train and {len(split.validation)} "
                "validation records"
            )
        named = {f"train of fold {fold}": split.train, f"validation of fold {fold}": split.validation, "test": test}
        assert_disjoint(
            {name: Members([patients[i] for i in part], signals[part].tolist()) for name, part in named.items()}
        )
    return Division(test=test, splits=splits, dropped=_dropped(given, signals, test=test, splits=splits))


def _test_part(given: NDArray[np.object_], *, groups: Indices, labels: NDArray[np.float32], rule: SplitRule) -> Indices:
    named = rule.test or (() if rule.train else (GIVEN_TEST,))
    test = np.flatnonzero(np.isin(given, list(named)))
    if rule.test or rule.train or len(test) or rule.test_share == 0:
        return test
    share = Fraction(rule.test_share).limit_denominator(20)
    parts = _deal(np.arange(len(given)), share.denominator, groups=groups, labels=labels, seed=rule.seed)
    return np.sort(np.concatenate(parts[: share.numerator]))


def _folds(
    given: NDArray[np.object_], rest: Indices, *, groups: Indices, labels: NDArray[np.float32], rule: SplitRule
) -> list[tuple[Indices, Indices]]:
    """Return train and validation of each fold: as named, as the records' own folds say, or drawn."""

    def named(names: Sequence[str]) -> Indices:
        return rest[np.isin(given[rest], list(names))]

    if rule.train:
        return [(named(rule.train), named(rule.validation))]
    names = sorted(set(given[rest]))
    # Parts by these names are a division; numbered folds may be those of a database (PTB-XL), which --folds replaces.
    divided = [name for name in ("train", "validation") if name in names]
    if rule.folds is not None and divided:
        raise Mistake(
            f"--folds {rule.folds} draws train and validation parts, but the records bring theirs (fold "
            f"{' and '.join(divided)}); leave --folds out, or take the fold column out"
        )
    if rule.folds is None and "" in names and len(names) > 1:
        raise Mistake("either every record has a fold or none has, unless --folds draws them; some here have none")
    if rule.folds is None and names == ["train", "validation"]:
        return [(named(["train"]), named(["validation"]))]
    if rule.folds is None and len(names) > 1:
        return [(np.setdiff1d(rest, named([name])), named([name])) for name in names]
    if rule.folds == AUTO:
        folds, repeats = automatic_folds(len(np.unique(groups[rest])))
    else:
        folds, repeats = rule.folds or HOLD_OUT, rule.repeats
    dealt = []
    for repeat in range(repeats):
        count = HOLD_OUT if folds == 1 else folds
        parts = _deal(rest, count, groups=groups, labels=labels, seed=rule.seed + 1 + repeat)
        dealt += parts[:1] if folds == 1 else parts
    return [(np.setdiff1d(rest, part), part) for part in dealt]


def _deal(records: Indices, count: int, *, groups: Indices, labels: NDArray[np.float32], seed: int) -> list[Indices]:
    several = bool((labels.sum(axis=1) > 1).any())
    return deal(records, count, groups=groups, labels=labels, seed=seed, multilabel=several)


def _check_names(given: Sequence[str], rule: SplitRule) -> None:
    missing = sorted(set(rule.train + rule.validation + rule.test) - set(given))
    if missing:
        there = ", ".join(sorted(set(given) - {""})) or "none"
        raise Mistake(f"every fold named must have records, but {', '.join(missing)} has none; the folds are: {there}")


def _dropped(given: Sequence[str], signals: Indices, *, test: Indices, splits: tuple[Split, ...]) -> dict[int, str]:
    used = np.concatenate([test, *(part for split in splits for part in (split.train, split.validation))])
    dropped = {}
    for record in np.setdiff1d(np.arange(len(given)), used):
        if signals[record] in signals[test]:
            dropped[int(record)] = "the same signal is in the test part"
        elif signals[record] in signals[used]:
            dropped[int(record)] = "the same signal is in the validation part"
        else:
            dropped[int(record)] = f"fold {given[record] or '(none)'} was not asked for"
    return dropped
