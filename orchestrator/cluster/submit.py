"""Submit a run, go on with one, end one: what a user asks for, as jobs in SLURM's queue."""

import secrets
import time
from dataclasses import replace

from orchestrator.cluster.forecast import forecast_line
from orchestrator.cluster.profile import ClusterProfile
from orchestrator.cluster.queue import NotSubmitted, Queue
from orchestrator.cluster.run_files import RunFiles, Submission
from orchestrator.errors import RunFailed, UserError
from orchestrator.history.run_contents import Audit, audit_of, experiment_of, search_of, specs_of
from orchestrator.history.run_folder import RunFolder
from orchestrator.runs.audit import begin_audit
from orchestrator.runs.experiment_run import begin_experiment
from orchestrator.runs.final_run import set_aside_if_tested
from orchestrator.runs.preparation import lacking, refuse_second_look
from orchestrator.runs.search_run import begin_search
from orchestrator.specs.experiment import Experiment
from orchestrator.specs.specs import FinalSpec, SearchSpec, as_data, from_data
from orchestrator.specs.task_loading import folds_of, load_task

GONE_WITHIN_S = 60.0  # so long SLURM may take to end jobs: production sites grant them 30 s


def submit_search(spec: SearchSpec, folder: RunFolder, profile: ClusterProfile) -> str:
    """Submit a search, or go on with it; return one line for people."""
    check_room(folder.name, spec, profile)
    if already := _jobs_of(folder):
        return already
    if lacking([spec]):
        return _submit_preparation(folder, profile, Submission(id=_id_of(folder), begin=as_data(spec)))
    line = _forecast(spec, folder, profile)
    return _submit(folder, profile, fits=begin_search(spec, folder), forecast=line)


def submit_experiment(experiment: Experiment, folder: RunFolder, profile: ClusterProfile, *, reopen: bool) -> str:
    """Submit an experiment, or go on with it; return one line for people."""
    for name, spec in experiment.searches.items():
        check_room(name, spec, profile)
    if already := _jobs_of(folder):
        return already
    if reopen:
        set_aside_if_tested(folder.final)
    if lacking(experiment.searches.values()):
        request = Submission(id=_id_of(folder), begin=experiment.as_data(), reopen=reopen)
        return _submit_preparation(folder, profile, request)
    return _submit(folder, profile, fits=begin_experiment(experiment, folder), reopen=reopen)


def submit_audit(audit: Audit, folder: RunFolder, profile: ClusterProfile) -> str:
    """Submit an audit, or go on with it; return one line for people."""
    for name, spec in audit.experiment.searches.items():
        check_room(name, spec, profile)
    if already := _jobs_of(folder):
        return already
    begun = begin_audit(audit, folder).experiment
    if lacking(begun.searches.values()):
        return _submit_preparation(folder, profile, Submission(id=_id_of(folder)))
    return _submit(folder, profile, fits=_fits_at_once(begun))


def _fits_at_once(experiment: Experiment) -> int:
    """Return how many fits the largest of its searches has: the searches of an audit are run one after the other."""
    return max(spec.total * spec.seeds * folds_of(spec, load_task(spec.task)) for spec in experiment.searches.values())


def submit_retrain(folder: RunFolder, profile: ClusterProfile, *, how: FinalSpec, reopen: bool) -> str:
    """Submit the final of a search; return one line for people."""
    if already := _jobs_of(folder):
        return already
    if reopen:
        set_aside_if_tested(folder.final)
    if lacking([search_of(folder)]):
        request = Submission(id=_id_of(folder), final=how.model_dump(), reopen=reopen)
        return _submit_preparation(folder, profile, request)
    return _submit(folder, profile, fits=_fits_of(how), how=how, reopen=reopen)


def _fits_of(how: FinalSpec) -> int:
    """Return how many fits a final trains; judged ones are there already, and a worker averages them."""
    return how.seeds if how.form == "retrained" else 1


def submit_again(folder: RunFolder) -> str:
    """Go on with a run that was submitted before, on the same cluster; return one line for people."""
    if already := _jobs_of(folder):
        return already
    files = RunFiles(folder)
    profile, request = files.profile(), files.request()
    reopen = request.reopen and not folder.final.test.exists()  # what was allowed then, and has not been done yet
    if request.how is not None:
        return submit_retrain(folder, profile, how=request.how, reopen=reopen)
    if audit := audit_of(folder):
        return submit_audit(audit, folder, profile)
    begun = _run_of(files)
    if isinstance(begun, Experiment):
        return submit_experiment(begun, folder, profile, reopen=reopen)
    return submit_search(begun, folder, profile)


def submit_prepared(files: RunFiles) -> None:
    """Begin a run whose data is prepared, and submit its driver and workers; by the job that prepared it.

    Raises UserError where its test part must not be opened again, and NotSubmitted as `submit` does.
    """
    folder, profile, request = files.run, files.profile(), files.request()
    if audit := audit_of(folder):
        fits = _fits_at_once(audit.experiment)
        Queue(files).submit(drivers=1, workers=_workers_at_first(folder, profile, fits))
        return
    begun = _run_of(files)
    tests = isinstance(begun, Experiment) or request.how is not None
    if tests and not request.reopen and not folder.final.test.exists():
        candidate = begun.searches[begun.candidates[0]] if isinstance(begun, Experiment) else begun
        refuse_second_look(candidate, folder.final)
    if isinstance(begun, Experiment):
        fits = begin_experiment(begun, folder)
    elif request.how is not None:
        fits = _fits_of(request.how)
    else:
        files.write_request(replace(request, forecast=_forecast(begun, folder, profile)))
        fits = begin_search(begun, folder)
    Queue(files).submit(drivers=1, workers=_workers_at_first(folder, profile, fits))


