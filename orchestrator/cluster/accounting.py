"""What a run costs: allocations from what its worker jobs wrote down, fits from the journal. Needs no sacct."""

from dataclasses import dataclass

from orchestrator.atomic import write_text
from orchestrator.cluster.meeting_point import MeetingPoint
from orchestrator.experiment import Experiment
from orchestrator.journal import read_journal
from orchestrator.ledger import Ledger
from orchestrator.run_folder import RunFolder


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Hours of one kind of resource: GPUs, or CPUs on a cluster profile without GPUs."""

    resource: str
    allocated: float  # from the start of each worker job to its end, idle or not
    fits: dict[str, dict[int, float]]  # of these, what the fits of each trial used, by stage (the final included)


def cost_of(point: MeetingPoint) -> Cost:
    """Add up the cost of a run until now."""
    profile = point.profile()
    allocated = sum(worker.hours * (worker.gpus if profile.gpus else worker.cpus) for worker in point.workers())
    fits = {}
    for folder in _parts(point.run):
        ledger = Ledger(read_journal(folder.journal))
        if ledger.spec is not None:
            per_fit = profile.gpus_per_fit if profile.gpus else ledger.spec.cpus_per_fit
            fits[folder.name] = {
                number: sum(fit.seconds for fit in trial.fits.values()) / 3600 * per_fit
                for number, trial in sorted(ledger.trials.items())
            }
    return Cost(resource="GPU" if profile.gpus else "CPU", allocated=allocated, fits=fits)


def accounting_lines(point: MeetingPoint) -> list[str]:
    """Return the cost as lines for people."""
    cost = cost_of(point)
    if not cost.allocated:
        return []
    by_stage = {stage: sum(trials.values()) for stage, trials in cost.fits.items()}
    parts = ", ".join(f"{stage} {hours:.3f}" for stage, hours in by_stage.items())
    forecast = point.request().forecast
    return [
        f"{cost.resource}-hours {cost.allocated:.3f} allocated, {sum(by_stage.values()):.3f} used by fits ({parts})",
        *([f"forecast was {forecast}"] if forecast else []),
    ]


def write_accounting(point: MeetingPoint) -> None:
    """Write what each trial used, by stage, to accounting.csv beside the run's table."""
    cost = cost_of(point)
    lines = [f"stage,trial,{cost.resource.lower()}_hours"]
    for stage, trials in cost.fits.items():
        lines += [f"{stage},{number},{hours:.6f}" for number, hours in trials.items()]
    write_text(point.run.path / "accounting.csv", "\n".join(lines) + "\n")


def _parts(run: RunFolder) -> list[RunFolder]:
    experiment = Experiment.from_run(run)
    folders = [run.stage(name) for name in experiment.searches] if experiment else [run]
    return [folder for folder in [*folders, run.final] if folder.journal.exists()]
