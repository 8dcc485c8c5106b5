"""Which recordings are meant, of one folder or of several, as one value; and from it to a Source. Reads no signal."""

from dataclasses import dataclass, replace
from pathlib import Path

from ecgcore.readers.fold_table import with_folds
from ecgcore.readers.joined import together, without
from ecgcore.readers.label_map import LabelMap, with_classes
from ecgcore.readers.mitdb import DEFAULT, Cut
from ecgcore.readers.registry import Wish, source_of
from ecgcore.readers.source import Source

CODED = ("ptbxl", "ludb")  # readers whose codes are asked for by a label map, and not otherwise


@dataclass(frozen=True, kw_only=True)
class Recordings:
    """What a store is made of: wishes by reader, and what is done with all of their records together."""

    wishes: tuple[tuple[str, Wish], ...]  # reader, and what of a folder it is asked for
    leave_out: tuple[str, ...] = ()  # patterns of record names
    fold_table: Path | None = None  # folds in place of the readers' own
    label_map: LabelMap | None = None

    def source(self, *, rate: float | None) -> Source:
        """List the records. rate: of the store, in Hz, if known. Raises ValueError for mistakes of the tables."""
        sources = [source_of(reader, self._completed(reader, wish, rate=rate)) for reader, wish in self.wishes]
        source = without(together(sources), self.leave_out)
        source = with_folds(source, self.fold_table) if self.fold_table else source
        return with_classes(source, self.label_map) if self.label_map else source

    def _completed(self, reader: str, wish: Wish, *, rate: float | None) -> Wish:
        coded = self.label_map is not None and wish.target is None and reader in CODED
        return replace(wish, rate=rate, target="codes" if coded else wish.target)


def cut_of(
    *,
    window: tuple[float, float] | None = None,
    piece: float | None = None,
    paced: bool = False,
    given_test: bool = True,
) -> Cut:
    """Return which pieces of annotated records are wanted; None: as it is done unasked. Raises ValueError."""
    before, after = window or (DEFAULT.before, DEFAULT.after)
    piece = DEFAULT.piece if piece is None else piece
    return replace(DEFAULT, before=before, after=after, piece=piece, paced=paced, given_test=given_test)
