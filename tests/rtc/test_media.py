import numpy as np
import pytest

from revdesk_mock.rtc.media import (
    Decoder,
    Encoder,
    frames_of,
    level,
    tone,
)
from revdesk_mock.rtc.packets import FRAME, SILENCE, duration
from tests.rtc.caller import frequency_of


@pytest.mark.parametrize("loudness", [-10.0, -20.0, -35.0])
def test_a_tone_survives_encoding_and_decoding(loudness: float) -> None:
    encoder, decoder = Encoder(), Decoder()
    packets = [encoder.encode(frame) for frame in frames_of(tone(440, 1.0, loudness))]
    assert {duration(packet) for packet in packets} == {FRAME}
    heard = np.concatenate([decoder.decode(packet) for packet in packets])
    assert len(heard) == 48000
    assert level(heard[9600:]) == pytest.approx(loudness, abs=1)
    assert frequency_of(heard[9600:]) == pytest.approx(440, abs=2)


def test_a_frame_has_960_samples() -> None:
    with pytest.raises(ValueError, match="960 samples"):
        Encoder().encode(np.zeros(480, np.int16))


def test_the_silence_packet_is_silent_and_junk_is_silence_of_its_length() -> None:
    decoder = Decoder()
    assert level(decoder.decode(SILENCE)) == -127
    assert len(decoder.decode(b"\xfb\xc2\xff\xff")) == 2 * FRAME
    with pytest.raises(ValueError, match="at least one byte"):
        decoder.decode(b"")
    assert len(decoder.decode(SILENCE)) == FRAME  # it still decodes


def test_levels_are_in_decibels_of_full_scale() -> None:
    assert level(np.zeros(FRAME, np.int16)) == -127
    assert level(np.zeros(0, np.int16)) == -127
    assert level(np.full(FRAME, 32767, np.int16)) == pytest.approx(0)
    assert level(tone(1000, 0.1, -3.02)) == pytest.approx(-3.02, abs=0.05)
    assert level(tone(1000, 0.1, -30)) == pytest.approx(-30, abs=0.05)


def test_a_tone_is_whole_frames() -> None:
    assert [len(frame) for frame in frames_of(tone(440, 0.05))] == [FRAME] * 3
