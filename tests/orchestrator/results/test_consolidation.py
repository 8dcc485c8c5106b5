"""Several searches in one table: what answers the same question is ranked together, and nothing else is."""

import csv
import json
from pathlib import Path
from typing import Any

from orchestrator.history.run_folder import RunFolder
from orchestrator.results.comparable import Group, Question, why_apart
from orchestrator.results.consolidation import Choice, consolidate
from orchestrator.runs.search_run import run_search
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.in_process import toy_spec
from tests.orchestrator.runs.test_openings import session
from tests.orchestrator.without_ray import orchestrate_here


def task(place: Path, data: str) -> dict[str, Any]:
    return {"name": "tests.toy_task:SealedToyTask", "with": {"records": data, "place": str(place), "data": data}}


def searched(place: Path, name: str, *, data: str = "toy", **changes: Any) -> RunFolder:
    plain = {"task": task(place, data), "sampler": "grid", "trials": None, "space": {"x": {"choice": [0.1, 0.3]}}}
    run = RunFolder(place / "runs" / name)
    with session(run) as here:
        run_search(toy_spec(**{**plain, **changes}), run, here)
    return run


def column(text: str, name: str) -> list[str]:
    """Return one column of a Markdown table, its heading left out."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.startswith("| ")]
    at = lines[0].index(name)
    return [line[at] for line in lines[1:]]


def test_runs_of_the_same_question_are_ranked_together_and_others_apart_with_the_reason(tmp_path: Path) -> None:
    runs = [
        searched(tmp_path, "near"),
        searched(tmp_path, "far", space={"x": {"choice": [0.2]}}),
        searched(tmp_path, "elsewhere", data="another"),
        searched(tmp_path, "split", folds=1),
        searched(tmp_path, "faster", metric="loss", mode="min"),
    ]
    text = consolidate(runs, as_json=False, place=tmp_path / "runs")
    together, elsewhere, split, faster = (f"# {part}" for part in text.split("# ")[1:])
    assert "near, far, by score (max)" in together
    assert "\n| run | trial |" in together, "a trial's number needs its run beside it"
    assert ["near", "far", "near"] == column(together, "run"), "of .3, .2, .1: the best mean first"
    assert "not ranked with" not in together
    assert "not ranked with near, far: other data (by content)" in elsewhere
    assert "not ranked with near, far: folds 1, there 2" in split
    assert "not ranked with near, far: metric loss, there score; mode min, there max" in faster


def test_the_table_of_several_runs_is_written_to_files_with_the_group_of_each(tmp_path: Path) -> None:
    runs = [searched(tmp_path, "one"), searched(tmp_path, "two"), searched(tmp_path, "other", data="another")]
    text = consolidate(runs, as_json=False, place=tmp_path / "runs")
    rows = list(csv.DictReader((tmp_path / "runs" / "consolidated.csv").read_text().splitlines()))
    assert [("one", "1")] * 2 + [("two", "1")] * 2 + [("other", "2")] * 2 == [
        (row["run"], row["group"]) for row in rows
    ]
    assert text.startswith((tmp_path / "runs" / "consolidated.md").read_text())
    assert rows == json.loads(consolidate(runs, as_json=True, place=tmp_path / "runs"))
    assert str(tmp_path / "runs" / "consolidated.csv") in text


def test_the_best_rows_of_chosen_columns_are_printed_in_any_format_and_files_stay_whole(tmp_path: Path) -> None:
    runs = [searched(tmp_path, "one"), searched(tmp_path, "two", space={"x": {"choice": [0.2]}})]

    def printed(form: str, *, as_json: bool = False) -> str:
        choice = Choice(columns=("run", "x", "mean", "low"), best=2, form=form)
        return consolidate(runs, as_json=as_json, place=tmp_path / "runs", choice=choice)

    assert "run,x,mean,low" == printed("csv").splitlines()[0]
    read = list(csv.DictReader(printed("csv").splitlines()))
    assert [("one", "0.3"), ("two", "0.2")] == [(row["run"], row["x"]) for row in read]
    assert read == json.loads(printed("csv", as_json=True))
    assert ["0.3", "0.2"] == column(printed("md"), "x")
    assert printed("tex").count(r" \\") == 3, "a heading and two rows"
    assert printed("html").count("<tr>") + printed("html").count('<tr class="winner">') == 3
    for ending in ("csv", "md", "tex", "html"):
        whole = (tmp_path / "runs" / f"consolidated.{ending}").read_text()
        assert "steps" in whole
        assert "0.1" in whole


def test_columns_that_are_not_there_are_named_all_at_once(tmp_path: Path) -> None:
    run = searched(tmp_path, "one")
    done = orchestrate_here("consolidate", "one", "--columns", "x,maen,qqq", "--runs", run.path.parent)
    assert 2 == done.returncode
    assert "--columns: there is no maen; did you mean mean?" in done.stderr
    assert "--columns: there is no qqq; known are" in done.stderr
    shown = orchestrate_here("consolidate", "one", "--columns", "x,mean", "--format", "csv", "--runs", run.path.parent)
    assert "x,mean" == shown.stdout.splitlines()[0]


def test_one_run_is_written_to_its_own_table_alone(tmp_path: Path) -> None:
    text = consolidate([searched(tmp_path, "one")], as_json=False, place=tmp_path / "runs")
    assert text.startswith("# one\n")
    assert not (tmp_path / "runs" / "consolidated.csv").exists()


def test_a_stage_on_other_data_does_not_stand_above_what_competes_for_the_final(tmp_path: Path) -> None:
    written(tmp_path / "pretrain.yaml", toy_search(task=task(tmp_path, "other"), max_steps=9))
    written(tmp_path / "full.yaml", toy_search(task=task(tmp_path, "own")))
    stages = {"pretrain": {"search": "pretrain.yaml"}, "full": {"search": "full.yaml"}}
    plan = written(tmp_path / "plan.yaml", {"stages": stages, "final": {"stages": ["full"], "seeds": 1}})
    done = orchestrate_here("run", plan, "--runs", tmp_path / "runs")
    assert 0 == done.returncode, done.stderr
    own, other = (tmp_path / "runs" / "plan" / "table.md").read_text().split("# ")[1:]
    assert own.startswith("plan: validation: full")
    assert max(column("# " + other, "mean")) > max(column("# " + own, "mean")), "as if it were the better model"
    assert "not ranked with full: other data" in other
    shown = orchestrate_here("consolidate", "plan", "--runs", tmp_path / "runs").stdout
    assert "not ranked with plan/full: other data" in shown


def test_what_differs_of_other_data_is_named_as_the_task_describes_it() -> None:
    plain: dict[str, Any] = {"metric": "auc", "mode": "max", "judged": "last", "folds": 2}
    one = Question(**plain, data="1", facts={"data": "1", "leads": "I,II", "rate": 100})
    other = Question(**plain, data="2", facts={"data": "2", "leads": "II", "rate": 100})
    said = why_apart(Group(question=other, names=("b",)), Group(question=one, names=("a",)))
    assert "not ranked with a: other data (leads II, there I,II)" == said
