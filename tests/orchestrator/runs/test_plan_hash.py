"""Before a test part opens, the hash of what was planned is said and kept."""

import hashlib
import json
from pathlib import Path

from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here


def test_the_hash_is_said_before_the_opening_and_is_that_of_the_journaled_spec(tmp_path: Path) -> None:
    written(tmp_path / "one.yaml", toy_search())
    plan = {"stages": {"one": {"search": "one.yaml"}}, "final": {"stages": ["one"], "seeds": 1}}
    done = orchestrate_here("run", written(tmp_path / "toy.yaml", plan), "--runs", tmp_path / "runs")
    assert 0 == done.returncode, done.stderr

    run = tmp_path / "runs" / "toy"
    spec = json.loads((run / "journal.jsonl").read_text().splitlines()[0])["spec"]
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"))
    expected = hashlib.sha256(text.encode()).hexdigest()[:12]
    (said,) = [line for line in done.stdout.splitlines() if "the test part opens" in line]
    assert said.endswith(f"what was planned has the hash {expected}")
    tested = json.loads((run / "final" / "test.json").read_text())
    assert expected == tested["spec_hash"]
    assert f"had the hash {expected} when the test part was opened" in (run / "report.html").read_text()


def test_a_run_that_tested_before_hashes_were_said_is_not_given_one(tmp_path: Path) -> None:
    search, runs = written(tmp_path / "s.yaml", toy_search()), tmp_path / "runs"
    orchestrate_here("search", "--space", search, "--runs", runs)
    orchestrate_here("retrain", "s", "--runs", runs, "--seeds", 1)
    file = runs / "s" / "final" / "test.json"
    tested = json.loads(file.read_text())
    assert 12 == len(tested.pop("spec_hash"))
    file.write_text(json.dumps(tested))
    assert 0 == orchestrate_here("report", "s", "--runs", runs).returncode
    assert "it was not said before the test part was opened" in (runs / "s" / "report.html").read_text()
