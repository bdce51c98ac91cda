"""The sound of an ended call: what was heard in its room, else a soft tone as long as the call."""

import math
import struct
from collections.abc import Callable, Iterator

from revdesk_mock.messages import Record
from revdesk_mock.rtc.recorder import Recorder, Tape
from revdesk_mock.world import World

RATE = 8000  # samples a second, mono, 16 bit: of the tone
TONE = 440  # Hz
LEVEL = 3000  # of 32767

# Makes a file, `wav` or `ogg`, of what is on a tape between two instants, or of a tone where there is no tape.
Mix = Callable[[str, Tape | None, int, int], Iterator[bytes]]


class Recordings:
    """Files of ended calls, in pieces that are made while they are read: for any thread but an event loop's."""

    def __init__(self, recorder: Recorder, mix: Mix) -> None:
        self._recorder = recorder
        self._mix = mix

    def wav(self, world: World, call: Record) -> Iterator[bytes]:
        """Return a WAV file from the answer to the end: two channels of 48 kHz, or the tone."""
        tape = self._recorder.find(world.id, call["id"])
        if tape is None:
            return wav(call["duration_seconds"])
        return self._mix("wav", tape, call["answered_at"], call["ended_at"])

    def ogg(self, world: World, call: Record) -> Iterator[bytes]:
        """Return the same as an Ogg file, as Opus."""
        return self._mix("ogg", self._recorder.find(world.id, call["id"]), call["answered_at"], call["ended_at"])


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
