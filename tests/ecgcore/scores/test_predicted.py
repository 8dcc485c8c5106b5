"""Predictions as they lie in files, scored over some of their classes."""

from pathlib import Path

import pytest

from ecgcore.mistakes import Mistake
from ecgcore.scores.predicted import Predicted, scores_over

HEADER = "record,patient,label_a,label_b,label_c,probability_a,probability_b,probability_c,decision"
ROWS = (
    "r1,p1,1,0,0,0.7,0.2,0.1,a",
    "r2,p1,1,0,0,0.2,0.3,0.5,c",
    "r3,p2,0,1,0,0.4,0.5,0.1,b",
    "r4,p3,0,1,0,0.1,0.8,0.1,b",
)


def predictions(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "predictions.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_of_one_label_each_another_class_that_is_called_is_wrong_and_is_not_scored_itself(tmp_path: Path) -> None:
    scores = scores_over(Predicted.read(predictions(tmp_path, *ROWS)), ["a", "b"], multilabel=False)
    assert {"auc_a": 0.75, "f1_b": 1.0, "records": 4.0, "patients": 3.0}.items() <= scores.items()
    assert (0.75, 5 / 6) == (scores["accuracy"], pytest.approx(scores["macro_f1"]))  # f1_a is 2/3: a recall of a half
    assert scores["macro_auc_low"] <= scores["macro_auc"] == (0.75 + 1) / 2 <= scores["macro_auc_high"]
    assert "auc_a_low" not in scores, "one patient says nothing of others"
    assert scores["f1_b_low"] < 0.5 < scores["f1_b_high"] == 1.0, "a perfect score of two patients is no certainty"
    assert "auc_c" not in scores


def test_of_several_labels_what_is_said_of_other_classes_counts_for_nothing(tmp_path: Path) -> None:
    rows = [row.replace(",c", ",a;c") for row in ROWS]
    scores = scores_over(Predicted.read(predictions(tmp_path, *rows)), ["a", "b"], multilabel=True)
    assert (1.0, 1.0) == (scores["accuracy"], scores["macro_f1"])


def test_more_columns_change_nothing_and_what_is_missing_is_said(tmp_path: Path) -> None:
    more = predictions(tmp_path, *(f"{row},x" for row in ROWS), header=f"{HEADER},site")
    assert ("a", "b", "c") == Predicted.read(more).classes
    with pytest.raises(Mistake, match=r"predictions.csv:3: damaged .*restore it from a copy"):
        Predicted.read(predictions(tmp_path, ROWS[0], "r2,p1,1,0"))
    with pytest.raises(Mistake, match=r"predictions.csv:1: must have a column label_CLASS"):
        Predicted.read(predictions(tmp_path, header="record,patient"))
    with pytest.raises(Mistake, match="no such file; `test` writes it"):
        Predicted.read(tmp_path / "gone.csv")
