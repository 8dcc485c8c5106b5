"""Whatever a file or a command line holds: an answer and exit code 0, 1 or 2, no traceback, nothing half-written.

The same inputs each time: right ones with lines, values and bytes that are not. In this process, so that hundreds of
them take seconds.
"""

import contextlib
import io
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator import cli
from orchestrator.cluster.profile import read_profile
from tests.ecgcore.raw_files import noise, write_wfdb
from tests.faults.mutations import MUTATIONS, Mutation, mutated, sweep
from tests.orchestrator.command import toy_search, written

EXAMPLES = 30
fuzzed = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def answer(*words: object) -> tuple[int, str]:
    """Return exit code and what was said. Whatever is raised but a code would be a traceback."""
    out, err, on_terminate = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGTERM)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main([str(word) for word in words])
    except SystemExit as exit_:  # argparse's way
        code = int(exit_.code or 0)
    finally:
        signal.signal(signal.SIGTERM, on_terminate)
    return code, out.getvalue() + err.getvalue()


def well_answered(*words: object) -> int:
    code, said = answer(*words)
    assert code in (0, 1, 2), (code, said)
    assert "Traceback" not in said
    assert code == 0 or said.strip()
    assert len(said) < 100_000
    return code


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Give a folder of its own to each input."""
    with tempfile.TemporaryDirectory(prefix="malformed-") as name:
        yield Path(name)


def there(place: Path) -> set[Path]:
    """Return all that lies below a folder, but for the lock by which two preparations wait for each other."""
    return {path for path in place.rglob("*") if path.suffix != ".lock"}


SPACE = """\
task: {name: "tests.toy_task:ToyTask", with: {folds: 2}}
metric: score
max_steps: 5
sampler: tpe
trials: 4
seeds: 2
startup_trials: 3
prune: {successive_halving: {min_steps: 1, factor: 2}}
budget: {minutes: 10}
enqueue: [{x: 0.3}]
space:
  x: {uniform: [-1, 1], step: 0.1}
  y: {uniform: [0, 1]}
  layers: {integer: [1, 3]}
  kind: {choice: [plain, bent]}
  turns: {integer: [1, 4], when: {kind: bent}}
"""
EXPERIMENT = """\
stages:
  head: {search: s.yaml}
  full: {search: s.yaml, start_from: head}
  near: {refine: full, points: 3, trials: 5}
final:
  stages: [head, full]
  seeds: 3
"""
PROFILE = """\
partition: gpu
account: ecg
constraint: "a100|h100"
time: "04:00:00"
gpus: 1
fits_per_gpu: 1
cpus: 4
memory: 16G
workers: {min: 1, max: 8}
driver: {time: "1-00:00:00", cpus: 1, memory: 4G}
setup: ["module load x"]
sbatch: ["--reservation=ecg"]
temp: /tmp
retire_before: 60
"""
RECIPE = """\
store: store
recordings: {reader: own, from: raw}
leads: [I, II]
rate: 100
band_pass: [0.5, 40]
split: {folds: 2, test_share: 0.4, seed: 1}
leave_out: ["r0"]
allow_refused: 50
"""
LABEL_MAP = "multilabel: false\nclasses:\n  calm: [1, 10]\n  wild: [2]\nignored: [3]\n"


def test_what_is_mutated_is_right(recordings: Path) -> None:
    with folder() as here:
        written(here / "s.yaml", SPACE)
        assert 0 == well_answered("plan", here / "s.yaml")
        written(here / "e.yaml", EXPERIMENT)
        assert 0 == well_answered("plan", here / "e.yaml")
        assert read_profile(written(here / "p.yaml", PROFILE)).gpus
        with with_mutated(recordings, "recipe.yaml", []) as there_too:
            assert 0 == well_answered("data", "prepare", there_too / "recipe.yaml")


def test_every_strange_value_in_a_search_space_an_experiment_and_a_profile() -> None:
    with folder() as here:
        written(here / "s.yaml", toy_search())
        for name, content in (("space.yaml", SPACE), ("e.yaml", EXPERIMENT)):
            for changed in sweep(content.encode(), 2):
                (here / name).write_bytes(changed)
                well_answered("plan", here / name)
        for changed in sweep(PROFILE.encode(), 2):
            (here / "p.yaml").write_bytes(changed)
            well_answered("submit", here / "none.yaml", "--cluster", here / "p.yaml", "--runs", here / "runs")


@pytest.mark.parametrize("name", ["raw/labels.csv", "raw/r1.hea", "folds.csv"])
def test_every_strange_value_in_a_table_and_a_header(recordings: Path, name: str) -> None:
    right = (recordings / name).read_bytes()
    with with_mutated(recordings, name, []) as here:
        for changed in sweep(right, 1):
            (here / name).write_bytes(changed)
            words = ("--fold-table", here / "folds.csv") if name == "folds.csv" else ()
            well_answered("data", "check", here / "raw", *words)


@fuzzed
@given(MUTATIONS)
def test_search_spaces(mutations: list[Mutation]) -> None:
    with folder() as here:
        (here / "s.yaml").write_bytes(mutated(SPACE.encode(), mutations))
        well_answered("plan", here / "s.yaml")


@fuzzed
@given(MUTATIONS)
def test_experiments(mutations: list[Mutation]) -> None:
    with folder() as here:
        written(here / "s.yaml", toy_search())
        (here / "e.yaml").write_bytes(mutated(EXPERIMENT.encode(), mutations))
        well_answered("plan", here / "e.yaml")


@fuzzed
@given(MUTATIONS)
def test_profiles(mutations: list[Mutation]) -> None:
    """`submit` reads the profile first, and has no search to read then."""
    with folder() as here:
        (here / "p.yaml").write_bytes(mutated(PROFILE.encode(), mutations))
        assert 2 == well_answered("submit", here / "none.yaml", "--cluster", here / "p.yaml", "--runs", here / "runs")
        assert not (here / "runs").exists()


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve short records with their table, a table of folds, a label map, a recipe."""
    place = tmp_path_factory.mktemp("recordings")
    for number in range(12):
        write_wfdb(place / "raw", f"r{number}", noise(number))
    rows = [f"r{number},p{number // 2},{['calm', 'wild'][number // 2 % 2]}" for number in range(12)]
    (place / "raw" / "labels.csv").write_text("\n".join(["record,patient,labels", *rows]) + "\n")
    (place / "folds.csv").write_text("\n".join(["record,fold", *(f"r{n},{n % 3}" for n in range(12))]) + "\n")
    (place / "map.yaml").write_text(LABEL_MAP)
    (place / "recipe.yaml").write_text(RECIPE)
    return place


