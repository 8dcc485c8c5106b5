"""Winner, interval, ties and the table: from journals of searches run in this process."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import RunFailed
from orchestrator.history.ledger import Ledger
from orchestrator.history.records import Ask, End, Reported, SearchBegun, State, Tell
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.table import rows_of, table_csv
from orchestrator.search.comparison import Comparison
from orchestrator.search.selection import checkpoint_of, simplest, winner_among, winner_of
from orchestrator.specs.specs import as_data
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec
from tests.orchestrator.results.as_markdown_of import table_markdown


def test_the_winner_has_the_best_mean_and_names_its_ties_steps_and_weights(tmp_path: Path) -> None:
    spec = toy_spec(sampler="grid", trials=None, seeds=3, space={"x": {"choice": [0.9, 0.3, 0.3001, -0.5]}})
    search = run_in_process(open_search(spec, tmp_path))
    folder = RunFolder(tmp_path)
    winner = winner_of(search.ledger, folder)
    assert ({"x": 0.3}, [4, 4, 4]) == (winner.config, winner.steps)
    assert ["checkpoint-4.json"] * 3 == [path.name for path in winner_among([(search.ledger, folder)])[1].checkpoints]
    assert winner.interval.mean == search.ledger.trials[winner.trial].value


def told(scores: dict[int, list[float]], **changes: Any) -> tuple[Ledger, RunFolder]:
    """A search whose trials have these scores at their one step; trial 0 is the untuned default."""
    spec = toy_spec(sampler="random", trials=len(scores), seeds=len(scores[0]), max_steps=1, **changes)
    now = datetime.now(UTC)
    ledger = Ledger([(SearchBegun(spec=as_data(spec)), now)])
    for trial, row in scores.items():
        size = {"parameters": 10.0 * (trial + 1)}
        ledger.apply(Ask(trial=trial, cell=0, config={"x": trial}, origin="sampler" if trial else "default"), now)
        for seed, score in enumerate(row):
            key = {"trial": trial, "seed": seed, "fold": 0}
            metrics = {"score": score, **size}
            ledger.apply(Reported(**key, step=1, metrics=metrics, checkpoint=None, decision="continue"), now)
            ledger.apply(End(**key, state=State.COMPLETE, error=None), now)
        ledger.apply(Tell(trial=trial, state=State.COMPLETE, value=sum(row) / len(row)), now)
    return ledger, RunFolder(Path("some/search"))


NOISE = [0.03, -0.02, 0.01, -0.03, 0.02, -0.01]
SHIFTED = [-0.01, 0.02, 0.03, 0.01, -0.02, -0.03]


def test_where_nothing_can_be_told_apart_the_untuned_default_is_kept() -> None:
    rows = {0: [0.8 + n for n in NOISE], 1: [0.81 + n for n in SHIFTED], 2: [0.805 - n for n in NOISE]}
    winner = winner_of(*told(rows))
    assert 0 == winner.trial
    assert winner.best.startswith("nothing was found: the trials cannot be told apart")
    assert ["2", "0"] == winner.ties
    assert 0 == winner.over_default


def test_a_tuned_trial_wins_where_it_is_told_from_the_default_and_the_smallest_near_the_best_is_taken() -> None:
    rows = {
        0: [0.6 + n for n in NOISE],
        1: [0.899 + n for n in SHIFTED],
        2: [0.90 + n for n in NOISE],
        3: [0.7 + n for n in NOISE],
    }
    winner = winner_of(*told(rows))
    assert 1 == winner.trial, "of those within one standard error of the best, the one with fewer parameters"
    assert "which is simpler, lies 0.0010 behind the best mean (trial 2)" in winner.best
    assert ["1"] == winner.ties
    assert 0.299 == pytest.approx(winner.over_default)
    assert 2 == winner_of(*told(rows, winner="best")).trial


def test_with_a_single_fit_each_nothing_is_told_apart_and_all_are_ties() -> None:
    winner = winner_of(*told({0: [0.5], 1: [0.9], 2: [0.7]}))
    assert (1, ["2", "0"], None) == (winner.trial, winner.ties, winner.standard_error)
    assert "nothing can be told apart" in winner.best


def test_stages_compete_in_one_comparison_and_what_starts_from_nothing_is_simpler() -> None:
    scratch, _ = told({0: [0.6 + n for n in NOISE], 1: [0.9 + n for n in SHIFTED]})
    started, _ = told({0: [0.7 + n for n in NOISE], 1: [0.905 + n for n in SHIFTED]}, start_from="pretrain")
    stages = [(started, RunFolder(Path("run/full"))), (scratch, RunFolder(Path("run/scratch")))]
    winner, chosen, ties = winner_among(stages)
    assert ("scratch", 1, ["scratch/1"]) == (winner.search, winner.trial, winner.ties)
    assert chosen.ledger is scratch
    assert [started, scratch] == [one.ledger for one in ties]
    assert 0.3 == pytest.approx(winner.over_default), "the default is the one from nothing"


def test_stages_with_different_fits_are_compared_over_those_that_both_have() -> None:
    """What one stage lacks (here the fits in which the other is bad) says nothing of which is better."""
    two, _ = told({0: [0.5, 0.5], 1: [0.7, 0.71]})
    four, _ = told({0: [0.8, 0.82, 0.1, 0.1], 1: [0.6, 0.6, 0.1, 0.1]})
    winner, chosen, ties = winner_among([(two, RunFolder(Path("run/two"))), (four, RunFolder(Path("run/four")))])
    assert (four, 0) == (chosen.ledger, chosen.trial.number)
    assert [(four, 0)] == [(one.ledger, one.trial.number) for one in ties]
    assert 0.455 == pytest.approx(winner.interval.mean), "which is told over all that it has"


@pytest.mark.parametrize("noise", [[0.0], NOISE], ids=["a single fit each", "six fits each"])
def test_with_mode_min_the_stage_with_the_smallest_mean_wins_and_its_ties_come_first(noise: list[float]) -> None:
    higher, _ = told({0: [0.9 + n for n in noise], 1: [0.8 - n for n in noise]}, mode="min")
    lower, _ = told({0: [0.6 - n for n in noise], 1: [0.3 + n for n in noise]}, mode="min")
    stages = [(higher, RunFolder(Path("run/higher"))), (lower, RunFolder(Path("run/lower")))]
    winner, chosen, ties = winner_among(stages)
    assert ("lower", 1, "min") == (winner.search, winner.trial, winner.mode)
    assert 0.3 == pytest.approx(winner.interval.mean)
    assert chosen.ledger is ties[0].ledger is lower
    assert [1, 0, 1, 0][: len(ties)] == [one.trial.number for one in ties]


def test_with_mode_min_the_smallest_value_wins(tmp_path: Path) -> None:
    spec = toy_spec(
        sampler="grid", mode="min", metric="loss", max_steps=3, trials=None, space={"x": {"choice": [0, 1]}}
    )
    search = run_in_process(open_search(spec, tmp_path))
    winner = winner_of(search.ledger, RunFolder(tmp_path))
    assert (0, 1 / 3) == (winner.trial, winner.interval.mean)


def test_with_mode_min_the_smallest_mean_is_ranked_first() -> None:
    ledger, _folder = told({0: [0.5], 1: [0.3], 2: [0.4]}, mode="min")
    assert [1, 2, 0] == [trial.number for trial in ledger.ranked()]
    assert [1, 2] == [trial.number for trial in ledger.ranked(2)]


def test_trials_are_compared_over_the_fits_that_all_of_them_have() -> None:
    """A fold is missing where a search was given more seeds or folds later, or a stage has fewer."""
    ledger, _ = told({0: [0.60, 0.62, 0.61], 1: [0.9, 0.88, 0.1]})
    shorter, _ = told({0: [0.70, 0.68]})
    winner, chosen, _ties = winner_among([(ledger, RunFolder(Path("run/a"))), (shorter, RunFolder(Path("run/b")))])
    assert ("a", 1) == (winner.search, winner.trial), "by its first two fits, .89; over all three it has .63"
    assert chosen.ledger is ledger


@pytest.mark.parametrize(("mode", "curves", "step"), [
    ("max", [[0.1, 0.8, 0.5], [0.1, 0.4, 0.6]], 2),  # means .1, .6, .55
    ("max", [[0.1, 0.6, 0.5], [0.1, 0.5, 0.6]], 2),  # of equal means the earlier
    ("min", [[0.9, 0.8, 0.5], [0.1, 0.4, 0.6]], 1),
])  # fmt: skip
def test_the_common_best_step_is_where_the_mean_over_fits_is_best(
    mode: str, curves: list[list[float]], step: int
) -> None:
    spec, now = toy_spec(seeds=2, max_steps=3, score_at="common_best", mode=mode), datetime.now(UTC)
    ledger = Ledger([(SearchBegun(spec=as_data(spec)), now), (Ask(trial=0, cell=0, config={}, origin="sampler"), now)])
    for seed, curve in enumerate(curves):
        key = {"trial": 0, "seed": seed, "fold": 0}
        for at, score in enumerate(curve, start=1):
            row = {"step": at, "metrics": {"score": score}, "checkpoint": None, "decision": "continue"}
            ledger.apply(Reported(**key, **row), now)
        ledger.apply(End(**key, state=State.COMPLETE, error=None), now)
    assert {step} == set(ledger.judged_steps(ledger.trials[0]).values())


def test_without_a_complete_trial_there_is_no_winner_and_the_message_says_what_there_is(tmp_path: Path) -> None:
    search = open_search(toy_spec(), tmp_path)
    search.next_fit()
    search.close()
    with pytest.raises(RunFailed, match=r"no trial is complete \(running\), so there is no winner"):
        winner_of(search.ledger, RunFolder(tmp_path))


def test_a_deleted_checkpoint_is_named(tmp_path: Path) -> None:
    search = run_in_process(open_search(toy_spec(trials=1), tmp_path))
    folder = RunFolder(tmp_path)
    path = checkpoint_of(search.ledger, folder, search.ledger.trials[0], seed=0, fold=0)
    path.unlink()
    with pytest.raises(RunFailed, match="is not there; was it deleted"):
        checkpoint_of(search.ledger, folder, search.ledger.trials[0], seed=0, fold=0)


def test_the_table_has_a_row_for_every_trial_whatever_became_of_it(tmp_path: Path) -> None:
    space = {"kind": {"choice": ["plain", "raises", "diverges"]}, "x": 0.25}
    search = run_in_process(open_search(toy_spec(sampler="grid", trials=None, seeds=2, space=space), tmp_path))
    text = table_csv({"run": rows_of(search.ledger, alive=False)})
    assert text.startswith("trial,state,standing,mean,sd,low,high,over,fits,steps,seconds,kind,x\n")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert ["complete", "failed", "failed"] == [row["state"] for row in rows]
    assert ["0.25"] * 3 == [row["x"] for row in rows]
    assert rows[0]["mean"]
    assert not rows[1]["mean"], "a failed trial is never averaged"


def test_an_unfinished_trial_is_running_while_a_driver_lives_and_incomplete_after(tmp_path: Path) -> None:
    search = open_search(toy_spec(), tmp_path)
    search.next_fit()
    search.close()
    ledger = Ledger(search.journal.entries)
    assert "running" == rows_of(ledger, alive=True)[0]["state"]
    assert "incomplete" == rows_of(ledger, alive=False)[0]["state"]


def test_the_markdown_table_is_sorted_by_mean_and_says_what_it_cuts(tmp_path: Path) -> None:
    search = run_in_process(open_search(toy_spec(trials=5, sampler="random"), tmp_path))
    text = table_markdown(
        {"r": rows_of(search.ledger, alive=False)}, title="r", mode="max", judged_at="its last step", most=3
    )
    numbers = [int(line.split("|")[1]) for line in text.splitlines()[4:7]]  # after title and heading
    assert [trial.number for trial in search.ledger.ranked()[:3]] == numbers
    assert "2 more trials in table.csv" in text


@pytest.mark.parametrize(("p_all_equal", "default", "wins"), [(0.2, 0, 0), (0.01, 0, 3), (0.2, None, 3), (0.01, 2, 2)])
def test_the_default_is_kept_where_nothing_differs_however_far_behind(
    p_all_equal: float, default: int | None, wins: int
) -> None:
    """Else, within one standard error (.02) of the best, trial 2, the default wins, however large; or the cheapest."""
    means = {2: 0.9, 1: 0.895, 3: 0.89, 0: 0.8}
    found = Comparison(
        best=2, means=means, standard_error=0.02, p_values=dict.fromkeys(means, 1.0), p_all_equal=p_all_equal
    )
    cost = {0: (False, 1.0), 1: (True, 1.0), 2: (False, 9.0), 3: (False, 5.0)}
    assert wins == simplest(found, default=default, cost=cost)


@pytest.mark.parametrize(
    ("curves", "rising", "said"),
    [
        ([[0.5, 0.50, 0.60], [0.5, 0.48, 0.57], [0.5, 0.49, 0.59]], True, "still became better in their last tenth"),
        ([[0.5, 0.60, 0.60], [0.5, 0.58, 0.57], [0.5, 0.59, 0.60]], False, None),
        ([[0.5, 0.50, 0.60]], False, "best at their last step, 20 (the median)"),
        ([[0.7, 0.60, 0.60], [0.7, 0.58, 0.57], [0.5, 0.59, 0.60]], False, "best after step 1 of 20 (the median)"),
    ],
)
def test_a_winner_whose_fits_were_best_at_their_end_or_at_their_first_step_says_so(
    curves: list[list[float]], rising: bool, said: str | None
) -> None:
    spec = toy_spec(sampler="grid", trials=None, seeds=len(curves), max_steps=20, space={"x": 0.1})
    now = datetime.now(UTC)
    ledger = Ledger([(SearchBegun(spec=as_data(spec)), now)])
    ledger.apply(Ask(trial=0, cell=0, config={"x": 0.1}, origin="grid"), now)
    for seed, values in enumerate(curves):
        key = {"trial": 0, "seed": seed, "fold": 0}
        for step, value in zip((1, 18, 20), values, strict=True):
            record = Reported(**key, step=step, metrics={"score": value}, checkpoint=None, decision="continue")
            ledger.apply(record, now)
        ledger.apply(End(**key, state=State.COMPLETE, error=None), now)
    ledger.apply(Tell(trial=0, state=State.COMPLETE, value=0.5), now)
    won = winner_of(ledger, RunFolder(Path("some/search")))
    assert rising == won.rising
    assert won.length is None if said is None else said in str(won.length)
