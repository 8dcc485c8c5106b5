"""For how long at least one of several fits was at work: the union of their times, told in the order of their ends."""

from datetime import datetime


class TimeAtWork:
    """Seconds of wall-clock, those in which fits were at work side by side counted once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._stretches: list[tuple[float, float]] = []  # apart from each other, in order

    def add(self, since: datetime, until: datetime) -> None:
        """Count that a fit was at work from then until then, which is not before any end told so far."""
        begin, end = since.timestamp(), max(since, until).timestamp()
        while self._stretches and self._stretches[-1][1] >= begin:
            first, last = self._stretches.pop()
            self.seconds -= last - first
            begin, end = min(begin, first), max(end, last)
        self._stretches.append((begin, end))
        self.seconds += end - begin

    def with_open(self, since: datetime, until: datetime) -> float:
        """Return what the seconds would be with this, too."""
        begin, end, others = since.timestamp(), max(since, until).timestamp(), self.seconds
        for first, last in reversed(self._stretches):
            if last < begin:
                break
            others -= last - first
            begin, end = min(begin, first), max(end, last)
        return others + end - begin
