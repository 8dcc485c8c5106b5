"""What a run costs: allocations from what its worker jobs wrote down, fits from the journal. Needs no sacct."""

from dataclasses import asdict, dataclass
from typing import Any

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
    fits: dict[str, float]  # of these, what fits used, by stage (the final included)

    def as_data(self) -> dict[str, Any]:
        """Return it for --json."""
        return asdict(self)


def cost_of(point: MeetingPoint) -> Cost:
    """Add up the cost of a run until now."""
    profile = point.profile()
    share = profile.gpus_per_fit
    allocated = sum(worker.hours * (worker.gpus if profile.gpus else worker.cpus) for worker in point.workers())
    fits = {}
    for folder in _parts(point.run):
        ledger = Ledger(read_journal(folder.journal))
        if ledger.spec is not None:
            per_fit = share if profile.gpus else ledger.spec.cpus_per_fit
            fits[folder.name] = sum(hours_by_trial(ledger).values()) * per_fit
    return Cost(resource="GPU" if profile.gpus else "CPU", allocated=allocated, fits=fits)


def hours_by_trial(ledger: Ledger) -> dict[int, float]:
    """Return the hours that the fits of each trial ran, added up."""
    return {
        number: sum(fit.seconds for fit in trial.fits.values()) / 3600
        for number, trial in sorted(ledger.trials.items())
    }


def accounting_lines(point: MeetingPoint) -> list[str]:
    """Return the cost as lines for people."""
    cost = cost_of(point)
    if not cost.allocated:
        return []
    used = sum(cost.fits.values())
    parts = ", ".join(f"{name} {hours:.3f}" for name, hours in cost.fits.items())
    forecast = point.request().forecast
    return [
        f"{cost.resource}-hours {cost.allocated:.3f} allocated, {used:.3f} used by fits ({parts})",
        *([f"forecast was {forecast}"] if forecast else []),
    ]


def write_accounting(point: MeetingPoint) -> None:
    """Write what each trial used, by stage, to accounting.csv beside the run's table."""
    profile = point.profile()
    resource = "gpu_hours" if profile.gpus else "cpu_hours"
    lines = [f"stage,trial,{resource}"]
    for folder in _parts(point.run):
        ledger = Ledger(read_journal(folder.journal))
        share = profile.gpus_per_fit if profile.gpus else ledger.spec.cpus_per_fit if ledger.spec else 0
        lines += [f"{folder.name},{number},{hours * share:.6f}" for number, hours in hours_by_trial(ledger).items()]
    write_text(point.run.path / "accounting.csv", "\n".join(lines) + "\n")


def _parts(run: RunFolder) -> list[RunFolder]:
    experiment = Experiment.from_run(run)
    folders = [run.stage(name) for name in experiment.searches] if experiment else [run]
    return [folder for folder in [*folders, run.final] if folder.journal.exists()]
