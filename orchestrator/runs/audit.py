"""Nested evaluation: the whole experiment again without each of several outer parts, and tested on that part.

What comes out is what searching is worth: the winner's score on records that no part of its search saw, beside what one
has without a search. The sealed part is never touched. Each outer part is a run of its own below the audit's folder.
"""

import inspect
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from orchestrator.atomic import read_json, write_json
from orchestrator.errors import UserError
from orchestrator.execution.session import Session
from orchestrator.history.ledger import Ledger
from orchestrator.history.run_contents import Audit, candidates_of, experiment_of, read_ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.outer_part import (
    AVERAGED,
    BEST,
    DEFAULT,
    PRIOR,
    RANDOM,
    TIES,
    WINNER,
    OuterPart,
    is_done,
    write_part,
)
from orchestrator.runs.experiment_run import run_experiment
from orchestrator.runs.final_members import members_of, own_checkpoints
from orchestrator.runs.final_run import made
from orchestrator.runs.search_run import run_search
from orchestrator.search.draws import drawn_evenly
from orchestrator.search.seeds import draw_seed
from orchestrator.search.selection import Contender, winner_among
from orchestrator.specs.experiment import Experiment
from orchestrator.specs.specs import FinalSpec, SearchSpec, differences, of_one_configuration
from orchestrator.specs.task_loading import load_task, task_class_of
from orchestrator.task import AuditableTask, Config

Searches = Sequence[tuple[Ledger, RunFolder]]


def run_audit(audit: Audit, folder: RunFolder, session: Session) -> None:
    """Run or continue an audit until every outer part is done. Raises UserError where the task cannot do it."""
    audit = begin_audit(audit, folder)
    for number in range(audit.outer):
        place = folder.outer(number)
        if not is_done(place.path):
            session.progress.say(f"outer part {number + 1} of {audit.outer}")
            write_part(place.path, _part(_without(audit, number), place, number, session))


def refuse_unauditable(experiment: Experiment) -> None:
    """Raise UserError where the task that is tested has no outer parts."""
    name = experiment.tested.task.name
    found = task_class_of(name)
    if not issubclass(found, AuditableTask) or "outer" not in inspect.signature(found).parameters:
        raise UserError(
            f"task {name}: cannot be audited: its constructor needs an argument `outer`, and it a method `baselines` "
            "(orchestrator/task.py: AuditableTask)"
        )


def begin_audit(audit: Audit, folder: RunFolder) -> Audit:
    """Write down what is audited, or compare it with that; return it by the rules of its beginning.

    Raises UserError where the task has no outer parts, or the folder holds another audit.
    """
    refuse_unauditable(audit.experiment)
    if not folder.audit.exists():
        folder.create()
        write_json(folder.audit, audit.as_data())
        return audit
    begun = read_json(folder.audit)
    audit = replace(audit, experiment=audit.experiment.by_rules_of(begun["experiment"]))
    begun["experiment"] = Experiment.from_data(begun["experiment"]).as_data()
    begun, asked = json.loads(json.dumps(begun)), json.loads(json.dumps(audit.as_data()))
    if changes := [f"    {change}" for change in differences(begun, asked)]:
        raise UserError(f"{folder.path}: holds another audit; give another --name, or undo the difference:", *changes)
    return audit


def _without(audit: Audit, number: int) -> Experiment:
    """Return the experiment on what one outer part leaves; stages on other data than the final's stay as they are."""
    experiment, outer = audit.experiment, f"{number}/{audit.outer}"
    tested = experiment.tested.task

    def searched(spec: SearchSpec) -> SearchSpec:
        if spec.task != tested:
            return spec
        task = tested.model_copy(update={"with_": {**tested.with_, "outer": outer}})
        return spec.model_copy(update={"task": task})

    # what is beside the winner there, an audit has rows for
    final = experiment.final.model_copy(update={"beside": []})
    return replace(
        experiment, final=final, searches={name: searched(spec) for name, spec in experiment.searches.items()}
    )


