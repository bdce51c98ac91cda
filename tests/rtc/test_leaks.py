"""After calls by either signalling, however they end, nothing of them is left: no object, task, thread or open file."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest
from livekit.protocol import rtc

from revdesk_mock import Emulator, Settings
from revdesk_mock.clock import Pace, stopwatch
from revdesk_mock.server import Server
from tests.conftest import KEY, SPEC
from tests.rtc.caller import Caller, live
from tests.rtc.census import census, objects
from tests.rtc.livekit.client import livekit_client
from tests.rtc.test_departures import soon
from tests.rtc.test_signalling import Door, ask, client, web_call

CALMS_WITHIN = 10.0  # seconds; who is lost is noticed after 3
ENDS = "leaves", "is hung up", "closes", "vanishes"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    soon(monkeypatch)
    with Server(Emulator(Settings(seed="test", rate_limit="off"), SPEC)) as running:
        yield running


async def hang_up(server: Door, identity: str) -> None:
    await ask(server, "POST", f"/v1/calls/{identity.removeprefix('browser-')}/hangup")


async def cut(caller: Caller) -> None:
    """Close a client's sockets, so that it falls silent without a word."""
    for transport in {section.sender.transport.transport for section in caller.connection.getTransceivers()}:
        await transport._connection.close()


async def plain_call(server: Door, end: str) -> None:
    async with client() as one:
        me = (await one.join(server, await web_call(server)))["participant"]["identity"]
        await one.told(lambda event: event["type"] == "said")
        match end:
            case "leaves":
                one.say(type="leave")
                await one.told(lambda event: event["type"] == "closed")
            case "is hung up":
                await hang_up(server, me)
                await one.told(lambda event: event["type"] == "closed")
            case "vanishes":
                await cut(one)


async def livekit_call(server: Door, end: str, *, is_dual: bool) -> None:
    async with livekit_client(server, await web_call(server), is_dual=is_dual) as one:
        me = (await one.join()).participant.identity
        await one.publish()
        await one.gets("transcription")
        match end:
            case "leaves":
                await one.signal(leave=rtc.LeaveRequest())
                await one.until(lambda: one.closed_with is not None)
            case "is hung up":
                await hang_up(server, me)
                await one.hears_of("leave")
            case "vanishes":
                one.socket.transport.abort()
                for side in (one.publisher, one.subscriber):
                    await cut(side)


async def count_when(counted: Callable[[], dict[str, int]], wanted: dict[str, int]) -> dict[str, int]:
    """Count until it comes to what is wanted, or for so long, and return the last count."""
    pace, began = Pace(), stopwatch()
    while (found := counted()) != wanted and stopwatch() - began < CALMS_WITHIN:
        await pace.beat(0.1)
    return found


@pytest.mark.parametrize(
    "call",
    [plain_call, partial(livekit_call, is_dual=False), partial(livekit_call, is_dual=True)],
    ids=["plain", "one connection", "two connections"],
)
@live
async def test_nothing_is_left_of_calls(server: Server, call: Callable[[Server, str], Awaitable[Any]]) -> None:
    none = objects()
    await call(server, "leaves")  # which loads what is loaded once
    assert await count_when(objects, none) == none
    watcher = server.emulator.world(KEY).clock._watcher
    assert watcher is not None
    counted = partial(census, watcher[0])
    before = counted()
    await asyncio.gather(*(call(server, end) for end in ENDS * 3))
    assert await count_when(counted, before) == before
