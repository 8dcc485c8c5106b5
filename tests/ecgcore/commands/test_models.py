"""`orchestrate models` and `orchestrate parameters`, as a person and as a program reads them."""

import json
import os
import pty
import subprocess
import sys

import pytest

from ecgcore.models.registry import places
from ecgcore.training.hyperparameters import known_parameters
from tests.orchestrator.command import orchestrate

PROGRAM = [sys.executable, "-m", "orchestrator.cli"]


def printed(*words: str, **environment: str) -> str:
    done = orchestrate(*words, **environment)
    assert 0 == done.returncode, done.stderr
    return done.stdout


def on_a_terminal(*words: str, columns: int) -> list[str]:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    shown = subprocess.Popen([*PROGRAM, *words], stdout=theirs, stderr=subprocess.DEVNULL, env=environment)
    os.close(theirs)
    drawn = b""
    try:
        while chunk := os.read(ours, 65536):
            drawn += chunk
    except OSError:  # how Linux says that the other end of a terminal is closed
        pass
    os.close(ours)
    assert 0 == shown.wait()
    return drawn.decode().splitlines()


def test_models_tells_weights_cost_and_the_published_count_with_its_sizes() -> None:
    lines = printed("models").splitlines()
    (cnn1d,) = [line for line in lines if line.startswith("cnn1d")]
    assert ["cnn1d", "46,757", "46,757 (12 leads, 5 classes)", "7.0 M"] == [
        word.strip() for word in cnn1d.split("  ") if word.strip()
    ][:4]
    assert "torch.utils.flop_counter" in lines[-1]


def test_models_as_json_is_one_list_of_every_network() -> None:
    found = {one["name"]: one for one in json.loads(printed("models", "--json"))}
    assert list(found) == list(places())
    assert {"weights": 193_541, "leads": 1, "classes": 5} == found["heartbeat_cnn"]["published"]
    assert found["resnet1d"]["published"] is None
    assert ("signals", "charts") == (found["resnet1d"]["takes"], found["resnet18"]["takes"])
    assert ["channels", "kernel", "layers", "width"] == found["heartbeat_cnn"]["parameters"]


def test_one_network_may_be_asked_for_and_a_wrong_name_is_a_mistake() -> None:
    assert ["cnn1d"] == [one["name"] for one in json.loads(printed("models", "cnn1d", "--json"))]
    for words in (("models", "cnn3d"), ("parameters", "--model", "cnn3d")):
        done = orchestrate(*words)
        assert (2, "") == (done.returncode, done.stdout)
        assert f"must be one of {', '.join(places())}, or your own as package" in done.stderr
        assert "Traceback" not in done.stderr


def test_parameters_tells_of_each_what_it_may_be_and_whose_it_is() -> None:
    lines = printed("parameters").splitlines()
    assert len(known_parameters()) + 1 == len(lines)
    (kernel,) = [line for line in lines if line.startswith("kernel ")]
    assert ["kernel", "choice", "3, 5, 7, 9, 11", "7", "heartbeat_cnn"] == [
        word.strip() for word in kernel.split("  ") if word.strip()
    ][:5]
    (rate,) = [line for line in lines if line.startswith("learning_rate ")]
    assert rate.split()[1:] == ["float", "1e-08", "to", "10", "0.001", "all", "peak", "learning", "rate"]
    assert "boolean  true, false" in "\n".join(lines)


def test_parameters_of_one_model_leave_out_what_does_not_count_beside_it() -> None:
    names = {model: _names("--model", model) for model in ("cnn1d", "heartbeat_cnn")}
    assert {"channels", "kernel", "layers", "width"} == names["heartbeat_cnn"] - names["cnn1d"]
    assert not names["cnn1d"] - names["heartbeat_cnn"]
    assert "dropout" in names["cnn1d"]


def _names(*words: str) -> set[str]:
    return {one["name"] for one in json.loads(printed("parameters", *words, "--json"))}


def test_parameters_as_json_says_whose_each_is() -> None:
    found = {one["name"]: one for one in json.loads(printed("parameters", "--json"))}
    assert (found["kernel"]["of"], found["dropout"]["of"]) == (["heartbeat_cnn"], None)
    assert (found["dropout"]["low"], found["dropout"]["high"], found["dropout"]["default"]) == (0.0, 0.95, 0.2)


def test_a_table_is_plain_in_a_pipe_and_as_wide_as_the_terminal_otherwise() -> None:
    plain = printed("parameters", COLUMNS="60")
    assert "\x1b" not in plain
    assert [line for line in plain.splitlines() if len(line) > 100]
    assert not [line for line in plain.splitlines() if line != line.rstrip()]
    for words in (["models"], ["parameters"]):
        drawn = on_a_terminal(*words, columns=100)
        assert len(drawn) > 4
        assert max(len(line) for line in drawn if "\x1b" not in line) <= 100  # the head of a column is drawn bold
        assert "\x1b" in drawn[0]


@pytest.mark.parametrize(
    ("words", "heavy"),
    [(["parameters"], {"torch", "numpy", "scipy"}), (["models", "--help"], {"torch", "numpy", "scipy", "rich"})],
)
def test_what_needs_no_network_waits_for_none(words: list[str], heavy: set[str]) -> None:
    code = (
        "import sys, orchestrator.cli as cli\n"
        f"try: cli.main({words!r})\nexcept SystemExit: pass\n"
        f"print(sorted({heavy!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.splitlines()[-1]