def _part(experiment: Experiment, folder: RunFolder, number: int, session: Session) -> OuterPart:
    folder.create()
    rows = {WINNER: run_experiment(experiment, folder, session)["metrics"]}
    experiment = experiment_of(folder) or experiment  # by the rules of its beginning
    searches = [(read_ledger(stage), stage) for stage in candidates_of(experiment, folder)]
    won, winner, ties = winner_among(searches)
    how = experiment.final
    if how.form == "retrained":
        rows[AVERAGED] = _tested([winner], folder, _averaged(how, of="winner"), session)
    if how.of == "winner":
        averaged = _averaged(how, of="ties")
        rows[TIES] = _tested(members_of(winner, ties, averaged), folder, averaged, session)

    def of(one: Contender) -> dict[str, float]:
        is_tested = how.of == "winner" and one.trial is winner.trial
        return rows[WINNER] if is_tested else _tested([one], folder, how, session)

    rows[BEST] = of(ties[0])
    default = _default(searches)
    if default is not None:
        rows[DEFAULT] = of(default)
    candidates = [experiment.searches[name] for name in experiment.candidates]
    scratch = next((spec for spec in candidates if spec.start_from is None), None)
    if scratch is not None:
        for name, config in _baselines(scratch, number).items():
            one = _searched(scratch, config, RunFolder(folder.path / f"baseline-{name.replace(' ', '-')}"), session)
            rows[name] = _tested([one], folder, how, session)
    rows[PRIOR] = _call(experiment.tested, [], [], folder, session)
    return OuterPart(
        number=number,
        rows=rows,
        config=won.config,
        validation=won.interval.mean,
        best_validation=_best_mean(searches),
        kept_default=default is not None and winner.trial is default.trial,
        why=won.best,
    )


def _best_mean(searches: Searches) -> float:
    values = [trial.value for ledger, _ in searches for trial in ledger.ranked()[:1] if trial.value is not None]
    spec = searches[0][0].spec
    assert spec is not None
    return max(values) if spec.mode == "max" else min(values)


def _default(searches: Searches) -> Contender | None:
    every = (Contender(folder, ledger, trial) for ledger, folder in searches for trial in ledger.ranked())
    return next((one for one in every if one.is_default), None)


def _baselines(spec: SearchSpec, number: int) -> dict[str, Config]:
    """Return what one has without a search: a configuration drawn at random, and what the task is compared with."""
    task = load_task(spec.task)
    assert isinstance(task, AuditableTask)
    drawn = {RANDOM: drawn_evenly(spec.space, draw_seed("random configuration", spec.seed, number))}
    fixed = {name: entry for name, entry in spec.space.items() if not hasattr(entry, "when")}
    return {**drawn, **{name: {**fixed, **changes} for name, changes in task.baselines().items()}}


def _searched(spec: SearchSpec, config: Config, folder: RunFolder, session: Session) -> Contender:
    """Judge one configuration over the fits of a search."""
    ledger = run_search(of_one_configuration(spec, config), folder, session)
    return winner_among([(ledger, folder)])[1]


def _averaged(how: FinalSpec, *, of: str) -> FinalSpec:
    return how.model_copy(update={"form": "judged", "of": of})


def _tested(members: Sequence[Contender], folder: RunFolder, how: FinalSpec, session: Session) -> dict[str, float]:
    """Make a model of the members as a final would, and score it on the outer part."""
    first = members[0]
    kind = "ties" if how.of == "ties" else f"{first.folder.name}-{first.trial.number}"
    place = RunFolder(folder.path / "rows" / f"{how.form}-{kind}")
    with made(members, place, how=how, session=session) as search:
        paths = own_checkpoints(search.ledger, place)
        judged = [path for one in members for path in one.checkpoints] if how.form == "retrained" else paths
        return _call(search.spec, paths, judged, place, session)


def _call(
    spec: SearchSpec, paths: Sequence[Path], judged: Sequence[Path], place: RunFolder, session: Session
) -> dict[str, float]:
    return dict(session.call(spec.task, "test", list(paths), place.path, list(judged)))
