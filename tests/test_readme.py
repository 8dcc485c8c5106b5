"""The README's "Use your own recordings", followed to the letter with a folder made for the purpose."""

import csv
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ecgcore.readers.record import write_record
from ecgcore.synthetic.database import Synthesis, recordings

ROOT = Path(__file__).parent.parent
SECTION = (ROOT / "README.md").read_text().split("## Use your own recordings")[1].split("\n## ")[0]
MORE = (ROOT / "experiments" / "recordings" / "README.md").read_text()
PROGRAM = Path(sys.executable).parent / "orchestrate"


def commands() -> list[list[str]]:
    """The lines that are indented and begin with the program's name."""
    return [shlex.split(line)[1:] for line in re.findall(r"^    (orchestrate .*)$", SECTION, re.MULTILINE)]


def make_folder(folder: Path) -> None:
    """Records of four rhythms below clinic/, and labels.csv with the README's own first line."""
    (header,) = re.findall(r"^    (record,.*)$", SECTION, re.MULTILINE)
    rows = []
    (folder / "clinic").mkdir(parents=True)
    for recording in recordings(Synthesis(records=64, seed=5, seconds=5.0)):
        write_record(folder / "clinic", recording)
        rows.append([f"clinic/{recording.name}", recording.patient, ";".join(recording.labels)])
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header.split(","), *rows])


@pytest.mark.slow
def test_from_files_to_the_table_in_one_command(tmp_path: Path) -> None:
    make_folder(tmp_path / "my_recordings")
    for name in ("search_spaces", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name)

    assert [words[:2] for words in commands()] == [
        ["data", "check"],
        ["run", "experiments/mine.yaml"],
    ]
    for words in commands():
        done = subprocess.run([PROGRAM, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    assert (tmp_path / "recordings.html").read_text().startswith("<!DOCTYPE html>")
    (table,) = (tmp_path / "runs").rglob("first/table.csv")
    assert len(table.read_text().splitlines()) == 1 + 12
    (tested,) = (tmp_path / "runs").rglob("final/test.json")
    scores = json.loads(tested.read_text())
    assert np.isfinite([value for key, value in scores.items() if key.startswith("macro_auc")]).all()


def test_the_recipe_that_the_section_shows_is_the_shipped_one() -> None:
    lines = re.findall(r"^    ((?:store|recordings|split): .*?)(?: +#.*)?$", SECTION, re.MULTILINE)
    shipped = (ROOT / "experiments" / "recordings" / "mine.yaml").read_text()
    assert 3 == len(lines)
    assert not [line for line in lines if line not in shipped]


def test_every_option_that_the_section_names_is_there() -> None:
    """What the text shows must be accepted by the program as it is written."""
    said = set(re.findall(r"`?(--[a-z][a-z-]+)", SECTION + MORE))
    shown = "".join(
        subprocess.run([PROGRAM, *words, "--help"], capture_output=True, text=True, check=True).stdout
        for words in (["data", "prepare"], ["data", "check"], ["run"])
    )

    assert len(said) > 15
    assert not {option for option in said if option not in shown}
