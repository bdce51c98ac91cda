"""Notes of a room: words, keys and the agent's ways are in the record of its call, and in its dump."""

from pathlib import Path
from typing import Any

import pytest

from revdesk_mock.handset import MOST_DIGITS
from revdesk_mock.rtc.events import AGENT, PHONE, Participant, Pressed, Said
from revdesk_mock.rtc.notes import MOST_SAID, Notes
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.simulation.agent_modes import Behaviour
from tests.conftest import AGENT as AGENT_ID
from tests.conftest import Client, reopened
from tests.rtc.test_rooms import Ear


class Talk:
    """The call of a web call's room, with an agent, a called party and a person in it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        client.post(f"/v1/agents/{AGENT_ID}/web-call")
        call = client.world.store.all("calls")[-1]
        self.call_id, self.room = call["id"], Room(call["room_name"], "RM_1")
        self.notes = Notes(client.world, self.room, self.call_id)
        self.room.watch(self.notes)
        for identity, kind in (("agent", AGENT), ("phone", PHONE), ("ann", "standard")):
            self.room.join(Participant(f"PA_{identity}", identity, kind), Ear())

    def say(self, who: str, text: str, segment: str, seconds: float | None = 2) -> None:
        self.room.tell(Said(who, text, is_final=False, segment=segment))
        if seconds is not None:
            self.client.advance(seconds)
            self.room.tell(Said(who, text, is_final=True, segment=segment))

    @property
    def call(self) -> Any:
        return self.client.world.store.get("calls", self.call_id)

    @property
    def said(self) -> list[tuple[Any, ...]]:
        """Return role, text, when and how long, in seconds since the start."""
        start = self.call["created_at"]
        return [
            (words["role"], words["text"], words["at"] - start, words["ended_at"] and words["ended_at"] - words["at"])
            for words in self.call["said"]
        ]


@pytest.fixture
def talk(client: Client) -> Talk:
    return Talk(client)


def test_words_are_noted_as_they_are_said(talk: Talk) -> None:
    talk.say("agent", "Hello.", "1")
    talk.client.advance(1)
    talk.say("phone", "Hi.", "2", 0.5)
    assert talk.said == [("assistant", "Hello.", 0, 2000), ("user", "Hi.", 3000, 500)]
    assert [words["by"] for words in talk.call["said"]] == ["agent", "phone"]


def test_a_sentence_that_was_cut_off_has_no_end(talk: Talk) -> None:
    talk.say("agent", "Hello.", "1")
    talk.say("agent", "How are", "2", None)
    talk.room.close()
    assert talk.said == [("assistant", "Hello.", 0, 2000), ("assistant", "How are", 2000, None)]


def test_two_may_speak_at_a_time(talk: Talk) -> None:
    talk.say("agent", "Hello.", "1", None)
    talk.say("phone", "Hi.", "2")
    talk.room.tell(Said("agent", "Hello.", is_final=True, segment="1"))
    assert talk.said == [("assistant", "Hello.", 0, 2000), ("user", "Hi.", 0, 2000)]


def test_keys_are_noted_and_what_is_none_is_not(talk: Talk) -> None:
    for digits in ("12", "#", "dx \n", "*"):
        talk.room.send(Pressed("ann", digits))
    assert talk.call["digits"] == talk.notes.digits == "12#D*"


def test_so_much_is_noted_and_no_more(talk: Talk) -> None:
    talk.room.send(Pressed("ann", "7" * (MOST_DIGITS + 5)))
    for number in range(MOST_SAID + 1):
        talk.say("agent", "Again.", str(number), 0)
    assert (len(talk.call["digits"]), len(talk.call["said"])) == (MOST_DIGITS, MOST_SAID)


def test_what_the_agent_does_from_now_on_is_noted(talk: Talk) -> None:
    talk.notes.behave(Behaviour("tone"))
    assert talk.call["behaviour"] == {"mode": "tone"}


def test_what_was_noted_is_carried_on_by_an_export(talk: Talk, tmp_path: Path) -> None:
    talk.say("agent", "Hello.", "1")
    talk.room.send(Pressed("ann", "12"))
    talk.notes.behave(Behaviour("speak", ("One.",)))
    again = reopened(talk.client, tmp_path).world.store.get("calls", talk.call_id)
    assert again == talk.call


def test_hanging_up_ends_the_call(talk: Talk) -> None:
    talk.notes.hang_up()
    talk.notes.hang_up()
    assert talk.call["status"] == "canceled"


def test_nothing_is_noted_of_a_call_that_is_gone(talk: Talk) -> None:
    with talk.client.world.store.transaction():
        talk.client.world.store.delete("calls", talk.call_id)
    talk.say("agent", "Hello.", "1")
    talk.room.send(Pressed("ann", "1"))
    talk.notes.hang_up()
    assert (talk.call, talk.notes.digits) == (None, "")
