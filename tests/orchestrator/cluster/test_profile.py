"""How many workers a run has, and how its GPUs are asked for, whoever asks: a plan, a submission, the pool."""

from pathlib import Path

import pytest

from orchestrator.cluster.doctor.test_job import _script
from orchestrator.cluster.profile import ClusterProfile, read_profile
from orchestrator.errors import UserError
from tests.orchestrator.command import written


def profile_of(**changes: object) -> ClusterProfile:
    plain = {
        "partition": "gpu", "time": "1:00:00", "cpus": 8, "memory": "8G", "workers": {"min": 2, "max": 5},
        "driver": {"time": "8:00:00"},
    }  # fmt: skip
    return ClusterProfile.model_validate({**plain, **changes})


@pytest.mark.parametrize(("fits", "workers"), [(0, 2), (8, 2), (9, 3), (20, 5), (1000, 5)])
def test_there_are_workers_for_every_fit_but_no_more_and_no_fewer_than_the_profile_allows(
    fits: int, workers: int
) -> None:
    assert workers == profile_of().workers_for(fits, fits_per_worker=4)


@pytest.mark.parametrize(
    ("gpus", "asked"),
    [({}, None), ({"gpus": 2}, "gpu:2"), ({"gpus": 2, "gpu_type": "a100"}, "gpu:a100:2")],
)
def test_gpus_are_asked_for_by_type_where_one_is_named(gpus: dict[str, object], asked: str | None) -> None:
    assert asked == profile_of(**gpus).gpu_request(2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temp": "/tmp;rm -rf /"}, "temp: must be a path of letters, digits and / . _ + @ = - only"),
        ({"temp": "/t\nx"}, "temp: must be a path of letters, digits and"),
        ({"constraint": "a100\nrm -rf /"}, "constraint: must be one line of visible text, since it is written into"),
        ({"python": "/venv/bin/python\nx"}, "python: must be one line of visible text"),
        ({"sbatch": ["--comment=a\x0bb"]}, "sbatch.0: must be an option of sbatch"),
        ({"workers": {"max": 10**12}}, "workers.max: must be less than or equal to 100000"),
        ({"cpus": 10**12}, "cpus: must be less than or equal to 4096"),
        ({"gpus": 10**12}, "gpus: must be less than or equal to 256"),
        ({"memory": "9999999999999G"}, "memory: must be a whole number with M, G or T behind it"),
        ({"time": "9999-00:00:00"}, "time: must be at most a year"),
        ({"retire_before": 10**12}, "retire_before: must be less than or equal to 31622400"),
    ],
)
def test_texts_that_would_run_in_a_script_and_numbers_that_nobody_means_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        read_profile(written(tmp_path / "p.yaml", profile_of().as_data() | changes))
    assert message in str(caught.value)
    assert 1 == len(str(caught.value).splitlines())


def test_contradictions_are_told_with_wrong_values_in_one_answer(tmp_path: Path) -> None:
    wrong = {"cpus": "many", "gpu_type": "a100", "retire_before": 3000, "tmp": "/x"}
    with pytest.raises(UserError) as caught:
        read_profile(written(tmp_path / "p.yaml", profile_of().as_data() | wrong))
    said = str(caught.value)
    assert 4 == len(said.splitlines()), said
    for message in (
        "cpus: must be a valid integer",
        "gpu_type: needs gpus",
        "at most half of time",
        "tmp: unknown key",
    ):
        assert message in said


def test_what_a_profile_says_is_quoted_in_the_doctors_script(tmp_path: Path) -> None:
    profile = profile_of(constraint="a100|h100;x", sbatch=("--comment=a b; c",), temp="/scratch")
    script = _script(profile, tmp_path)
    assert "#SBATCH --constraint='a100|h100;x'\n" in script
    assert "#SBATCH --comment='a b; c'\n" in script
