"""The page as a browser shows it: nothing sticks out, nothing is complained of, it prints."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here

# As little as it takes to render a file: no network, no sandbox (tests may run as root), no first-run chatter.
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--enable-logging=stderr"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
# A frame of the width asked for, since a window has a smallest one; what it measures becomes its title.
FRAME = """<!DOCTYPE html><iframe id="page" style="border:0" width="{width}" height="900" src="{address}"></iframe>
<script>onload = () => {{ const page = document.getElementById("page").contentDocument.documentElement;
document.title = `measured ${{page.scrollWidth}} in ${{page.clientWidth}}`; }}</script>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    space = {"x": {"uniform": [-1, 1]}, "y": {"uniform": [0, 1]}, "layers": {"choice": [1, 2, 3]}}
    task = {"name": "tests.orchestrator.html_report.illustrating:IllustratingToyTask", "with": {}}
    searched = toy_search(task=task, space=space, sampler="random", trials=11, baseline=True, seeds=3, folds=1)
    search = written(folder / "a_rather_long_name_of_a_search.yaml", searched)
    for words in (["search", "--space", search], ["retrain", search.stem]):
        assert 0 == orchestrate_here(*words, "--runs", folder / "runs").returncode
    return folder / "runs" / search.stem / "report.html"


def chromium(*words: str, profile: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        pytest.skip("needs chromium")
    own = [f"--user-data-dir={profile}", "--allow-file-access-from-files"]
    return subprocess.run([program, *QUIET, *own, *words], check=True, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("width", [400, 1400])
def test_nothing_sticks_out_on_a_phone_or_a_screen(page: Path, tmp_path: Path, width: int) -> None:
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.format(width=width, address=page.as_uri()))
    shown = chromium("--dump-dom", frame.as_uri(), profile=tmp_path / "profile")
    measured = re.search(r"<title>measured (\d+) in (\d+)</title>", shown.stdout)
    assert measured is not None, shown.stderr
    assert width - 20 <= int(measured[2]) <= width
    assert int(measured[1]) <= int(measured[2])
    assert "CONSOLE" not in shown.stderr


def test_it_prints(page: Path, tmp_path: Path) -> None:
    printed = tmp_path / "page.pdf"
    chromium(f"--print-to-pdf={printed}", page.as_uri(), profile=tmp_path / "profile")
    assert printed.read_bytes().startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", printed.read_bytes())) <= 20
