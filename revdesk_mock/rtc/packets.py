"""What can be done with audio packets without decoding them: how long one lasts, a bounded queue, pressed digits."""

from collections import deque
from dataclasses import dataclass

RATE = 48000  # samples a second, mono
FRAME = 960  # samples: 20 ms
LONGEST = 6 * FRAME  # samples of one Opus packet, RFC 6716 section 3.4
SILENCE = b"\xf8\xff\xfe"  # 20 ms of nothing, as Opus
DIGITS = "0123456789*#ABCD"  # RFC 4733 events 0 to 15


def duration(packet: bytes) -> int:
    """Return the samples of 48 kHz in an Opus packet (RFC 6716 section 3.1); raises ValueError if it is none."""
    if not packet:
        raise ValueError("an Opus packet has at least one byte")
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:  # SILK: 10, 20, 40, 60 ms
        samples = (480, 960, 1920, 2880)[config % 4]
    elif config < 16:  # hybrid: 10, 20 ms
        samples = (480, 960)[config % 2]
    else:  # CELT: 2.5, 5, 10, 20 ms
        samples = 120 << config % 4
    frames = (1, 2, 2, packet[1] & 63 if len(packet) > 1 else 0)[code]
    if not 0 < frames * samples <= LONGEST:
        raise ValueError("an Opus packet lasts up to 120 ms")
    return frames * samples


class PacketQueue:
    """Opus packets on their way out: holds `most`, drops the oldest, and gives silence when there is nothing to say.

    After running empty it waits for `lead` packets, so that a live voice that comes unevenly is not chopped.
    """

    def __init__(self, most: int = 10, lead: int = 1) -> None:
        self._packets: deque[bytes] = deque(maxlen=most)
        self._lead = min(lead, most)
        self._running = False

    def __len__(self) -> int:
        """Return how many packets wait to be sent."""
        return len(self._packets)

    def push(self, packet: bytes) -> None:
        """Add a packet; raises ValueError if it is no Opus packet."""
        duration(packet)
        self._packets.append(packet)

    def clear(self) -> None:
        """Forget what waits to be sent."""
        self._packets.clear()

    def take(self) -> bytes:
        """Return the next packet to send; silence while there is none."""
        self._running = len(self._packets) >= (1 if self._running else self._lead)
        return self._packets.popleft() if self._running else SILENCE


@dataclass(frozen=True)
class Digit:
    """A key that was pressed, and for how many milliseconds."""

    key: str
    milliseconds: int


class TelephoneEvents:
    """Reads the digits out of RFC 4733 packets, of which several tell of one key and the last comes three times."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._pressed: tuple[int, int, int] | None = None  # event, RTP timestamp, duration so far
        self._reported: int | None = None  # RTP timestamp

    def read(self, payload: bytes, timestamp: int) -> tuple[Digit | None, bool]:
        """Return (a digit that ended with this packet, whether time passed since the packet before)."""
        if len(payload) < 4:
            return None, False
        event, ended, samples = payload[0], bool(payload[1] & 0x80), int.from_bytes(payload[2:4], "big")
        if timestamp == self._reported:
            self._pressed = None
            return None, False
        before, self._pressed = self._pressed, (event, timestamp, samples)
        passed = before != self._pressed
        if ended:
            return self._report(event, timestamp, samples), passed
        if before and before[1] != timestamp:  # whose end was lost
            return self._report(*before), passed
        return None, passed

    def _report(self, event: int, timestamp: int, samples: int) -> Digit | None:
        """Report a key once; None for an event that is no key, such as a fax tone."""
        self._reported = timestamp
        return Digit(DIGITS[event], samples * 1000 // self._rate) if event < len(DIGITS) else None
