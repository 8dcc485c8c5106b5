"""A cluster profile: what a site's SLURM must be asked for, once for the driver and once for every worker."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from orchestrator.errors import raise_if_any
from orchestrator.execution.private_ray import LONGEST_TEMP, OWN_FOLDER
from orchestrator.specs.strict_model import StrictModel
from orchestrator.specs.strict_yaml import read_with_mistakes
from orchestrator.specs.validation import as_far_as_possible, not_of

# sbatch's options that `sbatch:` may not hold: they have a key of their own, or the pool depends on them.
_OWN_KEY = {
    "partition": "partition",
    "account": "account",
    "qos": "qos",
    "constraint": "constraint",
    "time": "time",
    "mem": "memory",
    "mem-per-cpu": "memory",
    "mem-per-gpu": "memory",
    "cpus-per-task": "cpus",
    "cpus-per-gpu": "cpus",
    "gres": "gpus and gpu_type",
    "gpus": "gpus and gpu_type",
    "gpus-per-node": "gpus and gpu_type",
    "gpus-per-task": "gpus and gpu_type",
    "array": "workers",
}
_SET_BY_US = [
    "job-name",
    "nodes",
    "ntasks",
    "ntasks-per-node",
    "dependency",
    "signal",
    "output",
    "error",
    "open-mode",
    "requeue",
    "no-requeue",
    "wrap",
    "parsable",
    "test-only",
    "wait",
]
_TAKEN = {f"--{option}": f"has a key of its own here: {key}" for option, key in _OWN_KEY.items()}
_TAKEN |= {f"--{option}": "is set for every job of a run" for option in _SET_BY_US}
_TIME = re.compile(r"(?:([0-9]{1,4})-)?([0-9]{1,6}):([0-9]{2}):([0-9]{2})")
MOST_WORKERS, MOST_CPUS, MOST_GPUS = 100_000, 4096, 256
LONGEST_S = 366 * 24 * 3600


def seconds_of(time: str) -> int:
    """Return the seconds of a time in SLURM's spelling. Raises ValueError where it is none."""
    match = _TIME.fullmatch(time)
    if match is None:
        raise ValueError(f"must be hours:minutes:seconds or days-hours:minutes:seconds, got {time!r}")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    if minutes > 59 or seconds > 59:
        raise ValueError(f"must have at most 59 minutes and 59 seconds, got {time!r}")
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _time(time: str) -> str:
    if seconds_of(time) < 60:
        raise ValueError(f"must be at least a minute, which SLURM counts in, got {time!r}")
    if seconds_of(time) > LONGEST_S:
        raise ValueError(f"must be at most a year, got {time!r}")
    return time


def _memory(memory: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,8}[MGT]", memory):
        raise ValueError(f"must be a whole number with M, G or T behind it, got {memory!r}")
    return memory