def searches_of_request(files: RunFiles) -> list[SearchSpec]:
    """Return the searches of a submitted run, whether its journal has begun or not."""
    if audit := audit_of(files.run):
        return list(audit.experiment.searches.values())
    begun = _run_of(files)
    return list(begun.searches.values()) if isinstance(begun, Experiment) else [begun]


def _run_of(files: RunFiles) -> Experiment | SearchSpec:
    """Return what was submitted: from the journal, or from the request where a job prepares the data first."""
    data = files.request().begin
    if files.run.journal.exists() or data is None:
        return experiment_of(files.run) or search_of(files.run)
    return Experiment.from_data(data) if "stages" in data else from_data(data)


def cancel_run(folder: RunFolder) -> str:
    """End every job of a run, and wait until they are gone. What was journaled stays."""
    files = RunFiles(folder)
    if not files.exists:
        raise UserError(f"{folder.path}: was not submitted to a cluster; end its driver with Ctrl-C, where that runs")
    files.cancel()
    queue = Queue(files)
    deadline = time.monotonic() + GONE_WITHIN_S
    while alive := [*queue.preparing(), *(job for jobs in queue.jobs() for job in jobs if job.is_alive)]:
        if time.monotonic() > deadline:
            raise RunFailed(
                f"{folder.name}: {', '.join(job.line() for job in alive)} still, after {GONE_WITHIN_S:.0f} s"
            )
        queue.cancel()
        time.sleep(0.5)
    return f"{folder.name}: cancelled; nothing is lost: `orchestrate resume {folder.name}` goes on"


def _submit(
    folder: RunFolder,
    profile: ClusterProfile,
    *,
    fits: int,
    how: FinalSpec | None = None,
    reopen: bool = False,
    forecast: str | None = None,
) -> str:
    files = RunFiles(folder)
    final = None if how is None else how.model_dump()
    files.create(Submission(id=_id_of(folder), final=final, forecast=forecast, reopen=reopen), profile)
    workers = _workers_at_first(folder, profile, fits)
    queue = Queue(files)
    try:
        queue.submit(drivers=1, workers=workers)
    except NotSubmitted:  # of a driver without workers, or the other way round, nobody has any use
        files.cancel()
        queue.cancel()
        raise
    others = "which makes a job of each fit" if profile.mode == "jobs" else f"and {workers} workers"
    return f"{folder.name}: submitted: a driver {others}; `orchestrate status {folder.name}` shows them"


def _submit_preparation(folder: RunFolder, profile: ClusterProfile, request: Submission) -> str:
    """Submit the job that prepares the data; it submits the others (preparation.py)."""
    folder.create()
    files = RunFiles(folder)
    files.create(request, profile)
    Queue(files).submit(preparations=1)
    return (
        f"{folder.name}: submitted: a job that prepares the data, and then the driver and its workers; "
        f"`orchestrate status {folder.name}` shows them"
    )


def _id_of(folder: RunFolder) -> str:
    """Return what is in the names of the run's jobs: the same for ever, so that no job is overlooked."""
    files = RunFiles(folder)
    return files.request().id if files.exists else secrets.token_hex(3)


def _forecast(spec: SearchSpec, folder: RunFolder, profile: ClusterProfile) -> str | None:
    return forecast_line(spec, profile, folder.path.parent, folds=folds_of(spec, load_task(spec.task)))


def _workers_at_first(folder: RunFolder, profile: ClusterProfile, fits: int) -> int:
    if profile.mode == "jobs":
        return 0
    fits_per_worker = min(profile.fits_per_worker(spec.cpus_per_fit) for spec in specs_of(folder))
    return profile.workers_for(fits, fits_per_worker=fits_per_worker)


def _jobs_of(folder: RunFolder) -> str | None:
    """Return what to say where the run has a driver, or what prepares for one, in the queue: twice submits once."""
    files = RunFiles(folder)
    if not files.exists:
        return None
    queue, deadline = Queue(files), time.monotonic() + GONE_WITHIN_S
    while alive := [*queue.preparing(), *(job for job in queue.jobs()[0] if job.is_alive)]:
        if not files.is_over:
            return f"{folder.name}: is submitted already ({alive[0].line()}); nothing was submitted"
        if time.monotonic() > deadline:
            raise RunFailed(f"{folder.name}: its last driver has not ended yet ({alive[0].line()}); try again")
        time.sleep(0.5)  # its last deed is to end what waits in the queue, and that must not be what is submitted now
    return None


def check_room(name: str, spec: SearchSpec, profile: ClusterProfile) -> None:
    """Raise UserError where a search cannot run, or would waste GPUs, on the workers of a profile."""
    if profile.mode == "jobs" and spec.prune is not None:
        raise UserError(f"{name}: prune needs `mode: pool`: a fit that is a job of its own is not stopped early")
    if profile.fits_per_worker(spec.cpus_per_fit) < 1:
        raise UserError(
            f"{name}: a fit needs {spec.cpus_per_fit} CPUs (cpus_per_fit), but a worker of this cluster has "
            f"{profile.cpus}; raise cpus in the profile"
        )
    if profile.gpus and profile.cpus < spec.cpus_per_fit * profile.gpus * profile.fits_per_gpu:
        raise UserError(
            f"{name}: {profile.gpus} GPUs x {profile.fits_per_gpu} fits need {spec.cpus_per_fit} CPUs each, but a "
            f"worker of this cluster has {profile.cpus}: GPUs would stand idle; raise cpus in the profile"
        )
