"""Which records can follow which: what shows of lines that were lost, doubled or moved where no chain says it.

Of the journals that earlier versions wrote; those of today are chained, see journal_lines.py.
"""

from orchestrator.history.records import Ask, End, FitKey, Lost, Record, Reported, Start, Tell


class RecordOrder:
    """The records so far, as far as what may follow depends on them."""

    def __init__(self) -> None:
        self._asked = 0
        self._started: set[FitKey] = set()
        self._steps: set[tuple[FitKey, int]] = set()
        self._told: set[int] = set()

    def follow(self, record: Record) -> None:
        """Take note of the next record. Raises ValueError where it cannot be the next."""
        match record:
            case Ask():
                if record.trial != self._asked:
                    raise ValueError(f"it asks for trial {record.trial} where {self._asked} is the next")
                self._asked += 1
            case Start():
                self._refuse_unasked(record.trial)
                self._started.add(FitKey(record.trial, record.seed, record.fold))
            case Reported() | End() | Lost():
                key = FitKey(record.trial, record.seed, record.fold)
                if key not in self._started:
                    raise ValueError("it is of trial {}, seed {}, fold {}, which was not started".format(*key))
                if isinstance(record, Reported):
                    self._refuse_twice(key, record.step)
            case Tell():
                self._refuse_unasked(record.trial)
                if record.trial in self._told:
                    raise ValueError(f"it tells trial {record.trial} again")
                self._told.add(record.trial)

    def _refuse_unasked(self, trial: int) -> None:
        if trial >= self._asked:
            raise ValueError(f"it is of trial {trial}, which was not asked for")

    def _refuse_twice(self, key: FitKey, step: int) -> None:
        if (key, step) in self._steps:
            raise ValueError("it reports step {3} of trial {0}, seed {1}, fold {2} again".format(*key, step))
        self._steps.add((key, step))
