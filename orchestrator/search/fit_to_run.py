"""A fit as it is handed to a worker: its configuration made whole, its seed, and the weights that it goes on from."""

from orchestrator.history.ledger import FitEntry
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.lineage import Lineage
from orchestrator.search.retention import newest_checkpoint
from orchestrator.search.retries import parts_of
from orchestrator.search.seeds import draw_seed
from orchestrator.search.task_facts import TaskFacts
from orchestrator.specs.space import complete_config
from orchestrator.specs.specs import SearchSpec
from orchestrator.task import Config, Fit


def fit_to_run(
    entry: FitEntry, config: Config, spec: SearchSpec, folder: RunFolder, *, facts: TaskFacts, lineage: Lineage
) -> Fit:
    """Return the fit to run. Its seed does not depend on the trial, so trials are compared on the same draws."""
    trial, seed, fold = entry.key
    return Fit(
        trial=trial,
        config=complete_config(config, facts.parameters, facts.defaults),
        seed=draw_seed("fit", spec.seed, seed, fold),
        fold=fold,
        folds=facts.folds,
        max_steps=spec.max_steps if lineage.final else spec.steps_of(config),
        directory=folder.fit(entry.key),
        start_from=lineage.start_from(seed, fold),
        resume_from=newest_checkpoint(entry, folder),
        final=lineage.final,
        batch_parts=parts_of(entry, halve=spec.halves_batches),
    )
