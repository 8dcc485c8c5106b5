"""The rules that keep the project simple, read off its files."""

import ast
import graphlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("orchestrator", "ecgcore")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
FORBIDDEN = {
    "ecgcore": {"orchestrator", "ray", "optuna", "mlflow", "submitit", "yaml"},
    "orchestrator": {"ecgcore", "torch", "wfdb"},
}
# A room imports only from rooms of lower floors. Rooms of one floor do not know each other.
FLOORS = {
    "orchestrator.cli": 10,
    "orchestrator.commands": 9,
    "orchestrator.cluster": 8,
    "orchestrator.runs": 7,
    "orchestrator.simulation": 7,
    "orchestrator.html_report": 6,
    "orchestrator.execution": 5,
    "orchestrator.results": 5,
    "orchestrator.search": 4,
    "orchestrator.history": 3,
    "orchestrator.specs": 2,
    "orchestrator": 1,  # task, errors, atomic: the seam
    "ecgcore.commands": 9,
    "ecgcore.task": 8,
    "ecgcore.serving": 7,
    "ecgcore.training": 6,
    "ecgcore.reporting": 6,
    "ecgcore.scores": 5,
    "ecgcore.inspection": 5,
    "ecgcore.data": 4,  # a recipe may say that recordings are synthesized
    "ecgcore.synthetic": 3,
    "ecgcore.readers": 2,
    "ecgcore.signals": 1,
    "ecgcore.drawing": 2,
    "ecgcore.models": 1,
    "ecgcore": 0,  # parameters, fit, mistakes, whole_files
}
# In how many files a large library may be imported.
HOMES = {
    "ray": 2,
    "submitit": 1,
    "optuna": 3,  # what decides, what explains, and a copy for Optuna's own tools, which no search reads
    "mlflow": 2,
    "wfdb": 1,
    "yaml": 1,
    "jinja2": 1,
    "aggdraw": 1,
    "PIL": 1,
    "torchvision": 1,
    "matplotlib": 4,  # one in ecgcore; the charts of a run's page
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("package", PACKAGES)
def test_the_two_packages_do_not_know_each_other_nor_the_others_libraries(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        known = {name.split(".")[0] for name in imports(path)}
        assert not known & FORBIDDEN[package], f"{path} imports {known & FORBIDDEN[package]}"


@pytest.mark.parametrize("library", HOMES)
def test_a_large_library_is_imported_in_one_or_two_files(library: str) -> None:
    users = [path for path in SOURCES if library in {name.split(".")[0] for name in imports(path)}]
    assert 1 <= len(users) <= HOMES[library], users


def floor_of(module: str) -> int:
    """Return the floor of a module's room: the longest name in FLOORS that it begins with."""
    rooms = [room for room in FLOORS if module == room or module.startswith(f"{room}.")]
    assert rooms, f"{module}: has no floor; give its room one in FLOORS"
    return FLOORS[max(rooms, key=len)]


def inside(path: Path) -> set[str]:
    """Return the modules of ours that a file imports, at the top or within functions."""
    modules = {module_of(source) for source in SOURCES}
    return {name for name in imports(path) if name in modules} - {module_of(path)}


def test_imports_go_one_way() -> None:
    graph = {module_of(path): inside(path) for path in SOURCES}
    list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError


def climbs(own: str, others: set[str]) -> list[str]:
    """Return each import of `own` that leads up, or across to another room of the same floor."""
    foreign = {other for other in others if other.split(".")[0] == own.split(".")[0] and room_of(other) != room_of(own)}
    return [
        f"{own} (floor {floor_of(own)}) imports {other} (floor {floor_of(other)})"
        for other in sorted(foreign)
        if floor_of(other) >= floor_of(own)
    ]


def test_a_floor_imports_only_from_those_below_and_from_its_own_room() -> None:
    wrong = [climb for path in SOURCES for climb in climbs(module_of(path), inside(path))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("own", "other"),
    [
        ("orchestrator.history.journal", "orchestrator.runs.plan"),
        ("orchestrator.results.table", "orchestrator.execution.session"),
        ("orchestrator.task", "orchestrator.specs.space"),
        ("ecgcore.models.layers", "ecgcore.data.store"),
        ("ecgcore.parameters", "ecgcore.signals.arithmetic"),
    ],
)
def test_a_way_up_or_across_is_noticed(own: str, other: str) -> None:
    assert climbs(own, {other})
    assert not climbs(other, {own}) or floor_of(own) == floor_of(other)


def room_of(module: str) -> str:
    return max((room for room in FLOORS if module == room or module.startswith(f"{room}.")), key=len)


def test_an_init_is_a_caption_and_hides_no_import() -> None:
    for path in SOURCES:
        if path.name != "__init__.py":
            continue
        (caption,) = ast.parse(path.read_text()).body
        assert isinstance(caption, ast.Expr)
        assert isinstance(caption.value, ast.Constant), path


def test_no_file_has_a_name_that_explains_nothing() -> None:
    assert not {path.stem for path in SOURCES} & {"utils", "helpers", "common", "misc", "base"}


def test_the_tour_has_one_line_for_every_source_file() -> None:
    told = re.findall(
        r"^- `((?:orchestrator|ecgcore)/[\w/]+\.py)` ", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE
    )
    there = [str(path.relative_to(ROOT)) for path in SOURCES if path.read_text().strip() and path.name != "__init__.py"]
    assert sorted(there) == sorted(told)


def test_the_readme_is_what_a_user_reads_in_one_sitting() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200


def test_every_source_file_says_first_what_it_is_for() -> None:
    for path in SOURCES:
        assert path.name == "__init__.py" or ast.get_docstring(ast.parse(path.read_text())), path


def test_the_vocabulary_is_kept() -> None:
    unwanted = re.compile(r"\b(params|args|cfg|manager|handler|engine)\b")
    for path in SOURCES:
        if path.name == "mlflow_model.py":  # MLflow calls it with `params`
            continue
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        names |= {node.arg for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.arg)}
        assert not [name for name in names if unwanted.fullmatch(name)], path


def test_help_imports_nothing_heavy() -> None:
    code = "import sys\ntry: import orchestrator.cli as c; c.main(['--help'])\nexcept SystemExit: pass\n"
    code += "print(sorted({'ray', 'torch', 'mlflow', 'optuna', 'numpy', 'pydantic', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.splitlines()[-1]


@pytest.mark.parametrize("words", [["plan"], ["search", "--space"], ["run"], ["submit", "--cluster", "slurm/gpu.yaml"]])
def test_a_mistake_in_a_file_is_told_before_anything_heavy_is_imported(tmp_path: Path, words: list[str]) -> None:
    """What checks a file needs no torch, ray, optuna, mlflow, scipy: they cost seconds."""
    told = {"task": {"name": "ecgcore.task:ArrhythmiaTask", "with": {"data": "no/such/store"}}, "sampler": "random"}
    space = {**told, "metric": "macro_auc", "max_steps": 2, "trials": 2, "space": {"learnign_rate": 0.1}}
    (tmp_path / "space.yaml").write_text(json.dumps(space))
    (tmp_path / "experiment.yaml").write_text('{"stages": {"a": {"search": "space.yaml"}}, "final": {"stages": ["a"]}}')
    file = tmp_path / ("experiment.yaml" if words == ["run"] else "space.yaml")
    code = f"import sys, orchestrator.cli as c\ncode = c.main({[*words, str(file)]!r})\n"
    code += "print(code, sorted({'ray', 'torch', 'mlflow', 'optuna', 'scipy', 'sklearn', 'wfdb'} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert "2 []" == done.stdout.splitlines()[-1]
    assert "did you mean learning_rate?" in done.stderr


def test_nothing_unsafe_is_called() -> None:
    unsafe = re.compile(r"yaml\.load\(|pickle\.load|joblib|\beval\(|weights_only=False|shell=True")
    for path in SOURCES:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            assert not unsafe.search(line.replace(".eval()", "")), f"{path}:{number}"


def test_a_check_of_ecgcores_is_told_from_a_bug() -> None:
    """A ValueError is a bug's, wherever it comes from: what somebody gave us is refused by a Mistake."""
    for path in (ROOT / "ecgcore").rglob("*.py"):
        assert "raise ValueError" not in path.read_text(), path
