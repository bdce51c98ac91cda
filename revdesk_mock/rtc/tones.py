"""Tones as packets: what a caller hears while it rings, the beep of a voicemail, and one that can go on for ever."""

from collections.abc import Sequence
from functools import cached_property

from revdesk_mock.rtc.media import QUIETEST, Encoder, Frame, frames_of, level, tone
from revdesk_mock.rtc.packets import SILENCE

RINGS, PAUSES = 2.0, 4.0  # seconds, of North America
LEVEL = -20.0  # dBov
SECOND = 50  # packets
HALF = 3.0  # dB: two tones are that much louder than one

Tone = Sequence[tuple[bytes, int]]  # Opus packets of 20 ms, each with its level in dBov


class Tones:
    """Makes each tone when it is first wanted: a ring takes 20 to 50 ms, once."""

    @cached_property
    def ringback(self) -> Tone:
        """One ring, and the pause after it."""
        ring = tone(440, RINGS, LEVEL - HALF) + tone(480, RINGS, LEVEL - HALF)
        return (*encoded(ring), *[(SILENCE, round(QUIETEST))] * round(PAUSES * SECOND))

    @cached_property
    def beep(self) -> Tone:
        """Half a second of 1 kHz."""
        return encoded(tone(1000, 0.5, LEVEL))

    @cached_property
    def steady(self) -> Tone:
        """A second of 440 Hz, which can be repeated without a click: the second one, and whole waves."""
        return encoded(tone(440, 2, LEVEL))[SECOND:]


def encoded(samples: Frame) -> Tone:
    """Return samples as packets with their levels."""
    encoder = Encoder()
    return tuple([(encoder.encode(frame), round(level(frame))) for frame in frames_of(samples)])