@contextlib.contextmanager
def with_mutated(recordings: Path, name: str, mutations: list[Mutation]) -> Iterator[Path]:
    with folder() as here:
        shutil.copytree(recordings, here / "all")
        path = here / "all" / name
        path.write_bytes(mutated(path.read_bytes(), mutations))
        yield here / "all"


def prepared_or_nothing(here: Path, *words: object) -> None:
    before = there(here)
    if well_answered("data", "prepare", *words) != 0:
        assert there(here) == before


@fuzzed
@given(mutations=MUTATIONS)
def test_recipes(recordings: Path, mutations: list[Mutation]) -> None:
    with with_mutated(recordings, "recipe.yaml", mutations) as here:
        prepared_or_nothing(here, here / "recipe.yaml")


@fuzzed
@given(mutations=MUTATIONS, name=st.sampled_from(["raw/labels.csv", "raw/r1.hea", "raw/r1.dat", "folds.csv"]))
def test_tables_headers_and_signals(recordings: Path, mutations: list[Mutation], name: str) -> None:
    with with_mutated(recordings, name, mutations) as here:
        words = ("--reader", "own", "--from", here / "raw", "--to", here / "store", "--leads", "I,II", "--folds", "2")
        prepared_or_nothing(here, *words, *(["--fold-table", here / "folds.csv"] if name == "folds.csv" else []))
        well_answered("data", "check", here / "raw")


@fuzzed
@given(mutations=MUTATIONS)
def test_label_maps(recordings: Path, mutations: list[Mutation]) -> None:
    with with_mutated(recordings, "map.yaml", mutations) as here:
        well_answered("data", "check", here / "raw", "--reader", "challenge", "--label-map", here / "map.yaml")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search that is over."""
    place = tmp_path_factory.mktemp("run")
    search = written(place / "s.yaml", toy_search())
    assert 0 == answer("search", "--space", search, "--runs", place / "runs", "--executor", "in-process")[0]
    return place / "runs"


@fuzzed
@given(mutations=MUTATIONS)
def test_journals(run: Path, mutations: list[Mutation]) -> None:
    """Damage within lines, and lines that are gone, doubled, moved."""
    with folder() as here:
        shutil.copytree(run / "s", here / "s")
        journal = here / "s" / "journal.jsonl"
        journal.write_bytes(mutated(journal.read_bytes(), mutations))
        before = journal.read_bytes()
        for words in (("status",), ("status", "s"), ("consolidate", "s")):
            well_answered(*words, "--runs", here)
        assert before == journal.read_bytes()


WORDS = [
    "plan", "try", "status", "consolidate", "models", "parameters", "data", "check", "prepare", "synthesize", "logs",
    "cancel", "retrain", "resume", "simulate", "audit", "--runs", "--json", "--name", "--steps", "--set", "--seeds",
    "--model", "--reader", "--from", "--to", "--folds", "--leads", "--records", "--seed", "--curves", "--trial",
    "--average", "--outer", "--executor", "own", "in-process", "ray", "winner", "x=1", "nobody", "/dev/null", "/", "..",
    "a\0b", "", "-1", "0", "1e999", "99999999999999999999", "1" + "0" * 5000, "--", "-", "a/b", "\ud7ff", "none.yaml",
]  # fmt: skip


@fuzzed
@given(words=st.lists(st.sampled_from(WORDS), max_size=6))
def test_command_lines(words: list[str]) -> None:
    with folder() as here:
        begun = os.getcwd()
        os.chdir(here)
        try:
            well_answered(*words)
        finally:
            os.chdir(begun)
