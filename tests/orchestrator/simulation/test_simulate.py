"""`orchestrate simulate`: the same table for the same seed, and every mistake with its place."""

import json
from pathlib import Path

import numpy as np
import pytest

from orchestrator.errors import UserError
from orchestrator.simulation.recorded_task import RecordedTask
from orchestrator.simulation.simulation_table import as_text, rows_of
from orchestrator.simulation.variants import Outcome, simulated, true_values
from tests.orchestrator.command import orchestrate, written
from tests.orchestrator.simulation.recorded_toy import finite_spec, recorded_task, recorded_toy

HERE = Path(__file__).parent
SPACE, CURVES = HERE / "quickstart_space.yaml", HERE / "quickstart_curves.csv"


@pytest.fixture(scope="module")
def task() -> RecordedTask:
    return RecordedTask(space=SPACE, curves=CURVES)


def outcomes(task: RecordedTask, folder: Path, *, seed: int) -> list[Outcome]:
    return list(simulated(task, searches=3, seed=seed, folder=folder))


def test_the_same_seed_gives_the_same_choices_and_another_one_others(task: RecordedTask, tmp_path: Path) -> None:
    first = outcomes(task, tmp_path, seed=1)
    assert first == outcomes(RecordedTask(space=SPACE, curves=CURVES), tmp_path, seed=1)
    assert first != outcomes(task, tmp_path, seed=2)


def test_the_true_value_is_the_mean_over_all_recorded_fits(task: RecordedTask) -> None:
    fits = task.curves.trials[13].fits.values()
    assert 6 == len(fits)
    assert sum(steps[6]["macro_auc"] for steps in fits) / 6 == pytest.approx(true_values(task)[13])


def test_ways_spend_the_same_steps_and_what_is_chosen_is_among_the_recorded(task: RecordedTask, tmp_path: Path) -> None:
    found = outcomes(task, tmp_path, seed=0)
    alone = [one for one in found if one.way in ("random", "tpe")]
    assert {(144, 8)} == {(one.steps, one.trials) for one in alone}
    assert all(one.steps <= 144 for one in found)
    others = {"random, pruned", "tpe, pruned", "random, raced", "tpe, raced"}
    assert others == {one.way for one in found if one.trials < 8}
    assert all(one.value == true_values(task)[one.chosen] for one in found)
    assert {true_values(task)[0]} == {one.default for one in found}
    assert all(0 == one.chosen for one in found if one.kept_default)


def test_where_the_smallest_is_the_best_less_is_a_gain(tmp_path: Path) -> None:
    spec = finite_spec(mode="min", trials=4, sampler="random")
    task = recorded_task(tmp_path, spec, recorded_toy(tmp_path))
    found = list(simulated(task, searches=2, seed=0, folder=tmp_path / "nothing"))
    best = min(true_values(task).values())
    (row, *_others) = rows_of(found, best=best, mode="min")
    assert 0 <= row["true_value"][0] - best == pytest.approx(row["regret"])
    assert 0 < row["over_default"][0] == pytest.approx(found[0].default - row["true_value"][0])


def test_the_command_prints_a_table_or_json_and_nothing_else() -> None:
    words = ("simulate", SPACE, "--curves", CURVES, "--searches", 2)
    table, data = orchestrate(*words), orchestrate(*words, "--json")
    assert (0, 0, "") == (table.returncode, data.returncode, data.stderr), table.stderr
    rows = json.loads(data.stdout)
    ways = [f"{sampler}{stop}" for stop in ("", ", pruned", ", raced") for sampler in ("random", "tpe")]
    assert [(way, rule) for way in ways for rule in ("best", "simplest")] == [(row["way"], row["rule"]) for row in rows]
    assert "trial 0 stands for the default, 0 away" in table.stdout
    assert f"| random | best mean | {rows[0]['true_value'][0]:.4f} ± " in table.stdout


def test_mistakes_of_table_and_space_are_told_with_their_line_and_exit_code_2(tmp_path: Path) -> None:
    lines = CURVES.read_text().splitlines(keepends=True)
    (tmp_path / "curves.csv").write_text("".join([*lines[:9], lines[9].replace("complete", "done"), *lines[10:]]))
    done = orchestrate("simulate", SPACE, "--curves", tmp_path / "curves.csv")
    assert (2, "") == (done.returncode, done.stdout)
    assert f"{tmp_path}/curves.csv:10: state: must be one of running, complete, " in done.stderr
    assert "got 'done'; write it anew: orchestrate consolidate RUN" in done.stderr


def test_a_space_that_asks_for_what_was_not_recorded_is_refused_line_by_line(tmp_path: Path) -> None:
    text = SPACE.read_text().replace("max_steps: 6", "max_steps: 12")
    curves = tmp_path / "curves.csv"  # of a task that reported other metrics
    curves.write_text(CURVES.read_text().replace("macro_auc", "macro_acu"))
    text = text.replace("../../../experiments", str(HERE.parents[2] / "experiments"))
    text = text.replace("[one_cycle, cosine]", "[one_cycle, step]").replace("  batch_size: 16\n", "  noise: 0.1\n")
    (tmp_path / "space.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        RecordedTask(space=tmp_path / "space.yaml", curves=curves)
    here = f"{tmp_path}/space.yaml"
    assert [
        f"{here}:3: metric: {curves} has no macro_auc; did you mean macro_acu?",
        f"{here}:4: max_steps: must be 6, for which the fits of {curves} were trained, got 12; a fit of another length "
        "has another curve",
        f"{here}:11: noise: was not recorded in {curves}; leave it out, or record it",
        f"{here}:13: schedule: must be of those recorded (cosine, one_cycle), got step",
        f"{here}:9: batch_size: was recorded in {curves}; name it, with a value at least",
    ] == str(caught.value).splitlines()


def test_a_single_search_claims_no_standard_error(task: RecordedTask, tmp_path: Path) -> None:
    rows = rows_of(list(simulated(task, searches=1, seed=0, folder=tmp_path)), best=0.845, mode="max")
    assert rows[0]["true_value"][1] is None
    assert "±" not in as_text(rows, task, searches=1, best=0.845).splitlines()[4]


def test_each_rule_chooses_for_itself(tmp_path: Path) -> None:
    """Of four equal configurations the simplest is the default, and the best mean is whoever was lucky."""
    spec = finite_spec(
        trials=4, seeds=6, sampler="random", max_steps=1, space={"x": {"choice": [0.0, 0.25, 0.5, 0.75]}}
    )
    random = np.random.default_rng(1)
    rows = [f"{trial},{seed},0,1,complete,{random.normal()},{trial / 4}" for trial in range(4) for seed in range(20)]
    curves = written(tmp_path / "curves.csv", "\n".join(["trial,seed,fold,step,state,score,config.x", *rows]))
    task = recorded_task(tmp_path, spec, curves)
    found = list(simulated(task, searches=20, seed=0, folder=tmp_path / "nothing"))
    by_rule = {row["rule"]: row["default_kept"] for row in rows_of(found, best=1.0, mode="max")[:2]}
    assert by_rule["best"] < 0.7 < 0.9 <= by_rule["simplest"]
