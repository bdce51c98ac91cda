"""The called party: it rings for who can hear it, says one sentence when it is answered, and echoes people alone."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import ApiError
from revdesk_mock.rtc.events import AGENT, Answered, Asked, Participant, Said, Track
from revdesk_mock.rtc.mouth import BREATH
from revdesk_mock.rtc.party import MESSAGE, Lines, Party, Role, number_in, role_of
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.rtc.telephone import ACTIVE, DIALING, IDENTITY, RINGS, STATUS
from revdesk_mock.rtc.tones import Tones
from revdesk_mock.simulation.call_flow import leg
from tests.rtc.caller import live, until
from tests.rtc.test_rooms import Ear

NUMBER = "+13125550108"
ROLE = Role(NUMBER, "Hello.")


class Scene:
    """A room with a telephone and Ann, whom nothing reaches yet."""

    def __init__(self, role: Role = ROLE, status: str = DIALING) -> None:
        self.room, self.ear = Room("room_1", "RM_1"), Ear()
        self.dialed: list[str] = []
        self.hung_up: list[bool] = []
        lines = Lines(self.dial, lambda: self.hung_up.append(True))
        Party(self.room, "1", status, role, lambda text: [(text.encode(), -20)], Tones(), lines)
        self.room.join(Participant("PA_ann", "ann"), self.ear)
        self.room.publish("ann", Track("TR_ann", "microphone"))

    def dial(self, number: str) -> None:
        if number != NUMBER:
            raise ApiError("conflict", "Not that one.")
        self.dialed.append(number)

    def becomes(self, status: str) -> None:
        self.room.describe(IDENTITY, attributes={STATUS: status})

    @property
    def heard(self) -> list[bytes]:
        return [packet for _, _, packet in self.ear.heard]

    @property
    def said(self) -> list[str]:
        return [event.text for event in self.ear.told if isinstance(event, Said) and event.is_final]

    def ask(self, method: str, payload: str = "") -> Any:
        self.room.send_to(IDENTITY, Asked("1", "ann", method, payload))
        [answer] = [event for event in self.ear.told if isinstance(event, Answered)]
        self.ear.told.remove(answer)
        return answer.error


def test_it_is_there_as_a_telephone_before_anybody_and_is_silent_to_who_cannot_hear() -> None:
    scene = Scene()
    scene.becomes(RINGS)
    phone = scene.room.find(IDENTITY)
    assert phone is not None
    shown = {"sip.callStatus": "ringing", "sip.phoneNumber": NUMBER}
    assert (phone.kind, dict(phone.attributes), scene.heard) == ("sip", shown, [])


@live
async def test_it_rings_until_it_is_answered_and_says_its_sentence_then() -> None:
    scene = Scene()
    scene.room.activate("ann")
    scene.becomes(RINGS)
    await until(lambda: len(scene.heard) > 5)
    assert scene.heard == [packet for packet, _ in Tones().ringback[: len(scene.heard)]]
    scene.becomes(ACTIVE)
    await until(lambda: scene.said)
    assert (scene.said, scene.heard[-1]) == (["Hello."], b"Hello.")


@live
async def test_it_speaks_even_if_it_rang_for_no_time_at_all() -> None:
    scene = Scene()
    scene.room.activate("ann")
    scene.becomes(RINGS)
    scene.becomes(ACTIVE)
    await until(lambda: scene.said)
    assert scene.heard == [b"Hello."]


@live
async def test_who_comes_late_hears_the_sentence_too_and_once() -> None:
    scene = Scene(status=ACTIVE)
    scene.room.activate("ann")
    await until(lambda: scene.said)
    scene.room.describe("ann", name="Ann")
    assert scene.said == ["Hello."]


@live
async def test_a_voicemail_beeps_after_its_sentence() -> None:
    scene = Scene(ROLE._replace(beeps=True))
    scene.room.activate("ann")
    scene.becomes(ACTIVE)
    beep = [packet for packet, _ in Tones().beep]
    await until(lambda: len(scene.heard) == 1 + len(beep))
    assert scene.heard == [b"Hello.", *beep]


@live
async def test_it_falls_silent_when_it_is_put_out() -> None:
    scene = Scene(status=RINGS)
    scene.room.activate("ann")
    await until(lambda: scene.heard)
    scene.room.leave(IDENTITY)
    before = len(scene.heard)
    scene.becomes(ACTIVE)
    assert len(scene.heard) == before


@pytest.mark.parametrize("expected", [[b"mine"], []])
def test_it_says_back_what_people_say_once_it_has_spoken_or_keeps_silent(expected: list[bytes]) -> None:
    @live
    async def talk() -> None:
        scene = Scene(ROLE._replace(echoes=bool(expected)), status=ACTIVE)
        scene.room.sound("ann", "TR_ann", b"early")
        scene.room.activate("ann")
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        scene.room.join(Participant("PA_agent", "agent", AGENT), Ear())
        scene.room.publish("agent", Track("TR_agent", "agent"))
        scene.room.sound("agent", "TR_agent", b"the agent's")
        for packet in (*[b"lost"] * BREATH, b"mine"):
            scene.room.sound("ann", "TR_ann", packet)
        assert scene.heard == [b"Hello.", b"the agent's", *expected]

    talk()


# asked for


@pytest.mark.parametrize("payload", [NUMBER, f" {NUMBER} ", f'"{NUMBER}"', f'{{"to_number": "{NUMBER}"}}'])
def test_it_dials_when_it_is_asked_to(payload: str) -> None:
    scene = Scene(status="")
    assert (scene.ask("dial", payload), scene.dialed) == (None, [NUMBER])


def test_it_says_why_it_does_not_dial() -> None:
    assert Scene().ask("dial", "+13125550101") == (409, "Not that one.")


def test_it_hangs_up_when_it_is_asked_to_and_can_do_nothing_else() -> None:
    scene = Scene()
    assert scene.ask("dance")[0] == 1400
    assert (scene.ask("hangup"), scene.hung_up) == (None, [True])


@pytest.mark.parametrize("payload", ["", " ", "{", "{}", '""', '{"to_number": 7}'])
def test_what_is_no_number_is_refused_with_what_would_be(payload: str) -> None:
    with pytest.raises(ApiError, match="to_number") as refused:
        number_in(payload)
    assert refused.value.status == 400


# who it is


def test_it_says_which_number_it_is_and_echoes() -> None:
    one = leg("destination", NUMBER, "+14155550100")
    words = "Hello, this is the test number ending in 0 1 0 8."
    assert role_of({"legs": [one]}, one, echoes=True) == Role(NUMBER, words, beeps=False, echoes=True)


def test_a_voicemail_takes_a_message_and_echoes_nobody() -> None:
    one = leg("destination", "+13125550104", "+14155550100")
    assert role_of({"legs": [one]}, one, echoes=True) == Role("+13125550104", MESSAGE, beeps=True, echoes=False)


@given(digits=st.integers(2_000_000, 9_999_999))
def test_in_a_bridge_it_is_shown_and_heard_without_its_number(digits: int) -> None:
    one = leg("connect", f"+1703{digits}", "+14155550100")
    role = role_of({"legs": [one, leg("destination", NUMBER, "+14155550100")]}, one, echoes=True)
    assert role.number == "+14155550100"
    assert not any(letter.isdigit() for letter in role.words)
