"""An experiment: stages in order, each a search in its own folder, then the final of the best of them."""

from typing import Any

from orchestrator.atomic import write_json, write_text
from orchestrator.errors import RunFailed
from orchestrator.execution.session import Session
from orchestrator.history.first_record import first_spec, refuse_another
from orchestrator.history.journal import Journal, read_journal
from orchestrator.history.provenance import write_provenance
from orchestrator.history.records import SearchBegun, Stage
from orchestrator.history.run_contents import candidates_of, experiment_of, read_ledger, search_of
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.consolidation import consolidate_experiment
from orchestrator.runs.final_run import make_final
from orchestrator.runs.from_scratch import search_from_scratch
from orchestrator.runs.search_run import run_search
from orchestrator.runs.starting import start_from_of
from orchestrator.search.selection import ties_of, winner_among, winner_of
from orchestrator.search.start_value import what_starts_were_worth
from orchestrator.specs.experiment import Experiment
from orchestrator.specs.refinement import refined
from orchestrator.specs.specs import RefineSpec, SearchSpec, differences
from orchestrator.specs.start_from import in_words
from orchestrator.specs.strict_yaml import write_yaml
from orchestrator.specs.task_loading import folds_of, prepared_task


def run_experiment(
    experiment: Experiment, folder: RunFolder, session: Session, *, reopen: bool = False
) -> dict[str, Any]:
    """Run or continue an experiment to its end; return the content of test.json."""
    journal = Journal(folder.journal)
    try:
        experiment = _begin(experiment, folder, journal)
        known = {record.name: record.winner for record, _at in journal.entries if isinstance(record, Stage)}
        for name, spec in experiment.searches.items():
            session.progress.say(f"stage {name}" + (f", from {in_words(spec.start_from)}" if spec.start_from else ""))
            if refine := experiment.refinements.get(name):
                spec = _refined(spec, refine, folder.stage(name), folder.stage(refine.refine))
            ledger = run_search(spec, folder.stage(name), session)
            winner = winner_of(ledger, folder.stage(name)).trial
            if known.setdefault(name, winner) != winner:
                raise RunFailed(
                    f"{folder.path}: stage {name} now has another winner (trial {winner}, was {known[name]}), from "
                    "which the later stages did not start; give the longer experiment a --name of its own"
                )
            if name not in {record.name for record, _at in journal.entries if isinstance(record, Stage)}:
                journal.append(Stage(name=name, winner=winner))
        search_from_scratch(experiment, folder, session)
        stages = candidates_of(experiment, folder)
        searches = [(read_ledger(stage), stage) for stage in stages]
        won, _, _ = winner_among(searches)
        write_json(folder.winner, {**won.as_data(), "starts": what_starts_were_worth(searches)})
        session.progress.say(f"winner: {won.best}")
        every = [folder.stage(name) for name in experiment.searches]
        tested = make_final(stages, folder.final, how=experiment.final, session=session, reopen=reopen, stages=every)
        consolidate_experiment(experiment, folder)
    finally:
        journal.close()
    return tested


def _refined(template: SearchSpec, refine: RefineSpec, folder: RunFolder, base: RunFolder) -> SearchSpec:
    """Write the search around what another stage found; one that was begun stays as it was written then."""
    if read_journal(folder.journal):
        return search_of(folder)
    winner, ties = ties_of(read_ledger(base), base)
    return refined(template, refine, winner.trial.config, [one.trial.config for one in ties])


def begin_experiment(experiment: Experiment, folder: RunFolder) -> int:
    """Journal that an experiment was begun; return how many fits its first stage has, at most.

    Raises UserError where the folder holds another one.
    """
    folder.create()
    journal = Journal(folder.journal)
    try:
        _begin(experiment, folder, journal)
    finally:
        journal.close()
    first = next(iter(experiment.searches.values()))
    return first.total * first.seeds * folds_of(first, prepared_task(first.task))


def _begin(experiment: Experiment, folder: RunFolder, journal: Journal) -> Experiment:
    """Journal the experiment, or compare it with the one that was begun; return it by the rules of its beginning."""
    if not journal.entries:
        for name, spec in experiment.searches.items():
            if spec.start_from not in experiment.searches:  # told now, and not when earlier stages have run for hours
                start_from_of(spec, folder.stage(name))
        data = experiment.as_data()
        journal.append(SearchBegun(spec=data))
        write_text(folder.spec, write_yaml(data))
        facts = {name: prepared_task(spec.task).describe() for name, spec in experiment.searches.items()}
        seeds = {name: {"seed": spec.seed, "seeds": spec.seeds} for name, spec in experiment.searches.items()}
        write_provenance(folder, facts=facts, seeds=seeds)
        return experiment
    first = first_spec(journal, of="experiment")
    experiment = experiment.by_rules_of(first)
    begun, data = Experiment.from_data(first).as_data(), experiment.as_data()
    changes = [
        f"{name}: {change}"
        for name in dict.fromkeys([*begun["stages"], *data["stages"]])
        for change in differences(begun["stages"].get(name, {}), data["stages"].get(name, {}))
    ]
    changes += [f"refine: {change}" for change in differences(begun.get("refine", {}), data.get("refine", {}))]
    changes += list(differences({"final": begun["final"]}, {"final": data["final"]}))
    refuse_another(folder, changes, of="an experiment")
    last = experiment_of(folder)
    if last is None or last.final.model_dump() != experiment.final.model_dump():  # by what a resume may change of it
        journal.append(SearchBegun(spec=data))
        write_text(folder.spec, write_yaml(data))
    return experiment
