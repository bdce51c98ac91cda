"""Which of the requests that a rule means are hit: the nth, the first few, every nth, or by chance."""

from collections.abc import Mapping
from dataclasses import dataclass

from revdesk_mock.errors import StartError
from revdesk_mock.ids import Dice
from revdesk_mock.messages import JSON

FIRST, NTH, EVERY, PROBABILITY = "first", "nth", "every", "probability"
COUNTS: Mapping[str, str] = {
    FIRST: "the first so many; `1` where nothing is said",
    NTH: "that one alone",
    EVERY: "every so many; `1` is always",
    PROBABILITY: "each with this chance, over 0 to 1, by the world's dice",
}
MOST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class When:
    """How requests are counted, and the number that decides."""

    counts: str = FIRST
    number: float = 1

    def hits(self, count: int, dice: Dice) -> bool:
        """Tell whether the request that is the `count`th is hit; dice are rolled for a probability alone."""
        if self.counts == FIRST:
            return count <= self.number
        if self.counts == NTH:
            return count == self.number
        if self.counts == EVERY:
            return count % self.number == 0
        return dice.fraction() < self.number

    def is_over(self, count: int) -> bool:
        """Tell whether no request after the `count`th can be hit."""
        return self.counts in {FIRST, NTH} and count >= self.number


def read(order: Mapping[str, JSON]) -> When:
    """Read a rule's one member of `COUNTS`, if it has any; raises StartError."""
    given = [name for name in COUNTS if name in order]
    if not given:
        return When()
    if len(given) > 1:
        raise StartError(f"{given[1]}: a rule counts one way, and has {given[0]} already")
    [name] = given
    number = order[name]
    if name == PROBABILITY:
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number <= 1:
            raise StartError(f"probability: it takes a number over 0 up to 1, not {number!r:.40}")
    elif not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= MOST:
        raise StartError(f"{name}: it takes a whole number from 1, not {number!r:.40}")
    return When(name, number)