def _printable(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError(f"must be one line of visible text, since it is written into job scripts, got {text!r}")
    return text


def _name(name: str) -> str:
    if not re.fullmatch(r"[^\s,;'\"$`\\]+", name):
        raise ValueError(f"must be one name, without spaces, commas and quotes, got {name!r}")
    return name


def _python(python: str) -> str:
    if "/" in python and not python.startswith("/"):
        raise ValueError(f"must be an absolute path, or a name that the setup lines put on PATH, got {python!r}")
    return _printable(python)


def _temp(temp: str) -> str:
    if not temp.startswith("/"):
        raise ValueError(f"must be an absolute path on the node (variables are not filled in), got {temp!r}")
    if not re.fullmatch(r"[A-Za-z0-9/._+@=-]+", temp):
        raise ValueError(f"must be a path of letters, digits and / . _ + @ = - only, got {temp!r}")
    if len(f"{temp.rstrip('/')}{OWN_FOLDER}".encode()) > LONGEST_TEMP:
        most = LONGEST_TEMP - len(OWN_FOLDER)
        raise ValueError(f"must have at most {most} bytes, since Ray puts sockets below it, got {temp!r}")
    return temp


def _extra(line: str) -> str:
    if not re.fullmatch(r"--[a-z][a-z-]*(=\S.*)?", line) or not line.isprintable():
        raise ValueError(f"must be an option of sbatch such as --reservation=ecg, got {line!r}")
    option = line.partition("=")[0]
    if option in _TAKEN:
        raise ValueError(f"{option} {_TAKEN[option]}, got {line!r}")
    return line


# What stands for a key that is missing or wrong while the others are checked.
_STAND_INS: dict[str, Any] = {
    "partition": "left-out",
    "time": "99-00:00:00",
    "cpus": 4096,
    "memory": "1G",
    "workers": {"max": 1},
    "driver": {"time": "1:00:00"},
}

Time = Annotated[str, AfterValidator(_time)]
Memory = Annotated[str, AfterValidator(_memory)]
Name = Annotated[str, AfterValidator(_name)]


class Workers(StrictModel):
    """How many worker jobs a run has at a time: `max` while there is work for them, never fewer than `min`."""

    min: int = Field(default=1, ge=1, le=MOST_WORKERS)
    max: int = Field(ge=1, le=MOST_WORKERS)

    @model_validator(mode="after")
    def _in_order(self) -> "Workers":
        if self.min > self.max:
            raise ValueError(f"min must be at most max, got {self.min} > {self.max}")
        return self

    def within(self, wanted: int) -> int:
        """Return the number nearest to what is wanted that the profile allows."""
        return max(self.min, min(wanted, self.max))


class Driver(StrictModel):
    """The job that decides, journals and trains nothing. It needs no GPU and should not be preemptible."""

    partition: Name | None = None  # default: the workers'
    qos: Name | None = None
    time: Time
    cpus: int = Field(default=1, ge=1, le=MOST_CPUS)
    memory: Memory = "4G"


class ClusterProfile(StrictModel):
    """One cluster. The values of the upper half are a worker's; SLURM's own names."""

    partition: Name
    account: Name | None = None
    qos: Name | None = None
    constraint: Annotated[str, AfterValidator(_printable)] | None = None
    time: Time
    gpus: int = Field(default=0, ge=0, le=MOST_GPUS)  # per worker
    gpu_type: Name | None = None
    fits_per_gpu: int = Field(default=1, ge=1, le=MOST_GPUS)  # share a GPU
    cpus: int = Field(ge=1, le=MOST_CPUS)  # per worker
    memory: Memory  # per worker
    workers: Workers
    driver: Driver
    setup: tuple[str, ...] = ()  # shell lines on the node before Python starts
    python: Annotated[str, AfterValidator(_python)] | None = None  # default: the one that submits
    temp: Annotated[str, AfterValidator(_temp)] = "/tmp"
    retire_before: int = Field(default=120, ge=5, le=LONGEST_S)  # seconds before a worker's time is over
    sbatch: tuple[Annotated[str, AfterValidator(_extra)], ...] = ()
    mode: Literal["pool", "jobs"] = "pool"

    @property
    def gpus_per_fit(self) -> float:
        """How many GPUs a fit has, or which share of one."""
        if self.mode == "jobs":
            return float(self.gpus)
        return 1 / self.fits_per_gpu if self.gpus else 0.0

    def fits_per_worker(self, cpus_per_fit: int) -> int:
        """Return how many fits a worker runs at a time."""
        by_cpus = self.cpus // cpus_per_fit
        if self.mode == "jobs":
            return min(by_cpus, 1)
        return min(by_cpus, self.gpus * self.fits_per_gpu) if self.gpus else by_cpus

    def gpu_request(self, count: int) -> str | None:
        """Return how SLURM is asked for so many GPUs of a node (gres); None where the workers have none."""
        type_ = f"{self.gpu_type}:" if self.gpu_type else ""
        return f"gpu:{type_}{count}" if self.gpus else None

    def workers_for(self, fits: int, *, fits_per_worker: int) -> int:
        """Return how many workers a run has while so many fits are left."""
        return self.workers.within(math.ceil(fits / fits_per_worker))

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data, which read_profile reads back."""
        return self.model_dump(mode="json", exclude_none=True)


def read_profile(path: Path) -> ClusterProfile:
    """Read a profile. Raises UserError with every mistake of the file."""
    document = _with_tuples(read_with_mistakes(path.absolute()))
    profile, mistakes, left_out = as_far_as_possible(ClusterProfile, document, stand_ins=_STAND_INS)
    found = [] if profile is None else _contradictions(profile)
    said = [f"{document.at(place)}: {'.'.join(place)}: {mistake}" for place, mistake in found]
    raise_if_any([*mistakes, *not_of(left_out, said, file=str(document.path))])
    assert profile is not None
    return profile


def _contradictions(profile: ClusterProfile) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give what is wrong with values that are right one by one, each with the key at which to mend it."""
    if not profile.gpus:
        if profile.gpu_type is not None:
            yield ("gpu_type",), f"needs gpus of at least 1, got {profile.gpu_type!r} and no gpus"
        if profile.fits_per_gpu > 1:
            yield ("fits_per_gpu",), f"needs gpus of at least 1, got {profile.fits_per_gpu} and no gpus"
    elif profile.cpus < profile.gpus * profile.fits_per_gpu:
        yield (
            ("cpus",),
            f"must be at least one for each of the {profile.gpus * profile.fits_per_gpu} fits that a worker runs at a "
            f"time (gpus x fits_per_gpu), got {profile.cpus}",
        )
    if profile.mode == "jobs" and profile.fits_per_gpu > 1:
        yield ("fits_per_gpu",), f"must be 1 with mode: jobs, where a job runs one fit, got {profile.fits_per_gpu}"
    if profile.retire_before * 2 > seconds_of(profile.time):
        yield ("retire_before",), f"must be at most half of time ({profile.time}), got {profile.retire_before}"


def _with_tuples(document: Any) -> Any:
    """Strict models take no list for a tuple, and a frozen one should hold no list."""
    if isinstance(document.data, dict):
        document.data = {
            key: tuple(value) if isinstance(value, list) else value for key, value in document.data.items()
        }
    return document
