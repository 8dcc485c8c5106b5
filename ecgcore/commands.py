"""The commands `orchestrate data synthesize | prepare | check`: from arguments to calls, from results to lines.

A mistake of the user leaves as ValueError, for the command line to print; a full disk is answered here.
"""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecgcore.prepare import Request
    from ecgcore.readers.array import ArrayFormat
    from ecgcore.readers.mitdb import Cut
    from ecgcore.readers.source import Source

# Everything else of ecgcore is imported inside the functions: this file is read for `orchestrate --help`, which would
# otherwise wait 2 to 3 s for scipy, scikit-learn and wfdb.


ReadYaml = Callable[[Path], Mapping[str, Any]]
# Written here, too, since their home (ecgcore/readers/choice.py) takes seconds to import; a test compares the two.
READERS = ("ptbxl", "cinc2017", "challenge", "ludb", "mitdb", "numpy", "own")


def add_data_commands(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", read_yaml: ReadYaml | None = None
) -> None:
    """Add `data` with its three commands; each sets `run`, a function from the namespace to the exit code.

    read_yaml: reads the label maps, which are the one YAML that data has. It comes from outside, since this package
    reads none; without it a label map is refused.
    """
    data = subparsers.add_parser("data", help="prepare, check or synthesize recordings")
    commands = data.add_subparsers(dest="data_command", required=True, metavar="COMMAND")
    _add_synthesize(commands.add_parser("synthesize", help="write synthetic 12-lead WFDB records of four rhythms"))
    _add_prepare(commands.add_parser("prepare", help="read recordings into a store that can be searched"))
    _add_check(commands.add_parser("check", help="show what is in stores or recordings, and verify every hash"))
    data.set_defaults(read_yaml=read_yaml or _no_yaml)


def _no_yaml(path: Path) -> Mapping[str, Any]:
    raise ValueError(f"{path}: label maps are read by the command `orchestrate data`, not here")


def _add_synthesize(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--records", type=int, required=True, metavar="N", help="how many, 10 s each by default")
    parser.add_argument("--seed", type=int, required=True, metavar="S", help="equal seeds give equal files")
    parser.add_argument("--cohort", default="A", help="A or B: other heart rates, sizes, noise (default A)")
    parser.add_argument("--rate", type=float, default=100.0, metavar="HZ", help="default 100")
    parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="length of a record (default 10)")
    parser.add_argument("--noise", type=float, default=1.0, metavar="X", help="times the cohort's noise (default 1)")
    parser.add_argument("--replace", action="store_true", help="write anew what is there")
    parser.set_defaults(run=_answering(_synthesize))


