"""Where driver and workers of a run find each other: files of the run folder, each with one writer, written whole.

request.json     what was submitted, and the id in its jobs' names; by `submit`, and the job that prepares the data
profile.yaml     the cluster's profile; by `submit`
token            of the run's Ray, 0600; by `submit`
head.json        the driver that is there: its incarnation, Ray's address, a beat that grows; by the driver
workers/JOB.json what a worker job had, from when to when; by that worker
done.json        how the run ended; by the driver
cancelled        the user wants no more of it; by `cancel`
logs/            what the jobs print, and submitit's files
"""

import contextlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from orchestrator.atomic import write_json, write_text
from orchestrator.cluster.profile import ClusterProfile, read_profile
from orchestrator.execution.private_ray import new_token
from orchestrator.history.run_folder import RunFolder
from orchestrator.specs.specs import FinalSpec
from orchestrator.specs.strict_yaml import write_yaml

Content = TypeVar("Content")
PREPARATION = "preparation"  # an empty file in the log folder of a job that prepares data


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What was submitted."""

    id: str  # in the names of its jobs
    retrain_seeds: int | None = None  # retrain the winner of a search that is done; of an earlier version
    final: dict[str, Any] | None = None  # make the winner of a search that is done one model: a FinalSpec
    forecast: str | None = None  # of the hours of its fits, as `plan` would have said it then
    begin: dict[str, Any] | None = None  # the spec of a run that begins when its data is prepared
    reopen: bool = False  # whether its final may test although another did; asked again when it does

    @property
    def how(self) -> FinalSpec | None:
        """What to make of the winner of a search that is done; None: it is another run that was submitted."""
        if self.retrain_seeds is not None:
            return FinalSpec(stages=["search"], seeds=self.retrain_seeds)
        return None if self.final is None else FinalSpec.model_validate(self.final)


@dataclass(frozen=True, kw_only=True)
class Head:
    """A driver that lives, as long as the beat grows."""

    incarnation: str
    job: str
    node: str
    address: str | None  # of its Ray; None before it is up and after it is down
    beat: int
    threads: int = 1  # of each fit
    progress: int  # what the journals held when this incarnation began: did the one before get anywhere?
    fruitless: int  # how many incarnations before this one got nowhere, in a row
    error: str = ""  # what ended it
    closed: bool = False  # no more fits: workers may go


@dataclass(frozen=True, kw_only=True)
class Worker:
    """What one worker job had. Times are seconds since 1970 by its node's clock, of which only differences count."""

    job: str
    node: str
    gpus: int
    cpus: int
    started: float
    seen: float  # it lived then
    joined: bool = False  # it was part of the pool at least once
    retiring: str = ""  # and why, as a Failure; of an earlier version True or False
    idle_since: float | None = None

    @property
    def hours(self) -> float:
        """How long it was allocated, as far as is known."""
        return (self.seen - self.started) / 3600


@dataclass(frozen=True, kw_only=True)
class Done:
    """How the run ended."""

    exit_code: int
    message: str
    notes: list[str] = field(default_factory=list)  # what else a person should know


class RunFiles:
    """The folder of these files."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.path = run.path / "cluster"
        self.logs = self.path / "logs"
        self.token = self.path / "token"
        self._profile = self.path / "profile.yaml"

    def create(self, request: Submission, profile: ClusterProfile) -> None:
        """Lay out a submission; what an earlier one left behind is no more."""
        for folder in (self.path, self.logs, self.path / "workers"):
            folder.mkdir(mode=0o700, exist_ok=True)
        for name in ("done.json", "head.json", "cancelled"):
            (self.path / name).unlink(missing_ok=True)
        if not self.token.exists():
            write_text(self.token, new_token())
        write_text(self._profile, write_yaml(profile.as_data()))
        self.write_request(request)

    @property
    def exists(self) -> bool:
        """Whether this run was ever submitted to a cluster."""
        return self.run.submission.exists()

    def write_request(self, request: Submission) -> None:  # noqa: D102
        write_json(self.run.submission, asdict(request))

    def request(self) -> Submission:  # noqa: D102
        found = self._read("request.json", Submission)
        assert found is not None
        return found

    def profile(self) -> ClusterProfile:  # noqa: D102
        return read_profile(self._profile)

    def head(self) -> Head | None:  # noqa: D102
        return self._read("head.json", Head)

    def write_head(self, head: Head) -> None:  # noqa: D102
        write_json(self.path / "head.json", asdict(head))

    def done(self) -> Done | None:  # noqa: D102
        return self._read("done.json", Done)

    def write_done(self, done: Done) -> None:  # noqa: D102
        write_json(self.path / "done.json", asdict(done))

    def cancel(self) -> None:
        """Say that nothing more is wanted."""
        write_text(self.path / "cancelled", "")

    @property
    def is_cancelled(self) -> bool:  # noqa: D102
        with contextlib.suppress(OSError):  # a network disk that does not answer does not say so
            return (self.path / "cancelled").exists()
        return False

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to do for any job of this run."""
        return self.is_cancelled or self.done() is not None

    def workers(self) -> Iterator[Worker]:
        """Yield what every worker job of this run wrote about itself."""
        for path in sorted((self.path / "workers").glob("*.json")):
            if (found := self._read(f"workers/{path.name}", Worker)) is not None:
                yield found

    def write_worker(self, worker: Worker) -> None:  # noqa: D102
        write_json(self.path / "workers" / f"{worker.job}.json", asdict(worker))

    def names(self) -> tuple[str, str]:
        """Return the names of the driver's and of the workers' jobs, which no other run's jobs have."""
        return f"{self._stem}-driver", f"{self._stem}-worker"

    @property
    def preparation_name(self) -> str:
        """The name of the job that prepares the run's data."""
        return f"{self._stem}-prepare"

    @property
    def _stem(self) -> str:
        plain = re.sub(r"[^A-Za-z0-9_.-]", "-", self.run.name)  # squeue takes a comma for the end of a name
        return f"orc-{plain}-{self.request().id}"

    def _read(self, name: str, kind: type[Content]) -> Content | None:
        """Read one file. A network folder may show a file late, or half: then it is not there yet."""
        for _attempt in range(3):
            try:
                content: dict[str, Any] = json.loads((self.path / name).read_text(encoding="utf-8"))
            except FileNotFoundError:
                return None
            except (OSError, ValueError):
                time.sleep(0.1)
                continue
            known = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # every kind is a dataclass
            return kind(**{key: value for key, value in content.items() if key in known})
        return None
