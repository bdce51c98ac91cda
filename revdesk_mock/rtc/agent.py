"""The agent in a room: it greets who comes in, takes its turns as its mode says, and does what it is asked for."""

from collections.abc import Callable, Mapping
from typing import Protocol

import orjson

from revdesk_mock.messages import JSON
from revdesk_mock.rtc.acts import Act, Means, act_of
from revdesk_mock.rtc.events import (
    AGENT,
    PERSON,
    RPC_FAILED,
    RPC_UNKNOWN,
    Answered,
    Asked,
    Changed,
    Event,
    Participant,
    Speaking,
    Track,
)
from revdesk_mock.rtc.mouth import Mouth, Spoken, Voice
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.simulation import agent_modes
from revdesk_mock.simulation.agent_modes import Behaviour

IDENTITY = "agent"
STATE = "lk.agent.state"  # the attribute by which LiveKit's clients know what an agent does
INITIALIZING, LISTENING, THINKING, SPEAKING = "initializing", "listening", "thinking", "speaking"
LONGEST_TEXT, MOST_WAITING = 4_000, 20  # what it lets itself be asked to say: characters, and texts at a time


class Notebook(Protocol):
    """What the agent knows of its call, and does to it."""

    @property
    def digits(self) -> str:
        """The keys that were pressed so far."""

    def behave(self, behaviour: Behaviour) -> None:
        """Note what the agent does from now on."""

    def hang_up(self) -> None:
        """End the call."""


class Agent:
    """Takes its place in a room, says its greeting to the first person, and then acts by its mode.

    `sid` is that of the participant, without its prefix; `tone` gives a second of a tone that can be repeated.
    """

    def __init__(
        self,
        room: Room,
        sid: str,
        name: str,
        greeting: str,
        voice: Voice,
        tone: Callable[[], Spoken],
        notebook: Notebook,
        behaviour: Behaviour,
    ) -> None:
        self._room = room
        self._greeting = greeting
        self._notebook = notebook
        self._behaviour = behaviour
        self._has_greeted = self._has_begun = self._person_speaks = False
        attributes = {STATE: INITIALIZING}
        me = Participant(f"PA_{sid}", IDENTITY, AGENT, name, attributes=attributes, is_active=True)
        others = room.join(me, self)
        track = Track(f"TR_{sid}", "agent")
        self._mouth = Mouth(room, IDENTITY, track, voice, self._turned, lambda: self._show(THINKING))
        self._means = Means(self._mouth, tone, notebook.hang_up)
        self._act: Act = act_of(behaviour, self._means)
        for other in others:  # it may come later than those it talks to
            self.tell(Changed(other))

    def tell(self, event: Event) -> None:
        """Greet the first person that can hear it, take its turns, and do what it is asked for."""
        match event:
            case Changed(person) if person.kind == PERSON and person.is_active and not self._has_greeted:
                self._has_greeted = True
                self._mouth.say(self._greeting)
                self._mouth.then(self._begin)
            case Speaking(levels):
                self._listen(levels)
            case Asked(key, sender, method, payload):
                self._room.send_to(sender, self._answer(key, method, payload))

    def hear(self, identity: str, _: str, packet: bytes, level: int | None) -> None:
        """Let its act hear people: two of ours that echo one another would never end."""
        speaker = self._room.find(identity)
        if speaker is not None and speaker.kind == PERSON:
            self._act.hear(packet, level)

    def close(self, _: str) -> None:
        """Stop in the middle of a word."""
        self._act.stop()
        self._mouth.stop()

    def _begin(self) -> None:
        self._has_begun = True
        self._act.begin()

    def _listen(self, levels: Mapping[str, float]) -> None:
        """Take a turn when nobody speaks any more who did."""
        before, self._person_speaks = self._person_speaks, any(identity != IDENTITY for identity in levels)
        if before and not self._person_speaks and self._has_greeted:
            self._act.answer()

    def _turned(self, is_speaking: bool) -> None:  # noqa: FBT001 # that is what is told
        self._show(SPEAKING if is_speaking else LISTENING)

    def _show(self, state: str) -> None:
        self._room.describe(IDENTITY, attributes={STATE: state})

    # what it is asked for

    def _answer(self, key: str, method: str, payload: str) -> Answered:
        methods: Mapping[str, Callable[[str], str]] = {
            "say": self._say,
            "mode": self._change,
            "state": self._tell_state,
            "echo": str,
        }
        if method not in methods:
            return Answered(key, IDENTITY, "", RPC_UNKNOWN)
        try:
            return Answered(key, IDENTITY, methods[method](payload))
        except ValueError as error:
            code, message = RPC_FAILED
            return Answered(key, IDENTITY, "", (code, f"{message}: {error}"))

    def _say(self, text: str) -> str:
        if not text.strip() or len(text) > LONGEST_TEXT:
            raise ValueError(f"the payload of say is a text of 1 to {LONGEST_TEXT} characters")
        if self._mouth.waiting >= MOST_WAITING:
            raise ValueError(f"{MOST_WAITING} texts wait to be said; ask again when some are")
        self._mouth.say(text)
        return ""

    def _change(self, payload: str) -> str:
        """Behave otherwise from now on."""
        behaviour = agent_modes.read(_read(payload))
        self._act.stop()
        self._behaviour, self._act = behaviour, act_of(behaviour, self._means)
        self._notebook.behave(behaviour)
        if self._has_begun:
            self._act.begin()
        return ""

    def _tell_state(self, _: str) -> str:
        me = self._room.find(IDENTITY)
        state = me.attributes[STATE] if me else LISTENING
        told = {"mode": self._behaviour.mode, "state": state, "digits": self._notebook.digits}
        return orjson.dumps(told).decode()


def _read(payload: str) -> JSON:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"the payload is not JSON: {error}") from error
