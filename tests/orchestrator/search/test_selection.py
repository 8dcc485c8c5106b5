"""Winner, interval, ties and the table: from journals of searches run in this process."""

import csv
import io
from pathlib import Path

import pytest
from scipy import stats

from orchestrator.errors import RunFailed
from orchestrator.history.ledger import Ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.results.table import rows_of, table_csv, table_markdown
from orchestrator.search.selection import checkpoint_of, is_tie, t_interval, winner_checkpoints, winner_of
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec


def test_the_interval_is_the_t_interval_of_the_mean() -> None:
    scores = [0.81, 0.84, 0.79, 0.86]
    found = t_interval(scores)
    low, high = stats.t.interval(0.95, 3, loc=stats.tmean(scores), scale=stats.sem(scores))
    assert (found.mean, found.low, found.high) == pytest.approx((0.825, low, high))


def test_a_single_fit_has_a_mean_and_claims_no_interval() -> None:
    found = t_interval([0.8])
    assert (0.8, None, None, None) == (found.mean, found.sd, found.low, found.high)


def test_a_tie_is_what_a_paired_t_test_cannot_tell_apart() -> None:
    assert is_tie([0.9, 0.8, 0.85], [0.89, 0.81, 0.85])
    assert not is_tie([0.9, 0.8, 0.85], [0.8, 0.7, 0.751])
    assert is_tie([0.9, 0.8], [0.9, 0.8])
    assert not is_tie([0.9], [0.9]), "with one fit nothing is claimed"


def test_the_winner_has_the_best_mean_and_names_its_ties_steps_and_weights(tmp_path: Path) -> None:
    spec = toy_spec(sampler="grid", trials=None, seeds=3, space={"x": {"choice": [0.9, 0.3, 0.3001, -0.5]}})
    search = run_in_process(open_search(spec, tmp_path))
    folder = RunFolder(tmp_path)
    winner = winner_of(search.ledger, folder)
    assert (1, {"x": 0.3}, [4, 4, 4]) == (winner.trial, winner.config, winner.best_steps)
    assert ["checkpoint-4.json"] * 3 == [path.name for path in winner_checkpoints(search.ledger, folder)]
    assert winner.interval.mean == search.ledger.trials[1].value


def test_with_mode_min_the_smallest_value_wins(tmp_path: Path) -> None:
    spec = toy_spec(
        sampler="grid", mode="min", metric="loss", max_steps=3, trials=None, space={"x": {"choice": [0, 1]}}
    )
    search = run_in_process(open_search(spec, tmp_path))
    winner = winner_of(search.ledger, RunFolder(tmp_path))
    assert (0, 1 / 3) == (winner.trial, winner.interval.mean)


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
    assert text.startswith("trial,state,mean,sd,low,high,steps,seconds,kind,x\n")
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
    text = table_markdown({"r": rows_of(search.ledger, alive=False)}, title="r", mode="max", most=3)
    numbers = [int(line.split("|")[1]) for line in text.splitlines()[4:7]]  # after title and heading
    assert [trial.number for trial in search.ledger.ranked()[:3]] == numbers
    assert "2 more trials in table.csv" in text
