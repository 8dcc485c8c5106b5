from pathlib import Path

import numpy as np
import pytest

from ecgcore.scores.challenge_score import ChallengeScore

MATRIX = ",AF|AFIB,NSR,PAC\nAF|AFIB,1,0,0.5\nNSR,0,1,0.4\nPAC,0.5,0.4,1\n"


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    (tmp_path / "weights.csv").write_text(MATRIX)
    return tmp_path / "weights.csv"


def calls(*rows: str) -> np.ndarray:
    """One row a record, a letter a class that it has."""
    return np.array([[letter in row for letter in "anp"] for row in rows])


def test_all_right_is_one_and_always_sinus_rhythm_is_nothing(matrix):
    score = ChallengeScore.read(matrix, ["AF", "NSR", "PAC"])
    labels = calls("a", "n", "ap", "np", "").astype(np.float32)
    assert score(labels > 0.5, labels) == pytest.approx(1)
    assert score(calls("n", "n", "n", "n", "n"), labels) == pytest.approx(0)


def test_a_confusion_is_worth_what_the_matrix_says_shared_among_the_records_classes(matrix):
    """By hand, as in the challenge: a pair counts one over the number of classes that the record has or is called."""
    score = ChallengeScore.read(matrix, ["AF", "NSR", "PAC"])
    labels = calls("a", "ap").astype(np.float32)
    nothing = 0 + (0 + 0.4) / 3
    everything = 1 + (1 + 0.5 + 0.5 + 1) / 2
    got = 0.5 / 2 + (0.5 + 1) / 2
    assert score(calls("p", "p"), labels) == pytest.approx((got - nothing) / (everything - nothing))


def test_classes_are_found_by_any_of_their_names_in_any_order(matrix):
    first = ChallengeScore.read(matrix, ["AF", "NSR", "PAC"])
    turned = ChallengeScore.read(matrix, ["PAC", "NSR", "AFIB"])
    assert turned.rewards.tolist() == first.rewards[::-1, ::-1].tolist()


def test_all_classes_that_the_matrix_lacks_are_named(matrix):
    with pytest.raises(ValueError, match="has no class LBBB; map the store's codes") as error:
        ChallengeScore.read(matrix, ["AF", "LBBB", "RBBB"])
    assert "has no class RBBB" in str(error.value)
    assert "the store needs sinus rhythm as a class, called NSR or 426783006" in str(error.value)


def test_a_file_that_is_no_matrix_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,two\n")
    with pytest.raises(ValueError, match="not a matrix of rewards"):
        ChallengeScore.read(tmp_path / "x.csv", ["a"])
    (tmp_path / "x.csv").write_text(",a,b\na,1,2\nc,1,2\n")
    with pytest.raises(ValueError, match="rows and columns must name the same classes"):
        ChallengeScore.read(tmp_path / "x.csv", ["a"])
    with pytest.raises(ValueError, match="not a matrix of rewards"):
        ChallengeScore.read(tmp_path / "none.csv", ["a"])


def test_the_challenges_own_matrix_is_read_by_code_and_by_abbreviation(recordings):
    codes = ChallengeScore.read(
        recordings / "metadata" / "challenge2021_weights.csv", ["164889003", "426783006", "59118001"]
    )
    names = ChallengeScore.read(
        recordings / "metadata" / "challenge2021_weights_abbreviations.csv", ["AF", "NSR", "RBBB"]
    )
    assert codes.rewards.tolist() == names.rewards.tolist()
    assert codes.rewards.diagonal().tolist() == [1, 1, 1]
    assert codes.rewards[0, 2] == 0.4  # atrial fibrillation for right bundle branch block