def _add_prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--reader",
        required=True,
        action="append",
        choices=READERS,
        help="of the recordings; several, each with its --from, make one store",
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        required=True,
        action="append",
        metavar="DIR",
        help="folder of the recordings",
    )
    parser.add_argument("--to", type=Path, required=True, metavar="STORE", help="folder of the store to write")
    parser.add_argument("--labels", type=Path, metavar="CSV", help="own: record,patient,labels[,fold] (DIR/labels.csv)")
    parser.add_argument(
        "--target",
        help="ptbxl: superclass (default), rhythm, codes; ludb: rhythm (default), codes; mitdb: beats or rhythm",
    )
    parser.add_argument("--window", metavar="S,S", help="mitdb: seconds before and after a beat (default 0.3,0.5)")
    parser.add_argument("--piece", type=float, metavar="S", help="mitdb: length of a piece of one rhythm (default 10)")
    parser.add_argument("--paced", action="store_true", help="mitdb: with the records of paced hearts")
    parser.add_argument("--array-rate", type=float, metavar="HZ", help="numpy: sampling rate of the array")
    parser.add_argument("--array-leads", metavar="I,II,...", help="numpy: leads of the array, in order")
    parser.add_argument("--array-unit", metavar="mV|uV|V", help="numpy: unit of the array")
    parser.add_argument("--label-map", type=Path, metavar="YAML", help="codes to classes, see label_maps/")
    parser.add_argument(
        "--leave-out", action="append", default=[], metavar="PATTERN", help="records by name, such as 'ptb-xl/*'"
    )
    parser.add_argument("--rate", type=float, metavar="HZ", help="resample to this (default: as recorded; ptbxl: 100)")
    parser.add_argument("--leads", metavar="I,II,...", help="leads of the store, in order (default: the standard 12)")
    parser.add_argument("--band-pass", metavar="LOW-HIGH", help="keep these Hz, such as 0.5-40 (default: all)")
    parser.add_argument("--notch", type=float, metavar="HZ", help="take the power line out: 50 or 60")
    parser.add_argument(
        "--normalise", metavar="HOW", help="lead: each lead to mean 0, sd 1; record: one scale for all its leads"
    )
    parser.add_argument("--half", action="store_true", help="store signals in 16 bits; the largest error is stated")
    parser.add_argument("--train-folds", metavar="1-6", help="given folds to train on")
    parser.add_argument("--validation-folds", metavar="7,8", help="given folds to validate on")
    parser.add_argument("--test-folds", metavar="9", help="given folds to seal")
    parser.add_argument(
        "--folds", type=int, metavar="K", help="draw K validation folds by patient; 1: one hold-out part"
    )
    parser.add_argument("--repeats", type=int, default=1, metavar="R", help="draw the K folds R times (default 1)")
    parser.add_argument(
        "--test-share", type=float, metavar="X", help="of the records, to be sealed (default 0.2; 0: none)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of what is drawn (default 0)")
    parser.add_argument(
        "--allow-refused", type=float, default=5.0, metavar="PERCENT", help="unreadable records (default 5)"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="processes that read (default: one a core)")
    parser.add_argument("--replace", action="store_true", help="write anew what is there")
    parser.set_defaults(run=_answering(_prepare))


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", nargs="+", type=Path, metavar="STORE_OR_SOURCE", help="prepared or raw")
    parser.add_argument("--labels", type=Path, metavar="CSV", help="table of labels of a raw folder")
    parser.set_defaults(run=_answering(_check))


