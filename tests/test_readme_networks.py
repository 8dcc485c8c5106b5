"""The README's "Your own network": its code is the file's, its commands run."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ecgcore.models.registry import network_of, shipped

ROOT = Path(__file__).parent.parent
SECTION = (ROOT / "README.md").read_text().split("## Your own network")[1].split("\n## ")[0]


def indented(first: str) -> str:
    """Return the indented block of the section that begins so."""
    (block,) = [each for each in re.findall(r"(?:^    .*\n|^\n(?=    ))+", SECTION, re.MULTILINE) if first in each]
    return textwrap.dedent(block).strip()


def test_it_counts_the_published_networks() -> None:
    assert "eleven published networks" in " ".join(SECTION.split())
    counted = [one.takes for name in shipped() if (one := network_of(name)).published is not None]
    assert (11, 8) == (counted.count("signals"), counted.count("charts"))


@pytest.mark.slow
def test_its_commands_lead_from_recordings_to_the_tested_winner(tmp_path: Path) -> None:
    for name in ("search_spaces", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    commands = indented("export PYTHONPATH")
    assert 3 == len(commands.splitlines())

    done = subprocess.run(
        ["bash", "-euc", commands], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert re.search(r"^reach +choice +15, 31, 63 +31 +own_network:TwoScales ", done.stdout, re.MULTILINE)
    table = (tmp_path / "runs" / "own_network" / "networks" / "table.csv").read_text()
    assert "own_network:TwoScales" in table
    tested = json.loads((tmp_path / "runs" / "own_network" / "final" / "test.json").read_text())
    assert 0 <= tested["metrics"]["macro_auc"] <= 1
    assert (tmp_path / "runs" / "own_network" / "final" / "model" / "model.pt").is_file()
