"""Sound as numbers: Opus for single frames, levels and tones.

A frame is 20 ms: 960 samples of 48 kHz, mono, as a numpy array of int16.
"""

from fractions import Fraction

import numpy as np
from av import AudioCodecContext, AudioFrame, FFmpegError, Packet
from numpy.typing import NDArray

from revdesk_mock.rtc.packets import FRAME, RATE, duration

Frame = NDArray[np.int16]

FULL_SCALE = 32767
QUIETEST = -127.0  # dBFS, what silence is said to be
BIT_RATE = 32_000


class Encoder:
    """Frames to Opus packets, one by one, in their order: 0.1 to 0.2 ms each."""

    def __init__(self) -> None:
        self._codec = AudioCodecContext.create("libopus", "w")
        self._codec.bit_rate = BIT_RATE
        self._codec.format = "s16"
        self._codec.layout = "mono"
        self._codec.sample_rate = RATE
        self._codec.time_base = Fraction(1, RATE)
        self._codec.options = {"application": "voip", "compression_level": "2", "frame_duration": "20"}
        self._at = 0

    def encode(self, frame: Frame) -> bytes:
        """Return the frame as one Opus packet; raises ValueError unless it has 960 samples."""
        if frame.shape != (FRAME,):
            raise ValueError(f"a frame has {FRAME} samples, not {frame.shape}")
        given = AudioFrame.from_ndarray(frame.reshape(1, -1), format="s16", layout="mono")
        given.sample_rate, given.pts = RATE, self._at
        self._at += FRAME
        [packet] = self._codec.encode(given)
        return bytes(packet)


class Decoder:
    """Opus packets to samples, one by one, in their order: 0.05 to 0.1 ms each."""

    def __init__(self) -> None:
        self._codec = AudioCodecContext.create("libopus", "r")
        self._codec.format = "s16"
        self._codec.layout = "mono"
        self._codec.sample_rate = RATE

    def decode(self, packet: bytes) -> Frame:
        """Return the packet's samples, 960 as a rule; silence of its length if its inside makes no sense.

        Raises ValueError if it is no Opus packet at all.
        """
        samples = duration(packet)
        try:
            frames = self._codec.decode(Packet(packet))
        except FFmpegError:
            frames = []
        heard = [frame.to_ndarray().reshape(-1) for frame in frames]
        return np.concatenate(heard).astype(np.int16) if heard else np.zeros(samples, np.int16)


def level(frame: Frame) -> float:
    """Return the loudness in dBFS: 0 for a square wave at full scale, -3 for a sine, -127 for silence."""
    power = np.mean(np.square(frame, dtype=np.float64)) if len(frame) else 0.0
    return max(QUIETEST, 10 * float(np.log10(power / FULL_SCALE**2))) if power else QUIETEST


def tone(hertz: float, seconds: float, loudness: float = -20.0) -> Frame:
    """Return a sine of a level in dBFS (at most -3), as whole frames: the last is filled with silence."""
    samples = round(seconds * RATE)
    height = FULL_SCALE * np.sqrt(2) * 10 ** (loudness / 20)
    sine = height * np.sin(2 * np.pi * hertz * np.arange(samples) / RATE)
    return np.pad(np.clip(sine, -FULL_SCALE, FULL_SCALE).astype(np.int16), (0, -samples % FRAME))


def frames_of(samples: Frame) -> list[Frame]:
    """Cut samples into frames; the last is filled with silence."""
    return list(np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME))