def _answering(command: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Turn a full disk and its like into one line and exit code 1."""

    def run(namespace: argparse.Namespace) -> int:
        try:
            return command(namespace)
        except BrokenPipeError:  # whoever reads the output has seen enough: the command line answers it
            raise
        except OSError as error:
            place = error.filename or getattr(namespace, "to", "")
            hint = "; nothing was left behind: free some space and repeat the command" if _full(error) else ""
            print(f"data {namespace.data_command}: {place}: {error.strerror or error}{hint}", file=sys.stderr)
            return 1

    return run


def _full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _synthesize(namespace: argparse.Namespace) -> int:
    from ecgcore.synthetic import Synthesis, synthesize

    synthesis = Synthesis(
        records=namespace.records,
        seed=namespace.seed,
        cohort=namespace.cohort,
        rate=namespace.rate,
        seconds=namespace.seconds,
        noise=namespace.noise,
    )
    written = synthesize(namespace.to, synthesis, replace=namespace.replace)
    print(f"{namespace.to}: {synthesis.records} records {'written' if written else 'were already there'}")
    return 0


def _prepare(namespace: argparse.Namespace) -> int:
    from ecgcore.check import describe_store
    from ecgcore.prepare import prepare

    source = _source(namespace)
    request = _request(namespace, source)
    with _progress() as progress:
        _, written = prepare(source, namespace.to, request, replace=namespace.replace, progress=progress)
    print(f"{namespace.to}: {'prepared' if written else 'already prepared'}")
    print("\n".join(describe_store(namespace.to)))
    return 0


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """Give a function that draws a progress bar, on a terminal only; on standard error, so that output stays clean."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda done, records: bar.update(task, completed=done, total=records)


def _check(namespace: argparse.Namespace) -> int:
    from ecgcore.check import describe_source, describe_store

    sound = True
    for folder in namespace.folders:
        if (folder / "manifest.json").is_file():
            lines = describe_store(folder)
        else:
            lines, readable = describe_source(folder, table=namespace.labels)
            sound = sound and readable
        print("\n".join(lines))
    return 0 if sound else 1


def _source(namespace: argparse.Namespace) -> "Source":
    """List what is asked for: one source or several together, by a label map or as they are."""
    from ecgcore.readers.choice import Wish, source_of
    from ecgcore.readers.label_map import label_map_from, with_classes
    from ecgcore.readers.mitdb import DEFAULT
    from ecgcore.readers.several import together, without

    readers, folders = namespace.reader, namespace.source
    if len(readers) != len(folders):
        raise ValueError(
            f"every --reader needs its --from, in the same order, but got {len(readers)} readers and {len(folders)} "
            "folders"
        )
    if "ptbxl" in readers and not (namespace.folds or namespace.train_folds):
        raise ValueError(
            "say how ptbxl is divided: --train-folds 1-8 --validation-folds 9 --test-folds 10 as its authors advise, "
            "or --folds K to draw them"
        )
    codes = namespace.label_map is not None and not namespace.target
    label_map = (
        label_map_from(namespace.read_yaml(namespace.label_map), namespace.label_map) if namespace.label_map else None
    )
    sources = [
        source_of(
            reader,
            Wish(
                directory=folder,
                table=namespace.labels,
                target="codes" if codes and reader in ("ptbxl", "ludb") else namespace.target,
                rate=namespace.rate,
                cut=_cut(namespace) if reader == "mitdb" else DEFAULT,
                array=_array_format(namespace),
            ),
        )
        for reader, folder in zip(readers, folders, strict=True)
    ]
    source = without(together(sources), namespace.leave_out)
    return with_classes(source, label_map) if label_map else source


def _cut(namespace: argparse.Namespace) -> "Cut":
    """Read which pieces of annotated records are wanted. Without a word on parts, DS2 is the test part."""
    from ecgcore.readers.mitdb import Cut

    chosen: dict[str, Any] = {"paced": namespace.paced, "given_test": namespace.test_share is None}
    if namespace.target:
        chosen["target"] = namespace.target
    if namespace.piece is not None:
        chosen["piece"] = namespace.piece
    if namespace.window:
        chosen["before"], chosen["after"] = _two_numbers(namespace.window, ",", "--window must be two times in s")
    return Cut(**chosen)


def _array_format(namespace: argparse.Namespace) -> "ArrayFormat":
    from ecgcore.readers.array import ArrayFormat

    leads = tuple(lead.strip() for lead in (namespace.array_leads or "").split(",") if lead.strip())
    return ArrayFormat(rate=namespace.array_rate, leads=leads, unit=namespace.array_unit)


def _two_numbers(text: str, separator: str, rule: str) -> tuple[float, float]:
    first, _, second = text.partition(separator)
    try:
        return float(first), float(second)
    except ValueError:
        raise ValueError(f"{rule}, such as 0.5{separator}40, but got {text!r}") from None


def _request(namespace: argparse.Namespace, source: "Source") -> "Request":
    from ecgcore.prepare import Request
    from ecgcore.processing import Processing
    from ecgcore.signals import canonical_lead
    from ecgcore.splits import SplitRule

    leads = namespace.leads.split(",") if namespace.leads else source.leads
    share: dict[str, Any] = {} if namespace.test_share is None else {"test_share": namespace.test_share}
    return Request(
        rule=SplitRule(
            folds=namespace.folds,
            repeats=namespace.repeats,
            seed=namespace.seed,
            train=fold_names(namespace.train_folds, "--train-folds"),
            validation=fold_names(namespace.validation_folds, "--validation-folds"),
            test=fold_names(namespace.test_folds, "--test-folds"),
            **share,
        ),
        leads=tuple(canonical_lead(lead) for lead in leads),
        rate=100.0 if namespace.reader == ["ptbxl"] and namespace.rate is None else namespace.rate,
        allow_refused=namespace.allow_refused,
        processing=Processing(
            band_pass=_two_numbers(namespace.band_pass, "-", "--band-pass must be LOW-HIGH in Hz")
            if namespace.band_pass
            else None,
            notch=namespace.notch,
            normalise=namespace.normalise,
            half=namespace.half,
        ),
        workers=len(os.sched_getaffinity(0)) if namespace.workers is None else namespace.workers,
    )


def fold_names(text: str | None, option: str) -> tuple[str, ...]:
    """Read `1-6`, `7,8` or names separated by commas. Raises ValueError naming the option."""
    names: list[str] = []
    for part in (text or "").split(",") if text is not None else []:
        first, dash, last = part.strip().partition("-")
        if dash and first.isdigit() and last.isdigit() and int(first) <= int(last):
            names += [str(number) for number in range(int(first), int(last) + 1)]
        elif part.strip() and not (dash and first.isdigit() and last.isdigit()):
            names.append(part.strip())
        else:
            raise ValueError(f"{option} must be folds like 1-6 or 7,8, but got {text!r}")
    return tuple(names)
