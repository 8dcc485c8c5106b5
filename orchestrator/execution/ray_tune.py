"""Ray Tune as the executor of a search: it decides nothing and remembers nothing.

A Tune trial runs one fit. Tune's searcher hands over the search's next fit, its scheduler passes each report to the
search and the search's decision back. Both are pickled by Tune, which an open journal cannot be: they hold nothing and
ask the one execution that there is in this process.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import ray
from ray import tune
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from orchestrator.errors import RayFailed, RunFailed, UserError, is_users_mistake
from orchestrator.execution.hung_fits import HungFits
from orchestrator.execution.one_fit import MAKE_ROOM
from orchestrator.execution.ray_worker import call_in_worker, fit_in_worker
from orchestrator.history.failures import Failure
from orchestrator.history.records import FitKey
from orchestrator.search.search import Search
from orchestrator.specs.specs import TaskSpec
from orchestrator.task import fit_to_json

Result = TypeVar("Result")
Given = ParamSpec("Given")


_call = ray.remote(num_cpus=1, max_retries=0)(call_in_worker)


def _run_fit(config: dict[str, Any]) -> None:
    fit_in_worker(config, tell=tune.report)


@dataclass(frozen=True, kw_only=True)
class RayExecutor:
    """Runs fits on the Ray that this process is connected to, on however many nodes that has at the time."""

    temp: Path
    cpus_per_fit: int
    gpus_per_fit: float = 0.0
    driver: int = 0  # the process with which the workers of this machine die; 0: somebody else ends them
    elastic: bool = False  # as many fits at a time as the nodes of the moment have room for, not as the spec says
    why_worker_went: Callable[[str], Failure | None] = lambda _job: None  # of a worker job, where it has said so

    def execute(self, search: Search) -> None:
        """Run the search's fits until it has none left. Raises what the search raised, such as a full disk."""
        global _execution
        search.spending.each_fit_has(self.gpus_per_fit, noted_in=search.folder)
        trainable = tune.with_resources(_run_fit, {"CPU": self.cpus_per_fit, "GPU": self.gpus_per_fit})
        storage = str(self.temp / "tune")
        tuner = tune.Tuner(
            trainable,
            tune_config=tune.TuneConfig(search_alg=_Asker(), scheduler=_Decider(), num_samples=-1, reuse_actors=True),
            run_config=tune.RunConfig(storage_path=storage, name=search.folder.name, verbose=0, callbacks=[_Watch()]),
        )
        _execution = execution = _Execution(search, self)
        try:
            tuner.fit()
        except Exception as error:
            if execution.failure:
                raise execution.failure from None
            raise RayFailed(f"Ray could not go on: {error}\nNothing is lost: give the same command again") from error
        finally:
            _execution = None
        if execution.failure:
            raise execution.failure

    def fits_left(self) -> int | None:
        """Return how many fits the search that is running here still has, at most; None between searches.

        Any thread may ask: it is a number that the driver's thread wrote.
        """
        execution = _execution
        return None if execution is None else execution.search.fits_left

    def silent_s(self) -> float | None:
        """Return for how long Tune's loop has not turned, which it does also where it waits; None between searches.

        Any thread may ask.
        """
        execution = _execution
        return None if execution is None else time.monotonic() - execution.looked_at

    def call(self, task: TaskSpec, method: str, *values: Any) -> Any:
        """Call one method of the task in a worker process and return what it returns.

        Raises UserError for a user's mistake, or an OSError, of the task's, RunFailed for any other failure.
        """
        remote = _call.options(num_cpus=self.cpus_per_fit, num_gpus=self.gpus_per_fit)
        try:
            return ray.get(remote.remote(task.model_dump_json(by_alias=True), method, values, self.driver))
        except ray.exceptions.RayTaskError as error:
            if is_users_mistake(error.cause) or isinstance(error.cause, OSError):
                raise UserError(*str(error.cause).splitlines()) from None
            raise RunFailed(f"{task.name}.{method} failed:\n{error}") from None
        except ray.exceptions.RayError as error:
            raise RayFailed(f"{task.name}.{method} failed: {error}") from None

    def slots_of(self, node: dict[str, float]) -> int:
        """Return how many fits a node of these resources runs at a time."""
        by_cpus = int(node.get("CPU", 0) / self.cpus_per_fit)
        return min(by_cpus, int(node.get("GPU", 0) / self.gpus_per_fit)) if self.gpus_per_fit else by_cpus


# In the driver: what Tune asks.


