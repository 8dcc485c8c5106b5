"""A table as LaTeX that compiles, as a page that sorts itself, as CSV that pandas reads; the same bytes each time."""

import csv
import io
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pandas
import pytest

from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import Ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.ranked_table import RankedTable, ranked
from orchestrator.results.standing import standings
from orchestrator.results.table import Row, rows_of, table_csv
from orchestrator.results.table_files import rows_in, write_tables
from orchestrator.results.table_latex import as_latex, escaped
from orchestrator.results.table_markdown import as_markdown
from orchestrator.results.table_page import as_page
from orchestrator.search.search import Search
from orchestrator.search.selection import ties_of
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec

HOSTILE = r"50 % & $x_1^{2}$ \input{/etc/passwd} #1 ~ <script>alert('|')</script> naïve \u03b1 --x [a]"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
without_chromium = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed: a click cannot be tried")
without_latex = pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")


def searched(path: Path, **changes: object) -> Search:
    """Four trials of three folds: y = 0 is the default; of y = .25 nothing can tell, y = 1 is far behind."""
    space = {"y": {"choice": [0.25, 0.5, 1.0]}, "x": 0.1 + 0.2}
    return run_in_process(
        open_search(toy_spec(**{"sampler": "grid", "trials": None, "folds": 3, "space": space, **changes}), path)
    )


def table_of(rows: list[Row], *, columns: tuple[str, ...] = ()) -> RankedTable:
    return ranked({"run": rows}, title="run: score (max)", mode="max", judged_at="its last step", columns=columns)


def row_of(number: int, mean: float, **others: str) -> Row:
    plain = dict.fromkeys(("standing", "sd", "low", "high", "over"), "")
    return {"trial": str(number), "state": "complete", **plain, "mean": str(mean), **others}


def test_two_writings_of_one_journal_are_the_same_to_the_byte(tmp_path: Path) -> None:
    searched(tmp_path / "run", baseline=True)
    run, written = RunFolder(tmp_path / "run"), []
    for _ in range(2):
        write_tables(Ledger(read_journal(run.journal)), run, alive=False)
        files = (run.table_csv, run.table_md, run.table_tex, run.table_html)
        written.append([path.read_bytes() for path in files])
        for path in files:
            path.unlink()
    assert written[0] == written[1]
    assert all(written[0])


def test_winner_ties_and_default_are_marked_in_every_format(tmp_path: Path) -> None:
    search = searched(tmp_path / "run", baseline=True, space={"y": {"choice": [0.01, 1.0]}, "x": 0.0})
    winner, ties = ties_of(search.ledger, search.folder)
    rows = rows_of(search.ledger, alive=False)
    assert ["winner" in row["standing"] for row in rows] == [row["trial"] == str(winner.trial.number) for row in rows]
    assert {str(tie.trial.number) for tie in ties} == {row["trial"] for row in rows if "tie" in row["standing"]}
    assert ["default" in row["standing"] for row in rows] == [True, False, False]
    assert not rows[2]["standing"], "y = 1 is far behind"
    mean = table_of(rows).text(rows[winner.trial.number], "mean")
    assert f"**{mean}**" in as_markdown([table_of(rows)])
    assert rf"\textbf{{{mean}}}" in as_latex([table_of(rows)])
    assert 1 == as_page([table_of(rows)]).count('<tr class="winner">')


def test_while_a_search_runs_nobody_has_won_it(tmp_path: Path) -> None:
    ledger = searched(tmp_path / "run", baseline=True).ledger
    assert not any("winner" in said for said in standings(ledger, alive=True).values())
    assert any("winner" in said for said in standings(ledger, alive=False).values())


def test_pandas_reads_numbers_as_numbers_and_exactly_what_was_tried(tmp_path: Path) -> None:
    search = searched(tmp_path / "run")
    for fit in search.ledger.trials[1].fits.values():
        fit.metrics = {step: {**row, "parameters": 4e9, "multiply_adds": 7.0} for step, row in fit.metrics.items()}
    found = pandas.read_csv(io.StringIO(table_csv({"run": rows_of(search.ledger, alive=False)})))
    kinds = {name: found[name].dtype.kind for name in found}
    assert {"trial": "i", "fits": "i", "steps": "i"}.items() <= kinds.items()
    assert {"mean": "f", "low": "f", "seconds": "f", "y": "f", "x": "f", "parameters": "f"}.items() <= kinds.items()
    assert [0.1 + 0.2] * 3 == list(found["x"])
    assert 4_000_000_000 == found["parameters"][1]
    assert "4,000,000,000" in as_markdown([table_of(rows_of(search.ledger, alive=False))])


