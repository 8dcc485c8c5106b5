"""Where the fits of a search start: from the winner of a stage or another run, weights in files, an MLflow model."""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from orchestrator.atomic import write_json
from orchestrator.errors import UserError
from orchestrator.history.ledger import Ledger, TrialEntry
from orchestrator.history.records import FitKey
from orchestrator.history.run_contents import experiment_of, read_ledger
from orchestrator.history.run_folder import JOURNAL, RunFolder
from orchestrator.results.mlflow_fetch import fetch_model
from orchestrator.search.lineage import StartFrom, from_nothing
from orchestrator.search.same_data import data_key, data_of
from orchestrator.search.selection import checkpoint_of, winner_of
from orchestrator.specs.reading import read_published
from orchestrator.specs.specs import SearchSpec
from orchestrator.specs.start_from import is_mlflow, is_plain, is_published
from orchestrator.specs.task_loading import prepared_task


def start_from_of(spec: SearchSpec, folder: RunFolder, *, downloads: Path | None = None) -> StartFrom:
    """Return which weights each fit starts from; of a run its winner's, of the same fold where the data is the same.

    Data of another source never holds this one's validation records by design; the task asserts it by content.
    downloads: where a model of MLflow is kept, in place of the run's folder. Raises UserError where nothing is there.
    """
    if spec.start_from is None:
        return from_nothing
    if is_mlflow(spec.start_from):
        *_, runs = _rooms(folder)
        model = fetch_model(spec.start_from, downloads or folder.path / "start", runs=runs)
        return lambda _seed, _fold: model
    path = Path(spec.start_from)
    if is_published(spec.start_from):
        told = (downloads or folder.path / "start").with_suffix(".json")
        told.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_json(told, read_published(path))
        return lambda _seed, _fold: told
    if path.is_absolute() and not (path / JOURNAL).exists():
        if not path.exists():
            raise UserError(f"{path}: is not there, and the search starts from it; put it back")
        return lambda _seed, _fold: path
    return _of_run(spec, source_of(spec, folder))


def source_of(spec: SearchSpec, folder: RunFolder) -> RunFolder:
    """Return the run that a search starts from: by path, or by name beside it or beside the run that it is a part of.

    Raises UserError where there is none.
    """
    assert spec.start_from is not None
    rooms = list(_rooms(folder))
    found = [RunFolder(room / spec.start_from) for room in rooms if (room / spec.start_from / JOURNAL).exists()]
    if not found:
        raise UserError(f"start_from: {spec.start_from}: no such run in {rooms[-1]}; run it first, or correct the name")
    if experiment := experiment_of(found[0]):
        one = f"{spec.start_from}/{list(experiment.searches)[-1]}"
        raise UserError(f"start_from: {spec.start_from}: is an experiment; name one of its stages, such as {one}")
    return found[0]


def pinned(spec: SearchSpec, folder: RunFolder) -> tuple[str, int] | None:
    """Return the run whose winner the fits start from, and which trial that is; None: they do not start from a run."""
    if spec.start_from is None or is_mlflow(spec.start_from):
        return None
    if Path(spec.start_from).is_absolute() and not (Path(spec.start_from) / JOURNAL).exists():
        return None
    source = source_of(spec, folder)
    return spec.start_from, _winner_in(read_ledger(source), source).number


def content_of(spec: SearchSpec, start_from: StartFrom, *, folds: int) -> str | None:
    """Return a hash of all that the fits start from; None for a stage or run beside, whose own journal says it."""
    if spec.start_from is None or is_plain(spec.start_from):
        return None
    paths = [start_from(seed, fold) for seed in range(spec.seeds) for fold in range(folds)]
    hashes = {path: _hash(path) for path in set(paths) if path is not None}
    return hashlib.sha256(b"".join(hashes[path] for path in paths if path is not None)).hexdigest()


def _rooms(folder: RunFolder) -> Iterator[Path]:
    """Yield the folders in which a run is looked for by name, the nearest first, the folder of all runs last."""
    room = folder.path.parent
    yield room
    while (room / JOURNAL).exists() or RunFolder(room).audit.exists():
        room = room.parent
        yield room


def _of_run(spec: SearchSpec, source: RunFolder) -> StartFrom:
    ledger = read_ledger(source)
    assert ledger.spec is not None
    best = _winner_in(ledger, source)
    seeds = ledger.spec.seeds

    @cache  # asked when the first fit starts: the data may be large, and not be prepared before
    def has_same_data() -> bool:
        return data_of(ledger) == data_key(prepared_task(spec.task).describe().get("data"), spec.task)

    def start_from(seed: int, fold: int) -> Path:
        key = FitKey(best.number, seed % seeds, fold if has_same_data() else 0)
        if key not in best.fits:
            raise UserError(
                f"{source.path}: its winner has no fit of fold {fold}; search {source.name} with the same folds"
            )
        return checkpoint_of(ledger, source, best, seed=key.seed, fold=key.fold)

    return start_from


def _winner_in(ledger: Ledger, source: RunFolder) -> TrialEntry:
    """Return a search's winner; a final retrains one, and has no other."""
    finals = [trial for trial in ledger.trials.values() if trial.origin == "final"]
    return finals[0] if finals else ledger.trials[winner_of(ledger, source).trial]


def _hash(path: Path) -> bytes:
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    whole = hashlib.sha256()
    if path.suffix == ".json" and isinstance(told := json.loads(path.read_text()), dict) and "weights" in told:
        named = Path(told["weights"])
        files = [named] if named.is_absolute() else []  # a word stands for what it always stands for
        if files:
            del told["weights"]  # wherever it lies
        whole.update(json.dumps(told, sort_keys=True).encode())
    for file in files:
        whole.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return whole.digest()