class _Execution:
    """One search while it is executed: everything that lives exactly as long."""

    def __init__(self, search: Search, executor: RayExecutor) -> None:
        self.search = search
        self.failure: Exception | None = None  # the first one: Tune would turn it into a text
        self._executor = executor
        self._keys: dict[str, FitKey] = {}  # by Tune's id of the trial that runs the fit
        self._deaths: dict[str, str] = {}  # by the same id, what Ray says of the death of a worker
        self._losses: dict[str, tuple[Failure, str]] = {}  # by the same id, what the worker said itself, or we know
        self._workers: dict[str, str] = {}  # by the same id, the worker job that runs the fit, on a cluster
        self.hung = HungFits(search)
        self.looked_at = time.monotonic()
        self._slots, self._counted_at = 0, -math.inf

    def next_fit(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return what a worker is handed; None: nothing now; _NO_MORE: never again."""
        self.look()  # here, too: while nothing is at work, Tune does nothing but ask
        if len(self.search.in_flight) >= self._most_at_a_time():
            return None
        following = self.search.next_fit(waits=True)
        if following is None:
            return None if self.search.in_flight else _NO_MORE
        key, fit = following
        fit.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._keys[trial_id] = key
        return {
            "key": list(key),
            "fit": fit_to_json(fit),
            "task": self.search.spec.task.model_dump_json(by_alias=True),
            "driver": self._executor.driver,
        }

    def begun(self, trial_id: str) -> None:
        """Take note that a worker has the fit; where a node has just gone, that may take until there is another."""
        if trial_id in self._keys:
            self.search.begun(self._keys[trial_id])

    def reported(self, trial_id: str, key: FitKey, result: dict[str, Any]) -> bool:
        """Pass a step on; return whether the fit must stop."""
        self.hung.heard(trial_id)
        if result.get("ending") == "lost":
            self._losses[trial_id] = Failure(result["failure"]), result["message"]
        if "worker" in result:
            self._workers[trial_id] = result["worker"]
        if "step" not in result:
            return False
        return self.search.reported(key, result["step"], json.loads(result["metrics"]), result["checkpoint"] or None)

    def died(self, trial_id: str, error: str) -> None:
        """Keep what is known of a worker's death until Tune says that its trial is over."""
        self._deaths[trial_id] = error

    def look(self) -> None:
        """End the workers of fits that hang, take back those that no worker came to have; called again and again."""
        now = time.monotonic()
        if now - self.looked_at < LOOK_EVERY_S:
            return
        self.looked_at = now
        for trial_id, worker in self.hung.ended_without_a_word():
            self.search.taken_back(self._keys.pop(trial_id))
            if worker is not None:
                ray.kill(worker)
        for trial, most in self.hung.stalled(self._keys, now=now):
            if trial.trial_id not in self._losses:
                self._losses[trial.trial_id] = Failure.STALLED, f"it neither reported nor ended for {most:.0f} s"
                ray.kill(trial.temporary_state.ray_actor)  # its raylet ends the process, whatever that is doing

    def ended(self, trial_id: str, result: dict[str, Any], *, error: bool) -> None:
        """Tell the search how a fit ended. Raises RunFailed where its disk is full."""
        self.hung.ended(trial_id)
        if (key := self._keys.pop(trial_id, None)) is None:
            return  # it was taken back
        if error:
            death = self._deaths.pop(trial_id, "no message")
            failure, message = self._losses.pop(trial_id, (None, death))
            failure = failure or self._how_died(trial_id, death)
            self.search.lost(key, message, failure)
        elif result.get("ending") == "disk_full":
            raise RunFailed(f"{result['message']}; {MAKE_ROOM}")
        elif result.get("ending") == "failed":
            self.search.failed(key, result["message"])
        else:
            self.search.returned(key)

    def _how_died(self, trial_id: str, death: str) -> Failure:
        """Return how a worker was lost, of which Ray says these words."""
        said = self._executor.why_worker_went(self._workers.pop(trial_id, ""))
        return said or (Failure.NODE if _NODE_DIED in death else Failure.WORKER)

    def _most_at_a_time(self) -> int:
        """Return how many fits may run now."""
        if not self._executor.elastic:
            return self.search.spec.concurrency
        now = time.monotonic()
        if now - self._counted_at > COUNT_EVERY_S:
            nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]  # Ray's has no annotations
            self._slots = sum(self._executor.slots_of(node["Resources"]) for node in nodes if node["Alive"])
            self._counted_at = now
        return self._slots


COUNT_EVERY_S = 0.5
LOOK_EVERY_S = 1.0
_NO_MORE = str(Searcher.FINISHED)
_NODE_DIED = "because its node has died"  # Ray says it in words only

# Searcher and scheduler come out of Tune's pickling as other objects than they went in; what they ask must be found.
_execution: _Execution | None = None


def _current() -> _Execution:
    assert _execution is not None
    return _execution


def _passed_on(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Remember the first exception of what Tune calls, and raise it at each further call: Tune swallows some."""

    def wrapped(*values: Given.args, **named: Given.kwargs) -> Result:
        if (failure := _current().failure) is not None:
            raise failure
        try:
            return function(*values, **named)
        except Exception as error:
            _current().failure = _current().failure or error
            raise

    return wrapped


class _Asker(Searcher):
    """Gives Tune the next fit, and tells the search how fits ended."""

    def __init__(self) -> None:
        super().__init__(metric=None, mode=None)

    @_passed_on
    def suggest(self, trial_id: str) -> Any:
        return _current().next_fit(trial_id)

    @_passed_on
    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        _current().ended(trial_id, result or {}, error=error)

    def save(self, checkpoint_path: str) -> None:
        """Keep nothing: the journal remembers."""

    def restore(self, checkpoint_path: str) -> None:
        """Know nothing: every start is a fresh Tuner."""


class _Decider(FIFOScheduler):
    """Passes every report to the search, and the search's decision to Tune."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Ray's has no annotations

    @_passed_on
    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        _current().hung.begun(trial)

    @_passed_on
    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        stop = _current().reported(trial.trial_id, FitKey(*trial.config["key"]), result)
        return str(TrialScheduler.STOP if stop else TrialScheduler.CONTINUE)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        text = Path(trial.error_file) if trial.error_file else None
        said = text.read_text(encoding="utf-8").strip() if text and text.exists() else ""
        _current().died(trial.trial_id, said or "the worker process died")


class _Watch(tune.Callback):
    """Sees, in Tune's own loop, which fits begin, and looks for those that hang."""

    @_passed_on
    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **_info: Any) -> None:
        _current().begun(trial.trial_id)

    @_passed_on
    def on_step_end(self, iteration: int, trials: list[Trial], **_info: Any) -> None:
        _current().look()
