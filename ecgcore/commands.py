"""The commands `orchestrate data synthesize | prepare | check`: from arguments to calls, from results to lines.

A mistake of the user leaves as ValueError, for the command line to print; a full disk is answered here.
"""

import argparse
import errno
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecgcore.prepare import Request
    from ecgcore.readers.source import Source

# Everything else of ecgcore is imported inside the functions: this file is read for `orchestrate --help`, which would
# otherwise wait 2 to 3 s for scipy, scikit-learn and wfdb.


ReadYaml = Callable[[Path], Mapping[str, Any]]
# Written here, too, since their home (ecgcore/readers/choice.py) takes seconds to import; a test compares the two.
READERS = ("ptbxl", "cinc2017", "challenge", "ludb", "own")


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
    parser.add_argument("--target", help="ptbxl: superclass (default), rhythm, codes; ludb: rhythm (default), codes")
    parser.add_argument("--label-map", type=Path, metavar="YAML", help="codes to classes, see label_maps/")
    parser.add_argument(
        "--leave-out", action="append", default=[], metavar="PATTERN", help="records by name, such as 'ptb-xl/*'"
    )
    parser.add_argument("--rate", type=float, metavar="HZ", help="resample to this (default: as recorded; ptbxl: 100)")
    parser.add_argument("--leads", metavar="I,II,...", help="leads of the store, in order (default: the standard 12)")
    parser.add_argument("--train-folds", metavar="1-6", help="given folds to train on")
    parser.add_argument("--validation-folds", metavar="7,8", help="given folds to validate on")
    parser.add_argument("--test-folds", metavar="9", help="given folds to seal")
    parser.add_argument(
        "--folds", type=int, metavar="K", help="draw K validation folds by patient; 1: one hold-out part"
    )
    parser.add_argument(
        "--test-share", type=float, metavar="X", help="of the records, to be sealed (default 0.2; 0: none)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of what is drawn (default 0)")
    parser.add_argument(
        "--allow-refused", type=float, default=5.0, metavar="PERCENT", help="unreadable records (default 5)"
    )
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
    _, written = prepare(source, namespace.to, _request(namespace, source), replace=namespace.replace)
    print(f"{namespace.to}: {'prepared' if written else 'already prepared'}")
    print("\n".join(describe_store(namespace.to)))
    return 0


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
            ),
        )
        for reader, folder in zip(readers, folders, strict=True)
    ]
    source = without(together(sources), namespace.leave_out)
    return with_classes(source, label_map) if label_map else source


def _request(namespace: argparse.Namespace, source: "Source") -> "Request":
    from ecgcore.prepare import Request
    from ecgcore.signals import canonical_lead
    from ecgcore.splits import SplitRule

    leads = namespace.leads.split(",") if namespace.leads else source.leads
    share: dict[str, Any] = {} if namespace.test_share is None else {"test_share": namespace.test_share}
    return Request(
        rule=SplitRule(
            folds=namespace.folds,
            seed=namespace.seed,
            train=fold_names(namespace.train_folds, "--train-folds"),
            validation=fold_names(namespace.validation_folds, "--validation-folds"),
            test=fold_names(namespace.test_folds, "--test-folds"),
            **share,
        ),
        leads=tuple(canonical_lead(lead) for lead in leads),
        rate=100.0 if namespace.reader == ["ptbxl"] and namespace.rate is None else namespace.rate,
        allow_refused=namespace.allow_refused,
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
