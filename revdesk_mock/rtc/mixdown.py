"""The mixdown: a tape as two channels of sound, the person on the left and the others on the right, in WAV and Ogg.

A piece is up to a second of 48 kHz: an int16 array of (samples, 2). All of it takes time, and is for any thread but an
event loop's; one piece is held at a time.
"""

import struct
from collections.abc import Iterable, Iterator

import av
import numpy as np
from numpy.typing import NDArray

from revdesk_mock.rtc.media import Decoder, Frame, tone
from revdesk_mock.rtc.packets import RATE
from revdesk_mock.rtc.recorder import Strip, Tape

Piece = NDArray[np.int16]

A_MILLISECOND = RATE // 1000
FULL_SCALE = 32767
BIT_RATE = 64_000  # of two channels
TONE = 440  # Hz


def render(form: str, tape: Tape | None, start: int, end: int) -> Iterator[bytes]:
    """Return a file, `wav` or `ogg`, of what a tape has between two instants; of a tone where there is no tape."""
    pieces = mixed(tape, start, end) if tape else steady((end - start) * A_MILLISECOND)
    return ogg(pieces) if form == "ogg" else wav(pieces, (end - start) * A_MILLISECOND)


def mixed(tape: Tape, start: int, end: int) -> Iterator[Piece]:
    """Yield what was heard between two instants (milliseconds of the tape's clock); what nobody said is silence."""
    at, end = ((instant - tape.started_at) * A_MILLISECOND for instant in (start, end))
    readers = [_Reader(strip) for strip in tape.strips]
    while at < end:
        mix = np.zeros((min(RATE, end - at), 2), np.int32)
        for reader in readers:
            reader.add(mix[:, reader.side], at)
        yield np.clip(mix, -FULL_SCALE, FULL_SCALE).astype(np.int16)
        at += len(mix)


def steady(samples: int) -> Iterator[Piece]:
    """Yield a soft tone on both channels."""
    second = np.repeat(tone(TONE, 1)[:, np.newaxis], 2, axis=1)
    yield from (second[: samples - at] for at in range(0, samples, RATE))


def wav(pieces: Iterable[Piece], samples: int) -> Iterator[bytes]:
    """Yield a WAV file of so many samples in its pieces: the header first."""
    size = samples * 4
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, RATE, RATE * 4, 4, 16)
    yield struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size)
    yield from (piece.tobytes() for piece in pieces)


def ogg(pieces: Iterable[Piece]) -> Iterator[bytes]:
    """Yield an Ogg file, as Opus, in pieces."""
    written = _Written()
    with av.open(written, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=RATE, layout="stereo", bit_rate=BIT_RATE)
        container.start_encoding()  # or a call of no time would be no file
        at = 0
        for piece in pieces:
            frame = av.AudioFrame.from_ndarray(piece.reshape(1, -1), format="s16", layout="stereo")
            frame.sample_rate, frame.pts = RATE, at
            at += len(piece)
            container.mux(stream.encode(frame))
            yield written.take()
        container.mux(stream.encode(None))
    yield written.take()


class _Reader:
    """One strip's sound, read once from its beginning to its end."""

    def __init__(self, strip: Strip) -> None:
        self.side = strip.side
        self._blocks = self._decoded(strip)
        self._block = next(self._blocks, None)

    def add(self, mix: NDArray[np.int32], start: int) -> None:
        """Add what is heard from a position on, for as long as the mix is; positions only ever grow."""
        end = start + len(mix)
        while self._block is not None and self._block[0] < end:
            at, samples = self._block
            first, last = max(start, at), min(end, at + len(samples))
            if first < last:
                mix[first - start : last - start] += samples[first - at : last - at]
            if at + len(samples) > end:
                return
            self._block = next(self._blocks, None)

    @staticmethod
    def _decoded(strip: Strip) -> Iterator[tuple[int, Frame]]:
        decoder = Decoder()
        for start, packet in strip:
            yield start, decoder.decode(packet)


class _Written:
    """A file to write into, and to take what was written out of."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def write(self, data: bytes) -> int:
        self._buffer += data
        return len(data)

    def take(self) -> bytes:
        taken, self._buffer = bytes(self._buffer), bytearray()
        return taken
