"""Messages leave a WebSocket in their order, and a client that does not read is cut off."""

import asyncio
from typing import Any

from livekit.protocol import rtc
from starlette.websockets import WebSocket

from revdesk_mock.rtc.livekit.wire import GONE, MOST_WAITING, OVER, Wire
from tests.rtc.caller import live

PONG = rtc.SignalResponse(pong=1)


class Browser:
    """The far end of a WebSocket."""

    def __init__(self, *, is_gone: bool = False) -> None:
        self.got: list[Any] = []
        self._is_gone = is_gone

    async def send(self, message: Any) -> None:
        if self._is_gone and message["type"] != "websocket.accept":
            raise OSError
        self.got.append(message)

    async def receive(self) -> Any:
        return {"type": "websocket.connect"}

    async def wire(self) -> Wire:
        socket = WebSocket({"type": "websocket"}, self.receive, self.send)
        await socket.accept()
        self.got.clear()
        return Wire(socket)


@live
async def test_messages_come_in_order_and_then_the_end() -> None:
    browser = Browser()
    wire = await browser.wire()
    for number in range(3):
        wire.send(rtc.SignalResponse(pong=number))
    wire.close(OVER)
    wire.send(PONG)
    await wire.run()
    *messages, end = browser.got
    assert [rtc.SignalResponse.FromString(message["bytes"]).pong for message in messages] == [0, 1, 2]
    assert (end["type"], end["code"]) == ("websocket.close", OVER)


@live
async def test_a_client_that_does_not_read_is_cut_off() -> None:
    browser = Browser()
    wire = await browser.wire()
    for _ in range(MOST_WAITING + 2):
        wire.send(PONG)
    assert not wire.is_open
    await wire.run()
    assert len(browser.got) == MOST_WAITING
    assert browser.got[-1]["code"] == GONE


@live
async def test_a_client_that_is_gone_ends_it() -> None:
    wire = await Browser(is_gone=True).wire()
    wire.send(PONG)
    async with asyncio.timeout(1):
        await wire.run()
    assert not wire.is_open


@live
async def test_closing_twice_keeps_the_first_code() -> None:
    browser = Browser()
    wire = await browser.wire()
    wire.close(OVER)
    wire.close()
    await wire.run()
    assert [message["code"] for message in browser.got] == [OVER]
