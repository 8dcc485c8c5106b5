"""Every path of a run, in one place. Folders are the user's alone (0700)."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import UserError
from orchestrator.history.records import FitKey
from orchestrator.names import run_name_mistake


def runs_root(given: Path | None) -> Path:
    """Return where runs live: `--runs`, else ORCHESTRATE_RUNS, else ./runs; absolute."""
    return Path(given or os.environ.get("ORCHESTRATE_RUNS") or "runs").absolute()


JOURNAL = "journal.jsonl"
FINAL, ELSEWHERE = "final", "elsewhere"
SUBMISSION = "cluster/request.json"
_GOT_ON = re.compile(rb'^{"event": "(report|end|tell|stage|test_opened)"', re.MULTILINE)


@dataclass(frozen=True)
class RunFolder:
    """One run: a search, an experiment, a stage of one, a final, or an audit."""

    path: Path

    @property
    def name(self) -> str:  # noqa: D102
        return self.path.name

    @property
    def spec(self) -> Path:
        """The resolved spec, for people; the journal's first record is the one that counts."""
        return self.path / "spec.yaml"

    @property
    def journal(self) -> Path:  # noqa: D102
        return self.path / JOURNAL

    @property
    def table_csv(self) -> Path:  # noqa: D102
        return self.path / "table.csv"

    @property
    def table_md(self) -> Path:  # noqa: D102
        return self.path / "table.md"

    @property
    def table_tex(self) -> Path:
        """For a paper: without its columns that are the same in every row."""
        return self.path / "table.tex"

    @property
    def table_html(self) -> Path:
        """A page that is sorted by a click."""
        return self.path / "table.html"

    @property
    def optuna(self) -> Path:
        """Its searches as Optuna's own tools read them: a copy for looking at."""
        return self.path / "optuna.journal"

    @property
    def resources(self) -> Path:
        """What each fit has of the machine while it runs, as whoever executes the fits knows."""
        return self.path / "resources.json"

    @property
    def curves_csv(self) -> Path:
        """Every step of every fit, with its configuration."""
        return self.path / "curves.csv"

    @property
    def winner(self) -> Path:  # noqa: D102
        return self.path / "winner.json"

    @property
    def provenance(self) -> Path:  # noqa: D102
        return self.path / "provenance.json"

    @property
    def driver_lock(self) -> Path:
        """Locked while a driver of this run lives."""
        return self.path / "driver.lock"

    @property
    def final(self) -> "RunFolder":
        """The retrained winner: a run of its own, with test.json, predictions.csv and model/ beside its journal."""
        return RunFolder(self.path / FINAL)

    def elsewhere(self, name: str) -> "RunFolder":
        """Return the test of this run's final model on other data: a journal, test.json, predictions.csv."""
        return RunFolder(self.path / ELSEWHERE / name)

    @property
    def elsewhere_tests(self) -> "list[RunFolder]":
        """Return those that are done, by name."""
        return sorted(
            (RunFolder(path.parent) for path in (self.path / ELSEWHERE).glob("*/test.json")), key=lambda one: one.name
        )

    @property
    def elsewhere_csv(self) -> Path:
        """Every score of them beside the model's own test."""
        return self.path / "elsewhere.csv"

    @property
    def elsewhere_md(self) -> Path:  # noqa: D102
        return self.path / "elsewhere.md"

    @property
    def test(self) -> Path:  # noqa: D102
        return self.path / "test.json"

    @property
    def sealed_part(self) -> Path:
        """Of which records the test part is that a final opened."""
        return self.path / "sealed_part.json"

    @property
    def model(self) -> Path:  # noqa: D102
        return self.path / "model"

    @property
    def report(self) -> Path:
        """The page that people read, with everything in it."""
        return self.path / "report.html"

    @property
    def figures(self) -> Path:
        """The pictures of the report, each as SVG and as PNG."""
        return self.path / "figures"

    @property
    def audit(self) -> Path:
        """What is audited, in a folder whose runs are those of an audit's outer parts."""
        return self.path / "audit.json"

    def outer(self, number: int) -> "RunFolder":
        """Return the run without one outer part of this audit."""
        return RunFolder(self.path / f"outer-{number}")

    @property
    def submission(self) -> Path:
        """What a cluster was asked for; before the journal where a job has to prepare the data first."""
        return self.path / SUBMISSION

    @property
    def exists(self) -> bool:
        """Whether this run has begun, or was submitted."""
        return self.journal.exists() or self.submission.exists() or self.audit.exists()

    def stage(self, name: str) -> "RunFolder":
        """Return the folder of one stage of this experiment."""
        return RunFolder(self.path / name)

    @property
    def trials(self) -> Path:  # noqa: D102
        return self.path / "trials"

    def trial(self, number: int) -> Path:  # noqa: D102
        return self.trials / str(number)

    def fit(self, key: FitKey) -> Path:
        """Return the folder that belongs to one fit."""
        return self.trial(key.trial) / f"seed{key.seed}-fold{key.fold}"

    def all_journals(self) -> list[Path]:
        """Return every journal below the run: its own, those of its stages, outer parts and finals, and of models that
        are tested beside those.
        """
        of_parts = ("outer-*/*/", "outer-*/rows/*/", "outer-*/final/*/") if self.audit.exists() else ()
        depths = ("", "*/", "final/*/", *of_parts)
        return sorted({path for depth in depths for path in self.path.glob(f"{depth}{JOURNAL}")})

    def progress(self) -> int:
        """Return how many steps and ends the run's journals hold together: whether a driver got anywhere."""
        return sum(len(_GOT_ON.findall(path.read_bytes())) for path in self.all_journals())

    def create(self) -> None:
        """Make the folder, for this user only. Raises UserError where that is not possible."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"{self.path}: the run folder cannot be made ({error.strerror}); --runs DIR names another"
            ) from None


def new_run(name: str | None, runs: Path | None, *, otherwise: str) -> RunFolder:
    """Return the folder of a run that is begun or gone on with: by --name, else by a name made of its file's.

    A run that an earlier version began by its file's name, whatever that was, goes on. Raises UserError for a name that
    is not one plain word, or is taken.
    """
    root, chosen = runs_root(runs), otherwise if name is None else name
    mistake = run_name_mistake(chosen)
    if mistake is None:
        return RunFolder(root / chosen)
    if name is not None:
        raise UserError(f"--name {mistake}")
    begun = RunFolder(root / chosen)
    if begun.exists:
        return begun
    raise UserError(f"the run would be named like its file, and a name {mistake}; choose one with --name")


def existing_run(name: str, runs: Path | None) -> RunFolder:
    """Find a run by name or by path. Raises UserError naming the runs there are."""
    root = runs_root(runs)
    for path in (root / name, Path(name).absolute()):
        if (path.parent / JOURNAL).exists():
            raise UserError(f"{name}: is a part of the run {path.parent.name}; give that name")
        if RunFolder(path).exists:
            return RunFolder(path)
    there = sorted(path.name for path in root.glob("*") if RunFolder(path).exists)
    raise UserError(f"{name}: no such run in {root}; there are: {', '.join(there) or 'none yet'}")
