"""Stages of an experiment compared on the same held-out patients: how much better one is, and how sure that is.

python -m tests.benchmarks.paired_stages RUN STAGE STAGE ...    (of one store, with the same folds)

A fold's macro-AUC is of its winner's held-out predictions; a stage's score is their mean. The intervals come from
resampling patients, the same for every stage, so that a difference is not drowned by what makes all of them vary.
They know nothing of how the fits' seeds vary, nor that each stage's winner was chosen on these very records.
"""

import sys
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.data.store import open_store
from ecgcore.scores.bootstrap import weighted_auc
from ecgcore.scores.calibration import probabilities
from ecgcore.training.checkpoints import Predictions, read_checkpoint
from orchestrator.history.run_contents import read_ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.selection import winner_among

RESAMPLES = 2000
Floats = NDArray[np.float64]


def main(run: Path, stages: list[str]) -> None:
    ledgers = {name: read_ledger(RunFolder(run / name)) for name in stages}
    tasks = [ledger.spec.task for ledger in ledgers.values() if ledger.spec is not None]
    store = open_store(Path(str(tasks[0].with_["data"])))
    owner = dict(zip(store.records.ids, store.records.patients, strict=True))
    column = {patient: index for index, patient in enumerate(sorted(set(owner.values())))}
    random = np.random.default_rng(0)
    count = random.multinomial(len(column), np.full(len(column), 1 / len(column)), size=RESAMPLES).astype(float)
    weights = np.concatenate([np.ones((1, len(column))), count])  # the first row is the score itself
    scores = {}
    for name, ledger in ledgers.items():
        held = [
            read_checkpoint(path).predictions for path in winner_among([(ledger, RunFolder(run / name))])[1].checkpoints
        ]
        folds = [
            macro_auc(one, weights[:, [column[owner[id_]] for id_ in one.ids]], store.multilabel) for one in held if one
        ]
        scores[name] = np.mean(folds, axis=0)
        print(told(name, scores[name]))
    for first, second in combinations(stages, 2):
        print(told(f"{first} - {second}", scores[first] - scores[second]))


def macro_auc(held: Predictions, weights: Floats, multilabel: bool) -> Floats:
    """Macro-AUC of one fold's predictions for each row of weights (resamples, records)."""
    scores = probabilities(held.logits, temperature=1.0, multilabel=multilabel)
    truth = held.labels > 0.5
    areas = [weighted_auc(scores[:, index], truth[:, index], weights) for index in range(truth.shape[1])]
    return np.asarray(np.nanmean(areas, axis=0), np.float64)


def told(name: str, values: Floats) -> str:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return f"{name:<20} {values[0]:+.4f} [{low:+.4f}, {high:+.4f}]"


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
