"""The command `orchestrate data prepare`: its options, from words to a source and a request, and a progress bar."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ecgcore.commands.source_options import READERS, add_source_options, recordings_from, two_numbers
from ecgcore.mistakes import Mistake

if TYPE_CHECKING:
    from ecgcore.data.recipe import Recipe
    from ecgcore.drawing.charts import ChartForm


def add_prepare(parser: argparse.ArgumentParser) -> None:
    """Add the options of `data prepare`; what runs it is `run_prepare`."""
    parser.add_argument(
        "recipe", nargs="?", type=Path, metavar="RECIPE", help="a YAML that says all this (experiments/recordings/)"
    )
    parser.add_argument(
        "--reader",
        action="append",
        choices=READERS,
        help="of the recordings; several, each with its --from, make one store",
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        action="append",
        metavar="DIR",
        help="folder of the recordings",
    )
    parser.add_argument("--to", type=Path, metavar="STORE", help="folder of the store to write")
    add_source_options(parser)
    parser.add_argument("--rate", type=float, metavar="HZ", help="resample to this (default: as recorded; ptbxl: 100)")
    parser.add_argument("--leads", metavar="I,II,...", help="leads of the store, in order (default: the standard 12)")
    parser.add_argument("--band-pass", metavar="LOW-HIGH", help="keep these Hz, such as 0.5-40 (default: all)")
    parser.add_argument("--notch", type=float, metavar="HZ", help="take the power line out: 50 or 60")
    parser.add_argument(
        "--normalise", metavar="HOW", help="lead: each lead to mean 0, sd 1; record: one scale for all its leads"
    )
    parser.add_argument(
        "--most-frequent", type=int, metavar="K", help="classes: the K that most train records of every fold have"
    )
    parser.add_argument("--half", action="store_true", help="store signals in 16 bits; the largest error is stated")
    parser.add_argument("--charts", metavar="4x3,2x6", help="draw every record, too, as pictures of these layouts")
    parser.add_argument("--chart-pixels", type=int, metavar="N", help="side of a picture (default 224)")
    parser.add_argument("--train-folds", metavar="1-6", help="given folds to train on")
    parser.add_argument("--validation-folds", metavar="7,8", help="given folds to validate on")
    parser.add_argument("--test-folds", metavar="9", help="given folds to seal")
    parser.add_argument(
        "--folds",
        type=_fold_count,
        metavar="K",
        help="draw K validation folds by patient; 1: one hold-out part; auto: as many, as often, as the data needs",
    )
    parser.add_argument("--repeats", type=int, default=1, metavar="R", help="draw the K folds R times (default 1)")
    parser.add_argument(
        "--test-share", type=float, metavar="X", help="of the records, to be sealed (default 0.2; 0: none)"
    )
    parser.add_argument(
        "--by",
        choices=("patient", "record"),
        default="patient",
        help="what is in one part only (default patient); record: as beats are published, which says nothing of people",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of what is drawn (default 0)")
    parser.add_argument(
        "--allow-refused", type=float, default=5.0, metavar="PERCENT", help="unreadable records (default 5)"
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes that read (default: one a core; one alone up to 64 MiB)"
    )
    parser.add_argument("--replace", action="store_true", help="write anew what is there")
    parser.set_defaults(unsaid=vars(parser.parse_args([])))


def run_prepare(namespace: argparse.Namespace) -> int:
    """Prepare a store and print what is in it."""
    from ecgcore.data.prepare import prepare
    from ecgcore.inspection.check import describe_store

    if namespace.recipe:
        return _run_recipe(namespace)
    recipe = _recipe(namespace)
    source = recipe.source()
    with _progress() as progress:
        _, written = prepare(source, namespace.to, recipe.request(source), replace=namespace.replace, progress=progress)
    print(f"{namespace.to}: {'prepared' if written else 'already prepared'}")
    print("\n".join(describe_store(namespace.to).lines()))
    return 0


def _run_recipe(namespace: argparse.Namespace) -> int:
    """Prepare the store of a recipe and print what is in it."""
    from ecgcore.data.recipe_file import recipe_from
    from ecgcore.data.recipe_store import prepare_store
    from ecgcore.inspection.check import describe_store

    said = [name for name, unsaid in namespace.unsaid.items() if getattr(namespace, name, unsaid) != unsaid]
    if more := [name for name in said if name not in ("recipe", "replace")]:
        options = ", ".join(f"--{_OPTIONS.get(name, name.replace('_', '-'))}" for name in more)
        raise Mistake(f"{namespace.recipe}: a recipe says everything, but got {options}, too; write that into it")
    content = namespace.read_yaml(namespace.recipe)
    recipe = recipe_from({**content, "file": str(namespace.recipe.absolute())})
    with _progress() as progress:

        def show(doing: str, done: int = 0, total: int | None = None) -> None:
            if total is None:
                print(doing, file=sys.stderr)
            elif progress:
                progress(done, total)

        written = prepare_store(recipe, show, replace=namespace.replace)
    print(f"{recipe.store}: {'prepared' if written else 'already prepared'}")
    print("\n".join(describe_store(recipe.store).lines()))
    return 0


_OPTIONS = {"source": "from"}  # names of the namespace that are not the option's


def _recipe(namespace: argparse.Namespace) -> "Recipe":
    from ecgcore.data.recipe import Recipe
    from ecgcore.data.splits import SplitRule, fold_names
    from ecgcore.signals.processing import Processing

    needed = {"--reader": namespace.reader, "--from": namespace.source, "--to": namespace.to}
    if absent := [option for option, value in needed.items() if not value]:
        raise Mistake(f"say what is prepared: a RECIPE, or --reader, --from and --to; missing: {', '.join(absent)}")
    readers, folders = namespace.reader, namespace.source
    if len(readers) != len(folders):
        raise Mistake(
            f"every --reader needs its --from, in the same order, but got {len(readers)} readers and {len(folders)} "
            "folders"
        )
    band = "--band-pass must be LOW-HIGH in Hz"
    share: dict[str, Any] = {} if namespace.test_share is None else {"test_share": namespace.test_share}
    # Without a word on the test part, that of the database is sealed; it is one by patient.
    cut = {"given_test": not share and namespace.by == "patient", "paced": namespace.paced}
    return Recipe(
        recordings=recordings_from(namespace, readers, folders, cut=cut),
        rule=SplitRule(
            by=namespace.by,
            folds=namespace.folds,
            repeats=namespace.repeats,
            seed=namespace.seed,
            train=fold_names(namespace.train_folds, "--train-folds"),
            validation=fold_names(namespace.validation_folds, "--validation-folds"),
            test=fold_names(namespace.test_folds, "--test-folds"),
            **share,
        ),
        leads=None if namespace.leads is None else tuple(namespace.leads.split(",")),
        rate=namespace.rate,
        allow_refused=namespace.allow_refused,
        most_frequent=namespace.most_frequent,
        processing=Processing(
            band_pass=two_numbers(namespace.band_pass, "-", band) if namespace.band_pass else None,
            notch=namespace.notch,
            normalise=namespace.normalise,
            half=namespace.half,
        ),
        charts=_charts(namespace.charts, namespace.chart_pixels),
        workers=namespace.workers,
    )


def _charts(layouts: str | None, pixels: int | None) -> "ChartForm | None":
    from ecgcore.drawing.charts import PIXELS, ChartForm

    if layouts is not None:
        return ChartForm(tuple(layouts.split(",")), PIXELS if pixels is None else pixels)
    if pixels is not None:
        raise Mistake(f"--chart-pixels must come with --charts, but got {pixels} alone")
    return None


def _fold_count(text: str) -> "int | Literal['auto']":
    return "auto" if text == "auto" else int(text)


_fold_count.__name__ = "number of folds"  # argparse names it where it cannot be read


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
