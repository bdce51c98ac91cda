"""Data channels by their labels: messages wait, within bounds, until a channel is open and the other side keeps up."""

from collections import deque
from collections.abc import Callable

from aiortc import RTCDataChannel

MOST_WAITING = 1000  # messages of one channel
MOST_WAITING_SIZE = 8 * 1024 * 1024  # of all of them together, in bytes or characters
MOST_UNSENT = 256 * 1024  # bytes that were handed to the transport and have not left
RESUME_AT = 64 * 1024

Message = bytes | str


class Channel:
    """One label; the channel itself may come later, and may come anew."""

    def __init__(self, label: str, on_message: Callable[[str, Message], None]) -> None:
        self.label = label
        self._on_message = on_message
        self._waiting: deque[Message] = deque()
        self._size = 0
        self._wire: RTCDataChannel | None = None

    def attach(self, wire: RTCDataChannel) -> None:
        """Speak and listen through this channel of aiortc from now on."""
        self._wire = wire
        wire.bufferedAmountLowThreshold = RESUME_AT
        wire.on("message", self._hear)
        wire.on("open", self._flush)
        wire.on("bufferedamountlow", self._flush)
        self._flush()

    def send(self, message: Message) -> None:
        """Send as soon as possible; when too many wait, or too much, the oldest are dropped."""
        self._waiting.append(message)
        self._size += len(message)
        while len(self._waiting) > MOST_WAITING or self._size > MOST_WAITING_SIZE:
            self._take()
        self._flush()

    def _take(self) -> Message:
        message = self._waiting.popleft()
        self._size -= len(message)
        return message

    def _hear(self, message: Message) -> None:
        self._on_message(self.label, message)

    def _flush(self) -> None:
        wire = self._wire
        while wire and self._waiting and wire.readyState == "open" and wire.bufferedAmount < MOST_UNSENT:
            wire.send(self._take())
