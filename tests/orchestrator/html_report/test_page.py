"""The page of a run: whole, the same each time, and written for every run there is."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from orchestrator.history.run_folder import RunFolder
from orchestrator.results.elsewhere_table import model_of
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.html_report.page_reader import Page
from tests.orchestrator.without_ray import orchestrate_here

HERE = "tests.orchestrator.html_report.illustrating"
CHAPTERS = ["Data", "Results in validation", "What tuning bought", "Search history", "Test", "Cost", "Provenance",
            "Model card", "Reporting checklists"]  # fmt: skip


def ran(folder: Path, *, task: str = f"{HERE}:IllustratingToyTask", **changes: Any) -> Path:
    """Run an experiment of a searched stage and a plain one; return its folder."""
    told = {"task": {"name": task, "with": {}}, "seeds": 3, "folds": 1}
    tuned = {"space": {"x": {"uniform": [-1, 1]}, "y": {"uniform": [0, 1]}}, "sampler": "random", "trials": 11}
    written(folder / "tuned.yaml", toy_search(**{**told, **tuned, "baseline": True, **changes}))
    written(folder / "plain.yaml", toy_search(**told, space={"x": 0.9}))
    stages = {name: {"search": f"{name}.yaml"} for name in ("tuned", "plain")}
    final = {"stages": ["tuned"], "seeds": 2, "beside": ["default", "plain"]}
    file = written(folder / "toy.yaml", {"stages": stages, "final": final})
    done = orchestrate_here("run", file, "--runs", folder / "runs", "--json")
    assert 0 == done.returncode, done.stderr
    return folder / "runs" / "toy"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ran(tmp_path_factory.mktemp("page"))


def again(run: Path) -> str:
    done = orchestrate_here("report", run.name, "--runs", run.parent)
    assert 0 == done.returncode, done.stderr
    assert f"{run}/report.html: written\n" == done.stdout
    return (run / "report.html").read_text()


def test_a_run_leaves_a_page_that_answers_its_question_first_and_needs_nothing_else(run: Path) -> None:
    text = (run / "report.html").read_text()
    page = Page(text)
    assert page.open == []
    assert ("h1", "Does tuning toy on IllustratingToyTask beat its untuned default?") == page.headings[0]
    assert CHAPTERS == [title for kind, title in page.headings if kind == "h2"]
    assert "Yes, by validation: score +.0" in text
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert all(address.startswith(("#", "data:image/png;")) for address in page.addresses)
    inside = {address[1:] for address in page.addresses if address.startswith("#")}
    assert inside | set(page.references) <= set(page.ids)
    assert "default-src 'none'" in text
    assert len(text) < 3_000_000


def test_ids_of_different_pictures_do_not_collide(run: Path) -> None:
    page = Page((run / "report.html").read_text())
    assert page.tags.count("svg") >= 6
    assert len(page.ids) == len(set(page.ids))


def test_the_same_run_has_the_same_page_and_the_same_pictures_byte_for_byte(run: Path) -> None:
    before = {path: path.read_bytes() for path in [run / "report.html", *(run / "figures").iterdir()]}
    again(run)
    assert before == {path: path.read_bytes() for path in before}
    assert {".svg", ".png"} == {path.suffix for path in before} - {".html"}


def test_what_the_task_tells_stands_in_its_place_and_cannot_become_markup(run: Path) -> None:
    text = (run / "report.html").read_text()
    titles = [title for kind, title in Page(text).headings if kind in ("h2", "h3")]
    assert titles.index("Data") + 1 == titles.index("Flow of <records>")
    assert titles.index("Test") + 1 == titles.index("By class")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<i>" not in text
    assert "$&lt;i&gt;not maths&lt;/i&gt;$" in text, "text stays text in a picture"
    assert "The picture is missing" in text


def test_winner_default_and_models_beside_are_told_apart_in_validation_and_test(run: Path) -> None:
    text = (run / "report.html").read_text()
    row = re.search(r'<tr class="marked"><th scope="row">tuned/0</th><td>untuned default</td>', text)
    assert row is not None
    assert "In validation: winner minus untuned default, score +.0" in text
    assert "In one opening of the test part: winner score" in text
    tested = json.loads((run / "final" / "test.json").read_text())
    for name in ("default", "plain"):
        score = f"{tested['beside'][name]['metrics']['score']:.3f}".removeprefix("0")
        of = f"<td>trial 0 of {tested['beside'][name]['stage']}</td><td>{score}</td>"
        assert f'<th scope="row">{name}</th>{of}' in text
    assert "fANOVA" in text


def test_what_only_a_person_can_say_is_visibly_blank(run: Path) -> None:
    text = (run / "report.html").read_text()
    assert '<th scope="row">intended use</th><td class="blank">to be filled in</td>' in text
    assert '<th scope="row">17</th><td>ethics approval and consent</td><td class="blank">' in text
    assert "<td>data source: IllustratingToyTask</td>" in text


def test_a_task_whose_figures_fail_costs_the_page_only_those(tmp_path: Path) -> None:
    run = ran(tmp_path, task=f"{HERE}:FailingToyTask", trials=2)
    text = (run / "report.html").read_text()
    assert "RuntimeError: the moon is in the way" in text
    assert CHAPTERS == [title for kind, title in Page(text).headings if kind == "h2"]


def test_runs_of_earlier_versions_and_runs_without_a_test_have_pages_with_what_they_have(
    run: Path, tmp_path: Path
) -> None:
    old = tmp_path / "runs" / "toy"
    shutil.copytree(run, old)
    for path in [old / "provenance.json", old / "winner.json", old / "report.html", *old.glob("*/curves.csv")]:
        path.unlink()
    shutil.rmtree(old / "figures")
    shutil.rmtree(old / "final")
    text = again(old)
    assert "not written down by this run" in text
    assert "This run has not tested a model" in text
    assert "; not tested yet." in text


def test_a_search_that_is_half_done_or_has_failed_has_a_page(tmp_path: Path) -> None:
    failed = written(tmp_path / "bad.yaml", toy_search(space={"kind": {"choice": ["raises", "diverges"]}}))
    orchestrate_here("search", "--space", failed, "--runs", tmp_path / "runs")
    assert "No trial is complete, so nothing won." in again(tmp_path / "runs" / "bad")

    whole = written(tmp_path / "s.yaml", toy_search())
    orchestrate_here("search", "--space", whole, "--runs", tmp_path / "runs")
    journal = tmp_path / "runs" / "s" / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    done = next(number for number, line in enumerate(lines) if line.startswith('{"event": "tell"'))
    journal.write_text("".join(lines[: done + 1]))
    assert "Not answered yet, after 1 finished trials. trial 0 is chosen" in again(tmp_path / "runs" / "s")


def test_a_page_that_cannot_be_written_fails_no_run_and_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "runs" / "s" / "report.html").mkdir(parents=True)
    search = written(tmp_path / "s.yaml", toy_search())
    done = orchestrate_here("search", "--space", search, "--runs", tmp_path / "runs")
    assert 0 == done.returncode
    (said,) = [line for line in done.stderr.splitlines() if "report.html" in line]
    assert "could not be written" in said
    assert "`orchestrate report s` writes it" in said
    assert "MLflow " in done.stdout


def test_report_and_open_name_the_page_and_a_run_that_is_not_there_is_a_mistake(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    shown = orchestrate_here("open", "toy", "--runs", run.parent)
    assert (0, f"{run}/report.html\n") == (shown.returncode, shown.stdout)
    told = orchestrate_here("report", "toy", "--runs", run.parent, "--json")
    assert {"report": f"{run}/report.html"} == json.loads(told.stdout)
    for word in ("report", "open"):
        missing = orchestrate_here(word, "tyo", "--runs", run.parent)
        assert (2, True) == (missing.returncode, "no such run" in missing.stderr)


def test_tests_on_other_data_stand_in_one_table(run: Path, tmp_path: Path) -> None:
    copied = tmp_path / "runs" / "toy"
    shutil.copytree(run, copied)
    other = copied / "elsewhere" / "other_hospital"
    other.mkdir(parents=True)
    metrics = {"score": 0.5, "score_low": 0.4, "score_high": 0.6, "records": 12.0}
    told = {
        "metrics": metrics,
        "own": {"score": 0.7},
        "part": "all",
        "openings": 0,
        "said": ["two classes are not theirs"],
        "model": model_of(RunFolder(copied).final),
    }
    (other / "test.json").write_text(json.dumps(told))
    (copied / "elsewhere" / "earlier").mkdir()
    (copied / "elsewhere" / "earlier" / "test.json").write_text(json.dumps({**told, "model": "of an earlier final"}))
    (copied / "elsewhere" / "damaged").mkdir()
    (copied / "elsewhere" / "damaged" / "test.json").write_text("{")
    text = again(copied)
    row = "<td>12 all</td><td>score</td><td>.700</td><td>.500 [.400, .600]</td>"
    assert f'<th scope="row">other_hospital</th>{row}' in text
    assert "other_hospital: two classes are not theirs." in text
    assert "damaged: " in text
    assert '<th scope="row">earlier</th>' not in text
