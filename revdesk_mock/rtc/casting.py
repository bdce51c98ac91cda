"""Casting: which of ours take part in a room, the agent and the called party, with what voice, and who watches it."""

from collections.abc import Mapping
from functools import partial

from revdesk_mock import legs, placement
from revdesk_mock.messages import Record
from revdesk_mock.rtc import telephone
from revdesk_mock.rtc.agent import Agent
from revdesk_mock.rtc.mouth import Spoken
from revdesk_mock.rtc.notes import Notes
from revdesk_mock.rtc.party import Lines, Party, role_of
from revdesk_mock.rtc.recorder import Recorder
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.rtc.speech import Speech
from revdesk_mock.rtc.tones import Tones
from revdesk_mock.rtc.voices import Voices
from revdesk_mock.simulation import agent_modes
from revdesk_mock.world import World

PHONE_VOICE: Mapping[str, str] = {"voice_id": "en-us", "language": "en"}


class Casting:
    """Puts agents and telephones into rooms. They share one voice box, which remembers what it said."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._speech = Speech()
        self._tones = Tones()

    def open_room(self, world: World, room: Room, call: Record) -> None:
        """Let those of ours who belong to the call take their places before anybody comes in, and watch."""
        room.watch(Notes(world, room, call["id"]))
        room.watch(Voices(room))
        if call["record"]:
            self._recorder.record(room, world.id, call["id"], world.clock.now)
        self.seat_agent(world, room, call)
        self._seat_party(world, room, call)

    def seat_agent(self, world: World, room: Room, call: Record) -> None:
        """Let the call's agent, if it has one, take its place."""
        agent = world.store.get("agents", call["agent_id"] or "")
        if agent is not None:
            behaviour = agent_modes.read(
                call["behaviour"] or agent_modes.choose(None, agent, world.policies.agent_mode)
            )
            sid, voice, notebook = world.dice.hex(12), partial(self._speak, agent), Notes(world, room, call["id"])
            Agent(room, sid, agent["name"], call["opening"] or "", voice, self._tone, notebook, behaviour)

    def _seat_party(self, world: World, room: Room, call: Record) -> None:
        """Let a telephone stand for each leg that no person has picked up."""
        for leg in legs.phones(world, call):
            dial, hang_up = (
                partial(act, world, call["id"]) for act in (placement.dial_from_browser, placement.hang_up)
            )
            role = role_of(call, leg, echoes=world.policies.called_party_mode == "echo")
            sid, status, voice = world.dice.hex(12), telephone.status_of(call), partial(self._speak, PHONE_VOICE)
            Party(room, sid, status, role, voice, self._tones, Lines(dial, hang_up))

    def _tone(self) -> Spoken:
        return self._tones.steady

    def _speak(self, agent: Mapping[str, str], text: str) -> Spoken:
        return self._speech.packets(text, agent["voice_id"], agent["language"])
