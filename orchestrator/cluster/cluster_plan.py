"""What submitting would do: jobs and arrays, the text that sbatch is given, a forecast of hours. Starts nothing."""

from collections.abc import Iterator
from pathlib import Path

from orchestrator.cluster.forecast import forecast_line
from orchestrator.cluster.profile import ClusterProfile
from orchestrator.cluster.sbatch import array_sizes, driver_parameters, script, worker_parameters
from orchestrator.cluster.slurm import largest_array
from orchestrator.cluster.submit import check_room
from orchestrator.errors import RunFailed
from orchestrator.runs.preparation import lacking
from orchestrator.specs.experiment import Experiment
from orchestrator.specs.reading import is_experiment, read_search
from orchestrator.specs.task_loading import folds_of, load_task


def cluster_plan(path: Path, profile: ClusterProfile, runs: Path) -> Iterator[str]:
    """Yield the plan line by line. Raises UserError where the profile has no room for it."""
    searches = dict(Experiment.read(path).searches) if is_experiment(path) else {path.stem: read_search(path)}
    most = 0
    for name, spec in searches.items():
        check_room(name, spec, profile)
        folds = folds_of(spec, load_task(spec.task))  # at least one, where only data to be prepared will say it
        fits = spec.total * spec.seeds * folds
        slots = profile.fits_per_worker(spec.cpus_per_fit)
        workers = profile.workers_for(fits, fits_per_worker=slots)
        most = max(most, workers)
        if profile.mode == "jobs":
            yield f"{name}: {fits} fits, each a job of its own, {profile.workers.max} at a time"
        else:
            yield f"{name}: {fits} fits on up to {workers} workers, {slots} fits on each at a time"
        line = forecast_line(spec, profile, runs, folds=folds)
        yield f"  forecast {line or f'none: no run in {runs} did the same task on the same data yet'}"
    sizes = array_sizes(most, _largest_array()) if profile.mode == "pool" else []
    arrays = f"{len(sizes)} array{'s' * (len(sizes) > 1)} of {', '.join(map(str, sizes))}"
    others = f"{most} workers at first, as {arrays}; whoever ends is replaced" if sizes else "one for each fit"
    if lacking(searches.values()):
        yield "jobs: 1 that prepares the data, with the driver's resources; it submits the others when it is done"
    yield f"jobs: 1 driver and its waiting successor; {others}"
    stem, folder = f"orc-{path.stem}-ID", runs / path.stem / "cluster" / "logs"
    yield "\n--- driver"
    yield script(profile, driver_parameters(profile, f"{stem}-driver"), folder).rstrip()
    if profile.mode == "jobs":
        yield "\n--- each fit"
        yield script(profile, worker_parameters(profile, f"{stem}-worker"), folder).rstrip()
    for size in dict.fromkeys(sizes):
        yield f"\n--- workers, array of {size}"
        yield script(profile, worker_parameters(profile, f"{stem}-worker"), folder, size).rstrip()


def _largest_array() -> int:
    try:
        return largest_array()
    except RunFailed:  # planned on a machine without SLURM: its own default
        return 1001
