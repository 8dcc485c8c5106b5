"""A search of the toy task on the test cluster, submitted as a user does, and what its journal says afterwards."""

import contextlib
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
from tests.slurm.cluster import Cluster, environment_of, is_named, wait_until

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
        text = journal.read_text() if journal.exists() else ""
        records = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("}\n")]
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
        assert {"exit_code": 0, "message": "finished", "notes": []} == self.done(), self.logs()

    def wait_until_gone(self, seconds: float = 90) -> None:
        wait_until(lambda: not self.jobs(), f"the end of the jobs of {self.name}", seconds=seconds)

    def jobs(self, role: str = "") -> dict[str, str]:
        """The living jobs by number, with their state."""
        return {id_: state for id_, state, name, _node in self._listed() if name.endswith(role)}

    def running(self, role: str) -> str:
        """A running job of this role; of the workers, one on another node than the driver. Waits for it."""
        found: list[str] = []

        def is_there() -> bool:
            found[:] = self.running_now(role)
            return bool(found)

        wait_until(is_there, f"a running {role} of {self.name}")
        return found[0]

    def running_now(self, role: str) -> list[str]:
        """The jobs of which `running` gives one, which may be none; all of them seen at one moment."""
        at_work = [(id_, name, node) for id_, state, name, node in self._listed() if state == "RUNNING"]
        drivers = {node: id_ for id_, name, node in at_work if name.endswith("driver")}
        if role == "driver":
            return list(drivers.values())
        return [id_ for id_, name, node in at_work if drivers and name.endswith(role) and node not in drivers]

    def _listed(self) -> list[tuple[str, str, str, str]]:
        """Number, state, name and node (none before it runs) of each living job."""
        lines = self.slurm.ask("squeue", "-h", "-r", "-o", "%i|%T|%j|%N").splitlines()
        rows = [line.split("|") for line in lines]
        return [(id_, state, name, node) for id_, state, name, node in rows if name.startswith(f"orc-{self.name}-")]

    def processes(self, job: str) -> list[psutil.Process]:
        """The processes of a job; an array's task has a number of its own besides ARRAY_TASK.

        Any may have ended when it is looked at.
        """
        found = []
        for process in self.slurm.job_processes():
            environment = environment_of(process)
            array = f"{environment.get('SLURM_ARRAY_JOB_ID')}_{environment.get('SLURM_ARRAY_TASK_ID')}"
            if job in (environment.get("SLURM_JOB_ID"), array):
                found.append(process)
        return found

    def kill(self, job: str, name: str) -> None:
        """Kill a job's processes whose name begins so, of which there is one at least. Waits for it."""

        def killed() -> bool:
            found = [process for process in self.processes(job) if is_named(process, name)]
            for process in found:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            return bool(found)

        wait_until(killed, f"a {name} of job {job}")

    def workers(self) -> list[dict[str, Any]]:
        """What each worker job has written about itself so far."""
        return [json.loads(path.read_text()) for path in (self.path / "cluster" / "workers").glob("*.json")]

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
