"""One plain client's line: what it says reaches the room, and what the room says reaches it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from revdesk_mock import ApiError
from revdesk_mock.clock import Pace
from revdesk_mock.rtc.events import Data, Gone, Participant, Pressed, Speaking, Track
from revdesk_mock.rtc.line import Line, written
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.rtc.switchboard import Seat
from tests.conftest import Client as ApiClient
from tests.rtc.caller import live, packets_of, until
from tests.rtc.test_rooms import Ear
from tests.rtc.test_signalling import Client, client

BOBS = Track("TR_bob", "microphone")
BOBS_NUMBER = "+13125550100"


def dial(_: Seat, to_number: str) -> None:
    if to_number != BOBS_NUMBER:
        raise ApiError("conflict", "Not that one.")


@asynccontextmanager
async def connected(api: ApiClient) -> AsyncIterator[tuple[Room, Ear, Client, list[Line]]]:
    """Give a room with Bob, and Ann, who came in by a line; the list has the line once it is gone."""
    room, bob, gone = Room("room_1", "RM_1"), Ear(), list[Line]()
    room.join(Participant("PA_bob", "bob"), bob)
    line = Line(gone.append, dial)
    others = room.join(Participant("PA_ann", "ann"), line)
    seat = Seat("0123456789abcdef", api.world, room, "call_1", "ann", line)
    async with client() as ann:
        await ann.accept(await line.sit_down(seat, others, await ann.offer()))
        await ann.told(lambda event: event.get("participant", {}).get("is_active"))
        yield room, bob, ann, gone
        room.close()
        await line.peer.close()


@live
async def test_data_and_digits_reach_the_others(client: ApiClient) -> None:
    async with connected(client) as (_, bob, ann, _):
        ann.say(type="data", topic="chat", payload="Hello")
        await until(lambda: Data("chat", b"Hello", "ann") in bob.told)
        ann.say(type="dtmf", digits="12#")
        await until(lambda: Pressed("ann", "12#") in bob.told)


@live
async def test_a_track_that_comes_later_is_heard_after_another_offer(client: ApiClient) -> None:
    async with connected(client) as (room, _, ann, _):
        room.publish("bob", BOBS)
        await ann.told(lambda event: event["type"] == "offer_wanted")
        ann.connection.addTransceiver("audio", "recvonly")
        ann.say(type="offer", sdp=await ann.offer())
        answer = await ann.told(lambda event: event["type"] == "answer")
        await ann.accept(answer["sdp"])
        speaking = asyncio.create_task(speak(room))
        await ann.hears(900)
        speaking.cancel()


async def speak(room: Room) -> None:
    """Let Bob whistle, a second at a time."""
    pace, packets = Pace(), packets_of(900, 1.0)
    while True:
        for packet in packets:
            await pace.beat(0.02)
            room.sound("bob", BOBS.sid, packet)


@live
async def test_an_offer_that_cannot_be_read_is_answered_with_why(client: ApiClient) -> None:
    async with connected(client) as (_, _, ann, _):
        ann.say(type="offer", sdp="v=0")
        error = await ann.told(lambda event: event["type"] == "error")
        assert "session description" in error["message"]


@live
async def test_who_dials_another_number_is_answered_with_why_not(client: ApiClient) -> None:
    async with connected(client) as (_, _, ann, _):
        ann.say(type="dial", to_number=BOBS_NUMBER)
        ann.say(type="dial", to_number="+13125550101")
        await ann.told(lambda event: event["type"] == "error")
        assert [event["message"] for event in ann.events if event["type"] == "error"] == ["Not that one."]


@live
async def test_who_leaves_is_told_of_and_a_line_is_gone_once(client: ApiClient) -> None:
    async with connected(client) as (room, _, ann, gone):
        room.leave("bob")
        left = await ann.told(lambda event: event["type"] == "participant_left")
        assert (left["identity"], left["reason"], gone) == ("bob", "left", [])
    assert [line.has_left for line in gone] == [True]


@live
async def test_a_connection_that_ends_without_a_word_was_not_left(client: ApiClient) -> None:
    async with connected(client) as (room, _, ann, gone):
        await ann.close()
        await until(lambda: gone)
        assert [line.has_left for line in gone] == [False]
        assert room.find("ann") is not None


def test_events_are_written_as_json() -> None:
    assert written(Speaking({"bob": 0.5})) == {"type": "speaking", "levels": {"bob": 0.5}}
    left = written(Gone(Participant("PA_bob", "bob"), "lost"))
    assert left == {"type": "participant_left", "identity": "bob", "reason": "lost"}
