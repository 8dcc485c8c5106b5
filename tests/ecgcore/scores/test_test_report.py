import csv
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import expit

from ecgcore.models.classifier import build_classifier
from ecgcore.scores.calibration import Calibration
from ecgcore.scores.challenge_score import ChallengeScore
from ecgcore.scores.test_report import score
from ecgcore.serving.ensemble import Ensemble, Member
from ecgcore.serving.prediction import predict_records, write_predictions
from tests.ecgcore.tiny import CLASSES, LEADS, RATE, tiny_records

RECORDS = tiny_records(40, seed=1, multilabel=True, lengths=(100, 64))


def ensemble(*, thresholds: tuple[float, float, float] = (0.5, 0.5, 0.5), members: int = 2) -> Ensemble:
    models = [build_classifier("cnn1d", leads=2, classes=3).eval() for _ in range(members)]
    calibration = Calibration(thresholds=thresholds)
    return Ensemble(
        members=tuple(Member(model=model) for model in models),
        calibration=calibration,
        classes=CLASSES,
        leads=LEADS,
        rate=RATE,
        multilabel=True,
    )


def test_a_perfect_answer_scores_one_with_an_interval_of_no_width():
    perfect = np.stack([RECORDS.labels * 0.8 + 0.1, RECORDS.labels * 0.6 + 0.2])
    values = score(ensemble(), perfect, RECORDS)
    told = ("records", "patients", "patients_scored", "calibration_error", "log_loss", "brier", "collapsed")
    others = ("uncalibrated", "threshold", "top_5_percent_recall", "seeds_collapsed")  # the third: so many are ill
    judged = {name: v for name, v in values.items() if name not in told and not name.startswith(others)}
    assert {v for name, v in judged.items() if not name.endswith("_sd")} == {1.0}
    assert {v for name, v in judged.items() if name.endswith("_sd")} == {0.0}
    assert values["calibration_error"] == pytest.approx(0.15)  # .85 and .15 were claimed
    assert (values["records"], values["patients"]) == (40, 20)
    assert {"macro_auc", "macro_auc_low", "macro_auc_high", "macro_f1_low", "auc_slow", "f1_rapid"} <= set(values)
    assert "macro_auc_seed_2" in values
    assert "macro_auc_seed_3" not in values


def test_the_interval_holds_the_score_and_is_the_same_again():
    answers = np.clip(RECORDS.labels + np.random.default_rng(0).normal(0, 0.7, (2, 40, 3)), 0, 1)
    values = score(ensemble(), answers, RECORDS)
    for name in ("macro_auc", "macro_f1"):
        assert values[f"{name}_low"] < values[name] < values[f"{name}_high"]
    assert values == score(ensemble(), answers, RECORDS)
    assert values["macro_auc"] > max(values["macro_auc_seed_1"], values["macro_auc_seed_2"])


def test_calibrated_thresholds_decide():
    answers = np.stack([RECORDS.labels * 0.2 + 0.1] * 2)
    assert score(ensemble(), answers, RECORDS)["macro_f1"] == 0
    assert score(ensemble(thresholds=(0.2, 0.2, 0.2)), answers, RECORDS)["macro_f1"] == 1


def test_good_probabilities_are_told_from_bad_ones_before_and_after_calibration():
    """Averaged log odds of +-6 for labels that are right four times in five: tempered, they cost less."""
    random = np.random.default_rng(0)
    said = np.where(random.random((40, 3)) < 0.8, RECORDS.labels, 1 - RECORDS.labels)
    answers = np.stack([expit(12 * said - 6)] * 2)
    calibrated = Calibration(temperature=6 / np.log(4), thresholds=(0.5,) * 3)
    before, after = (
        score(ensemble(), answers, RECORDS),
        score(replace(ensemble(), calibration=calibrated), answers, RECORDS),
    )
    for name in ("log_loss", "brier", "calibration_error"):
        assert before[name] == before[f"uncalibrated_{name}"] == after[f"uncalibrated_{name}"]
        assert after[name] < before[name] - 0.01
    assert after["macro_f1"] == before["macro_f1"]
    assert (after["temperature"], after["threshold_slow"]) == (6 / np.log(4), 0.5)


