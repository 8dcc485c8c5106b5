"""Which of very many trials a sampler is shown: the best and the newest. Knows numbers and values only.

A sampler takes longer with each trial that it sees, and after a thousand it learns little from all the others.
"""

from bisect import insort


class Window:
    """The trials told so far of one study, of which at most `size` are seen."""

    def __init__(self, size: int, mode: str) -> None:
        self._size = size
        self._sign = -1.0 if mode == "max" else 1.0
        self._ranked: list[tuple[float, int]] = []  # the complete ones, the best first
        self._told: list[int] = []  # by number

    def add(self, number: int, value: float | None) -> None:
        """Take note of a trial that is told; one without a value was stopped early."""
        insort(self._told, number)
        if value is not None:
            insort(self._ranked, (self._sign * value, number))

    def seen(self) -> set[int] | None:
        """Return the numbers of the trials that are seen; None: all of them."""
        if len(self._told) <= self._size:
            return None
        seen = {number for _value, number in self._ranked[: self._size // 2]}
        for number in reversed(self._told):
            if len(seen) == self._size:
                break
            seen.add(number)
        return seen
