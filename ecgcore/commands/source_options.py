"""Which recordings are meant: options that `data prepare` and `data check` share, from words to a Source."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecgcore.readers.array import ArrayFormat
    from ecgcore.readers.mitdb import Cut
    from ecgcore.readers.source import Source

# Written here, too, since their home (ecgcore/readers/registry.py) takes seconds to import; a test compares the two.
READERS = ("ptbxl", "cinc2017", "challenge", "ludb", "mitdb", "numpy", "own")
LABEL_MAPS = Path(__file__).parent.parent / "readers" / "label_maps"
SHIPPED = " or ".join(sorted(path.stem for path in LABEL_MAPS.glob("*.yaml")))
_CODED = ("ptbxl", "ludb")  # readers whose codes are asked for by a label map, and not otherwise


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how recordings are read."""
    parser.add_argument(
        "--labels", type=Path, metavar="CSV", help="own, numpy: record,patient,labels[,fold] (DIR/labels.csv)"
    )
    parser.add_argument(
        "--target",
        help="ptbxl: superclass (default), rhythm, codes; ludb: rhythm (default), codes; mitdb: beats or rhythm",
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
    from ecgcore.readers.fold_table import with_folds
    from ecgcore.readers.joined import together, without
    from ecgcore.readers.label_map import label_map_from, with_classes
    from ecgcore.readers.mitdb import DEFAULT
    from ecgcore.readers.registry import NO_ARRAY, WITH_ARRAY, WITH_CUT, WITH_TABLE, WITH_TARGET, Wish, source_of

    path = _label_map_path(namespace.label_map)
    label_map = label_map_from(namespace.read_yaml(path), path) if path else None

    def handed(reader: str, takers: Sequence[str]) -> bool:
        """Say if a reader is handed an option; one that none of the readers takes goes to all, who refuse it."""
        return reader in takers or not set(takers).intersection(readers)

    def target(reader: str) -> str | None:
        if label_map and not namespace.target and reader in _CODED:
            return "codes"
        return namespace.target if handed(reader, WITH_TARGET) else None

    def cut_of(reader: str) -> "Cut":
        asked = reader in WITH_CUT or _asks_for_a_cut(namespace)
        return _cut(namespace, cut) if asked and handed(reader, WITH_CUT) else DEFAULT

    sources = [
        source_of(
            reader,
            Wish(
                directory=folder,
                table=namespace.labels if handed(reader, WITH_TABLE) else None,
                target=target(reader),
                rate=rate,
                cut=cut_of(reader),
                array=_array_format(namespace) if handed(reader, WITH_ARRAY) else NO_ARRAY,
            ),
        )
        for reader, folder in zip(readers, folders, strict=True)
    ]
    source = without(together(sources), namespace.leave_out)
    source = with_folds(source, namespace.fold_table) if namespace.fold_table else source
    return with_classes(source, label_map) if label_map else source


def two_numbers(text: str, separator: str, rule: str) -> tuple[float, float]:
    """Read two numbers. Raises ValueError that begins with `rule`."""
    first, _, second = text.partition(separator)
    try:
        return float(first), float(second)
    except ValueError:
        raise ValueError(f"{rule}, such as 0.5{separator}40, but got {text!r}") from None


def _label_map_path(given: Path | None) -> Path | None:
    """Return the file that is meant: the one named, or one that is shipped, by its name alone."""
    shipped = LABEL_MAPS / f"{given}.yaml"
    if given is None or given.is_file():
        return given
    if given.name != str(given) or not shipped.is_file():
        raise ValueError(f"--label-map must be a YAML file, or {SHIPPED}, but there is no {given}")
    return shipped


def _asks_for_a_cut(namespace: argparse.Namespace) -> bool:
    return bool(namespace.paced or namespace.window or namespace.piece is not None)


def _cut(namespace: argparse.Namespace, otherwise: Mapping[str, bool]) -> "Cut":
    """Read which pieces of annotated records are wanted."""
    from ecgcore.readers.mitdb import Cut

    chosen: dict[str, Any] = dict(otherwise)
    if namespace.target:
        chosen["target"] = namespace.target
    if namespace.piece is not None:
        chosen["piece"] = namespace.piece
    if namespace.window:
        chosen["before"], chosen["after"] = two_numbers(namespace.window, ",", "--window must be two times in s")
    return Cut(**chosen)


def _array_format(namespace: argparse.Namespace) -> "ArrayFormat":
    from ecgcore.readers.array import ArrayFormat

    leads = tuple(lead.strip() for lead in (namespace.array_leads or "").split(",") if lead.strip())
    return ArrayFormat(rate=namespace.array_rate, leads=leads, unit=namespace.array_unit)
