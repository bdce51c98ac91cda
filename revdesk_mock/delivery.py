"""How an answer that is to fail goes down the wire: reset, empty, stalled, cut short or in pieces, on a real socket."""

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable

from starlette.types import Receive, Scope, Send

from revdesk_mock.messages import Delivery

TRANSPORT = "revdesk_mock.transport"  # where the server puts it, in a scope's state
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets the connection
LONGEST_STALL = 600_000  # milliseconds of the world's time


class Line:
    """One request's connection, with an answer of which `head` is the ASGI message that starts it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._transport: asyncio.Transport = scope["state"][TRANSPORT]
        self._receive = receive
        self._send = send

    async def deliver(self, delivery: Delivery, head: dict[str, object], body: bytes) -> None:
        """Let an answer fail as it is to; return when its client is gone, or has all of it."""
        gone = asyncio.ensure_future(self._wait_until_gone())
        try:
            if delivery.sent is not None:
                await self._send(head)
                await self._write(body[: delivery.sent], more=True)
            if delivery.how == "dribble":
                await self._dribble(delivery, body, gone)
                return
            if delivery.how == "stall":
                await _first(gone, delivery.wait(LONGEST_STALL))
            self._end(reset=delivery.how == "reset")
            await gone  # before that the server would complain of an answer that never came
        finally:
            gone.cancel()

    async def _dribble(self, delivery: Delivery, body: bytes, gone: "asyncio.Future[None]") -> None:
        at = 0
        for number in range(1, delivery.pieces + 1):
            elapsed = delivery.milliseconds * number // delivery.pieces
            passed = delivery.milliseconds * (number - 1) // delivery.pieces
            await _first(gone, delivery.wait(elapsed - passed))
            if gone.done():
                return
            end = len(body) * number // delivery.pieces
            await self._write(body[at:end], more=number < delivery.pieces)
            at = end

    async def _write(self, piece: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": piece, "more_body": more})

    def _end(self, *, reset: bool) -> None:
        if not reset:
            self._transport.close()
            return
        # The loop's own socket objects may not take options; they belong to the connection, whoever sets them.
        with socket.socket(fileno=os.dup(self._transport.get_extra_info("socket").fileno())) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self._transport.abort()

    async def _wait_until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def _first(gone: "asyncio.Future[None]", wait: Awaitable[None]) -> None:
    """Return when a client is gone or a wait is over, whichever comes first."""
    waiting = asyncio.ensure_future(wait)
    await asyncio.wait({gone, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
