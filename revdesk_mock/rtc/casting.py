"""Casting: which agent takes part in a room, and with what voice."""

from functools import partial

from revdesk_mock.messages import Record
from revdesk_mock.rtc.agent import Agent
from revdesk_mock.rtc.media import Encoder, frames_of, level
from revdesk_mock.rtc.mouth import Spoken
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.rtc.speech import Speech
from revdesk_mock.world import World


class Casting:
    """Puts agents into rooms. They share one voice box, which remembers what it said."""

    def __init__(self) -> None:
        self._speech = Speech()

    def open_room(self, world: World, room: Room, call: Record) -> None:
        """Let the call's agent, if it has one, take its place before anybody comes in."""
        agent = world.store.get("agents", call["agent_id"] or "")
        if agent is not None:
            voice, mode = partial(self._speak, agent), world.policies.agent_mode
            Agent(room, world.dice.hex(12), agent["name"], call["opening"] or "", voice, mode)

    def _speak(self, agent: Record, text: str) -> Spoken:
        encoder = Encoder()
        samples = self._speech.say(text, agent["voice_id"], agent["language"])
        return [(encoder.encode(frame), round(level(frame))) for frame in frames_of(samples)]
