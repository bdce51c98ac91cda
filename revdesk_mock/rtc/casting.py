"""Casting: which of ours take part in a room, the agent and the called party, and with what voice."""

from collections.abc import Mapping
from functools import partial

from revdesk_mock import legs, placement
from revdesk_mock.messages import Record
from revdesk_mock.rtc import telephone
from revdesk_mock.rtc.agent import Agent
from revdesk_mock.rtc.events import Changed
from revdesk_mock.rtc.media import Encoder, frames_of, level
from revdesk_mock.rtc.mouth import Spoken
from revdesk_mock.rtc.party import Lines, Party, role_of
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.rtc.speech import Speech
from revdesk_mock.rtc.tones import Tones
from revdesk_mock.world import World

PHONE_VOICE: Mapping[str, str] = {"voice_id": "en-us", "language": "en"}


class Casting:
    """Puts agents and telephones into rooms. They share one voice box, which remembers what it said."""

    def __init__(self) -> None:
        self._speech = Speech()
        self._tones = Tones()

    def open_room(self, world: World, room: Room, call: Record) -> None:
        """Let those of ours who belong to the call take their places before anybody comes in."""
        self.seat_agent(world, room, call)
        self._seat_party(world, room, call)

    def seat_agent(self, world: World, room: Room, call: Record) -> None:
        """Let the call's agent, if it has one, take its place, and learn who is there."""
        agent = world.store.get("agents", call["agent_id"] or "")
        if agent is not None:
            voice, mode = partial(self._speak, agent), world.policies.agent_mode
            seated = Agent(room, world.dice.hex(12), agent["name"], call["opening"] or "", voice, mode)
            for other in room.participants:
                seated.tell(Changed(other))

    def _seat_party(self, world: World, room: Room, call: Record) -> None:
        """Let a telephone stand for each leg that no person has picked up."""
        for leg in legs.phones(world, call):
            dial, hang_up = (
                partial(act, world, call["id"]) for act in (placement.dial_from_browser, placement.hang_up)
            )
            role = role_of(call, leg, echoes=world.policies.called_party_mode == "echo")
            sid, status, voice = world.dice.hex(12), telephone.status_of(call), partial(self._speak, PHONE_VOICE)
            Party(room, sid, status, role, voice, self._tones, Lines(dial, hang_up))

    def _speak(self, agent: Mapping[str, str], text: str) -> Spoken:
        encoder = Encoder()
        samples = self._speech.say(text, agent["voice_id"], agent["language"])
        return [(encoder.encode(frame), round(level(frame))) for frame in frames_of(samples)]
