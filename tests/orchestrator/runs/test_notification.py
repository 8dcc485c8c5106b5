"""A run tells the user's own hook how it stands: by a command, or by a POST; each thing once; and never fails by it."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from secrets import token_hex
from typing import Any, ClassVar

import pytest

from orchestrator.history.run_folder import RunFolder
from orchestrator.runs.notification import sent, tell_once
from orchestrator.specs.own_config import Notify
from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here


def configured(place: Path, notify: Any) -> Path:
    return written(place / "config.yaml", {"notify": notify})


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that gets a line for each message."""
    lines = tmp_path / "heard.jsonl"
    code = f"import sys; open({str(lines)!r}, 'a').write(sys.stdin.read() + chr(10))"
    monkeypatch.setenv("ORCHESTRATE_CONFIG", str(configured(tmp_path, {"command": [sys.executable, "-c", code]})))
    return lines


def events(lines: Path) -> list[tuple[str, str]]:
    return [(one["event"], one["text"]) for one in map(json.loads, lines.read_text().splitlines())]


def test_the_first_failure_and_the_end_are_told_once_also_after_a_resume(tmp_path: Path, heard: Path) -> None:
    space = written(tmp_path / "space.yaml", toy_search(space={"kind": {"choice": ["raises", "plain", "diverges"]}}))
    words = ("search", "--space", space, "--name", "one", "--runs", tmp_path / "runs")
    assert 0 == orchestrate_here(*words).returncode
    first, end = events(heard)
    assert ("first_failure", "ended") == (first[0], end[0])
    assert "trial 0 seed 0 fold 0: " in first[1]
    assert "this kind cannot be trained" in first[1]
    assert "one: finished; 1 complete, 2 failed of 3" in end[1]
    assert 0 == orchestrate_here(*words).returncode
    assert 2 == len(events(heard))


def test_an_experiment_tells_one_first_failure_of_all_its_stages_and_its_end_when_the_page_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, page = tmp_path / "heard.jsonl", tmp_path / "runs" / "toy" / "report.html"
    code = (
        f"import sys, os; there = os.path.exists({str(page)!r}); "
        f"open({str(heard)!r}, 'a').write(str(there) + sys.stdin.read() + chr(10))"
    )
    monkeypatch.setenv("ORCHESTRATE_CONFIG", str(configured(tmp_path, {"command": [sys.executable, "-c", code]})))
    for name in ("one", "two"):
        written(tmp_path / f"{name}.yaml", toy_search(space={"kind": {"choice": ["raises", "plain"]}}))
    stages = {name: {"search": f"{name}.yaml"} for name in ("one", "two")}
    file = written(tmp_path / "toy.yaml", {"stages": stages, "final": {"stages": ["two"], "seeds": 1}})

    assert 0 == orchestrate_here("run", file, "--runs", tmp_path / "runs").returncode

    first, end = heard.read_text().splitlines()
    assert "toy" == json.loads(first.removeprefix("False"))["run"]
    assert json.loads(first.removeprefix("False"))["text"].startswith("one: trial 0 seed 0 fold 0: ")
    assert "ended" == json.loads(end.removeprefix("True"))["event"], "whoever reads it finds the page"


def test_a_spent_budget_is_told(tmp_path: Path, heard: Path) -> None:
    space = written(tmp_path / "space.yaml", toy_search(budget={"minutes": 1e-9}))
    orchestrate_here("search", "--space", space, "--name", "one", "--runs", tmp_path / "runs")
    assert ["budget_spent", "ended"] == [event for event, _text in events(heard)]
    assert "1e-09 minutes" in events(heard)[0][1]


def test_what_has_become_another_is_told_again(tmp_path: Path, heard: Path) -> None:
    hook = Notify(
        command=[sys.executable, "-c", f"open({str(heard)!r}, 'a').write('{{\"event\": 1, \"text\": 1}}\\n')"]
    )
    for text in ("3 of 3", "3 of 3", "5 of 5"):
        tell_once(hook, RunFolder(tmp_path), "ended", text)
    assert 2 == len(events(heard))


def test_a_hook_that_fails_is_said_in_one_line_and_fails_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = token_hex(8)  # written nowhere, not in changes that provenance.json keeps either
    secret = f"http://127.0.0.1:9/{word}"
    monkeypatch.setenv("ORCHESTRATE_CONFIG", str(configured(tmp_path, {"url": secret})))
    space = written(tmp_path / "space.yaml", toy_search())
    done = orchestrate_here("search", "--space", space, "--name", "one", "--runs", tmp_path / "runs")
    assert 0 == done.returncode
    assert "notify: the hook could not be reached (URLError); the run is not concerned" in done.stderr
    assert word not in done.stdout + done.stderr
    assert word not in "".join(path.read_text() for path in (tmp_path / "runs" / "one").glob("*.json"))


@pytest.mark.parametrize(
    ("notify", "rule"),
    [
        ({"url": "ftp://s3cret"}, "url must begin with https:// or http://"),
        ({"url": "https://s3cret", "command": ["x"]}, "must have either a command"),
        ({"commnad": ["x"]}, "did you mean command?"),
        ("https://host/s3cret", "notify: must be `{command: [...]}` or `{url: ...}`"),
        ({"url": ["https://host/s3cret"]}, "url must be one address"),
    ],
)
def test_a_mistake_of_the_configuration_is_told_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notify: Any, rule: str
) -> None:
    monkeypatch.setenv("ORCHESTRATE_CONFIG", str(configured(tmp_path, notify)))
    space = written(tmp_path / "space.yaml", toy_search())
    done = orchestrate_here("search", "--space", space, "--name", "one", "--runs", tmp_path / "runs")
    assert 2 == done.returncode
    assert f"{tmp_path / 'config.yaml'}:" in done.stderr
    assert rule in done.stderr
    assert "s3cret" not in done.stderr
    assert not (tmp_path / "runs" / "one" / "journal.jsonl").exists()


class Answers(BaseHTTPRequestHandler):
    received: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        self.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(500 if self.path == "/broken" else 204)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def test_a_url_gets_the_message_as_json(server: str) -> None:
    assert None is sent(Notify(url=f"{server}/hook"), '{"event": "ended"}')
    assert {"event": "ended"} == Answers.received[-1]
    assert "the url answered 500" == sent(Notify(url=f"{server}/broken"), "{}")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["false"], "false ended with exit code 1"),
        (["/not/there"], "the hook could not be reached (FileNotFoundError)"),
    ],
)
def test_a_command_that_fails_is_named(command: list[str], said: str) -> None:
    assert said == sent(Notify(command=command), "{}")
