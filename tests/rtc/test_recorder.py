"""The recorder: packets are kept where they belong on the timeline, up to so many bytes."""

import pytest

from revdesk_mock.rtc.events import AGENT, PERSON, PHONE, Participant, Track
from revdesk_mock.rtc.packets import FRAME, SILENCE
from revdesk_mock.rtc.recorder import LEFT, OVERHEAD, RIGHT, Recorder, Tape
from revdesk_mock.rtc.rooms import Room
from tests.rtc.test_rooms import Ear

SIZE = len(SILENCE) + OVERHEAD


class Deck:
    """A room that is recorded, with a clock that the test moves."""

    def __init__(self, recorder: Recorder | None = None, call_id: str = "call_1", start: int = 5_000) -> None:
        self.time = start
        self.room = Room("room_1", "RM_1")
        self.recorder = recorder or Recorder()
        self.tape = self.recorder.record(self.room, "world", call_id, lambda: self.time)
        for identity, kind in (("ann", PERSON), ("agent", AGENT), ("phone", PHONE)):
            self.room.join(Participant(f"PA_{identity}", identity, kind), Ear())
            self.room.publish(identity, Track(f"TR_{identity}", "voice"))

    def sound(self, who: str = "ann", packet: bytes = SILENCE, after: int = 0) -> None:
        self.time += after
        self.room.sound(who, f"TR_{who}", packet)


def starts(tape: Tape) -> list[list[float]]:
    """Return where each strip's packets begin, in frames."""
    return [[start / FRAME for start, _ in strip] for strip in tape.strips]


def test_the_person_is_on_the_left_and_the_others_are_on_the_right() -> None:
    deck = Deck()
    for who in ("ann", "agent", "phone"):
        deck.sound(who)
    assert [strip.side for strip in deck.tape.strips] == [LEFT, RIGHT, RIGHT]


def test_a_packet_is_kept_as_it_came() -> None:
    deck = Deck()
    deck.sound(packet=b"\xf8one")
    deck.sound(packet=b"\xf8three", after=20)
    assert [packet for strip in deck.tape.strips for _, packet in strip] == [b"\xf8one", b"\xf8three"]


def test_packets_that_come_unevenly_follow_on_one_another() -> None:
    deck = Deck()
    for after in (100, 35, 2, 23, 0, 40):
        deck.sound(after=after)
    assert starts(deck.tape) == [[5, 6, 7, 8, 9, 10]]


def test_a_gap_stays_a_gap() -> None:
    deck = Deck()
    for after in (0, 20, 520, 20):
        deck.sound(after=after)
    assert starts(deck.tape) == [[0, 1, 27, 28]]


def test_packets_follow_on_one_another_while_the_clock_stands() -> None:
    deck = Deck()
    for _ in range(4):
        deck.sound()
    deck.sound(after=60_000)
    assert starts(deck.tape) == [[0, 1, 2, 3, 3000]]


def test_what_is_no_packet_is_left_out() -> None:
    deck = Deck()
    deck.sound(packet=b"")
    assert deck.tape.strips == []


def test_a_call_over_its_bound_keeps_its_beginning() -> None:
    deck = Deck(Recorder(most_bytes_a_call=2 * SIZE + 1))
    for _ in range(3):
        deck.sound(after=20)
    deck.sound("agent")
    assert starts(deck.tape) == [[1, 2]]


def test_the_oldest_calls_give_way() -> None:
    recorder = Recorder(most_bytes=3 * SIZE)
    first, second = Deck(recorder, "call_1"), Deck(recorder, "call_2")
    for deck in (first, first, second, second):
        deck.sound()
    assert recorder.find("world", "call_1") is None
    assert recorder.find("world", "call_2") is second.tape
    first.sound()
    second.sound()
    second.sound()
    assert starts(second.tape) == [[0, 1, 2]]


def test_a_tape_stops_with_its_room_and_is_there_until_it_is_erased() -> None:
    deck = Deck()
    deck.sound()
    deck.room.close()
    assert deck.recorder.find("world", "call_1") is deck.tape
    deck.recorder.erase("world", "call_1")
    deck.recorder.erase("world", "call_1")
    assert deck.recorder.find("world", "call_1") is None


@pytest.mark.parametrize("key", [("world", "call_2"), ("elsewhere", "call_1")])
def test_a_tape_is_one_worlds_and_one_calls(key: tuple[str, str]) -> None:
    assert Deck().recorder.find(*key) is None
