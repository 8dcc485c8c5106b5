"""The page of an audit: what searching is worth, as far as its outer parts are done."""

from pathlib import Path

from orchestrator.atomic import write_json
from orchestrator.history.run_contents import Audit
from orchestrator.history.run_folder import RunFolder
from orchestrator.html_report.page import write_page
from orchestrator.results.outer_part import DEFAULT, WINNER, OuterPart, write_part
from orchestrator.specs.experiment import Experiment
from tests.orchestrator.command import toy_search, written


def begun(folder: Path) -> RunFolder:
    audit = Audit(experiment=Experiment.of_file(written(folder / "toy.yaml", toy_search())), outer=3)
    run = RunFolder(folder / "toy-audit")
    run.create()
    write_json(run.audit, audit.as_data())
    return run


def finish(run: RunFolder, number: int) -> None:
    run.outer(number).create()
    rows = {WINNER: {"score": 0.7 + number / 100}, DEFAULT: {"score": 0.5}}
    told = OuterPart(
        number=number,
        rows=rows,
        config={},
        validation=0.8,
        best_validation=0.8,
        kept_default=False,
        why="it is the best",
    )
    write_part(run.outer(number).path, told)


def test_it_says_what_searching_bought_over_the_parts_that_are_done(tmp_path: Path) -> None:
    run = begun(tmp_path)
    assert "none of 3 outer parts is done" in write_page(run).read_text()
    for number in range(2):
        finish(run, number)
    assert "Not whole yet: 2 of 3 outer parts are done." in write_page(run).read_text()
    finish(run, 2)
    text = write_page(run).read_text()
    assert '<p class="answer">What searching bought: 0.2100 [' in text
    assert '<th scope="row">winner</th><td>3</td><td>.710 [' in text
    assert "<td>+.210 [+" in text
