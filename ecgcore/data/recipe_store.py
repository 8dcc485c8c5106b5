"""The store of a recipe: whether it is there as the recipe says, and making it so, once, whoever asks at the same time.

What a store was made by is noted in its manifest's `source`: while that fits, no recording is looked for or read.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ecgcore.data import manifest as on_disk
from ecgcore.data.manifest import read_manifest
from ecgcore.data.prepare import prepare
from ecgcore.data.recipe import Recipe
from ecgcore.data.recipe_file import Originals, RecipeFile, as_keys
from ecgcore.fit import Doing
from ecgcore.mistakes import Mistake
from ecgcore.readers.source import Source
from ecgcore.synthetic.database import MARKER, is_synthesized, synthesize


def missing(recipe: RecipeFile) -> str | None:
    """Return what has to be prepared, from what, and why; None where the store is there as the recipe says.

    Raises ValueError where the recordings that it takes are nowhere.
    """
    why = _why(recipe)
    if why is None:
        return None
    made = [one.synthesis for one in recipe.originals]
    folders = [
        f"{synthesis.records} synthetic records" if synthesis else str(folder)
        for synthesis, folder in zip(made, _folders(recipe), strict=True)
    ]
    return f"{recipe.store} from {' and '.join(folders)} ({why})"


def prepare_store(recipe: RecipeFile, doing: Doing, *, replace: bool = False) -> bool:
    """Make the store what the recipe says; return False if it was already. An old store stays until the new is whole.

    Of two processes that prepare the same, the second waits, and says so. replace: write it anew in any case. Raises
    ValueError, as `data prepare` does, for mistakes of the recordings; OSError if the disk is full.
    """
    with _alone(recipe.store, doing):
        if _why(recipe) is None and not replace:
            return False
        try:
            return _prepare(recipe, doing, replace=replace)
        except ValueError as error:
            lines = str(error).splitlines()
            raise Mistake("\n".join(as_keys(line, recipe.file) for line in lines)) from error


def _prepare(recipe: RecipeFile, doing: Doing, *, replace: bool) -> bool:
    folders = _folders(recipe)
    for one in recipe.originals:
        if one.synthesis:
            with _alone(one.folder, doing):
                doing(f"synthesizing {one.synthesis.records} records into {one.folder}")
                if not is_synthesized(one.folder, one.synthesis):
                    # What was synthesized from other values is replaced: it can be had again.
                    synthesize(one.folder, one.synthesis, replace=(one.folder / MARKER).is_file())
    made_by = _made_by(recipe.store)
    located: Recipe = recipe.located(folders)
    doing(f"preparing {recipe.store}")
    source = located.source()
    _, written = prepare(
        source,
        recipe.store,
        located.request(source),
        replace=replace,
        renew=made_by is not None,
        noted={"recipe": recipe.digest, "tables": _tables(source)},
        progress=lambda done, total: doing(f"preparing {recipe.store}", done, total),
    )
    return written


def _why(recipe: RecipeFile) -> str | None:
    """Return why the store is not what the recipe says."""
    if not (recipe.store / on_disk.NAME).is_file():
        return "not there yet"
    made_by = _made_by(recipe.store)
    if made_by is None:
        return "there, made without a recipe: kept if it is the same"
    if made_by["recipe"] != recipe.digest:
        return "the recipe has changed"
    changed = [name for name, was in made_by["tables"].items() if Path(name).is_file() and _sha256(Path(name)) != was]
    return f"{' and '.join(changed)} has changed" if changed else None


def _made_by(store: Path) -> dict[str, Any] | None:
    """Return what the recipe of a store noted in it: None where it was made without one, or is not there."""
    if not (store / on_disk.NAME).is_file():
        return None
    source: dict[str, Any] = dict(read_manifest(store).source)
    return source if "recipe" in source else None


def _folders(recipe: RecipeFile) -> list[Path]:
    """Return where the recordings lie. Raises ValueError naming all that lie nowhere."""
    found = [next((place for place in _places(one) if place.exists()), _places(one)[0]) for one in recipe.originals]
    absent = [one for one, folder in zip(recipe.originals, found, strict=True) if not folder.exists()]
    if mistakes := [_absence(one, recipe.file) for one in absent if not one.synthesis]:
        raise Mistake("\n".join(mistakes))
    return found


def _places(one: Originals) -> list[Path]:
    """Return where recordings are looked for: beside the recipe; then, by their name alone, below $ECG_DATA."""
    below = os.environ.get("ECG_DATA")
    return [one.folder, Path(below).absolute() / one.named] if below and _is_a_name(one) else [one.folder]


def _absence(one: Originals, file: Path) -> str:
    places = " or ".join(map(str, _places(one)))
    get = f"get the recordings from {one.download.url} ({one.download.size}) and " if one.download else ""
    below = f", or set ECG_DATA to the folder that holds {one.named}" if _is_a_name(one) else ""
    now = f" (it is {os.environ['ECG_DATA']})" if below and os.environ.get("ECG_DATA") else ""
    return f"{file}: recordings: from: there is nothing at {places}; {get}put them there{below}{now}"


def _is_a_name(one: Originals) -> bool:
    """Return whether recordings may lie where several projects find them: neither made here nor given by a path."""
    return one.synthesis is None and not Path(one.named).is_absolute() and ".." not in Path(one.named).parts


@contextmanager
def _alone(target: Path, doing: Doing) -> Iterator[None]:
    """Be the one process that writes `target`; whoever comes second waits for the first, however that ends."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f".{target.name}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            doing(f"waiting for another process, which prepares {target}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _tables(source: Source) -> dict[str, str]:
    """Return the tables of labels and folds: small, and what people change."""
    return {str(table.resolve()): _sha256(table) for table in source.tables}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
