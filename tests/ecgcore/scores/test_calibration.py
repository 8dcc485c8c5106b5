"""What is kept of a calibration, on predictions whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit, softmax

from ecgcore.scores.calibration import Calibration, OutOfFold, best_threshold, choose_calibration, probabilities
from ecgcore.scores.metrics import class_f1, decide, macro_f1, probability_scores
from ecgcore.scores.prior_correction import prior_shift

RARE = np.log([0.8, 0.15, 0.05])


def one_label(seed: int, *, records: int = 1200, overconfident: float = 1.0, balanced: bool = False) -> OutOfFold:
    """Classes of shares .8, .15, .05, and the true probabilities of each record's, or what is said of them instead."""
    random = np.random.default_rng(seed)
    true = softmax(random.normal(0, 1.5, (records, 3)) + RARE, axis=1)
    drawn = np.array([random.choice(3, p=row) for row in true])
    said = np.log(true) - (np.log(np.bincount(drawn) / records) if balanced else 0)
    return OutOfFold(
        scores=softmax(overconfident * said, axis=1),
        labels=np.eye(3, dtype=np.float32)[drawn],
        patients=tuple(f"p{index // 2}" for index in range(records)),
        multilabel=False,
    )


def several_labels(seed: int, *, records: int = 800, overconfident: float = 1.0, shift: float = 0.0) -> OutOfFold:
    random = np.random.default_rng(seed)
    true = random.normal(-1, 1.5, (records, 2))
    labels = (random.random(true.shape) < expit(true)).astype(np.float32)
    patients = tuple(f"p{index // 2}" for index in range(records))
    said = expit(overconfident * true + shift)
    return OutOfFold(scores=said, labels=labels, patients=patients, multilabel=True)


def scored(held: OutOfFold, calibration: Calibration) -> dict[str, float]:
    return probability_scores(
        calibration(held.scores, multilabel=held.multilabel), held.labels, multilabel=held.multilabel
    )


@pytest.mark.parametrize("make", [one_label, several_labels])
def test_overconfident_averages_get_the_temperature_that_undoes_it(make):
    held, unseen = make(0, overconfident=3.0), make(1, overconfident=3.0)
    found = choose_calibration(held)
    assert found.temperature == pytest.approx(3, rel=0.15)
    assert not found.shift
    assert scored(unseen, found)["log_loss"] < scored(unseen, Calibration.none(3))["log_loss"] - 0.1


def test_no_temperature_is_known_of_the_mean_of_more_models_than_there_is_evidence_for():
    held = one_label(0, overconfident=3.0)
    assert "none" == choose_calibration(held, averaged=2).in_words()
    assert "none" != choose_calibration(replace(held, members=2), averaged=2).in_words()
    balanced = one_label(2, balanced=True, overconfident=3.0)
    weights = 1 / balanced.labels.sum(axis=0)
    shift = prior_shift(balanced.labels, multilabel=False, record_weights=balanced.labels @ weights)
    assert "class prior" == choose_calibration(balanced, shift=shift, averaged=2).in_words()


@pytest.mark.parametrize("make", [one_label, several_labels])
def test_of_predictions_that_are_right_nothing_is_changed(make):
    """Whatever the chance of a temperature near 1: of twenty sets it may look useful in a few."""
    kept = [choose_calibration(make(seed)).in_words() for seed in range(20)]
    assert kept.count("none") >= 16
    held = make(next(seed for seed, words in enumerate(kept) if words == "none"))
    assert choose_calibration(held)(held.scores, multilabel=held.multilabel) is held.scores


def test_the_prior_of_balanced_training_is_taken_back_and_the_decisions_stay():
    held, unseen = one_label(2, balanced=True), one_label(3, balanced=True)
    weights = 1 / held.labels.sum(axis=0)
    shift = prior_shift(held.labels, multilabel=False, record_weights=held.labels @ weights)

    found = choose_calibration(held, shift=shift)

    assert found.in_words() == "class prior"
    before, after = (scored(unseen, one) for one in (Calibration.none(3), found))
    assert after["log_loss"] < before["log_loss"] - 0.1
    assert after["brier"] < before["brier"] - 0.02
    corrected = found(unseen.scores, multilabel=False)
    called = decide(corrected, multilabel=False, thresholds=found.thresholds)
    plain = decide(unseen.scores, multilabel=False)
    assert (called == plain).all()
    assert macro_f1(called, unseen.labels) == macro_f1(plain, unseen.labels)
    assert found.thresholds == pytest.approx(held.labels.mean(axis=0), rel=1e-3)


