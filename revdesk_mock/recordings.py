"""The sound of an ended call: a WAV file as long as the call, a soft tone until rooms carry real voices."""

import math
import struct
from collections.abc import Iterator

RATE = 8000  # samples a second, mono, 16 bit
TONE = 440  # Hz
LEVEL = 3000  # of 32767


def wav(seconds: int) -> Iterator[bytes]:
    """Yield a WAV file of whole seconds in pieces: the header, then one second at a time."""
    size = seconds * RATE * 2
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    yield struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size)
    second = b"".join(
        struct.pack("<h", round(LEVEL * math.sin(2 * math.pi * TONE * sample / RATE))) for sample in range(RATE)
    )
    for _ in range(seconds):
        yield second
