"""What happened in a world, on one clock: requests, records, rooms, tokens, faults and moves of the clock, in order."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from revdesk_mock import clock
from revdesk_mock.messages import JSON

SIZE = 2000  # events that are remembered

# Kinds of events.
REQUEST, RECORD, ROOM, TOKEN, FAULT, CLOCK, BREACH = "request", "record", "room", "token", "fault", "clock", "breach"
KINDS = (REQUEST, RECORD, ROOM, TOKEN, FAULT, CLOCK, BREACH)


class Event(NamedTuple):
    """One event: its place in the order, the world's and the wall's time in Unix milliseconds, and what it was.

    `says` is a line for people; `detail` the same for programs. Neither holds a key or token.
    """

    number: int
    at: int
    wall: int
    world: str
    kind: str
    says: str
    detail: Mapping[str, JSON]


Listener = Callable[[Event], None]
Telling = tuple[str, Mapping[str, JSON]]  # what an event says, and its detail


class Timeline:
    """The last events of one world. `audience` is who hears of each at once: a list that its owner changes.

    What an event says is put into words when somebody asks: most worlds live and end without being asked.
    """

    def __init__(self, world: str, now: Callable[[], int], audience: Sequence[Listener] = (), size: int = SIZE) -> None:
        self._world = world
        self._now = now
        self._audience = audience
        self._noted: deque[tuple[int, int, int, str, Callable[..., Telling], tuple[Any, ...]]] = deque(maxlen=size)
        self._count = 0

    def add(self, kind: str, says: str, **detail: JSON) -> None:
        """Note what happens now."""
        self.note(kind, _said, says, detail)

    def note(self, kind: str, tell: Callable[..., Telling], *about: Any) -> None:
        """Note what happens now; `tell(*about)` will put it into words. `about` must not change any more."""
        self._count += 1
        noted = (self._count, self._now(), clock.wall(), kind, tell, about)
        self._noted.append(noted)
        if self._audience:
            event = self._event(*noted)
            for listener in self._audience:
                listener(event)

    def events(self) -> list[Event]:
        """Return the events that are remembered, oldest first."""
        return [self._event(*noted) for noted in self._noted]

    def clear(self) -> None:
        """Forget what happened."""
        self._noted.clear()

    def _event(
        self, number: int, at: int, wall: int, kind: str, tell: Callable[..., Telling], about: tuple[Any, ...]
    ) -> Event:
        return Event(number, at, wall, self._world, kind, *tell(*about))


def _said(says: str, detail: Mapping[str, JSON]) -> Telling:
    return says, detail


def describe(event: Event) -> dict[str, JSON]:
    """Return an event as JSON; instants are ISO 8601."""
    return {
        "number": event.number,
        "at": clock.iso(event.at),
        "wall": clock.iso(event.wall),
        "world": event.world,
        "kind": event.kind,
        "says": event.says,
        **event.detail,
    }


def text(events: Sequence[Event]) -> str:
    """Write events as a table for people: seconds of the world's time since the first, the kind, what it was."""
    start = events[0].at if events else 0
    times = [f"{(event.at - start) / clock.SECOND:+.3f} s" for event in events]
    width = max(map(len, times), default=0)
    rows = zip(times, events, strict=True)
    return "".join(f"{at:>{width}}  {event.kind:<7}  {event.says}\n" for at, event in rows)
