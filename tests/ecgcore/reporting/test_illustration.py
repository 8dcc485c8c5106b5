"""What a report shows, from the files that a test left: whole, of an earlier version, without a store."""

import json
from pathlib import Path

import numpy as np
import pytest

from ecgcore.data.manifest import FileFacts, read_manifest
from ecgcore.mistakes import Mistake
from ecgcore.reporting.illustration import illustrate
from ecgcore.reporting.tested_files import read_tested
from ecgcore.task import ArrhythmiaTask
from tests.ecgcore.reporting.some_answers import as_left_by_an_earlier_version, some_answers
from tests.ecgcore.test_task import written_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_store(tmp_path_factory.mktemp("stores"), seed=1)


@pytest.fixture(scope="module")
def final(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("final")
    ArrhythmiaTask(data=store).test([], folder)
    return folder


def titles(sections):
    return {section.title: section for section in sections}


def test_the_test_leaves_what_a_report_needs_for_its_owner_alone(store, final):
    found = read_tested(final)
    assert found.multilabel
    assert found.divided_by == "patient"
    assert list(found.thresholds) == ["quick", "rapid", "slow"]
    assert len(found.by_seed["macro_auc"]) == 1
    assert found.called.all(axis=1).all()  # the class prior calls every class
    assert 1 <= len(found.signals) <= 8
    (name, example) = next(iter(found.signals.items()))
    assert name in found.records
    assert example.signal.shape == (2, 100)
    assert (example.rate, example.leads, example.unit) == (50.0, ("I", "II"), "mV")
    for left in ("question.json", "errors.npz"):
        assert (final / left).stat().st_mode & 0o777 == 0o600


def test_a_report_shows_data_and_test_and_draws_every_figure_that_it_names(store, final, tmp_path):
    sections = ArrhythmiaTask(data=store).illustrate(final, tmp_path)
    about = [section.about for section in sections]
    assert about == sorted(about)  # data first
    named = [figure.name for section in sections for figure in section.figures]
    assert {"records", "roc", "precision_recall", "reliability", "decision_curves", "error_1"} <= set(named)
    assert {path.stem for path in tmp_path.iterdir()} == set(named)
    assert {path.suffix for path in tmp_path.iterdir()} == {".svg", ".png"}
    assert "60 records in the source" in (tmp_path / "records.svg").read_text()
    strip = (tmp_path / "error_1.svg").read_text()
    assert ">I<" in strip
    assert ">II<" in strip


def test_it_needs_neither_the_sealed_part_nor_the_store(store, final, tmp_path):
    """The sealed part is not even there; then nothing of the store is."""
    whole = ArrhythmiaTask(data=store).illustrate(final, tmp_path / "whole")
    (store / "sealed").rename(store / "elsewhere")
    try:
        assert ArrhythmiaTask(data=store).illustrate(final, tmp_path / "closed") == whole
    finally:
        (store / "elsewhere").rename(store / "sealed")
    gone = ArrhythmiaTask(data=store.parent / "gone").illustrate(final, tmp_path / "gone")
    assert "gone" in titles(gone)["Recordings"].paragraphs[0]
    assert [section for section in gone if section.about == "test"] == [s for s in whole if s.about == "test"]


def test_before_the_test_only_the_data_is_shown(store, tmp_path):
    assert {section.about for section in illustrate(store, None, tmp_path)} == {"data"}
    (tmp_path / "empty").mkdir()
    assert {section.about for section in illustrate(store, tmp_path / "empty", tmp_path)} == {"data"}


def test_an_outer_part_is_told_and_no_sealed_part_is_opened(store, tmp_path):
    task = ArrhythmiaTask(data=store, outer="0/2")
    task.test([], tmp_path / "final")
    recordings = titles(task.illustrate(tmp_path / "final", tmp_path / "figures"))["Recordings"]
    assert "outer part 0/2" in recordings.paragraphs[0]


@pytest.mark.parametrize("multilabel", [False, True])
def test_a_test_of_an_earlier_version_is_shown_as_far_as_its_predictions_go(store, tmp_path, multilabel):
    answers = some_answers(multilabel=multilabel)
    found = read_tested(as_left_by_an_earlier_version(answers, tmp_path / "final"))
    assert found.multilabel == multilabel
    assert (found.called == answers.called).all()
    assert (found.scores == answers.scores).all()
    shown = titles(illustrate(store, tmp_path / "final", tmp_path / "figures"))
    assert not {"Subgroups", "Spread over members"} & set(shown)
    assert not shown["The most confident wrong answers"].figures
    assert shown["The most confident wrong answers"].tables
    if not multilabel:
        counts = [int(np.sum(answers.called[answers.labels[:, row] > 0.5, row])) for row in range(3)]
        svg = (tmp_path / "figures" / "confusion.svg").read_text()
        assert all(f">{count}<" in svg for count in counts)


def test_names_of_others_are_drawn_as_they_are(tmp_path):
    classes = tuple(["_a", "$x_1$", "<script>", "右"] + [f"class number {number:02d} of many" for number in range(23)])
    folder = as_left_by_an_earlier_version(some_answers(records=270, classes=classes), tmp_path / "final")
    illustrate(tmp_path / "nowhere", folder, tmp_path / "figures")
    svg = (tmp_path / "figures" / "confusion.svg").read_text()
    assert "&lt;script&gt;" in svg
    assert "<script>" not in svg
    assert "$x_1$" in svg


def test_a_damaged_file_of_the_test_is_the_users_to_restore(final, tmp_path):
    for path in final.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "question.json").write_text('{"multilabel": ')
    with pytest.raises(Mistake, match=r"is damaged .* restore it from a copy"):
        read_tested(tmp_path)


def test_what_was_not_used_is_told_with_its_reasons(store, tmp_path):
    text = json.loads((store / "manifest.json").read_text())
    text |= {
        "left_out": {"without a code": 7},
        "refused": {"x1": "no signal"},
        "dropped": {"x2": "twice", "x3": "twice"},
    }
    other = tmp_path / "store"
    other.mkdir()
    (other / "manifest.json").write_text(json.dumps(text))
    (other / "index.csv").write_bytes((store / "index.csv").read_bytes())
    assert isinstance(read_manifest(other).content.files["index.csv"], FileFacts)
    section = titles(illustrate(other, None, tmp_path / "figures"))["Recordings"]
    assert section.tables[1].rows == [
        ["without a code", "7", ""],
        ["could not be read", "1", "x1 (no signal)"],
        ["twice", "2", "x2; x3"],
    ]
    svg = (tmp_path / "figures" / "records.svg").read_text()
    assert "70 records in the source" in svg
    assert "10 records not used" in svg
