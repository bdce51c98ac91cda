"""How many instants lie within the last while: the count behind moving limits, whichever way the clock is moved."""

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator

KEPT = 1024  # instants that have left the window before they are thrown away


class Window:
    """Instants in order, counted over a span of milliseconds that ends now."""

    def __init__(self, span: int, instants: Iterable[int] = ()) -> None:
        self._span = span
        self._instants = sorted(instants)

    def __iter__(self) -> Iterator[int]:
        return iter(self._instants)

    def add(self, at: int) -> None:
        """Note an instant."""
        insort(self._instants, at)

    def remove(self, at: int) -> None:
        """Take an instant back, if it is there."""
        position = bisect_right(self._instants, at) - 1
        if position >= 0 and self._instants[position] == at:
            del self._instants[position]

    def count(self, now: int) -> int:
        """Return how many instants lie within the span up to now."""
        left = bisect_right(self._instants, now - self._span)
        if left > KEPT:
            del self._instants[:left]
            left = 0
        return bisect_right(self._instants, now) - left

    def oldest(self, now: int) -> int:
        """Return the oldest instant within the span, or now where there is none."""
        left = bisect_right(self._instants, now - self._span)
        inside = self._instants[left : left + 1]
        return min(inside[0], now) if inside else now
