"""What becomes of each step that a fit reports, live and on replay by the same code; a replay must decide alike."""

from datetime import datetime
from pathlib import Path

from orchestrator.errors import RunFailed
from orchestrator.history.ledger import Ledger
from orchestrator.history.records import Ask, FitKey, Record, Reported, Tell
from orchestrator.search.suggestions import Suggestions
from orchestrator.search.verdicts import divergence, require
from orchestrator.specs.specs import SearchSpec
from orchestrator.task import Metrics


class Decisions:
    """Ledger and suggestions, told the same records in the same order.

    final: its fits need not report the spec's metric. path: of the journal, for messages.
    """

    def __init__(self, spec: SearchSpec, ledger: Ledger, suggestions: Suggestions, *, final: bool, path: Path) -> None:
        self._spec, self._ledger, self._suggestions = spec, ledger, suggestions
        self._final, self._path = final, path

    def of(self, key: FitKey, step: int, metrics: Metrics) -> str:
        """Return whether a fit is to continue after a step, or to stop. UserError where the metric is missing."""
        if divergence(metrics):  # whatever else such a step has or lacks
            return "stop"
        if not self._final:
            require(self._spec.metric, metrics)
        at_its_end = self._spec.stop_at is not None and step >= self._spec.stop_at
        stop = at_its_end or self._suggestions.decide_to_stop(key, step, metrics)
        return "stop" if stop else "continue"

    def apply(self, record: Record, at: datetime, *, replay: bool) -> None:
        """Apply a record that is journaled. Raises RunFailed where a replay comes to another decision."""
        self._ledger.apply(record, at)
        match record:
            case Ask():
                self._suggestions.asked(record, replay=replay)
            case Reported() if replay:
                self._check(record)
            case Tell():
                self._suggestions.told(record)

    def _check(self, record: Reported) -> None:
        key = FitKey(record.trial, record.seed, record.fold)
        if (decision := self.of(key, record.step, record.metrics)) != record.decision:
            raise RunFailed(
                f"{self._path}: trial {record.trial}, step {record.step}: the journal says "
                f"{record.decision}, on replay the study says {decision}; was it written with "
                "another version of optuna? Install that one, or give a new --name"
            )
