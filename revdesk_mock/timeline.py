"""What happened in a world, on one clock: requests, records, rooms, tokens, faults and moves of the clock, in order."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from revdesk_mock import clock
from revdesk_mock.messages import JSON

SIZE = 2000  # events that are remembered

# Kinds of events.
REQUEST, RECORD, ROOM, TOKEN, FAULT, CLOCK, BREACH = "request", "record", "room", "token", "fault", "clock", "breach"


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


class Timeline:
    """The last events of one world."""

    def __init__(self, world: str, now: Callable[[], int], size: int = SIZE) -> None:
        self._world = world
        self._now = now
        self._events: deque[Event] = deque(maxlen=size)
        self._count = 0
        self._listeners: list[Listener] = []

    def add(self, kind: str, says: str, **detail: JSON) -> None:
        """Note what happens now."""
        self._count += 1
        event = Event(self._count, self._now(), clock.wall(), self._world, kind, says, detail)
        self._events.append(event)
        for listener in self._listeners:
            listener(event)

    def events(self) -> list[Event]:
        """Return the events that are remembered, oldest first."""
        return list(self._events)

    def on_event(self, listener: Listener) -> None:
        """Call a function with every event from now on."""
        self._listeners.append(listener)

    def clear(self) -> None:
        """Forget what happened."""
        self._events.clear()


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
