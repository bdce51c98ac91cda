"""The only reader of time: wall clocks, a movable clock for each world, and its heap of due events."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from heapq import heappop, heappush

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Where a frozen clock starts when nothing else says so: a fixed instant, so that runs repeat.
EPOCH = 1_767_225_600_000  # 2026-01-01T00:00:00Z

LATEST = 221_845_392_000_000  # 9000-01-01T00:00:00Z

Timer = asyncio.TimerHandle
SLACK = 0.2  # seconds that a beat of media may be late and still be caught up

QUICKEST, SLOWEST = 0.005, 0.1  # seconds between two questions whether something holds

Due = tuple[int, int, str, str]  # at (ms), order, collection, record id


def wall() -> int:
    """Return the wall's time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


def stopwatch() -> float:
    """Return seconds of a monotonic clock, for measuring how long something took."""
    return time.perf_counter()


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again until something holds, or so many seconds of real time are over; return whether it holds."""
    deadline, pause = time.monotonic() + seconds, QUICKEST
    while not holds():
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(pause, left))
        pause = min(2 * pause, SLOWEST)
    return True


def later(seconds: float, call: Callable[[], None]) -> Timer:
    """Call something in so many seconds of real time, in the running event loop."""
    return asyncio.get_running_loop().call_later(seconds, call)


def iso(at: int) -> str:
    """Write Unix milliseconds as UTC ISO 8601 with milliseconds and `Z`."""
    return f"{_iso_second(at // 1000)}.{at % 1000:03d}Z"


def iso_or_none(at: int | None) -> str | None:
    """Write Unix milliseconds as `iso` does; None stays None."""
    return None if at is None else iso(at)


@lru_cache(maxsize=64)  # whoever writes instants writes many of the same second
def _iso_second(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}"


def parse_iso(text: str) -> int:
    """Read a UTC ISO 8601 instant as Unix milliseconds; raises ValueError on anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; end it with Z")
    return round(moment.timestamp() * 1000)


def check_instant(at: int) -> None:
    """Raise ValueError for an instant, in Unix milliseconds, that cannot be written as a date with room to go on."""
    if not 0 <= at <= LATEST:
        raise ValueError("time runs from 1970 to 9000")


def month_of(at: int) -> tuple[int, int]:
    """Return the first and the last-plus-one millisecond of the UTC calendar month around `at`."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    start = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return round(start.timestamp() * 1000), round(after.timestamp() * 1000)


class Clock:
    """A world's time in Unix milliseconds: runs with the wall, or stands until it is moved.

    Events are due at an instant and name a record; `pop_due` hands them out in order and sets the
    time to the instant of each while it is handled, so that what follows is dated exactly.
    """

    def __init__(self, *, frozen_at: int | None = None, source: Callable[[], int] = wall) -> None:
        self._source = source
        self._offset = 0
        self._frozen_at = frozen_at
        self._firing_at: int | None = None
        self._heap: list[Due] = []
        self._order = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._released = False
        self._watcher: tuple[asyncio.AbstractEventLoop, Callable[[], None]] | None = None
        self._alarm: Timer | None = None

    def now(self) -> int:
        """Return the world's time in Unix milliseconds."""
        if self._firing_at is not None:
            return self._firing_at
        if self._frozen_at is not None:
            return self._frozen_at
        return self._source() + self._offset

    @property
    def frozen(self) -> bool:
        """Whether time stands still until it is moved."""
        return self._frozen_at is not None

    def freeze(self) -> None:
        """Stop time where it is."""
        self._frozen_at = self.now()
        self._set_alarm()

    def run(self) -> None:
        """Let time run with the wall again, from where it is."""
        self._offset = self.now() - self._source()
        self._frozen_at = None
        self._wake()
        self._set_alarm()

    def run_from(self, at: int) -> None:
        """Let time run with the wall, or from an instant where that is ahead of the wall: time never runs back."""
        self._frozen_at = None
        self._offset = max(0, at - self._source())
        self._wake()
        self._set_alarm()

    def set(self, at: int) -> None:
        """Move time to an instant, in either direction; whoever owns the world fires what became due.

        Raises ValueError, with nothing moved, where `check_instant` does.
        """
        check_instant(at)
        if self._frozen_at is not None:
            self._frozen_at = at
        else:
            self._offset = at - self._source()
        self._wake()
        self._set_alarm()

    def schedule(self, at: int, collection: str, record_id: str) -> None:
        """Note that a record is due for its next step at an instant."""
        self._order += 1
        heappush(self._heap, (at, self._order, collection, record_id))
        if self._watcher is not None and self._heap[0][1] == self._order:
            self._set_alarm()

    def pop_due(self) -> Due | None:
        """Return the next due event with time set to its instant; None, and time as it is, when none is left."""
        self.settle()
        if not self._heap or self._heap[0][0] > self.now():
            return None
        due = heappop(self._heap)
        self._firing_at = due[0]
        return due

    def forget(self) -> None:
        """Drop every event: the records that they name are gone."""
        self._heap.clear()
        self._set_alarm()

    def settle(self) -> None:
        """Return from an event's instant to the time as it is."""
        if self._firing_at is not None:
            self._firing_at = None
            self._set_alarm()

    def watch(self, fire: Callable[[], None]) -> None:
        """Call `fire` in the running event loop whenever an event becomes due, as long as time runs with the wall.

        Without it, and while time stands, events wait for the next request: that is enough where nobody is
        connected who would miss them.
        """
        self._watcher = (asyncio.get_running_loop(), fire)
        self._set_alarm()

    def unwatch(self) -> None:
        """Let events wait for the next request again."""
        self._watcher = None
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._watcher is not None and self._heap and not self.frozen:
            loop, _ = self._watcher
            self._alarm = loop.call_later(max(0, self._heap[0][0] - self.now()) / 1000, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        if self._watcher is not None:
            self._watcher[1]()
            self._set_alarm()  # timers are not exact: this one may have been early

    def next_due(self) -> int | None:
        """Return the instant of the next event, or None."""
        return self._heap[0][0] if self._heap else None

    async def sleep(self, milliseconds: int) -> None:
        """Wait in the world's time: with the wall while it runs, until it is moved while it stands."""
        if self._released:
            return
        self._order += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (self.now() + milliseconds, self._order, future))
        self._wake()
        await future

    def release(self) -> None:
        """Wake every sleeper, from now on too: the emulator is closing and open requests are to be answered."""
        self._released = True
        self._wake()

    def _wake(self) -> None:
        while self._sleepers:
            at, _, future = self._sleepers[0]
            if not (future.done() or self._released or at <= self.now()):
                break
            heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
        if self._sleepers and not self.frozen:
            at, _, future = self._sleepers[0]
            future.get_loop().call_later(max(1, at - self.now()) / 1000, self._wake)


class Pace:
    """Beats of real time for media, which no world's clock moves.

    Beats that come late are caught up, for timers are never exact; what is more than `SLACK` late is left out, so
    that a machine that stood still does not send a burst.
    """

    def __init__(self) -> None:
        self._next: float | None = None

    async def beat(self, seconds: float) -> float:
        """Wait until `seconds` after the beat before, at first not at all; return the seconds left out, mostly 0."""
        now = asyncio.get_running_loop().time()
        self._next = now if self._next is None else self._next + seconds
        left_out = 0.0
        if now - self._next > SLACK:
            left_out, self._next = now - self._next, now
        await asyncio.sleep(max(0.0, self._next - now))  # even if late: others want to run, too
        return left_out