def test_a_class_that_nobody_has_is_left_out_and_not_averaged():
    labels = RECORDS.labels * np.array([1, 1, 0], np.float32)
    records = replace(RECORDS, labels=labels)
    values = score(ensemble(), np.stack([labels * 0.8 + 0.1] * 2), records)
    assert "auc_rapid" not in values
    assert values["macro_auc"] == 1
    assert all(np.isfinite(list(values.values())))


def test_predictions_are_in_the_order_of_the_records_whatever_their_lengths():
    model = ensemble()
    answers = predict_records(model, RECORDS)
    assert answers.shape == (2, 40, 3)
    for index in (0, 1, 39):
        signal = RECORDS.signal(index)[None].copy()
        alone = model.by_member(torch.tensor(signal), torch.tensor([signal.shape[2]]))
        assert answers[:, index] == pytest.approx(alone[:, 0], abs=1e-5)


def test_the_table_has_a_row_a_record(tmp_path):
    write_predictions(
        tmp_path / "new" / "predictions.csv", np.full((40, 3), 0.25), RECORDS.labels > 0.5, RECORDS, CLASSES
    )
    with (tmp_path / "new" / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 40
    assert rows[3]["record"] == "r1-3"
    assert rows[3]["patient"] == "p1-1"
    assert [rows[3][f"label_{name}"] for name in CLASSES] == [str(int(label)) for label in RECORDS.labels[3]]
    assert rows[3]["probability_slow"] == "0.250000"
    for row in rows:
        assert row["decision"] == ";".join(name for name in CLASSES if row[f"label_{name}"] == "1")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["predictions.csv"]


def test_patients_are_scored_by_the_mean_of_their_records():
    """Two records a patient: one answered wrongly, the other more surely right, is a patient answered rightly."""
    labels = np.repeat(np.eye(3, dtype=np.float32)[np.arange(20) % 3], 2, axis=0)
    records = replace(RECORDS, labels=labels)
    answers = np.full((40, 3), 0.1)
    answers[np.arange(0, 40, 2)] += 0.8 * labels[::2]
    answers[np.arange(1, 40, 2)] += 0.3 * np.roll(labels[::2], 1, axis=1)
    single = replace(ensemble(members=1), multilabel=False)
    values = score(single, answers[None], records)
    assert values["accuracy"] == 0.5
    assert (values["patient_macro_f1"], values["patient_macro_auc"]) == (1, 1)
    assert values["patients_scored"] == 20


def test_a_patient_with_two_answers_to_a_question_with_one_is_left_out_of_the_patients():
    labels = np.repeat(np.eye(3, dtype=np.float32)[np.arange(20) % 3], 2, axis=0)
    labels[1] = np.roll(labels[1], 1)
    single = replace(ensemble(members=1), multilabel=False)
    values = score(single, labels[None] * 0.8 + 0.1, replace(RECORDS, labels=labels))
    assert values["patients_scored"] == 19


def test_without_patients_of_several_records_there_is_nothing_to_add():
    records = replace(RECORDS, patients=RECORDS.ids)
    assert not [name for name in score(ensemble(), np.full((2, 40, 3), 0.4), records) if name.startswith("patient_")]


def test_one_label_a_record_has_a_confusion_that_adds_up_to_the_records():
    labels = np.eye(3, dtype=np.float32)[np.arange(40) % 3]
    answers = np.random.default_rng(0).random((1, 40, 3))
    values = score(replace(ensemble(members=1), multilabel=False), answers, replace(RECORDS, labels=labels))
    counts = {name: value for name, value in values.items() if name.startswith("confusion_")}
    assert len(counts) == 9
    assert sum(counts.values()) == 40
    assert sum(value for name, value in counts.items() if name.startswith("confusion_slow_")) == labels[:, 0].sum()
    assert values["recall_slow"] == counts["confusion_slow_slow"] / labels[:, 0].sum()


def test_the_challenges_score_is_added_where_it_is_asked_for(tmp_path):
    (tmp_path / "weights.csv").write_text(",slow,NSR,rapid\nslow,1,0,0.5\nNSR,0,1,0\nrapid,0.5,0,1\n")
    challenge = ChallengeScore.read(tmp_path / "weights.csv", ("slow", "NSR", "rapid"))
    perfect = np.stack([RECORDS.labels * 0.8 + 0.1] * 2)
    assert score(ensemble(), perfect, RECORDS, challenge=challenge)["challenge_score"] == 1
    assert "challenge_score" not in score(ensemble(), perfect, RECORDS)
