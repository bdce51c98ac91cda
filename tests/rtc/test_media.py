import io
import wave

import numpy as np
import pytest

from revdesk_mock.rtc.media import (
    Decoder,
    Encoder,
    Frame,
    Voice,
    WavFile,
    frames_of,
    level,
    mix,
    mix_minus,
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


def test_a_voice_begins_and_ends_late_enough_not_to_flicker() -> None:
    voice = Voice(threshold=-40, begins=2, ends=3)
    loudness = [-20, -60, -20, -20, -60, -60, -20, -60, -60, -60, -60]
    assert [voice.hear(it) for it in loudness] == [False] * 3 + [True] * 6 + [False] * 2


def test_everybody_hears_all_but_themselves() -> None:
    one, two, three = (np.full(FRAME, value, np.int16) for value in (100, 20, -3))
    heard = mix_minus({"a": one, "b": two, "c": three})
    assert {key: int(frame[0]) for key, frame in heard.items()} == {"a": 17, "b": 97, "c": 120}
    assert mix_minus({}) == {}


def test_a_mix_is_clipped_not_wrapped() -> None:
    loud = np.full(FRAME, 30000, np.int16)
    assert int(mix([loud, loud])[0]) == 32767
    assert int(mix_minus({1: -loud, 2: -loud, 3: loud})[3][0]) == -32767
    assert len(mix([])) == FRAME


def test_a_tone_is_whole_frames() -> None:
    assert [len(frame) for frame in frames_of(tone(440, 0.05))] == [FRAME] * 3


def test_a_recording_has_a_channel_for_each_side() -> None:
    file = io.BytesIO()
    recording = WavFile(file, channels=2)
    left, right = tone(440, 0.02), np.zeros(FRAME, np.int16)
    for _ in range(3):
        recording.write(left, right)
    with pytest.raises(ValueError, match="2 channels, not 1"):
        recording.write(left)
    recording.close()
    file.seek(0)
    with wave.open(file) as read:
        assert (read.getframerate(), read.getnchannels(), read.getnframes()) == (48000, 2, 3 * FRAME)
        samples: Frame = np.frombuffer(read.readframes(3 * FRAME), "<i2").reshape(-1, 2)
    assert np.array_equal(samples[:FRAME, 0], left)
    assert not samples[:, 1].any()
