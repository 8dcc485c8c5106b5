"""A search of the toy task on the test cluster, submitted as a user does, and what its journal says afterwards."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from orchestrator.specs.strict_yaml import write_yaml
from tests.orchestrator.command import toy_search, written
from tests.slurm.cluster import Cluster, wait_until

TRIALS = 24


def profile(**changes: Any) -> dict[str, Any]:
    plain = {
        "partition": "low",
        "time": "00:10:00",
        "gpus": 1,
        "gpu_type": "fake",
        "cpus": 1,
        "memory": "5000M",  # of a node's 8000: a worker on each node
        "workers": {"min": 1, "max": 3},
        "driver": {"partition": "high", "time": "01:00:00", "memory": "1500M"},
        "retire_before": 20,
    }
    return {**plain, **changes}


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """One run on the cluster."""

    slurm: Cluster
    runs: Path
    name: str

    @property
    def path(self) -> Path:
        return self.runs / self.name

    def orchestrate(self, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.slurm.run(sys.executable, "-m", "orchestrator.cli", *words, "--runs", self.runs, **environment)

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        journal = self.path / "journal.jsonl"
        whole = journal.read_text().splitlines() if journal.exists() else []
        records = [json.loads(line) for line in whole if line.endswith("}")]
        return [record for record in records if kind in (None, record["event"])]

    def wait_for(self, kind: str, count: int, seconds: float = 120) -> None:
        wait_until(lambda: len(self.events(kind)) >= count, f"{count} {kind} in {self.name}", seconds=seconds)

    def step_logs(self) -> list[Path]:
        """Of the fits whose folders are kept, what they really did: a line a step."""
        return list((self.path / "trials").glob("*/*/steps.log"))

    def done(self) -> dict[str, Any] | None:
        path = self.path / "cluster" / "done.json"
        return json.loads(path.read_text()) if path.exists() else None

    def wait_until_done(self, seconds: float = 300) -> None:
        wait_until(lambda: self.done() is not None, f"the end of {self.name}; {self.logs()}", seconds=seconds)
        assert {"exit_code": 0, "message": "finished"} == self.done(), self.logs()

    def wait_until_gone(self, seconds: float = 30) -> None:
        wait_until(lambda: not self.jobs(), f"the end of the jobs of {self.name}", seconds=seconds)

    def jobs(self, role: str = "") -> dict[str, str]:
        """The living jobs by number, with their state."""
        listed = self.slurm.ask("squeue", "-h", "-r", "-o", "%i %T %j").splitlines()
        rows = [line.split() for line in listed]
        return {id_: state for id_, state, name in rows if name.startswith(f"orc-{self.name}-") and name.endswith(role)}

    def running(self, role: str) -> str:
        """A running job of this role; of the workers, one on another node than the driver."""
        found = [id_ for id_, state in self.jobs(role).items() if state == "RUNNING"]
        if role == "driver":
            return found[0]
        apart = self.slurm.node_of(self.running("driver"))
        return next(id_ for id_ in found if self.slurm.node_of(id_) != apart)

    def processes(self, job: str) -> list[psutil.Process]:
        """The processes of a job; an array's task has a number of its own besides ARRAY_TASK.

        One that ends in the moment of reading may show an empty environment.
        """
        found = []
        for process in self.slurm.job_processes():
            try:
                environment = process.environ()
            except (psutil.Error, OSError):
                continue
            array = f"{environment.get('SLURM_ARRAY_JOB_ID')}_{environment.get('SLURM_ARRAY_TASK_ID')}"
            if job in (environment.get("SLURM_JOB_ID"), array):
                found.append(process)
        return found

    def logs(self) -> str:
        return "\n".join(
            f"== {path}\n{path.read_text(errors='replace')[-3000:]}"
            for path in sorted((self.path / "cluster" / "logs").glob("*/*.out"))
        )


def submit(slurm: Cluster, folder: Path, name: str = "toy", *, space: Any = None, **changes: Any) -> Submitted:
    """Submit a grid of 24 trials of 4 steps of half a second, or another search."""
    plain = toy_search(
        task={"name": "tests.toy_task:ToyTask", "with": {"step_s": 0.5, "folds": 1}},
        max_steps=4,
        space={"x": {"choice": [round(i / TRIALS, 3) for i in range(TRIALS)]}},
    )
    search = written(folder / f"{name}.yaml", write_yaml({**plain, **(space or {})}))
    cluster = written(folder / f"{name}-cluster.yaml", write_yaml(profile(**changes)))
    run = Submitted(slurm=slurm, runs=folder / "runs", name=name)
    said = run.orchestrate("submit", search, "--cluster", cluster)
    assert 0 == said.returncode, said.stderr
    return run


def assert_whole(run: Submitted, *, trials: int = TRIALS, disruptions: int = 1) -> None:
    """Every trial is finished once; nothing was started after its end; each disruption cost at most a step a fit."""
    assert list(range(trials)) == sorted(told["trial"] for told in run.events("tell"))
    assert {"complete"} == {told["state"] for told in run.events("tell")}
    ended: set[int] = set()
    for record in run.events():
        if record["event"] == "end":
            ended.add(record["trial"])
        assert record["event"] != "start" or record["trial"] not in ended
    assert 1 == max(Counter((r["trial"], r["step"]) for r in run.events("report")).values())
    for steps in run.step_logs():
        done = Counter(line.split()[0] for line in steps.read_text().splitlines())
        assert done.total() - len(done) <= disruptions, f"{steps}: {done}"
