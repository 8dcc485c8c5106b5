"""A recipe from its YAML file: a mapping that somebody else read, as checked values, with every mistake at once.

Paths are relative to the file. Looks for no recording.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ecgcore.data.prepare import StoreRequest
from ecgcore.data.recipe import Recipe
from ecgcore.data.recipe_words import Content, Download, Folder, Split, content_from, digest_of_content
from ecgcore.data.splits import SplitRule, fold_names
from ecgcore.drawing.charts import ChartForm
from ecgcore.mistakes import Mistake
from ecgcore.readers.array import ArrayFormat
from ecgcore.readers.label_map import LabelMap, label_map_from
from ecgcore.readers.mitdb import DEFAULT
from ecgcore.readers.recordings import Recordings, cut_of
from ecgcore.readers.registry import READERS, Wish, wish_mistakes
from ecgcore.readers.source import BY_PATIENT
from ecgcore.signals.processing import UNCHANGED, Processing
from ecgcore.synthetic.database import Synthesis


@dataclass(frozen=True, kw_only=True)
class Originals:
    """One folder of recordings: where it is looked for, and how it comes to be there."""

    folder: Path  # beside the recipe; of an array, its file
    named: str  # as the recipe says it, below $ECG_DATA
    synthesis: Synthesis | None = None
    download: Download | None = None


@dataclass(frozen=True, kw_only=True)
class RecipeFile:
    """A checked recipe, its place, and the place of what it makes."""

    file: Path
    store: Path
    recipe: Recipe  # its wishes' folders as if all of them lay beside the recipe
    originals: tuple[Originals, ...]  # of each wish
    digest: str  # of all that decides about the store's content: equal recipes make equal stores of equal recordings

    @property
    def folds(self) -> int | None:
        """How many folds the store has; None where its recordings decide that."""
        rule = self.recipe.rule
        if rule.train:
            return 1
        return rule.folds * rule.repeats if isinstance(rule.folds, int) else None

    def located(self, folders: Iterable[Path]) -> Recipe:
        """Return the recipe of the recordings in these folders, one of each wish."""
        found = zip(self.recipe.recordings.wishes, folders, strict=True)
        wishes = tuple((reader, replace(wish, directory=folder)) for (reader, wish), folder in found)
        return replace(self.recipe, recordings=replace(self.recipe.recordings, wishes=wishes))


def recipe_from(mapping: Mapping[str, Any]) -> RecipeFile:
    """Check a recipe: its file's content, and under `file` where that lies; a label map likewise, in its place.

    Raises ValueError with every mistake, each as `file: key: rule, value`.
    """
    file = Path(str(mapping["file"]))
    several = isinstance(mapping.get("recordings"), list)
    content, wrong = content_from(mapping, file)
    mistakes = _Mistakes(file, wrong)
    wishes, originals = [], []
    for number, folder in enumerate(content.recordings):
        place = f"recordings.{number}" if several else "recordings"
        with mistakes.at(place):
            wishes.append((folder.reader, _wish(folder, file, given_test=_seals_given_test(content.split))))
        with mistakes.at(f"{place}.synthesize"):
            originals.append(_originals(folder, file))
    label_map, rule, processing, charts = None, SplitRule(), UNCHANGED, None
    with mistakes.at("label_map"):
        label_map = _label_map(content.label_map)
    with mistakes.at("split"):
        rule = _rule(content.split)
    with mistakes.at(""):
        processing = _processing(content)
    with mistakes.at(""):
        charts = ChartForm.of(content.charts.model_dump()) if content.charts else None
    with mistakes.at(""):
        StoreRequest(rule=SplitRule(), processing=processing, charts=charts, **_store_words(content))
    mistakes.raise_if_any()
    with mistakes.at("split"):
        recordings = Recordings(
            wishes=tuple(wishes),
            leave_out=tuple(content.leave_out),
            fold_table=_beside(file, content.split.fold_table),
            label_map=label_map,
        )
        words = {"leads": None, **_store_words(content)}
        recipe = Recipe(recordings=recordings, rule=rule, processing=processing, charts=charts, **words)
    mistakes.raise_if_any()
    return RecipeFile(
        file=file,
        store=(file.parent / content.store).resolve(),
        recipe=recipe,
        originals=tuple(originals),
        digest=digest_of_content(content),
    )


def as_keys(message: str, file: Path, place: str = "") -> str:
    """Turn what is said of options into what is said of the file's keys: `--test-share` is its `test_share`."""
    if message.startswith(f"{file}: "):
        return message
    said = re.sub(r"--(?!replace)([a-z-]+)", lambda found: _KEYS.get(found[1], found[1].replace("-", "_")), message)
    key, _, rest = said.partition(" ")
    if message.startswith("--") and rest.startswith("must "):
        return f"{file}: {place and f'{place}.'}{key}: {rest}"
    return f"{file}: {place and f'{place}: '}{said}"


