"""What a study is told of trials that are never run, and what it is not asked."""

from datetime import UTC, datetime

from orchestrator.history.ledger import Ledger
from orchestrator.history.records import Ask, End, FitKey, Record, Reported, State, Tell
from orchestrator.search.suggestions import Suggestions
from orchestrator.specs.specs import SearchSpec
from tests.orchestrator.in_process import toy_spec
from tests.toy_task import ToyTask

PRUNED = {"prune": {"successive_halving": {"min_steps": 1, "factor": 2}}}


class Told:
    """A ledger and suggestions that are told the same records, as a search tells them."""

    def __init__(self, spec: SearchSpec, *, final: bool = False) -> None:
        self.ledger = Ledger()
        self.suggestions = Suggestions(
            spec, self.ledger, defaults={name: one.default for name, one in ToyTask().parameters().items()}, final=final
        )

    def tell(self, record: Record, *, replay: bool = False) -> None:
        self.ledger.apply(record, datetime(2026, 1, 1, tzinfo=UTC))
        if isinstance(record, Ask):
            self.suggestions.asked(record, replay=replay)
        elif isinstance(record, Tell):
            self.suggestions.told(record)

    def ask(self) -> Ask:
        record = self.suggestions.next()
        self.tell(record)
        return record

    def report(self, key: FitKey, step: int, score: float) -> bool:
        stop = self.suggestions.decide_to_stop(key, step, {"score": score})
        decision = "stop" if stop else "continue"
        row = {"score": score}
        self.tell(Reported(**key._asdict(), step=step, metrics=row, checkpoint=None, decision=decision))
        return stop


def test_a_trial_that_repeats_another_is_named_after_the_first_that_tried_it_and_not_after_a_repetition() -> None:
    told = Told(toy_spec(sampler="random", space={"y": {"choice": [0]}}))
    origins = []
    for number in range(3):
        origins.append(told.ask().origin)
        told.tell(Tell(trial=number, state=State.DUPLICATE if number else State.COMPLETE, value=0.5))
    assert ["sampler", "duplicate of 0", "duplicate of 0"] == origins


def test_a_repeated_trial_takes_no_place_from_one_that_is_run() -> None:
    """Of 1, 2 and 1.5 the better half is one; with the repetition of 1 counted, it would be two of four."""
    told = Told(toy_spec(sampler="random", **PRUNED))
    told.tell(Ask(trial=0, cell=0, config={"x": 0.1, "y": 0}, origin="sampler"), replay=True)
    assert not told.report(FitKey(0, 0, 0), 1, 1.0)
    told.tell(Tell(trial=0, state=State.COMPLETE, value=1.0))
    told.tell(Ask(trial=1, cell=0, config={"x": 0.1, "y": 0}, origin="duplicate of 0"), replay=True)
    told.tell(Tell(trial=1, state=State.DUPLICATE, value=1.0))
    better, worse = told.ask().trial, told.ask().trial
    assert (False, True) == (told.report(FitKey(better, 0, 0), 1, 2.0), told.report(FitKey(worse, 0, 0), 1, 1.5))


def test_only_the_first_fit_of_a_trial_is_judged() -> None:
    told = Told(toy_spec(**PRUNED))
    for _ in range(2):
        told.ask()
    assert not told.report(FitKey(0, 0, 0), 1, 1.0)
    assert told.report(FitKey(1, 0, 0), 1, 0.1)
    assert not told.report(FitKey(1, 1, 0), 1, 0.1)


def test_a_fit_of_a_trial_that_is_told_already_need_not_go_on() -> None:
    told = Told(toy_spec())
    told.ask()
    assert not told.report(FitKey(0, 1, 0), 1, 1.0)
    told.tell(Tell(trial=0, state=State.FAILED, value=None))
    assert told.report(FitKey(0, 1, 0), 2, 1.0)


def test_a_final_is_no_trial_of_a_grid() -> None:
    assert "final" == Told(toy_spec(sampler="grid", trials=None, space={"x": 0.1}), final=True).ask().origin


def suggested_after(means: list[float]) -> object:
    """What is suggested after a complete trial and some that were raced out, which differ in their means only."""
    told = Told(toy_spec(race=True, seeds=3, startup="random", startup_trials=5))
    told.ledger.spec = toy_spec(race=True, seeds=3)
    for number, mean in enumerate([0.9, *means]):
        told.tell(Ask(trial=number, cell=0, config={"x": number / 5 - 1, "y": 0.0}, origin="sampler"), replay=True)
        for seed in range(2):
            told.report(FitKey(number, seed, 0), 1, mean)
            told.tell(End(trial=number, seed=seed, fold=0, state=State.COMPLETE, error=None))
        state = State.PRUNED if number else State.COMPLETE
        told.tell(Tell(trial=number, state=state, value=None if number else mean))
    return told.ask().config


def test_the_sampler_knows_the_means_of_trials_that_were_raced_out() -> None:
    means = [place / 20 for place in range(10)]
    assert suggested_after(means) == suggested_after(means)
    assert suggested_after(means) != suggested_after(means[::-1])
