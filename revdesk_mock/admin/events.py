"""The stream of events under /_revdesk/events: what happens in the worlds, while it happens, as server-sent events."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from revdesk_mock import clock, timeline
from revdesk_mock.admin.desk import Desk
from revdesk_mock.emulator import Emulator
from revdesk_mock.errors import invalid
from revdesk_mock.settings import suggestion
from revdesk_mock.timeline import KINDS, Event
from revdesk_mock.world import World

WAITING = 2 * timeline.SIZE  # events that may wait for a client; who falls further behind is dropped
HEARTBEAT = 15.0  # seconds without an event after which a comment shows that the stream lives
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class Feed:
    """What one client is still to be told, bounded; it ends with a comment that says why."""

    def __init__(self, backlog: Iterable[bytes] = (), most: int = WAITING, heartbeat: float = HEARTBEAT) -> None:
        self._waiting = deque([_comment("listening"), *backlog])
        self._most = most
        self._heartbeat = heartbeat
        self._news = asyncio.Event()
        self._farewell: bytes | None = None

    def put(self, message: bytes) -> bool:
        """Let a message wait; return False where it has ended, or ends now because too many wait already."""
        if self._farewell is not None:
            return False
        if len(self._waiting) >= self._most:
            self._waiting.clear()
            self.end("dropped: events come faster than they are read")
            return False
        self._waiting.append(message)
        self._news.set()
        return True

    def end(self, why: str) -> None:
        """End after what waits."""
        self._farewell = _comment(why)
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield messages as they come."""
        while True:
            self._news.clear()
            while self._waiting:
                yield self._waiting.popleft()
            if self._farewell is not None:
                yield self._farewell
                return
            try:
                async with asyncio.timeout(self._heartbeat):
                    await self._news.wait()
            except TimeoutError:
                yield _comment("still here")


class EventStream:
    """The route, and who listens there."""

    def __init__(self, emulator: Emulator, desk: Desk) -> None:
        self._emulator = emulator
        self._desk = desk
        self._listening: dict[Feed, Callable[[], None]] = {}  # with what stops it
        self._is_closed = False

    def routes(self) -> list[Route]:
        """Return the route for Starlette."""
        return [Route("/_revdesk/events", self._desk.guarded(self._listen))]

    def close(self) -> None:
        """End every stream, now and from now on: the server stops."""
        self._is_closed = True
        for feed in self._listening:
            feed.end("the server stops")

    async def _listen(self, request: Request) -> Response:
        """Tell every event from now on, of a world where one is named: `?kinds=request,room`, `Last-Event-ID`."""
        world = self._desk.world_or_none(request)
        kinds = _read_kinds(request.query_params.get("kinds"))
        last = _read_last(request.headers.get("last-event-id"), world)
        missed = [] if world is None or last is None else [one for one in world.timeline.events() if one.number > last]
        feed = Feed(_message(event, world) for event in missed if event.kind in kinds)
        if self._is_closed or request.method == "HEAD":
            feed.end("nothing follows")

        def hear(event: Event) -> None:
            is_wanted = event.kind in kinds and (world is None or event.world == world.id)
            if is_wanted and not feed.put(_message(event, world)):
                clock.later(0, lambda: self._forget(feed))  # not while listeners are being told

        self._listening[feed] = self._emulator.on_event(hear)
        return _Stream(feed, lambda: self._forget(feed))

    def _forget(self, feed: Feed) -> None:
        stop = self._listening.pop(feed, None)
        if stop is not None:
            stop()


class _Stream(StreamingResponse):
    """A feed as a response; `leave` is called when its client is gone, however that comes."""

    def __init__(self, feed: Feed, leave: Callable[[], None]) -> None:
        super().__init__(feed, media_type="text/event-stream", headers=HEADERS)
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


def _message(event: Event, world: World | None) -> bytes:
    """Write an event as a message; its number is an id in the stream of one world alone."""
    number = b"" if world is None else b"id: %d\n" % event.number
    return b"%bdata: %b\n\n" % (number, orjson.dumps(timeline.describe(event)))


def _comment(text: str) -> bytes:
    return f": {text}\n\n".encode()


def _read_kinds(text: str | None) -> frozenset[str]:
    """Return the kinds that are asked for, by default all; raises ApiError (400) for one that there is not."""
    kinds = KINDS if text is None else text.split(",")
    for kind in kinds:
        if kind not in KINDS:
            message = f"there are no events {kind!r}{suggestion(kind, dict.fromkeys(KINDS))}"
            expected = ", ".join(KINDS)
            raise invalid("kinds", message, where="query kinds", rule="events.kinds", expected=expected, got=kind)
    return frozenset(kinds)


def _read_last(text: str | None, world: World | None) -> int | None:
    """Return after which event to begin, None for the next; raises ApiError (400) for what is no number of one."""
    if text is None:
        return None
    if world is None or not (text.isascii() and text.isdigit() and len(text) < 20):
        message = "it is the number of an event, in the stream of one world"
        where, rule = "header Last-Event-ID", "events.last"
        raise invalid("Last-Event-ID", message, where=where, rule=rule, expected="a number, and a world", got=text)
    return int(text)
