"""The agent of a room: it greets whoever can hear it, once, and then echoes or keeps silent."""

import asyncio

import pytest

from revdesk_mock.rtc.agent import ECHO, INITIALIZING, LISTENING, SILENT, SPEAKING, STATE, Agent
from revdesk_mock.rtc.events import Changed, Participant, Said, Track
from revdesk_mock.rtc.rooms import Room
from tests.rtc.caller import live, until
from tests.rtc.test_rooms import Ear

WORDS = "Hello there."
PACKETS = [b"one", b"two", b"three"]


def room_with_agent(mode: str = ECHO, greeting: str = WORDS) -> tuple[Room, Ear]:
    """Return a room where an agent is and one person, whom nothing reaches yet."""
    room, ear = Room("room_1", "RM_1"), Ear()
    Agent(room, "1", "Front desk", greeting, lambda _: [(packet, -20) for packet in PACKETS], mode)
    room.join(Participant("PA_ann", "ann"), ear)
    room.publish("ann", Track("TR_ann", "microphone"))
    return room, ear


def states(ear: Ear) -> list[str]:
    changes = (event.participant for event in ear.told if isinstance(event, Changed))
    return [one.attributes[STATE] for one in changes if one.identity == "agent"]


async def greeted(room: Room, ear: Ear) -> None:
    """Let the person be reached, and wait for the end of the greeting."""
    room.activate("ann")
    await until(lambda: states(ear)[-1:] == [LISTENING])


def test_the_agent_is_there_before_anybody_and_says_nothing_yet() -> None:
    room, ear = room_with_agent()
    agent = room.find("agent")
    assert agent is not None
    assert (agent.kind, agent.attributes, ear.heard) == ("agent", {STATE: INITIALIZING}, [])


@live
async def test_who_can_hear_it_is_greeted_once_in_sound_and_in_words() -> None:
    room, ear = room_with_agent()
    await greeted(room, ear)
    room.describe("ann", name="Ann")
    assert [packet for _, _, packet in ear.heard] == PACKETS
    said = [(event.text, event.is_final) for event in ear.told if isinstance(event, Said)]
    assert said == [(WORDS, False), (WORDS, True)]
    assert states(ear) == [SPEAKING, LISTENING]


@live
async def test_an_agent_without_a_greeting_listens_at_once() -> None:
    room, ear = room_with_agent(greeting="")
    await greeted(room, ear)
    assert (ear.heard, states(ear)) == ([], [LISTENING])


@pytest.mark.parametrize(("mode", "heard"), [(ECHO, [b"mine"]), (SILENT, [])])
def test_it_says_back_what_it_hears_as_it_came_or_keeps_silent(mode: str, heard: list[bytes]) -> None:
    room, ear = room_with_agent(mode)
    room.sound("ann", "TR_ann", b"mine")
    assert [packet for _, _, packet in ear.heard] == heard


@live
async def test_it_stops_in_the_middle_of_a_word_when_the_room_closes() -> None:
    room, ear = room_with_agent()
    room.activate("ann")
    await until(lambda: ear.heard)
    room.close()
    heard = len(ear.heard)
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)
    assert len(ear.heard) == heard < len(PACKETS)
