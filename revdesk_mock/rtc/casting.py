"""Casting: which agent takes part in a room, and with what voice; who watches it, and what they keep."""

from functools import partial

from revdesk_mock.messages import Record
from revdesk_mock.rtc.agent import Agent
from revdesk_mock.rtc.media import Encoder, Frame, frames_of, level, tone
from revdesk_mock.rtc.mouth import Spoken
from revdesk_mock.rtc.notes import Notes
from revdesk_mock.rtc.recorder import Recorder
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.rtc.speech import Speech
from revdesk_mock.rtc.voices import Voices
from revdesk_mock.simulation import agent_modes
from revdesk_mock.world import World

TONE = 440  # Hz, at -20 dBov
SECOND = 50  # packets


class Casting:
    """Puts agents into rooms. They share one voice box, which remembers what it said."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._speech = Speech()

    def open_room(self, world: World, room: Room, call: Record) -> None:
        """Let who watches, and the call's agent, if it has one, take their places before anybody comes in."""
        notes = self._watch(world, room, call)
        agent = world.store.get("agents", call["agent_id"] or "")
        if agent is not None:
            behaviour = agent_modes.read(
                call["behaviour"] or agent_modes.choose(None, agent, world.policies.agent_mode)
            )
            voice, opening = partial(self._speak, agent), call["opening"] or ""
            Agent(room, world.dice.hex(12), agent["name"], opening, voice, second_of_tone, notes, behaviour)

    def _watch(self, world: World, room: Room, call: Record) -> Notes:
        """Let a room's voices be told, its words and keys noted, and its sound kept where the call is recorded."""
        notes = Notes(world, room, call["id"])
        room.watch(notes)
        room.watch(Voices(room))
        if call["record"]:
            self._recorder.record(room, world.id, call["id"], world.clock.now)
        return notes

    def _speak(self, agent: Record, text: str) -> Spoken:
        return encoded(self._speech.say(text, agent["voice_id"], agent["language"]))


def encoded(samples: Frame) -> Spoken:
    """Return samples as packets with their levels."""
    encoder = Encoder()
    return [(encoder.encode(frame), round(level(frame))) for frame in frames_of(samples)]


def second_of_tone() -> Spoken:
    """Return a second of a steady tone, which can be repeated without a click: the second one, and whole waves."""
    return encoded(tone(TONE, 2))[SECOND:]
