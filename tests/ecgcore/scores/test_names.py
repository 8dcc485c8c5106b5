"""Which value of a score is best, known before there is a test."""

import pytest

from ecgcore.scores.names import best_of


@pytest.mark.parametrize(
    ("score", "best"),
    [
        ("macro_auc", "max"),
        ("macro_auc_low", "max"),
        ("macro_f1_seeds_worst", "max"),
        ("accuracy_at_coverage_90", "max"),
        ("recall_AF", "max"),
        ("pr_auc_N", "max"),
        ("log_loss", "min"),
        ("uncalibrated_brier", "min"),
        ("macro_auc_seeds_sd", "min"),
        ("recall_afib", None),
        ("macro_acu", None),
        ("macro_pr_auc_low", None),
        ("challenge_score", None),
        ("threshold_AF", None),
        ("records", None),
    ],
)
def test_of_a_score_the_best_value_is_known_and_of_what_is_none_there_is_none(score: str, best: str | None) -> None:
    assert best == best_of(score, classes=("AF", "N"), challenge=False)


def test_a_class_may_have_any_name_until_the_store_is_there_and_a_challenges_score_needs_its_rewards() -> None:
    assert "max" == best_of("recall_afib", classes=None, challenge=False)
    assert "max" == best_of("challenge_score", classes=(), challenge=True)
