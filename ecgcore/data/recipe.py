"""How a store is made, as one value: what a recipe (recipe_file.py) and the options of `data prepare` both become."""

from dataclasses import dataclass

from ecgcore.data.prepare import StoreRequest
from ecgcore.data.splits import SplitRule
from ecgcore.drawing.charts import ChartForm
from ecgcore.mistakes import Mistake
from ecgcore.readers.recordings import Recordings
from ecgcore.readers.source import Source
from ecgcore.signals.arithmetic import STANDARD_LEADS, canonical_lead
from ecgcore.signals.processing import UNCHANGED, Processing

RATE_OF_PTBXL = 100.0  # Hz: it comes at 500, too, which has to be asked for


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Which recordings, and what is made of them."""

    recordings: Recordings
    rule: SplitRule
    leads: tuple[str, ...] | None = None  # None: those that the recordings have in common
    rate: float | None = None  # Hz; None: that of the recordings
    processing: Processing = UNCHANGED
    charts: ChartForm | None = None  # drawn of every record; None: none are
    allow_refused: float = 5.0  # % of the records
    most_frequent: int | None = None  # of the classes, as many; None: all
    workers: int | None = None  # processes that read; None: one a core, where that pays

    def __post_init__(self) -> None:
        divided = self.rule.folds or self.rule.train or self.recordings.fold_table
        if "ptbxl" in self._readers and not divided:
            raise Mistake(
                "say how ptbxl is divided: --train-folds 1-8 --validation-folds 9 --test-folds 10 as its authors "
                "advise, or --folds K to draw them"
            )
        self._request(self.leads or STANDARD_LEADS)  # its mistakes are told before anything is read

    @property
    def _readers(self) -> list[str]:
        return [reader for reader, _wish in self.recordings.wishes]

    def source(self) -> Source:
        """List the records. Raises ValueError for mistakes of the tables."""
        return self.recordings.source(rate=self.rate)

    def request(self, source: Source) -> StoreRequest:
        """Return how the store is wanted."""
        return self._request(self.leads or source.leads)

    def _request(self, leads: tuple[str, ...]) -> StoreRequest:
        return StoreRequest(
            rule=self.rule,
            leads=tuple(canonical_lead(lead) for lead in leads),
            rate=RATE_OF_PTBXL if self._readers == ["ptbxl"] and self.rate is None else self.rate,
            allow_refused=self.allow_refused,
            processing=self.processing,
            most_frequent=self.most_frequent,
            charts=self.charts,
            workers=self.workers,
        )
