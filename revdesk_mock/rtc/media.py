"""Sound as numbers: Opus for single frames, levels, voices, mixing, tones and WAV files.

A frame is 20 ms: 960 samples of 48 kHz, mono, as a numpy array of int16.
"""

import wave
from collections.abc import Hashable, Mapping
from fractions import Fraction
from typing import BinaryIO, TypeVar

import numpy as np
from av import AudioCodecContext, AudioFrame, FFmpegError, Packet
from numpy.typing import NDArray

from revdesk_mock.rtc.packets import FRAME, RATE, duration

Frame = NDArray[np.int16]
Key = TypeVar("Key", bound=Hashable)

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


class Voice:
    """Whether somebody speaks, by loudness alone: begins after `begins` loud frames, ends after `ends` quiet ones."""

    def __init__(self, threshold: float = -45.0, begins: int = 3, ends: int = 15) -> None:
        self._threshold = threshold  # dBFS
        self._begins = begins
        self._ends = ends
        self._against = 0  # frames in a row that contradict `speaking`
        self.speaking = False

    def hear(self, loudness: float) -> bool:
        """Take a frame's level in dBFS and return whether somebody speaks."""
        self._against = 0 if (loudness > self._threshold) == self.speaking else self._against + 1
        if self._against >= (self._ends if self.speaking else self._begins):
            self.speaking, self._against = not self.speaking, 0
        return self.speaking


def mix(frames: list[Frame]) -> Frame:
    """Return the sum of frames of one length, clipped at full scale; silence of a frame for none."""
    if not frames:
        return np.zeros(FRAME, np.int16)
    return np.clip(np.sum(frames, axis=0, dtype=np.int32), -FULL_SCALE, FULL_SCALE).astype(np.int16)


def mix_minus(frames: Mapping[Key, Frame]) -> dict[Key, Frame]:
    """Return for each party what all others say: the mix without its own voice."""
    if not frames:
        return {}
    whole = np.sum(list(frames.values()), axis=0, dtype=np.int32)
    return {key: np.clip(whole - frame, -FULL_SCALE, FULL_SCALE).astype(np.int16) for key, frame in frames.items()}


def tone(hertz: float, seconds: float, loudness: float = -20.0) -> Frame:
    """Return a sine of a level in dBFS (at most -3), as whole frames: the last is filled with silence."""
    samples = round(seconds * RATE)
    height = FULL_SCALE * np.sqrt(2) * 10 ** (loudness / 20)
    sine = height * np.sin(2 * np.pi * hertz * np.arange(samples) / RATE)
    return np.pad(np.clip(sine, -FULL_SCALE, FULL_SCALE).astype(np.int16), (0, -samples % FRAME))


def frames_of(samples: Frame) -> list[Frame]:
    """Cut samples into frames; the last is filled with silence."""
    return list(np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME))


class WavFile:
    """A recording of 16 bit at 48 kHz that grows by frames, a channel for each side; the file has to be seekable."""

    def __init__(self, file: BinaryIO, channels: int = 1) -> None:
        self._channels = channels
        self._wave = wave.Wave_write(file)
        self._wave.setnchannels(channels)
        self._wave.setsampwidth(2)
        self._wave.setframerate(RATE)

    def write(self, *sides: Frame) -> None:
        """Add the same stretch of time of every channel; raises ValueError for another number of them."""
        if len(sides) != self._channels:
            raise ValueError(f"this recording has {self._channels} channels, not {len(sides)}")
        self._wave.writeframes(np.stack(sides, axis=1).astype("<i2").tobytes())

    def close(self) -> None:
        """Write the length into the header; the file itself stays open."""
        self._wave.close()
