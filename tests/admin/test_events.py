"""The stream of events over the wire: who hears what, from when on, and that nothing stays of who has gone."""

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any, Self

import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.admin.events import WAITING, Feed
from revdesk_mock.app import App
from revdesk_mock.server import Server
from tests.conftest import KEY, MAIN, ORDINARY, SPEC
from tests.rtc.caller import until
from tests.test_app import BEARER, ask

EVENTS = "/_revdesk/events"
PAIR = {"from_number": MAIN, "to_number": ORDINARY}
SOON = 5  # seconds


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="events", clock="frozen", rate_limit="off"), SPEC)) as running:
        yield running


class Listener:
    """A client that listens to the stream, over its own connection."""

    def __init__(self, server: Server, query: str = "", **headers: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SOON)
        self._connection.request("GET", EVENTS + query, headers=headers)
        self.answer = self._connection.getresponse()
        assert self.answer.status == 200
        assert self.next() == {"": "listening"}

    def next(self) -> dict[str, str]:
        """Return the fields of the next message; a comment is the field without a name. Empty at the end."""
        fields = {}
        while line := self.answer.readline().decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            fields[name] = value
        return fields

    def event(self) -> Any:
        return json.loads(self.next()["data"])

    def close(self) -> None:
        self.answer.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def test_what_happens_in_every_world_is_told_while_it_happens(server: Server) -> None:
    with Listener(server) as listener:
        content = listener.answer.headers["content-type"], listener.answer.headers["cache-control"]
        assert content == ("text/event-stream; charset=utf-8", "no-store")
        for key in ("revdesk_one", "revdesk_two"):
            ask(server, "GET", "/v1/me", Authorization=f"Bearer {key}")
            event = listener.event()
            assert (event["kind"], event["says"]) == ("request", "GET /v1/me 200")
            assert event["world"] == server.emulator.world(key).id
        ask(server, "GET", "/v1/me", Authorization="none")
        assert listener.event()["world"] == ""


@pytest.mark.parametrize("by_key", [True, False])
def test_the_stream_of_one_world_has_numbers_and_nothing_of_the_others(server: Server, *, by_key: bool) -> None:
    world = server.emulator.world(KEY)
    with Listener(server, "" if by_key else f"?world={world.id}", **(BEARER if by_key else {})) as listener:
        ask(server, "GET", "/v1/me", Authorization="Bearer revdesk_another")
        ask(server, "POST", "/v1/calls/dial", PAIR)
        record, request = listener.next(), listener.next()
        assert [json.loads(message["data"])["kind"] for message in (record, request)] == ["record", "request"]
        assert [message["id"] for message in (record, request)] == ["1", "2"]


def test_only_the_kinds_that_are_asked_for_are_told(server: Server) -> None:
    with Listener(server, "?kinds=clock,request", **BEARER) as listener:
        ask(server, "POST", "/v1/calls/dial", PAIR)
        ask(server, "POST", "/_revdesk/clock", {"advance_seconds": 1})
        assert [listener.event()["kind"] for _ in range(2)] == ["request", "clock"]


def test_who_comes_back_is_told_what_was_missed(server: Server) -> None:
    for path in ("/v1/me", "/v1/agents", "/v1/usage"):
        ask(server, "GET", path)
    with Listener(server, **BEARER, **{"Last-Event-ID": "1"}) as listener:
        ask(server, "GET", "/v1/calls")
        numbers = [listener.next()["id"] for _ in range(3)]
        assert numbers == ["2", "3", "4"]


@pytest.mark.parametrize(
    ("query", "headers", "field"),
    [
        ("?kinds=reqest", BEARER, "kinds"),
        ("?kinds=", BEARER, "kinds"),
        ("", {**BEARER, "Last-Event-ID": "x"}, "Last-Event-ID"),
        ("", {"Last-Event-ID": "1"}, "Last-Event-ID"),
    ],
)
def test_what_cannot_be_streamed_is_refused(server: Server, query: str, headers: dict[str, str], field: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SOON)
    connection.request("GET", EVENTS + query, headers=headers)
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["error"]["fields"].keys()) == (400, {field})
    connection.close()


def test_who_asks_for_the_head_alone_keeps_its_connection(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SOON)
    connection.request("HEAD", EVENTS)
    assert connection.getresponse().read() == b""
    connection.request("GET", "/health")
    assert connection.getresponse().status == 200
    connection.close()


def test_a_world_that_there_is_not_has_no_stream(server: Server) -> None:
    assert ask(server, "GET", f"{EVENTS}?world=nope").status == 404


def test_nothing_stays_of_two_hundred_who_came_and_went(server: Server) -> None:
    listeners = server.emulator._audience
    for _ in range(4):
        crowd = [Listener(server) for _ in range(50)]
        assert len(listeners) == 50
        ask(server, "GET", "/v1/me")
        for listener in crowd:
            listener.close()
        going = threading.Event()
        while listeners:
            going.wait(0.01)


def test_the_stream_ends_when_the_server_stops() -> None:
    server = Server(Emulator(Settings(), SPEC)).start()
    with Listener(server) as listener:
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert listener.next() == {"": "the server stops"}
        assert listener.next() == {}
        stopping.join(SOON)
        assert not stopping.is_alive()


# one feed


async def read(feed: Feed) -> list[bytes]:
    return [message async for message in feed]


def test_a_feed_ends_with_what_waits_and_a_reason() -> None:
    feed = Feed([b"missed"])
    feed.put(b"new")
    feed.end("enough")
    assert asyncio.run(read(feed)) == [b": listening\n\n", b"missed", b"new", b": enough\n\n"]


def test_a_feed_that_is_not_read_is_bounded_and_says_that_it_was_dropped() -> None:
    feed = Feed(most=3)
    assert [feed.put(b"event") for _ in range(4)] == [True, True, False, False]
    assert asyncio.run(read(feed)) == [b": dropped: events come faster than they are read\n\n"]


def test_a_feed_without_events_shows_that_it_lives() -> None:
    async def look() -> list[bytes]:
        messages = aiter(Feed(heartbeat=0.001))
        return [await anext(messages) for _ in range(3)]

    assert asyncio.run(look()) == [b": listening\n\n", b": still here\n\n", b": still here\n\n"]


def test_a_client_that_does_not_read_is_dropped_and_no_longer_told() -> None:
    emulator = Emulator(Settings(clock="frozen"), SPEC)
    world = emulator.world(KEY)
    app = App(emulator)

    async def stall() -> list[bytes]:
        sent: list[bytes] = []
        started, reads = asyncio.Event(), asyncio.Event()
        arriving = iter([{"type": "http.request", "body": b""}])

        async def receive() -> Any:
            return next(arriving, None) or await asyncio.Future()  # it sends nothing, and stays

        async def send(message: Any) -> None:
            sent.append(message.get("body", b""))
            started.set()
            await reads.wait()

        about = {"type": "http", "method": "GET", "path": EVENTS, "raw_path": EVENTS.encode(), "scheme": "http"}
        serving = asyncio.create_task(
            app({**about, "query_string": b"", "headers": [(b"host", b"127.0.0.1")]}, receive, send)
        )
        await started.wait()
        for _ in range(WAITING + 1):
            world.advance(1)
        await until(lambda: not emulator._audience)
        reads.set()
        await serving
        return sent

    sent = asyncio.run(stall())
    assert sent[-2:] == [b": dropped: events come faster than they are read\n\n", b""]
    assert len(sent) < 10
