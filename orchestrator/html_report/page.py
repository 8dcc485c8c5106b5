"""report.html of a run: its sections in order, written as one file that needs no network, no script and no server.

Everything is read from the run's files, so the page can be written at any time, again, and for runs of earlier
versions. Opens no test part and starts nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from orchestrator.atomic import read_json, write_text
from orchestrator.errors import first_line
from orchestrator.history.run_contents import audit_of
from orchestrator.history.run_folder import RunFolder
from orchestrator.html_report.answer_section import answer_section
from orchestrator.html_report.audit_sections import audit_sections
from orchestrator.html_report.checklists import checklists
from orchestrator.html_report.cost_section import cost_section
from orchestrator.html_report.data_section import data_section
from orchestrator.html_report.inline_svg import inline_svg
from orchestrator.html_report.model_card import model_card
from orchestrator.html_report.provenance_section import provenance_section
from orchestrator.html_report.results_section import results_section
from orchestrator.html_report.search_section import search_section
from orchestrator.html_report.section import BLANK, Section
from orchestrator.html_report.task_sections import told_by_task
from orchestrator.html_report.tested_section import tested_section
from orchestrator.html_report.tuning_section import importance_by_search, tuning_section
from orchestrator.results.whole_run import WholeRun

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,  # names come from files of others
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write_page(folder: RunFolder) -> Path:
    """Draw the figures of a run and write its page; return the page's path. Raises UserError where there is no run."""
    sections = list(audit_sections(folder) if audit_of(folder) else _sections(folder))
    write_text(folder.report, page(folder.name, sections, folder.figures))
    return folder.report


def try_page(folder: RunFolder) -> str | None:
    """Write the page of a run; return in one line why that is not possible, which fails no run."""
    try:
        write_page(folder)
    except Exception as error:  # whatever it is, the run is whole
        return (
            f"{folder.report}: could not be written ({type(error).__name__}: {first_line(error)}); "
            f"`orchestrate report {folder.name}` writes it"
        )
    return None


def _sections(folder: RunFolder) -> Iterator[Section]:
    run = WholeRun.read(folder)
    provenance: Mapping[str, Any] = read_json(folder.provenance) if folder.provenance.exists() else {}
    told = told_by_task(run, folder)
    importance = importance_by_search(run)
    yield answer_section(run, folder.figures)
    yield data_section(run, told, provenance)
    yield results_section(run)
    yield tuning_section(run, told.parameters, importance, folder.figures)
    yield search_section(run, importance, folder.figures)
    yield tested_section(run, told)
    yield cost_section(run)
    yield provenance_section(run, provenance)
    yield model_card(run, provenance)
    yield checklists(run, provenance)


def page(name: str, sections: Sequence[Section], figures: Path) -> str:
    """Return the page as HTML. name: the run's; figures: the folder in which the sections' pictures lie."""
    numbers = count(1)

    def picture(figure: str, caption: str) -> Markup:
        try:
            return Markup(
                inline_svg(figures / f"{Path(figure).name}.svg", named=f"f{next(numbers)}", described_by=caption)
            )
        except (OSError, ValueError):
            return Markup('<p class="missing">The picture is missing; its caption tells what it showed.</p>')

    return _TEMPLATES.get_template("page.html").render(name=name, sections=sections, picture=picture, blank=BLANK)
