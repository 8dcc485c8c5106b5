"""Which recordings are meant: options that `data prepare` and `data check` share, from words to a Source."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ecgcore.mistakes import Mistake

if TYPE_CHECKING:
    from ecgcore.readers.array import ArrayFormat
    from ecgcore.readers.mitdb import Cut
    from ecgcore.readers.recordings import Recordings
    from ecgcore.readers.registry import Wish
    from ecgcore.readers.source import Source

# Written here, too: their home (ecgcore/readers/registry.py) imports numpy, for which --help need not wait. A test
# compares the two.
READERS = ("ptbxl", "cinc2017", "challenge", "ludb", "mitdb", "heartbeat_csv", "chapman", "numpy", "own")
LABEL_MAPS = Path(__file__).parent.parent / "readers" / "label_maps"
SHIPPED = " or ".join(sorted(path.stem for path in LABEL_MAPS.glob("*.yaml")))


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how recordings are read."""
    parser.add_argument(
        "--labels", type=Path, metavar="CSV", help="own, numpy: record,patient,labels[,fold] (DIR/labels.csv)"
    )
    parser.add_argument(
        "--target",
        help="ptbxl: superclass (default), rhythm, codes, diagnostic; ludb: rhythm, codes; mitdb: beats, rhythm",
    )
    parser.add_argument("--label-map", type=Path, metavar="YAML", help=f"codes to classes: a file, or {SHIPPED}")
    parser.add_argument(
        "--leave-out", action="append", default=[], metavar="PATTERN", help="records by name, such as 'ptb-xl/*'"
    )
    parser.add_argument(
        "--fold-table", type=Path, metavar="CSV", help="record,fold: folds in place of the reader's own"
    )
    parser.add_argument("--window", metavar="S,S", help="mitdb: seconds before and after a beat (default 0.3,0.5)")
    parser.add_argument("--piece", type=float, metavar="S", help="mitdb: length of a piece of one rhythm (default 10)")
    parser.add_argument("--paced", action="store_true", help="mitdb: with the records of paced hearts")
    parser.add_argument("--array-rate", type=float, metavar="HZ", help="numpy: sampling rate of the array")
    parser.add_argument("--array-leads", metavar="I,II,...", help="numpy: leads of the array, in order")
    parser.add_argument("--array-unit", metavar="mV|uV|V", help="numpy: unit of the array")


def source_from(
    namespace: argparse.Namespace,
    readers: Sequence[str],
    folders: Sequence[Path],
    *,
    rate: float | None,
    cut: Mapping[str, bool],
) -> "Source":
    """List what is asked for: one source or several together, by a label map or as they are.

    rate: of the store, in Hz, if known. cut: of annotated records, what no option here says. Raises ValueError
    for mistakes of the options, of the label map and of the tables.
    """
    return recordings_from(namespace, readers, folders, cut=cut).source(rate=rate)


def recordings_from(
    namespace: argparse.Namespace, readers: Sequence[str], folders: Sequence[Path], *, cut: Mapping[str, bool]
) -> "Recordings":
    """Return what is asked for. Raises ValueError for mistakes of the options and of the label map."""
    from ecgcore.readers.label_map import label_map_from
    from ecgcore.readers.recordings import Recordings

    path = _label_map_path(namespace.label_map)
    return Recordings(
        wishes=tuple(
            (reader, _wish(namespace, reader, folder, readers, cut))
            for reader, folder in zip(readers, folders, strict=True)
        ),
        leave_out=tuple(namespace.leave_out),
        fold_table=namespace.fold_table,
        label_map=label_map_from(namespace.read_yaml(path), path) if path else None,
    )


def _wish(
    namespace: argparse.Namespace, reader: str, folder: Path, readers: Sequence[str], cut: Mapping[str, bool]
) -> "Wish":
    from ecgcore.readers.mitdb import DEFAULT
    from ecgcore.readers.registry import NO_ARRAY, WITH_ARRAY, WITH_CUT, WITH_TABLE, WITH_TARGET, Wish

    def handed(takers: Sequence[str]) -> bool:
        """Say if the reader is handed an option; one that none of the readers takes goes to all, who refuse it."""
        return reader in takers or not set(takers).intersection(readers)

    asks_for_a_cut = reader in WITH_CUT or namespace.paced or namespace.window or namespace.piece is not None
    return Wish(
        directory=folder,
        table=namespace.labels if handed(WITH_TABLE) else None,
        target=(namespace.target or None) if handed(WITH_TARGET) else None,
        cut=_cut(namespace, cut) if asks_for_a_cut and handed(WITH_CUT) else DEFAULT,
        array=_array_format(namespace) if handed(WITH_ARRAY) else NO_ARRAY,
    )


def two_numbers(text: str, separator: str, rule: str) -> tuple[float, float]:
    """Read two numbers. Raises ValueError that begins with `rule`."""
    first, _, second = text.partition(separator)
    try:
        return float(first), float(second)
    except ValueError:
        raise Mistake(f"{rule}, such as 0.5{separator}40, but got {text!r}") from None


def _label_map_path(given: Path | None) -> Path | None:
    """Return the file that is meant: the one named, or one that is shipped, by its name alone."""
    shipped = LABEL_MAPS / f"{given}.yaml"
    if given is None or given.is_file():
        return given
    if given.name != str(given) or not shipped.is_file():
        raise Mistake(f"--label-map must be a YAML file, or {SHIPPED}, but there is no {given}")
    return shipped


def _cut(namespace: argparse.Namespace, otherwise: Mapping[str, bool]) -> "Cut":
    """Read which pieces of annotated records are wanted."""
    from ecgcore.readers.recordings import cut_of

    rule = "--window must be two times in s"
    return cut_of(
        window=two_numbers(namespace.window, ",", rule) if namespace.window else None,
        piece=namespace.piece,
        **otherwise,
    )


def _array_format(namespace: argparse.Namespace) -> "ArrayFormat":
    from ecgcore.readers.array import ArrayFormat

    leads = tuple(lead.strip() for lead in (namespace.array_leads or "").split(",") if lead.strip())
    return ArrayFormat(rate=namespace.array_rate, leads=leads, unit=namespace.array_unit)
