"""Casting: the call's agent takes its place with its ways, and the room is recorded where the call is."""

from typing import Any

import pytest

from revdesk_mock.rtc.casting import Casting
from revdesk_mock.rtc.events import Participant, Pressed, Speaking, Track
from revdesk_mock.rtc.packets import SILENCE
from revdesk_mock.rtc.recorder import Recorder
from revdesk_mock.rtc.rooms import Room
from tests.conftest import AGENT, MAIN, ORDINARY, Client
from tests.rtc.caller import live
from tests.rtc.test_rooms import Ear


class Opening:
    """The room of the newest call, opened, with a person in it."""

    def __init__(self, client: Client, **changes: Any) -> None:
        store, self.recorder = client.world.store, Recorder()
        with store.transaction():
            self.call = store.insert("calls", {**store.all("calls")[-1], **changes})
        self.room, self.ear = Room(self.call["room_name"], "RM_1"), Ear()
        Casting(self.recorder).open_room(client.world, self.room, self.call)
        self.room.join(Participant("PA_ann", "ann"), self.ear)
        self.room.publish("ann", Track("TR_ann", "microphone"))


@pytest.fixture
def web(client: Client) -> Client:
    client.post(f"/v1/agents/{AGENT}/web-call", x_revdesk_mock='{"agent": {"mode": "silent"}}')
    return client


@pytest.mark.parametrize("record", [True, False])
def test_a_room_is_recorded_where_its_call_is(web: Client, *, record: bool) -> None:
    opening = Opening(web, record=record)
    opening.room.sound("ann", "TR_ann", SILENCE, -127)
    tape = opening.recorder.find(web.world.id, opening.call["id"])
    assert (tape is not None and len(tape.strips) == 1) is record


def test_an_agent_does_as_was_chosen_for_its_call_or_else_as_the_policy_says(web: Client) -> None:
    for behaviour, heard in (({"mode": "silent"}, []), (None, [SILENCE])):
        opening = Opening(web, behaviour=behaviour)
        opening.room.sound("ann", "TR_ann", SILENCE, -127)
        assert [packet for _, _, packet in opening.ear.heard] == heard


def test_a_call_without_an_agent_has_none_in_its_room(client: Client) -> None:
    client.post("/v1/room-token", {"from_number": MAIN, "to_number": ORDINARY})
    assert [one.identity for one in Opening(client).room.participants] == ["phone", "ann"]


@live
async def test_whoever_is_in_a_room_is_watched(client: Client) -> None:
    await client.send("POST", "/v1/room-token", {"from_number": MAIN, "to_number": ORDINARY})
    opening = Opening(client)
    for _ in range(3):
        opening.room.sound("ann", "TR_ann", SILENCE, -20)
    opening.room.send(Pressed("ann", "7"))
    call = client.world.store.get("calls", opening.call["id"])
    assert call is not None
    assert call["digits"] == "7"
    assert any(isinstance(event, Speaking) for event in opening.ear.told)
    opening.room.close()
