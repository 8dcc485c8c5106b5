"""The names of what each step of a fit reports. Imports nothing of ours: a search space can be checked at once."""

import re
from collections.abc import Collection
from typing import Literal

SCORES = (
    "macro_auc",
    "macro_pr_auc",
    "macro_f1",
    "macro_precision",
    "macro_recall",
    "accuracy",
    "calibration_error",
    "log_loss",
    "brier",
    "collapsed",
)
# From 0 to 1; a log loss has no largest value, a challenge's score no smallest, and `collapsed` is a yes or no.
BOUNDED = tuple(name for name in SCORES if name not in ("log_loss", "collapsed"))
# Of a test: which value of a score is best. Of each class there is one of CLASS_SCORES; other names have no best value.
_LARGEST = re.compile(
    r"macro_(auc|f1)(_low|_high|_seeds_mean|_seeds_worst|_seeds_best)?|patient_macro_(auc|f1)"
    r"|macro_(pr_auc|precision|recall)|accuracy|(macro_f1|accuracy)_at_coverage_\d+|challenge_score|cinc2017_f1"
)
_SMALLEST = re.compile(r"(uncalibrated_)?(calibration_error|log_loss|brier)|(seeds_)?collapsed|macro_(auc|f1)_seeds_sd")
CLASS_SCORES = (
    *("pr_auc", "auc", "precision", "recall", "f1"),
    *("sensitivity", "positive_predictivity", "top_5_percent_recall"),
)
LOSSES = ("train_loss", "val_loss")
CHALLENGE = "challenge_score"  # where the task has rewards
PARAMETERS = "parameters"  # weights of the network
MULTIPLY_ADDS = "multiply_adds"  # of the network for one record, where they can be counted: so not among `reported`


def reported(*, challenge: bool) -> tuple[str, ...]:
    """Return the names that every step reports."""
    return (*LOSSES, *SCORES, *([CHALLENGE] if challenge else []), PARAMETERS)


def best_of(score: str, *, classes: Collection[str] | None, challenge: bool) -> Literal["max", "min"] | None:
    """Return which value of a score of a test is best; None: there is no such score, or it has no best value.

    classes: None where they are not known yet, so that any may be meant.
    """
    if _SMALLEST.fullmatch(score):
        return "min"
    of_class = next((score.removeprefix(f"{one}_") for one in CLASS_SCORES if score.startswith(f"{one}_")), None)
    if of_class is not None and (classes is None or of_class in classes):
        return "max"
    return "max" if _LARGEST.fullmatch(score) and (score != CHALLENGE or challenge) else None
