"""How many workers a run has, and how its GPUs are asked for, whoever asks: a plan, a submission, the pool."""

import pytest

from orchestrator.cluster.profile import ClusterProfile


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
