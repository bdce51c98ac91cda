"""The WebSocket of a LiveKit client: messages leave it one after another, and none waits for a slow client."""

import asyncio

from livekit.protocol import rtc
from starlette.websockets import WebSocket, WebSocketDisconnect

MOST_WAITING = 1000  # messages; a client that is further behind is cut off, and may resume

OVER, GONE = 1000, 1001  # RFC 6455: all is said, or this end goes away


class Wire:
    """Takes messages at once and sends them in `run`, until it is closed or the client is gone."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_WAITING)
        self._code = GONE
        self.is_open = True

    def send(self, message: rtc.SignalResponse) -> None:
        """Send a message, after those before it."""
        if self._waiting.full():
            self.close()
        elif self.is_open:
            self._waiting.put_nowait(message.SerializeToString())

    def close(self, code: int = GONE) -> None:
        """Close when all is sent; by the code some clients tell whether to come back."""
        if self.is_open:
            self.is_open = False
            self._code = code
            if self._waiting.full():
                self._waiting.get_nowait()
            self._waiting.put_nowait(None)

    async def run(self) -> None:
        """Send what there is to send, and close."""
        try:
            while (message := await self._waiting.get()) is not None:
                await self._socket.send_bytes(message)
            await self._socket.close(self._code)
        except (RuntimeError, WebSocketDisconnect):  # the client was faster
            self.is_open = False
