"""Tones of the telephone network: their frequencies, their loudness and their cadence."""

import numpy as np

from revdesk_mock.rtc.media import Decoder, Frame, level
from revdesk_mock.rtc.packets import RATE
from revdesk_mock.rtc.tones import Tone, Tones


def decoded(tone: Tone) -> Frame:
    decoder = Decoder()
    return np.concatenate([decoder.decode(packet) for packet, _ in tone])


def loudest_of(samples: Frame, count: int) -> list[int]:
    """Return the strongest frequencies to 2 Hz, in order."""
    spectrum = np.abs(np.fft.rfft(samples[: RATE // 2] * np.hanning(RATE // 2)))
    peaks = [at for at in range(1, len(spectrum) - 1) if spectrum[at - 1] < spectrum[at] > spectrum[at + 1]]
    return sorted(2 * at for at in sorted(peaks, key=lambda at: -spectrum[at])[:count])


def test_a_ring_is_two_tones_for_two_seconds_and_a_pause_of_four() -> None:
    ring = Tones().ringback
    sound = decoded(ring)
    assert (len(sound), loudest_of(sound[RATE:], 2)) == (6 * RATE, [440, 480])
    assert abs(level(sound[RATE // 2 : 2 * RATE - RATE // 2]) + 20) < 1
    assert level(sound[2 * RATE + RATE // 10 :]) < -80
    assert [told > -30 for _, told in ring] == [True] * 100 + [False] * 200


def test_a_beep_is_half_a_second_of_one_kilohertz() -> None:
    sound = decoded(Tones().beep)
    assert (len(sound), loudest_of(sound, 1)) == (RATE // 2, [1000])


def test_a_second_of_the_steady_tone_is_whole() -> None:
    assert [told for _, told in Tones().steady] == [-20] * 50
