"""The agent of a room: it greets whoever can hear it, once, takes its turns, and does what it is asked for."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from revdesk_mock.rtc.agent import (
    INITIALIZING,
    LISTENING,
    LONGEST_TEXT,
    MOST_WAITING,
    SPEAKING,
    STATE,
    THINKING,
    Agent,
)
from revdesk_mock.rtc.events import (
    RPC_UNKNOWN,
    Answered,
    Asked,
    Changed,
    Participant,
    Said,
    Speaking,
    Track,
)
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.simulation.agent_modes import SILENT, SPEAK, Behaviour
from tests.rtc.caller import live, until
from tests.rtc.test_rooms import Ear

WORDS = "Hello there."
PACKETS = [b"one", b"two", b"three"]


@dataclass
class Pad:
    """A notebook that keeps what it is told."""

    digits: str = "12#"
    noted: list[Behaviour] = field(default_factory=list)
    hung_up: int = 0

    def behave(self, behaviour: Behaviour) -> None:
        self.noted.append(behaviour)

    def hang_up(self) -> None:
        self.hung_up += 1


@dataclass
class Scene:
    """A room where an agent is, and one person, whom nothing reaches yet."""

    behaviour: Behaviour = field(default_factory=Behaviour)
    greeting: str = WORDS
    room: Room = field(default_factory=lambda: Room("room_1", "RM_1"))
    ear: Ear = field(default_factory=Ear)
    pad: Pad = field(default_factory=Pad)

    def __post_init__(self) -> None:
        self.put_agent()
        self.room.join(Participant("PA_ann", "ann"), self.ear)
        self.room.publish("ann", Track("TR_ann", "microphone"))

    def put_agent(self) -> None:
        sound = [(packet, -20) for packet in PACKETS]
        Agent(
            self.room,
            "1",
            "Front desk",
            self.greeting,
            lambda _: sound,
            lambda: [(b"hum", -20)],
            self.pad,
            self.behaviour,
        )

    async def greeted(self) -> None:
        """Let the person be reached, and wait for the end of the greeting."""
        self.room.activate("ann")
        await self.listening()

    async def listening(self) -> None:
        await until(lambda: self.states[-1:] == [LISTENING])

    def speak(self) -> None:
        """Let the person speak for a while."""
        self.room.tell(Speaking({"ann": 0.1}))
        self.room.tell(Speaking({}))

    async def answered(self, line: str) -> None:
        """Wait until the agent has said something."""
        await until(lambda: self.said[-1:] == [line])
        await self.listening()

    def ask(self, method: str, payload: str = "") -> Answered:
        self.room.send_to("agent", Asked("7", "ann", method, payload))
        answer = self.ear.told[-1]
        assert isinstance(answer, Answered)
        return answer

    @property
    def states(self) -> list[str]:
        changes = (event.participant for event in self.ear.told if isinstance(event, Changed))
        return [one.attributes[STATE] for one in changes if one.identity == "agent"]

    @property
    def said(self) -> list[str]:
        return [event.text for event in self.ear.told if isinstance(event, Said) and event.is_final]

    @property
    def heard(self) -> list[bytes]:
        return [packet for _, _, packet in self.ear.heard]


def test_the_agent_is_there_before_anybody_and_says_nothing_yet() -> None:
    scene = Scene()
    agent = scene.room.find("agent")
    assert agent is not None
    assert (agent.kind, agent.attributes, scene.heard) == ("agent", {STATE: INITIALIZING}, [])


@live
async def test_who_can_hear_it_is_greeted_once_in_sound_and_in_words() -> None:
    scene = Scene()
    await scene.greeted()
    scene.room.describe("ann", name="Ann")
    assert scene.heard == PACKETS
    said = [(event.text, event.is_final) for event in scene.ear.told if isinstance(event, Said)]
    assert said == [(WORDS, False), (WORDS, True)]


@live
async def test_one_that_comes_later_greets_who_is_there() -> None:
    scene = Scene(greeting="")
    await scene.greeted()
    scene.greeting = WORDS
    scene.put_agent()
    await scene.answered(WORDS)


@live
async def test_it_shows_that_it_thinks_while_speech_is_made_and_then_that_it_speaks() -> None:
    scene = Scene()
    await scene.greeted()
    assert scene.states == [THINKING, SPEAKING, LISTENING]


@live
async def test_an_agent_without_a_greeting_listens_at_once() -> None:
    scene = Scene(greeting="")
    await scene.greeted()
    assert (scene.heard, scene.states) == ([], [LISTENING])


@pytest.mark.parametrize(("behaviour", "heard"), [(Behaviour(), [b"mine"]), (Behaviour(SILENT), [])])
def test_it_says_back_what_it_hears_as_it_came_or_keeps_silent(behaviour: Behaviour, heard: list[bytes]) -> None:
    scene = Scene(behaviour)
    scene.room.sound("ann", "TR_ann", b"mine")
    assert scene.heard == heard


@live
async def test_it_says_the_next_line_when_a_person_has_stopped_speaking() -> None:
    scene = Scene(Behaviour(SPEAK, ("One.", "Two.")))
    await scene.greeted()
    for line in ("One.", "Two."):
        scene.speak()
        await scene.answered(line)
    scene.speak()
    assert scene.said == [WORDS, "One.", "Two."]
    assert scene.states == [THINKING, SPEAKING, LISTENING] * 3


@live
async def test_its_own_voice_is_no_turn_of_a_person() -> None:
    scene = Scene(Behaviour(SPEAK, ("One.",)))
    await scene.greeted()
    scene.room.tell(Speaking({"agent": 0.1}))
    scene.room.tell(Speaking({}))
    scene.room.tell(Speaking({"ann": 0.1, "bob": 0.1}))
    scene.room.tell(Speaking({"bob": 0.1}))
    assert scene.states[-1] == LISTENING


@live
async def test_it_says_what_it_is_asked_to_say() -> None:
    scene = Scene()
    await scene.greeted()
    assert scene.ask("say", "Goodbye.") == Answered("7", "agent", "")
    await scene.answered("Goodbye.")


@pytest.mark.parametrize("text", ["", " \n", "x" * (LONGEST_TEXT + 1)], ids=["empty", "blank", "too long"])
def test_what_cannot_be_said_is_refused_with_the_reason(text: str) -> None:
    answer = Scene().ask("say", text)
    assert answer.error is not None
    assert answer.error[0] == 1500
    assert answer.error[1].startswith("Application error in method handler: the payload of say")


@live
async def test_no_more_is_said_at_a_time_than_fits() -> None:
    scene = Scene()
    answers = [scene.ask("say", "Again.") for _ in range(MOST_WAITING + 1)]
    assert [answer.error is None for answer in answers] == [True] * MOST_WAITING + [False]
    scene.room.close()


@live
async def test_it_changes_its_ways_when_asked_and_notes_them() -> None:
    scene = Scene()
    await scene.greeted()
    order = {"mode": "speak", "script": ["One."]}
    assert scene.ask("mode", json.dumps(order)).error is None
    scene.room.sound("ann", "TR_ann", b"mine")
    scene.speak()
    await scene.answered("One.")
    assert b"mine" not in scene.heard
    assert scene.pad.noted == [Behaviour(SPEAK, ("One.",))]


@live
async def test_a_tone_starts_at_once_when_asked_for_and_ends_with_another_mode() -> None:
    scene = Scene(Behaviour(SILENT))
    await scene.greeted()
    scene.ask("mode", '{"mode": "tone"}')
    await until(lambda: b"hum" in scene.heard)
    scene.ask("mode", '{"mode": "silent"}')
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)


@live
async def test_it_hangs_up_so_long_after_its_greeting() -> None:
    scene = Scene(Behaviour("hangup_after", seconds=0))
    await scene.greeted()
    await until(lambda: scene.pad.hung_up == 1)


NO_MODES = ["", "{", "[" * 100_000, "[]", '"echo"', '{"mode": "dance"}', '{"mode": "echo", "script": []}']


@pytest.mark.parametrize("payload", NO_MODES, ids=lambda payload: payload[:20] or "empty")
def test_a_mode_that_there_is_not_is_refused_and_changes_nothing(payload: str) -> None:
    scene = Scene()
    answer = scene.ask("mode", payload)
    assert answer.error is not None
    assert (answer.error[0], scene.pad.noted) == (1500, [])
    scene.room.sound("ann", "TR_ann", b"mine")
    assert scene.heard == [b"mine"]


def test_it_tells_its_state() -> None:
    told: Any = json.loads(Scene(Behaviour(SILENT)).ask("state").payload)
    assert told == {"mode": "silent", "state": "initializing", "digits": "12#"}


def test_it_answers_an_echo_and_knows_no_other_methods() -> None:
    scene = Scene()
    assert scene.ask("echo", "Hi").payload == "Hi"
    assert scene.ask("dance").error == RPC_UNKNOWN


@live
async def test_it_stops_in_the_middle_of_a_word_when_the_room_closes() -> None:
    scene = Scene(Behaviour("hangup_after", seconds=0))
    scene.room.activate("ann")
    await until(lambda: scene.heard)
    scene.room.close()
    heard = len(scene.heard)
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)
    assert len(scene.heard) == heard < len(PACKETS)
    assert scene.pad.hung_up == 0
