"""What a final consists of: the winner retrained over seeds, or the very fits that were judged, taken over.

Either way the model is the one that was judged: the same configuration over the same schedule, to the same step.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from orchestrator.history.ledger import Ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.retention import kept_trials
from orchestrator.search.search import Search
from orchestrator.search.selection import Contender, checkpoint_of, checkpoints_of
from orchestrator.specs.specs import FinalSpec, SearchSpec, of_one_configuration


def members_of(winner: Contender, ties: Sequence[Contender], how: FinalSpec) -> list[Contender]:
    """Return the trials whose fits answer together: the winner, and with `of: ties` those that tie with the best.

    Of many ties the best of each search, whose weights are kept (search/retention.py).
    """
    others = [one for one in ties if one.trial is not winner.trial] if how.of == "ties" else []
    ledgers = {one.folder.path: one.ledger for one in others}
    kept = {path: {trial.number for trial in kept_trials(ledger)} for path, ledger in ledgers.items()}
    return [winner, *(one for one in others if one.trial.number in kept[one.folder.path])]


def final_spec(members: Sequence[Contender], how: FinalSpec) -> SearchSpec:
    """Return the search that the final's journal is of: one trial that retrains the first, or those taken over."""
    first, spec = members[0], members[0].ledger.spec
    assert spec is not None
    whole = of_one_configuration(spec, first.trial.config).model_copy(update={"budget": None})
    if how.form == "judged":
        several = {"sampler": "random", "trials": len(members)} if len(members) > 1 else {}
        return whole.model_copy(update=several)
    steps = spec.steps_of(first.trial.config)
    length = {
        "own_best": {"max_steps": first.median_step},  # as ever: the schedule is compressed to it
        "common_best": {"max_steps": steps, "stop_at": first.median_step},
        "last": {"max_steps": steps},
    }[spec.score_at]
    return whole.model_copy(update={"seeds": how.seeds, "folds": 1, **length})


def take_over(members: Sequence[Contender], final: Search) -> None:
    """Bring the judged fits of other searches into a final's folder and journal; again where that was cut short."""
    for number, member in enumerate(members):
        steps = member.ledger.judged_steps(member.trial)
        for key, step in steps.items():
            source = checkpoint_of(member.ledger, member.folder, member.trial, seed=key.seed, fold=key.fold)
            place = final.folder.fit(key._replace(trial=number)) / member.trial.fits[key].checkpoints[step]
            _link(source, place)
        final.adopt(number, member.trial, steps)


def own_checkpoints(ledger: Ledger, final: RunFolder) -> list[Path]:
    """Return the checkpoints of a final's fits, by trial, seed and fold."""
    return [path for _, trial in sorted(ledger.trials.items()) for path in checkpoints_of(ledger, final, trial)]


def _link(source: Path, place: Path) -> None:
    if place.exists():
        return
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = place.with_name(f"{place.name}.part")
    beside.unlink(missing_ok=True)
    try:
        os.link(source, beside)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, beside)
    beside.rename(place)