def test_people_read_a_number_as_they_write_it(tmp_path: Path) -> None:
    rows = rows_of(searched(tmp_path / "run").ledger, alive=False)
    assert "0.30000000000000004" == rows[0]["x"]
    assert "0.3" == table_of(rows).text(rows[0], "x")


@pytest.mark.parametrize("gpus", [None, 0.0, 0.5])
def test_gpu_seconds_are_told_where_fits_are_known_to_have_a_gpu(tmp_path: Path, gpus: float | None) -> None:
    search = searched(tmp_path / "run")
    if gpus is not None:
        search.spending.each_fit_has(gpus, noted_in=search.folder)
    for fit in search.ledger.trials[0].fits.values():
        fit.seconds = 10
    (row, *_others) = rows_in(search.folder, search.ledger, alive=False)
    assert ("15.0" if gpus else None) == row.get("gpu_seconds")


def test_what_is_the_same_in_every_row_is_said_once_in_latex_unless_somebody_asks_for_it() -> None:
    rows = [row_of(0, 0.5, model="cnn_a", rate="0.1", none=""), row_of(1, 0.6, model="cnn_a", rate="0.2", none="")]
    text = as_latex([table_of(rows)])
    assert r"in every row: model cnn\_a." in text
    assert " & rate" in text
    assert " & model" not in text
    assert "model & rate" in as_latex([table_of(rows, columns=("model", "rate"))])


def test_a_minus_is_a_minus_and_a_row_may_begin_with_a_bracket() -> None:
    rows = [row_of(0, -0.5, name="[x]"), row_of(1, 0.6, name="y")]
    text = as_latex([table_of(rows, columns=("name", "mean"))])
    assert "{}[x] & $-$0.5000 " in text


@without_latex
@pytest.mark.timeout(120)
def test_latex_compiles_whatever_is_in_names_and_values(tmp_path: Path) -> None:
    rows = [row_of(0, 0.5, **{HOSTILE: HOSTILE}), row_of(1, -0.25, **{HOSTILE: "[y]", "rate": "1e-05"})]
    tables = [table_of(rows), table_of(rows, columns=(HOSTILE, "mean"))]
    (tmp_path / "table.tex").write_text(as_latex(tables, remarks=[f"NOTE: {HOSTILE}"]))
    lines = [
        r"\documentclass{article}",
        r"\usepackage{booktabs}",
        r"\begin{document}",
        r"\input{table}",
        r"\end{document}",
    ]
    (tmp_path / "paper.tex").write_text("\n".join(lines))
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").stat().st_size > 1000


def test_no_character_of_a_name_is_a_command_of_latex() -> None:
    assert r"\textbackslash{}input\{x\}\_\%" == escaped(r"\input{x}_%")
    assert "(U+03B1)" == escaped("\u03b1"), "which the fonts of a plain document lack"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)


def test_a_page_shows_names_and_values_as_text_and_loads_nothing() -> None:
    page = as_page([table_of([row_of(0, 0.5, **{HOSTILE: HOSTILE})])], remarks=[HOSTILE])
    tags = Tags()
    tags.feed(page)
    assert 1 == tags.found.count("script"), "ours"
    assert not {"link", "img", "iframe"} & set(tags.found)
    assert not re.search(r"""(src|href)=|https?:|url\(""", page)


@without_chromium
@pytest.mark.timeout(120)
def test_a_click_sorts_by_value_and_what_is_empty_stays_below(tmp_path: Path) -> None:
    rows = [
        row_of(0, 0.5, rate="0.123411"),
        row_of(1, 0.7, rate="0.123412"),
        row_of(2, 0.6, rate="2"),
        row_of(3, 0.4, rate=""),
    ]
    page, orders = as_page([table_of(rows, columns=("trial", "mean", "rate"))]), []
    for clicks in (0, 1, 2):
        click = "document.querySelectorAll('th button')[2].click();" * clicks
        (tmp_path / "table.html").write_text(page.replace("</body>", f"<script>{click}</script></body>"))
        done = subprocess.run(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
             "--dump-dom", f"file://{tmp_path / 'table.html'}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        orders.append("".join(re.findall(r"<tr><td[^>]*>(\d)</td>", done.stdout)))
    assert ["1203", "0123", "2103"] == orders, "the first two are shown alike"


def test_the_csv_has_the_rows_by_trial(tmp_path: Path) -> None:
    search = searched(tmp_path / "run")
    write_tables(search.ledger, search.folder, alive=False)
    read = list(csv.DictReader(search.folder.table_csv.read_text().splitlines()))
    assert ["0", "1", "2"] == [row["trial"] for row in read]