def test_prior_and_temperature_together_leave_the_decisions_of_the_balanced_scores():
    held = one_label(4, records=3000, balanced=True, overconfident=2.0)
    shift = prior_shift(held.labels, multilabel=False, record_weights=held.labels @ (1 / held.labels.sum(axis=0)))
    found = choose_calibration(held, shift=shift)
    assert found.temperature != 1
    if found.shift:
        called = decide(found(held.scores, multilabel=False), multilabel=False, thresholds=found.thresholds)
        assert (called == decide(held.scores, multilabel=False)).all()


def test_a_shift_that_does_not_help_is_not_kept():
    assert not choose_calibration(one_label(5), shift=np.log([0.8, 0.15, 0.05])).shift
    assert not choose_calibration(several_labels(5), shift=np.array([1.0, -1.0])).shift


def test_weights_of_positives_are_taken_back():
    """A loss in which positives count w times learns log odds that are log w too high."""
    held = several_labels(6, shift=np.log(5.0))
    shift = prior_shift(held.labels, multilabel=True, class_weights=np.array([5.0, 5.0]))
    assert shift == pytest.approx(-np.log([5.0, 5.0]))
    found = choose_calibration(held, shift=shift)
    assert found.in_words() == "class prior"
    assert found(held.scores, multilabel=True) == pytest.approx(expit(logit(held.scores) - np.log(5)))


def test_the_prior_of_balanced_sampling_of_several_labels_is_that_of_the_drawn_records():
    labels = np.array([[1, 0], [1, 1], [0, 0], [0, 0]], np.float32)
    weights = np.array([1.0, 3.0, 0.0, 2.0])
    shift = prior_shift(labels, multilabel=True, record_weights=weights)
    assert shift == pytest.approx([logit(0.5) - logit(4 / 6), logit(0.25) - logit(3 / 6)])


def test_classes_without_records_and_natural_training_have_no_shift():
    labels = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]], np.float32)
    assert not prior_shift(labels, multilabel=False).any()
    weighted = prior_shift(labels, multilabel=False, class_weights=np.array([0.75, 1.5, 1.0]))
    assert weighted == pytest.approx([np.log((2 / 3) / 0.5), np.log((1 / 3) / 0.5), 0])
    everywhere = np.ones((3, 1), np.float32)
    assert not prior_shift(everywhere, multilabel=True, class_weights=np.array([0.0])).any()


def test_thresholds_are_no_worse_than_any_other_for_f1():
    held = several_labels(7, overconfident=2.0)
    found = choose_calibration(held)
    scores = found(held.scores, multilabel=True)
    best = class_f1(decide(scores, multilabel=True, thresholds=found.thresholds), held.labels)
    for threshold in np.linspace(0.01, 0.99, 99):
        assert (class_f1(scores >= threshold, held.labels) <= best + 1e-12).all()


def test_what_is_kept_must_help_patients_that_it_was_not_fitted_on():
    """Of one patient nothing can be judged, so no temperature is fitted, however overconfident he makes the model."""
    held = several_labels(8, overconfident=3.0)
    assert choose_calibration(replace(held, patients=("one",) * len(held.labels))).temperature == 1
    assert choose_calibration(held).temperature > 2


def test_a_threshold_lies_between_the_scores_it_separates():
    assert best_threshold(np.array([0.1, 0.2, 0.6, 0.7]), np.array([0, 0, 1, 1])) == pytest.approx(0.4)
    assert best_threshold(np.array([0.1, 0.9]), np.array([0, 0])) == 0.5


def test_separable_predictions_leave_a_finite_temperature():
    labels = np.eye(2, dtype=np.float32)[[0, 1] * 4]
    sure = probabilities(9 * labels, temperature=1.0, multilabel=False)
    found = choose_calibration(OutOfFold(scores=sure, labels=labels, patients=tuple("abcdefgh"), multilabel=False))
    assert 0 < found.temperature < np.inf
    assert np.isfinite(found(np.array([[1.0, 0.0]]), multilabel=False)).all()


def test_no_calibration_changes_nothing():
    nothing = Calibration.none(2)
    assert (nothing.temperature, nothing.thresholds, nothing.in_words()) == (1.0, (0.5, 0.5), "none")
    scores = np.array([[0.0, 1.0]])
    assert nothing(scores, multilabel=True) is scores
