from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock.rtc.packets import LONGEST, SILENCE, Digit, PacketQueue, TelephoneEvents, duration


def packet(number: int) -> bytes:
    return b"\xf8" + number.to_bytes(2, "big")


@pytest.mark.parametrize(
    ("first", "second", "milliseconds"),
    [
        (0x00, None, 10),
        (0x18, None, 60),
        (0x60, None, 10),
        (0x80, None, 2.5),
        (0xF8, None, 20),
        (0xF9, None, 40),
        (0xFB, 3, 60),
        (0x83, 48, 120),
    ],
)
def test_a_packet_says_how_long_it_lasts(first: int, second: int | None, milliseconds: float) -> None:
    assert duration(bytes([first]) + (bytes([second]) if second else b"")) == milliseconds * 48


@pytest.mark.parametrize("junk", [b"", b"\xfb", b"\xfb\x00", b"\xfb\x07", b"\x1b\x3f"])
def test_what_is_no_packet_is_refused(junk: bytes) -> None:
    with pytest.raises(ValueError, match="Opus packet"):
        duration(junk)


@given(st.binary(max_size=4))
def test_any_bytes_last_between_nothing_and_120_ms_or_are_refused(data: bytes) -> None:
    with suppress(ValueError):
        assert 0 < duration(data) <= LONGEST


def test_a_queue_drops_the_oldest_and_gives_silence_when_empty() -> None:
    queue = PacketQueue(most=3)
    for number in range(5):
        queue.push(packet(number))
    assert [queue.take() for _ in range(4)] == [packet(2), packet(3), packet(4), SILENCE]


def test_a_queue_waits_for_its_lead_after_it_ran_empty() -> None:
    queue = PacketQueue(most=5, lead=2)
    queue.push(packet(1))
    assert queue.take() == SILENCE
    queue.push(packet(2))
    assert [queue.take() for _ in range(3)] == [packet(1), packet(2), SILENCE]
    queue.push(packet(3))
    assert queue.take() == SILENCE
    queue.clear()
    assert len(queue) == 0


def event(key: int, samples: int, *, ended: bool = False) -> bytes:
    return bytes([key, 0x8A if ended else 0x0A]) + samples.to_bytes(2, "big")


def test_a_key_is_reported_once_when_it_is_let_go() -> None:
    events = TelephoneEvents(48000)
    assert events.read(event(1, 960), 7) == (None, True)
    assert events.read(event(1, 1920), 7) == (None, True)
    assert events.read(event(1, 4800, ended=True), 7) == (Digit("1", 100), True)
    assert events.read(event(1, 4800, ended=True), 7) == (None, False)
    assert events.read(event(1, 960), 9000) == (None, True)  # the same key again


def test_a_key_whose_end_was_lost_is_reported_with_the_next() -> None:
    events = TelephoneEvents(8000)
    assert events.read(event(11, 800), 7) == (None, True)
    assert events.read(event(2, 160), 5000) == (Digit("#", 100), True)
    assert events.read(event(2, 320, ended=True), 5000) == (Digit("2", 40), True)


def test_a_fax_tone_is_no_key_and_a_torn_packet_is_nothing() -> None:
    events = TelephoneEvents(8000)
    assert events.read(event(36, 160, ended=True), 7) == (None, True)
    assert events.read(b"\x01", 8) == (None, False)
