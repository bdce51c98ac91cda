"""The sound of an ended call: what was heard in its room, else a soft tone as long as the call."""

import math
import struct
from collections.abc import Iterator

from revdesk_mock.clock import SECOND
from revdesk_mock.messages import Record
from revdesk_mock.rtc.recorder import Recorder
from revdesk_mock.world import World

RATE = 8000  # samples a second, mono, 16 bit: of the tone
TONE = 440  # Hz
LEVEL = 3000  # of 32767


class Recordings:
    """Files of ended calls, in pieces that are made while they are read: for any thread but an event loop's.

    What reads tapes is loaded with the first recording of a room.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def wav(self, world: World, call: Record) -> Iterator[bytes]:
        """Return a WAV file from the answer to the end: two channels of 48 kHz, or the tone."""
        tape = self._recorder.find(world.id, call["id"])
        if tape is None:
            return wav(call["duration_seconds"])
        from revdesk_mock.rtc import mixdown, packets

        start, end = call["answered_at"], call["ended_at"]
        return mixdown.wav(mixdown.mixed(tape, start, end), (end - start) * packets.RATE // SECOND)

    def ogg(self, world: World, call: Record) -> Iterator[bytes]:
        """Return the same as an Ogg file, as Opus."""
        from revdesk_mock.rtc import mixdown

        tape = self._recorder.find(world.id, call["id"])
        if tape is None:
            return mixdown.ogg(mixdown.steady(call["duration_seconds"], TONE))
        return mixdown.ogg(mixdown.mixed(tape, call["answered_at"], call["ended_at"]))


def wav(seconds: int) -> Iterator[bytes]:
    """Yield the tone as a WAV file of whole seconds in pieces: the header, then one second at a time."""
    size = seconds * RATE * 2
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    yield struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size)
    second = b"".join(
        struct.pack("<h", round(LEVEL * math.sin(2 * math.pi * TONE * sample / RATE))) for sample in range(RATE)
    )
    for _ in range(seconds):
        yield second
