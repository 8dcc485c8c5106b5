import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score, precision_score, recall_score

from ecgcore.scores.bootstrap import patient_weights, weighted_precision_recall_area, weighted_share
from ecgcore.scores.class_intervals import NAMES, class_estimates, macro_estimates, resampled, share_estimate
from ecgcore.scores.test_report import SEED


def answers(records: int, *, noise: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    random = np.random.default_rng(seed)
    labels = np.eye(2)[np.arange(records) % 2]
    scores = np.clip(0.5 + 0.2 * (labels - 0.5) + random.normal(0, 0.1 * noise, labels.shape), 0, 1)
    return scores, scores >= 0.5, labels, [str(index) for index in range(records)]


@pytest.mark.parametrize("levels", [3, 1000])
def test_weighted_average_precision_is_scikit_learns_with_ties_too(levels):
    random = np.random.default_rng(1)
    truth, scores = np.arange(40) % 3 == 0, random.integers(0, levels, 40) / levels
    weights = random.integers(0, 4, (5, 40)).astype(float)
    expected = [average_precision_score(truth, scores, sample_weight=row) for row in weights]
    assert weighted_precision_recall_area(scores, truth, weights) == pytest.approx(expected)


def test_weighted_shares_are_scikit_learns_precision_and_recall():
    _scores, called, labels, patients = answers(50)
    call, truth, weights = called[:, 0], labels[:, 0] > 0.5, patient_weights(patients, seed=1, resamples=5)
    precision = [precision_score(truth, call, sample_weight=row) for row in weights]
    recall = [recall_score(truth, call, sample_weight=row) for row in weights]
    assert weighted_share(call & truth, call, weights) == pytest.approx(precision)
    assert weighted_share(call & truth, truth, weights) == pytest.approx(recall)


def test_each_class_has_every_score_within_an_interval_that_more_patients_narrow():
    widths = []
    for records in (60, 960):
        scores, called, labels, patients = answers(records)
        found = class_estimates(scores, called, labels, patients, resampled(patients))
        assert [list(one) for one in found] == [list(NAMES)] * 2
        assert all(0 < one.low < one.value < one.high < 1 for one in found[0].values())
        widths.append(np.mean([one.high - one.low for one in found[0].values()]))
    assert widths[1] == pytest.approx(widths[0] / 4, rel=0.3)


def test_a_share_without_a_mistake_has_clopper_and_pearsons_interval_by_patient():
    """Twelve records of six patients, all right: as sure as six, not as twelve; and the same where all are wrong."""
    patients, whole = [str(index // 2) for index in range(12)], np.full(12, True)
    weights = patient_weights(patients, seed=1)
    perfect, useless = (share_estimate(part, whole, patients, weights) for part in (whole, ~whole))
    exact = binomtest(6, 6).proportion_ci(0.95)
    assert (perfect.low, perfect.high) == pytest.approx((exact.low, exact.high))
    assert (useless.low, useless.high) == pytest.approx((1 - exact.high, 1 - exact.low))


def test_of_one_patient_and_of_nobody_there_is_no_interval():
    scores, called, labels, _ = answers(8)
    one, _ = class_estimates(scores, called, labels, ["a", "b"] * 4, resampled(["a", "b"] * 4))
    assert np.isfinite(one["AUC"].value)
    assert np.isnan([one["AUC"].low, one["AUC"].high]).all()
    nothing = class_estimates(scores, np.zeros_like(called), labels, list("abcdefgh"), resampled(list("abcdefgh")))
    assert np.isnan(nothing[0]["precision"].value)


def test_the_interval_holds_what_it_says_of_new_patients():
    """Sensitivity of 300 tests of 40 positives each; its true value from very many."""
    _, called, labels, _ = answers(200_000, seed=9)
    true = called[labels[:, 0] > 0.5, 0].mean()
    held = 0
    for seed in range(300):
        _scores, called, labels, patients = answers(80, seed=seed)
        weights = patient_weights(patients, seed=seed, resamples=200)
        truth = labels[:, 0] > 0.5
        found = share_estimate(called[:, 0] & truth, truth, patients, weights)
        held += found.low <= true <= found.high
    assert 0.92 <= held / 300 <= 0.99


def test_macro_scores_have_the_intervals_of_the_test_itself():
    from ecgcore.data.store import Records
    from ecgcore.scores.calibration import Calibration
    from ecgcore.scores.test_report import score

    class Asked:
        classes, multilabel, calibration = ("a", "b"), True, Calibration.none(2)

    scores, called, labels, patients = answers(60)
    records = Records(
        ids=tuple(patients),
        patients=tuple(patients),
        labels=labels.astype(np.float32),
        lengths=np.ones(60, np.int64),
        fingerprints=np.arange(60),
        leads=1,
        samples=np.zeros(60, np.float32),
    )
    told = score(Asked(), scores[None], records)
    area, f1 = macro_estimates(scores, called, labels, patients, patient_weights(patients, seed=SEED))
    assert (area.value, area.low, area.high) == pytest.approx(
        (told["macro_auc"], told["macro_auc_low"], told["macro_auc_high"])
    )
    assert (f1.low, f1.high) == pytest.approx((told["macro_f1_low"], told["macro_f1_high"]))
