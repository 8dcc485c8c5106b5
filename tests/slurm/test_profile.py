"""A cluster profile: every mistake at once, with its line and its way out; and what is shipped can be copied."""

from pathlib import Path
from typing import Any

import pytest

from orchestrator.cluster.profile import read_profile, seconds_of
from orchestrator.errors import UserError
from tests.orchestrator.command import orchestrate, written
from tests.slurm.cluster import running_cluster
from tests.slurm.settings import Shape

SHIPPED = sorted((Path(__file__).parents[2] / "slurm").glob("*.yaml"))
# What a newcomer of the test cluster would fill in.
FILLED_IN = {
    "your-gpu-partition": "low",
    "your-preemptible-partition": "low",
    "your-normal-partition": "high",
    "your-cpu-partition": "high",
    "your-gpu-type": "fake",
    "account: your-account ": "# account:",
}


def plain_profile(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "partition": "low",
        "time": "01:00:00",
        "cpus": 2,
        "memory": "1G",
        "workers": {"max": 3},
        "driver": {"time": "01:00:00", "memory": "1G"},
    }
    return {**plain, **changes}


def mistakes(path: Path) -> list[str]:
    with pytest.raises(UserError) as caught:
        read_profile(path)
    return str(caught.value).splitlines()


def test_all_mistakes_of_a_profile_are_told_at_once_each_with_its_line(tmp_path: Path) -> None:
    text = """\
partition: low high
time: 90
gpu: 1
cpus: 0
memory: 16 GB
workers: {min: 3, max: 2}
driver:
  time: "00:00:30"
  memory: 4g
temp: $TMPDIR
python: venv/bin/python
sbatch: [--time=1, -p high]
"""
    lines = mistakes(written(tmp_path / "p.yaml", text))
    at = [int(line.split(":")[1]) for line in lines]
    assert [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 12] == sorted(at)
    assert all(line.startswith(f"{tmp_path}/p.yaml:") for line in lines)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"partitoin": "low"}, "partitoin: unknown key; did you mean partition?"),
        ({"time": "1:30"}, "time: must be hours:minutes:seconds or days-hours:minutes:seconds, got '1:30'"),
        ({"time": "01:75:00"}, "time: must have at most 59 minutes and 59 seconds, got '01:75:00'"),
        ({"time": "00:00:59"}, "time: must be at least a minute, which SLURM counts in, got '00:00:59'"),
        ({"memory": "16GB"}, "memory: must be a whole number with M, G or T behind it, got '16GB'"),
        ({"memory": 16}, "memory: must be a valid string, got 16"),
        ({"workers": {"min": 4, "max": 3}}, "workers: min must be at most max, got 4 > 3"),
        ({"partition": "low,high"}, "partition: must be one name, without spaces, commas and quotes, got 'low,high'"),
        ({"gpu_type": "a100"}, "gpu_type: needs gpus of at least 1, got 'a100' and no gpus"),
        ({"fits_per_gpu": 2}, "fits_per_gpu: needs gpus of at least 1, got 2 and no gpus"),
        ({"gpus": 2, "fits_per_gpu": 2}, "cpus: must be at least one for each of the 4 fits that a worker runs"),
        ({"retire_before": 1900}, "retire_before: must be at most half of time (01:00:00), got 1900"),
        ({"temp": "/scratch/local/someone/t"}, "temp: must have at most 23 bytes, since Ray puts sockets below it"),
        ({"temp": "$SLURM_TMPDIR"}, "temp: must be an absolute path on the node (variables are not filled in)"),
        ({"python": "venv/bin/python"}, "python: must be an absolute path, or a name that the setup lines put on PATH"),
        ({"sbatch": ["--mem=4G"]}, "--mem has a key of its own here: memory, got '--mem=4G'"),
        ({"sbatch": ["--requeue"]}, "--requeue is set for every job of a run, got '--requeue'"),
        ({"sbatch": ["-A ecg"]}, "must be an option of sbatch such as --reservation=ecg, got '-A ecg'"),
        ({"driver": {"time": "1h"}}, "driver.time: must be hours:minutes:seconds"),
        ({"driver": {"memory": "4G"}}, "driver: time is required"),
    ],
)
def test_a_mistake_names_the_key_the_rule_and_the_value(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    (line,) = mistakes(written(tmp_path / "p.yaml", plain_profile(**changes)))
    assert message in line


def test_a_mistake_between_two_keys_is_told_at_the_one_to_mend(tmp_path: Path) -> None:
    path = written(tmp_path / "p.yaml", plain_profile(gpu_type="a100", fits_per_gpu=2, retire_before=3000))
    lines = path.read_text().splitlines()
    assert [
        f"{path}:{lines.index('gpu_type: a100') + 1}",
        f"{path}:{lines.index('fits_per_gpu: 2') + 1}",
        f"{path}:{lines.index('retire_before: 3000') + 1}",
    ] == [line.split(": ")[0] for line in mistakes(path)]


def test_a_profile_survives_being_written_down(tmp_path: Path) -> None:
    profile = read_profile(
        written(tmp_path / "p.yaml", plain_profile(gpus=1, setup=["module load x"], sbatch=["--nice"]))
    )
    assert profile == read_profile(written(tmp_path / "again.yaml", profile.as_data()))


def test_times_are_slurms() -> None:
    assert [90, 3600, 90_000] == [seconds_of(time) for time in ("00:01:30", "01:00:00", "1-01:00:00")]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_shipped_profile_is_right_but_for_the_names_that_a_site_fills_in(path: Path) -> None:
    profile = read_profile(path)
    assert profile.partition.startswith("your-")
    assert profile.account == "your-account"


def test_a_shipped_profile_that_is_filled_in_is_accepted_by_a_real_slurm(slurm_programs: None, tmp_path: Path) -> None:
    assert ["cpu.yaml", "gpu.yaml", "preemptible.yaml"] == [path.name for path in SHIPPED]
    with running_cluster(Shape(nodes=1, cpus=16, memory_mb=64_000)) as cluster:
        for shipped in SHIPPED:
            text = shipped.read_text()
            for name, value in FILLED_IN.items():
                text = text.replace(name, value)
            path = written(tmp_path / shipped.name, text)
            done = orchestrate("doctor", "--cluster", path, "--runs", tmp_path / "runs", **cluster.environment)
            assert 0 == done.returncode, done.stdout + done.stderr
            assert "0 errors" in done.stdout
            done = orchestrate("doctor", "--cluster", shipped, "--runs", tmp_path / "runs", **cluster.environment)
            assert 2 == done.returncode
            assert f"{read_profile(shipped).partition} does not exist" in done.stdout
