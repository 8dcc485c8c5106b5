"""What a run costs: allocations from what its worker jobs wrote down, fits from the journal. Needs no sacct."""

from dataclasses import dataclass

from orchestrator.atomic import write_text
from orchestrator.cluster.run_files import RunFiles
from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.history.run_contents import parts_of


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Hours of one kind of resource: GPUs, or CPUs on a cluster profile without GPUs."""

    resource: str
    allocated: float  # from the start of each worker job to its end, idle or not
    fits: dict[str, dict[int, float]]  # of these, what the fits of each trial used, by stage (the final included)


def cost_of(files: RunFiles) -> Cost:
    """Add up the cost of a run until now."""
    profile = files.profile()
    allocated = sum(worker.hours * (worker.gpus if profile.gpus else worker.cpus) for worker in files.workers())
    fits = {}
    for folder in parts_of(files.run):
        ledger = Ledger(read_journal(folder.journal))
        if ledger.spec is not None:
            per_fit = profile.gpus_per_fit if profile.gpus else ledger.spec.cpus_per_fit
            fits[folder.name] = {
                number: sum(fit.seconds for fit in trial.fits.values()) / 3600 * per_fit
                for number, trial in sorted(ledger.trials.items())
            }
    return Cost(resource="GPU" if profile.gpus else "CPU", allocated=allocated, fits=fits)


def accounting_lines(files: RunFiles) -> list[str]:
    """Return the cost as lines for people."""
    cost = cost_of(files)
    if not cost.allocated:
        return []
    by_stage = {stage: sum(trials.values()) for stage, trials in cost.fits.items()}
    parts = ", ".join(f"{stage} {hours:.3f}" for stage, hours in by_stage.items())
    forecast = files.request().forecast
    return [
        f"{cost.resource}-hours {cost.allocated:.3f} allocated, {sum(by_stage.values()):.3f} used by fits ({parts})",
        *([f"forecast was {forecast}"] if forecast else []),
    ]


def write_accounting(files: RunFiles) -> None:
    """Write what each trial used, by stage, to accounting.csv beside the run's table."""
    cost = cost_of(files)
    lines = [f"stage,trial,{cost.resource.lower()}_hours"]
    for stage, trials in cost.fits.items():
        lines += [f"{stage},{number},{hours:.6f}" for number, hours in trials.items()]
    write_text(files.run.path / "accounting.csv", "\n".join(lines) + "\n")
