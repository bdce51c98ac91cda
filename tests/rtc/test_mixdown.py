"""The mixdown of a tape: each side on its channel, where it was on the timeline, as long as the call."""

import io
import wave
from collections.abc import Iterable, Iterator

import av
import numpy as np
import pytest

from revdesk_mock.rtc import mixdown
from revdesk_mock.rtc.media import Encoder, frames_of, level, tone
from revdesk_mock.rtc.mixdown import Piece
from revdesk_mock.rtc.packets import RATE
from tests.rtc.caller import frequency_of
from tests.rtc.test_recorder import Deck


def play(deck: Deck, who: str, hertz: float, seconds: float, loudness: float = -20.0) -> None:
    """Let somebody be heard for a while."""
    encoder = Encoder()
    for frame in frames_of(tone(hertz, seconds, loudness)):
        deck.sound(who, encoder.encode(frame))
        deck.time += 20


def mixed(deck: Deck, start: int, end: int) -> tuple[Piece, Piece]:
    """Return both channels of a stretch."""
    whole = np.concatenate(list(mixdown.mixed(deck.tape, start, end)))
    return whole[:, 0], whole[:, 1]


@pytest.fixture
def deck() -> Deck:
    return Deck(start=0)


def test_each_side_is_on_its_channel_and_gaps_are_silence(deck: Deck) -> None:
    play(deck, "ann", 440, 1)
    deck.time += 1500
    play(deck, "agent", 700, 1)
    left, right = mixed(deck, 0, 3500)
    assert frequency_of(left[:RATE]) == pytest.approx(440, abs=3)
    assert frequency_of(right[-RATE:]) == pytest.approx(700, abs=3)
    assert level(left[RATE + 1000 :]) < -80
    assert level(right[: 2 * RATE]) < -80


def test_a_stretch_begins_and_ends_where_it_is_told_to(deck: Deck) -> None:
    play(deck, "ann", 440, 2)
    left, _ = mixed(deck, 333, 1011)
    assert len(left) == 678 * RATE // 1000
    assert level(left) == pytest.approx(-20, abs=0.5)


def test_what_lies_before_and_after_the_tape_is_silence() -> None:
    deck = Deck(start=5_000)
    play(deck, "ann", 440, 1)
    left, _ = mixed(deck, 3_000, 8_000)
    loud = [second for second in range(5) if level(left[second * RATE : (second + 1) * RATE]) > -30]
    assert (len(left), loud) == (5 * RATE, [2])


def test_voices_of_one_side_are_mixed_and_clipped(deck: Deck) -> None:
    encoders = {who: Encoder() for who in ("agent", "phone")}
    for frame in frames_of(tone(440, 1, -4)):
        for who, encoder in encoders.items():
            deck.sound(who, encoder.encode(frame))
        deck.time += 20
    _, right = mixed(deck, 0, 1000)
    assert right[RATE // 2 :].max() == 32767
    assert right[RATE // 2 :].min() == -32767


def test_one_piece_is_held_at_a_time(deck: Deck) -> None:
    play(deck, "ann", 440, 3)
    assert [len(piece) for piece in mixdown.mixed(deck.tape, 0, 2500)] == [RATE, RATE, RATE // 2]


def test_a_call_of_no_time_has_no_pieces(deck: Deck) -> None:
    assert list(mixdown.mixed(deck.tape, 7, 7)) == []
    assert b"".join(mixdown.wav([], 0))[:4] == b"RIFF"
    assert b"".join(mixdown.ogg([]))[:4] == b"OggS"


def test_a_wav_file_is_what_it_says(deck: Deck) -> None:
    play(deck, "ann", 440, 1)
    pieces = list(mixdown.mixed(deck.tape, 0, 1200))
    file = b"".join(mixdown.wav(pieces, 1200 * RATE // 1000))
    with wave.open(io.BytesIO(file)) as read:
        assert (read.getnchannels(), read.getsampwidth(), read.getframerate()) == (2, 2, RATE)
        assert read.getnframes() == 1200 * RATE // 1000
        assert read.readframes(read.getnframes()) == np.concatenate(pieces).tobytes()


def decoded(file: bytes) -> Piece:
    """Return the samples of a file."""
    with av.open(io.BytesIO(file), "r") as container:
        resampler = av.AudioResampler("s16", "stereo", RATE)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().reshape(-1, 2) for frame in frames]).astype(np.int16)


def test_an_ogg_file_sounds_the_same_and_lasts_as_long(deck: Deck) -> None:
    play(deck, "ann", 440, 2)
    samples = decoded(b"".join(mixdown.ogg(mixdown.mixed(deck.tape, 0, 2000))))
    assert abs(len(samples) - 2 * RATE) <= RATE // 50
    assert frequency_of(samples[RATE // 2 : RATE, 0]) == pytest.approx(440, abs=3)
    assert level(samples[:, 1]) < -60


@pytest.mark.parametrize("form", ["wav", "ogg"])
def test_where_there_is_no_tape_a_file_is_a_tone_of_the_same_length(form: str) -> None:
    file = b"".join(mixdown.render(form, None, 700, 2200))
    samples = decoded(file)
    assert abs(len(samples) - 1500 * RATE // 1000) <= RATE // 50
    assert frequency_of(samples[RATE // 2 : RATE, 1]) == pytest.approx(440, abs=3)


def test_an_ogg_file_comes_in_pieces_as_it_is_read() -> None:
    asked: list[int] = []

    def pieces() -> Iterator[Piece]:
        for number in range(60):
            asked.append(number)
            yield from mixdown.steady(RATE)

    file: Iterable[bytes] = mixdown.ogg(pieces())
    next(piece for piece in file if piece)
    assert len(asked) < 10