_KEYS = {"to": "store", "charts": "charts.layouts", "chart-pixels": "charts.pixels"}


class _Mistakes:
    """Gathers what is wrong in several places, so that all of it is told."""

    def __init__(self, file: Path, found: Sequence[str]) -> None:
        self._file, self._found = file, list(found)

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            self._found += [as_keys(line, self._file, place) for line in str(error).splitlines()]

    def raise_if_any(self) -> None:
        if self._found:
            raise Mistake("\n".join(dict.fromkeys(self._found)))


def _wish(folder: Folder, file: Path, *, given_test: bool) -> Wish:
    if folder.reader not in READERS:
        raise Mistake(f"--reader must be {', '.join(READERS)}, but got {folder.reader!r}")
    asks_for_a_cut = folder.reader == "mitdb" or folder.window or folder.piece is not None or folder.paced
    window = (folder.window[0], folder.window[1]) if folder.window else None
    array = ArrayFormat(rate=folder.array_rate, leads=tuple(folder.array_leads), unit=folder.array_unit)
    wish = Wish(
        directory=(file.parent / folder.from_).resolve(),
        table=_beside(file, folder.labels),
        target=folder.target,
        cut=cut_of(window=window, piece=folder.piece, paced=folder.paced, given_test=given_test)
        if asks_for_a_cut
        else DEFAULT,
        array=array,
    )
    mistakes = wish_mistakes(folder.reader, wish) + (array.mistakes() if folder.reader == "numpy" else [])
    if folder.synthesize and folder.reader != "own":
        mistakes.append(f"--reader must be own where recordings are synthesized, but got {folder.reader!r}")
    if mistakes:
        raise Mistake("\n".join(mistakes))
    return wish


def _originals(folder: Folder, file: Path) -> Originals:
    synthesis = Synthesis(**folder.synthesize.model_dump()) if folder.synthesize else None
    return Originals(
        folder=(file.parent / folder.from_).resolve(),
        named=folder.from_,
        synthesis=synthesis,
        download=folder.download,
    )


def _label_map(content: Mapping[str, Any] | None) -> LabelMap | None:
    if content is None:
        return None
    return label_map_from({key: value for key, value in content.items() if key != "file"}, Path(content["file"]))


def _seals_given_test(split: Split) -> bool:
    """Return whether a database's own test part is sealed: one by patient, unless a share is asked for."""
    return split.test_share is None and split.by == BY_PATIENT


def _rule(split: Split) -> SplitRule:
    share = {} if split.test_share is None else {"test_share": split.test_share}
    return SplitRule(
        by=split.by,
        folds=split.folds,
        repeats=split.repeats,
        seed=split.seed,
        train=fold_names(split.train_folds, "--train-folds"),
        validation=fold_names(split.validation_folds, "--validation-folds"),
        test=fold_names(split.test_folds, "--test-folds"),
        **share,
    )


def _processing(content: Content) -> Processing:
    band = content.band_pass
    return Processing(
        band_pass=(band[0], band[1]) if band else None,
        notch=content.notch,
        normalise=content.normalise,
        half=content.half,
    )


def _store_words(content: Content) -> dict[str, Any]:
    leads = {} if content.leads is None else {"leads": tuple(content.leads)}
    plain = {"rate": content.rate, "allow_refused": content.allow_refused, "most_frequent": content.most_frequent}
    return {**plain, **leads}


def _beside(file: Path, path: str | None) -> Path | None:
    return None if path is None else (file.parent / path).resolve()
