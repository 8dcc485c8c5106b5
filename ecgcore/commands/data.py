"""The commands `orchestrate data synthesize | prepare | check`: from words to calls, from results to lines.

A mistake of the user leaves as Mistake, for the command line to print; a full disk is answered here.
"""

import argparse
import errno
import sys
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgcore.commands.prepare import add_prepare, run_prepare
from ecgcore.commands.source_options import READERS, add_source_options, source_from
from ecgcore.mistakes import Mistake

if TYPE_CHECKING:
    from ecgcore.inspection.check import Findings

# Everything else of ecgcore is imported inside the functions: this file is read for `orchestrate --help`, which would
# otherwise wait 2 to 3 s for scipy, scikit-learn and wfdb.


ReadYaml = Callable[[Path], Mapping[str, Any]]


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
    prepare = commands.add_parser("prepare", help="read recordings into a store that can be searched")
    add_prepare(prepare)
    prepare.set_defaults(run=_answering(run_prepare))
    _add_check(commands.add_parser("check", help="show what is in stores or recordings, and verify every hash"))
    data.set_defaults(read_yaml=read_yaml or _no_yaml)


def _no_yaml(path: Path) -> Mapping[str, Any]:
    raise Mistake(f"{path}: label maps are read by the command `orchestrate data`, not here")


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


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", nargs="+", type=Path, metavar="STORE_OR_SOURCE", help="prepared or raw")
    parser.add_argument("--reader", choices=READERS, help="of a raw folder (default: by the files in it)")
    add_source_options(parser)
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with example strips on ECG paper, too")
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
    from ecgcore.synthetic.database import Synthesis, synthesize

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


def _check(namespace: argparse.Namespace) -> int:
    from ecgcore.inspection.check import describe_store, in_both

    findings, compare = [], len(namespace.folders) > 1
    for folder in namespace.folders:
        prepared = (folder / "manifest.json").is_file()
        one = describe_store(folder, compare=compare) if prepared else _raw(namespace, folder, compare=compare)
        findings.append(one)
        print("\n".join(one.lines()))
    for one, other in combinations(findings, 2):
        print(in_both(one, other))
    if namespace.html:
        from ecgcore.inspection.html_page import page
        from ecgcore.whole_files import replacing

        with replacing(namespace.html) as beside:
            beside.write_text(page(findings), encoding="utf-8")
        print(f"{namespace.html}: written")
    return 0 if all(one.sound for one in findings) else 1


def _raw(namespace: argparse.Namespace, folder: Path, *, compare: bool) -> "Findings":
    """Describe recordings that are not prepared, by the reader that is named or recognised."""
    from ecgcore.inspection.check import bare_source, describe_source
    from ecgcore.readers.registry import recognise

    reader = namespace.reader or ("own" if namespace.labels else recognise(folder))
    if reader is None:
        return describe_source(bare_source(folder), compare=compare)
    everything = {"given_test": False, "paced": True}  # what is there, not what a store would have
    source = source_from(namespace, [reader], [folder], rate=None, cut=everything)
    return describe_source(source, compare=compare)
