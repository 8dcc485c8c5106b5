"""What commands answer about a run on a cluster: JSON and nothing else where that is wanted, and what it lacks."""

import json
import socket
from pathlib import Path

from tests.orchestrator.command import toy_search, written
from tests.slurm.cluster import Cluster, wait_until
from tests.slurm.pool import Submitted, profile


def test_submit_logs_and_cancel_answer_json_and_a_copy_that_fails_fails_no_run_on_a_cluster(
    slurm: Cluster, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        away = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{server.getsockname()[1]}"}
    run = Submitted(slurm=slurm, runs=tmp_path / "runs", name="toy")
    search = written(tmp_path / "toy.yaml", toy_search(folds=1))
    cluster = written(tmp_path / "cluster.yaml", profile())
    words = ("submit", search, "--cluster", cluster, "--json")
    submitted = json.loads(run.orchestrate(*words, **away).stdout)
    assert ("toy", str(run.path)) == (submitted["run"], submitted["folder"])
    assert "submitted: a driver and 2 workers" in submitted["message"]

    wait_until(lambda: run.done() is not None, f"the end; {run.logs()}", seconds=300)
    done = run.done() or {}
    assert (0, "finished") == (done["exit_code"], done["message"]), run.logs()
    (note,) = done["notes"]
    assert f"MLflow at {away['MLFLOW_TRACKING_URI']} has no whole copy of toy" in note
    assert note in run.orchestrate("status", "toy").stdout
    run.wait_until_gone()

    (driver,) = json.loads(run.orchestrate("logs", "toy", "--json").stdout)
    assert "driver job" in driver["title"]
    assert note in driver["text"]
    assert Path(driver["file"]).exists()
    printed = json.loads(run.orchestrate("logs", "toy", "--trial", "0", "--json").stdout)
    assert all({"title", "file", "text"} == set(one) for one in printed)
    assert "toy: MLflow sqlite" in run.orchestrate("sync", "toy").stdout

    again = run.orchestrate("cancel", "toy", "--json")
    assert "toy: cancelled" in json.loads(again.stdout)["message"], again.stderr
