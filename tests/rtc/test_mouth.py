"""A mouth says one thing after another, stops at once, and goes on when it is asked to."""

import asyncio

from revdesk_mock.rtc.events import Participant, Said, Track
from revdesk_mock.rtc.mouth import Mouth
from revdesk_mock.rtc.rooms import Room
from tests.rtc.caller import live, until
from tests.rtc.test_rooms import Ear

LONG = [(b"long", -20)] * 1000


def speaker() -> tuple[Mouth, Ear, list[bool]]:
    """Return a mouth, who hears it, and what it tells of its turns."""
    room, ear, turns = Room("room_1", "RM_1"), Ear(), list[bool]()
    room.join(Participant("PA_ann", "ann"), ear)
    room.join(Participant("PA_bob", "bob"), Ear())
    return Mouth(room, "bob", Track("TR_bob", "bob"), lambda text: [(text.encode(), -20)], turns.append), ear, turns


def heard(ear: Ear) -> list[bytes]:
    return [packet for _, _, packet in ear.heard]


@live
async def test_it_says_one_thing_after_another() -> None:
    mouth, ear, turns = speaker()
    mouth.say("one")
    mouth.play([(b"two", -20)])
    await until(lambda: turns == [True, True, False])
    assert heard(ear) == [b"one", b"two"]
    assert [(said.text, said.is_final) for said in ear.told if isinstance(said, Said)] == [
        ("one", False),
        ("one", True),
    ]


@live
async def test_what_is_stopped_before_its_first_word_is_over_and_the_next_is_said() -> None:
    mouth, ear, turns = speaker()
    mouth.play(LONG)
    mouth.stop()
    await until(lambda: turns == [False])
    mouth.play([(b"next", -20)])
    await until(lambda: turns == [False, True, False])
    assert heard(ear) == [b"next"]


@live
async def test_what_is_asked_for_while_it_stops_is_said() -> None:
    mouth, ear, turns = speaker()
    mouth.play(LONG)
    await until(lambda: ear.heard)
    mouth.stop()
    mouth.play([(b"next", -20)])
    await until(lambda: turns[-1:] == [False])
    assert heard(ear)[-1] == b"next"
    assert not mouth.is_speaking
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
