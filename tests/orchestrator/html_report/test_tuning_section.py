"""What tuning bought: two configurations side by side, each with the values that its fits had."""

import re
from pathlib import Path

from tests.orchestrator.command import toy_search, written
from tests.orchestrator.without_ray import orchestrate_here


def test_what_a_space_does_not_name_stands_there_with_its_default(tmp_path: Path) -> None:
    """The untuned default of one stage competes with the winner of another, whose space names more."""
    task = {"name": "tests.toy_task:ToyTask", "with": {}}
    told = {"task": task, "seeds": 3, "folds": 1}
    written(tmp_path / "plain.yaml", toy_search(**told, space={"x": {"choice": [0.9]}}, baseline=True, max_steps=3))
    named = {"x": {"choice": [0.3]}, "layers": {"choice": [2]}}
    written(tmp_path / "tuned.yaml", toy_search(**told, space=named, baseline=False, max_steps=3))
    stages = {name: {"search": f"{name}.yaml"} for name in ("plain", "tuned")}
    file = written(tmp_path / "toy.yaml", {"stages": stages, "final": {"stages": [*stages], "seeds": 1}})

    done = orchestrate_here("run", file, "--runs", tmp_path / "runs", "--json")

    assert 0 == done.returncode, done.stderr
    text = (tmp_path / "runs" / "toy" / "report.html").read_text()
    table = text[text.index("configuration beside the untuned default") :]
    rows = dict(re.findall(r'<th scope="row">(\w+)</th>(.*?)</tr>', table, re.DOTALL))
    assert rows["x"].startswith("<td>0.3</td><td>0</td><td>changed</td>")
    assert rows["layers"].startswith("<td>2</td><td>1</td><td>changed</td>"), "not named by the default's space"
