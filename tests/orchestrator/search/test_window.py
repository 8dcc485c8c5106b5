"""Beyond a window of trials a sampler sees the best half and the newest half, on replay as it did live."""

from pathlib import Path

from orchestrator.history.records import State
from orchestrator.search.study import Study
from orchestrator.search.window import Window
from tests.orchestrator.in_process import open_search, run_in_process, toy_spec


def window_of(values: list[float | None], *, size: int, mode: str = "max") -> set[int] | None:
    window = Window(size, mode)
    for number, value in enumerate(values):
        window.add(number, value)
    return window.seen()


def test_the_best_half_and_the_newest_half_are_seen() -> None:
    values: list[float | None] = [9, 1, 8, 2, 3, 7, 4, 0, None, 0.5]
    assert window_of(values, size=10) is None
    assert {0, 2, 8, 9} == window_of(values, size=4)
    assert {1, 7, 8, 9} == window_of([9, 1, 8, 2, 3, 7, 4, 0, None, 5], size=4, mode="min")


def test_what_is_the_best_and_the_newest_makes_the_window_full() -> None:
    assert {2, 3, 4, 5} == window_of([0, 1, 2, 3, 4, 5], size=4)
    assert {2, 3, 4, 5} == window_of([None] * 6, size=4)


def suggested(values: list[float], *, size: int) -> dict[str, object]:
    study = Study(toy_spec(window=size, startup="random", startup_trials=5), {}, 0)
    for number, value in enumerate(values):
        study.ask(number, {"x": value, "y": 0.0})
        study.tell(number, State.COMPLETE, value)
    return study.ask(len(values))


def test_a_suggestion_depends_on_the_trials_in_the_window_alone() -> None:
    seen = [0.9, 0.8, 0.7, 0.6, 0.5], [0.11, 0.12, 0.13, 0.14, 0.15]
    first = suggested([*seen[0], *[0.1] * 20, *seen[1]], size=10)
    assert first == suggested([*seen[0], *[-0.3] * 20, *seen[1]], size=10)
    assert first != suggested([*seen[0], *[-0.3] * 20, *seen[1]], size=1000)


def test_a_resumed_search_sees_the_window_that_it_would_have_seen(tmp_path: Path) -> None:
    spec = {"window": 10, "startup": "random"}
    whole = run_in_process(open_search(toy_spec(trials=24, **spec), tmp_path / "whole"))
    run_in_process(open_search(toy_spec(trials=15, **spec), tmp_path / "parts"))
    parts = run_in_process(open_search(toy_spec(trials=24, **spec), tmp_path / "parts"))
    configs = [[dict(trial.config) for trial in search.ledger.trials.values()] for search in (whole, parts)]
    assert configs[0] == configs[1]
    unseen = run_in_process(open_search(toy_spec(trials=24, **{**spec, "window": 1000}), tmp_path / "unseen"))
    assert configs[0] != [dict(trial.config) for trial in unseen.ledger.trials.values()]
