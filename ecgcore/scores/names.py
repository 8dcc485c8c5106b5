"""The names of what each step of a fit reports. Imports nothing, so that a search space can be checked at once."""

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
LOSSES = ("train_loss", "val_loss")
CHALLENGE = "challenge_score"  # where the task has rewards
PARAMETERS = "parameters"  # weights of the network
MULTIPLY_ADDS = "multiply_adds"  # of the network for one record, where they can be counted: so not among `reported`


def reported(*, challenge: bool) -> tuple[str, ...]:
    """Return the names that every step reports."""
    return (*LOSSES, *SCORES, *([CHALLENGE] if challenge else []), PARAMETERS)
