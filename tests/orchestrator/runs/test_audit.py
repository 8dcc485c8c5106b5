"""Nested evaluation of the toy: what is tested on each outer part, how it is compared, and that it goes on."""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.history.journal import read_journal
from orchestrator.history.records import Start
from orchestrator.specs.experiment import Experiment
from tests.orchestrator.command import orchestrate, toy_search, written
from tests.orchestrator.without_ray import orchestrate_here

TASK = {"name": "tests.toy_task:AuditableToyTask", "with": {}}


def audit(folder: Path, *words: object, **space: Any) -> Any:
    plain: dict[str, Any] = {
        "task": TASK,
        "baseline": True,
        "sampler": "random",
        "trials": 4,
        "seeds": 2,
        "space": {"x": {"uniform": [-1, 1]}},
    }
    search = written(folder / "toy.yaml", toy_search(**{**plain, **space}))
    return orchestrate("audit", search, "--runs", folder / "runs", "--executor", "in-process", *words)


def test_every_model_stands_in_the_table_beside_the_untuned_default(tmp_path: Path) -> None:
    done = audit(tmp_path, "--outer", 3, "--json")
    assert 0 == done.returncode, done.stdout + done.stderr
    rows = {row["row"]: row for row in json.loads(done.stdout)}
    assert {
        "winner",
        "winner, its judged fits averaged",
        "ensemble of ties",
        "best mean",
        "untuned default",
        "random configuration",
        "far away",
        "class prior",
    } == rows.keys()
    assert all(3 == row["parts"] for row in rows.values())
    assert 0 == rows["class prior"]["score"]["mean"]
    # the toy's default is x = 0: .09 below the best there is, and x = 2 far below that
    assert rows["far away"]["minus_default"]["mean"] == pytest.approx(-(1.7**2) + 0.3**2)
    assert 0 < rows["winner"]["minus_default"]["low"] <= rows["winner"]["minus_default"]["high"] < 0.1
    low, high = rows["untuned default"]["score"]["low"], rows["untuned default"]["score"]["high"]
    assert high - low == pytest.approx(2 * 4.302653 * 0.01 * (1 / 3 + 1 / 2) ** 0.5, rel=1e-5), "corrected t, 2 degrees"
    table = (tmp_path / "runs" / "toy-audit" / "table.md").read_text()
    assert "searching bought: " in table
    assert "what the validation scores of toy depended on (fANOVA, shares of what it explains): x 100%" in table


def test_an_audit_that_was_cut_short_goes_on_and_does_nothing_twice(tmp_path: Path) -> None:
    assert 0 == audit(tmp_path, "--outer", 2).returncode
    folder = tmp_path / "runs" / "toy-audit"
    table, starts = (folder / "table.csv").read_text(), len(all_starts(folder))
    (folder / "outer-1" / "outer.json").unlink()
    status = orchestrate("status", "--runs", tmp_path / "runs").stdout
    assert status.startswith(
        "toy-audit: 1 of 2 outer parts done\ntoy-audit/outer-1/toy: finished; 4 complete of 4; best"
    )
    words = ("resume", "toy-audit", "--runs", tmp_path / "runs", "--executor", "in-process")
    assert 0 == orchestrate(*words).returncode
    assert table == (folder / "table.csv").read_text()
    assert starts == len(all_starts(folder))


def all_starts(folder: Path) -> list[Start]:
    journals = [read_journal(path) for path in sorted(folder.rglob("journal.jsonl"))]
    return [record for entries in journals for record, _ in entries if isinstance(record, Start)]


def test_another_audit_under_the_same_name_and_a_task_without_outer_parts_are_refused(tmp_path: Path) -> None:
    assert 0 == audit(tmp_path, "--outer", 2, trials=2).returncode
    other = audit(tmp_path, "--outer", 3, trials=2)
    assert 2 == other.returncode
    assert "holds another audit" in other.stderr
    assert "outer: 2 > 3" in other.stderr
    without = audit(tmp_path, "--name", "plain", task={"name": "tests.toy_task:ToyTask", "with": {}})
    assert 2 == without.returncode
    assert "cannot be audited: its constructor needs an argument `outer`" in without.stderr


def test_a_retrained_final_is_compared_with_a_default_that_was_retrained_too(tmp_path: Path) -> None:
    search = written(
        tmp_path / "toy.yaml", toy_search(task=TASK, baseline=True, seeds=2, space={"x": {"choice": [0.1, 0.3]}})
    )
    final = {"stages": ["toy"], "form": "retrained", "seeds": 2}
    experiment = written(tmp_path / "plan.yaml", {"stages": {"toy": {"search": search.name}}, "final": final})
    done = orchestrate(
        "audit", experiment, "--outer", 2, "--runs", tmp_path / "runs", "--executor", "in-process", "--json"
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "winner, its judged fits averaged" in {row["row"] for row in json.loads(done.stdout)}
    places = {path.name for path in (tmp_path / "runs" / "plan-audit" / "outer-0" / "rows").iterdir()}
    assert {"retrained-toy-0", "judged-toy-2", "judged-ties"} <= places
    assert "retrained-toy-2" not in places, "the winner is not made twice, though it has the best mean, too"


@pytest.mark.parametrize("earlier", [False, True])
def test_starts_are_compared_from_scratch_unless_an_earlier_version_began_the_audit(
    tmp_path: Path, earlier: bool
) -> None:
    search = written(tmp_path / "toy.yaml", toy_search(task=TASK, seeds=2, space={"x": {"choice": [0.1, 0.3]}}))
    stages = {"pre": {"search": search.name}, "full": {"search": search.name, "start_from": "pre"}}
    experiment = written(tmp_path / "plan.yaml", {"stages": stages, "final": {"stages": ["full"], "form": "judged"}})
    words = ("audit", experiment, "--outer", 2, "--runs", tmp_path / "runs", "--executor", "in-process", "--json")
    folder = tmp_path / "runs" / "plan-audit"
    if earlier:
        folder.mkdir(parents=True)
        begun: dict[str, Any] = {"outer": 2, "experiment": Experiment.read(experiment).as_data()}
        del begun["experiment"]["final"]["from_scratch"]
        (folder / "audit.json").write_text(json.dumps(begun))
    done = orchestrate_here(*words)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert (folder / "outer-1" / "full-from-scratch").exists() is not earlier
    assert "winner" in {row["row"] for row in json.loads(done.stdout)}
