"""Notes: what of a room's life is kept in its call's record, the words and the keys and what the agent does."""

from dataclasses import dataclass, field

from revdesk_mock import handset, placement
from revdesk_mock.messages import JSON, Record
from revdesk_mock.rtc.events import AGENT, Event, Pressed, Said
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.simulation.agent_modes import Behaviour
from revdesk_mock.world import World

MOST_SAID = 1_000  # of a call; what comes after is not kept


@dataclass(slots=True)
class Notes:
    """Watches one room, and writes into the record of its call, unless that is gone."""

    world: World
    room: Room
    call_id: str
    _segments: dict[str, int] = field(default_factory=dict)  # where in the record's list each sentence is

    @property
    def digits(self) -> str:
        """The keys that were pressed so far."""
        call = self._call()
        return str(call["digits"]) if call else ""

    def tell(self, event: Event) -> None:
        """Note words as they begin and end, and keys."""
        match event:
            case Said(identity, text, False, segment):
                self._note_words(identity, text, segment)
            case Said(_, _, True, segment) if segment in self._segments:
                self._end_words(self._segments.pop(segment))
            case Pressed(_, digits):
                self._write(digits=handset.noted(self.digits, digits))

    def hear(self, identity: str, track: str, packet: bytes, level: int | None) -> None:
        """Leave the sound to others."""

    def close(self, reason: str) -> None:
        """End with the room: a sentence that was not ended is one that was cut off."""

    def behave(self, behaviour: Behaviour) -> None:
        """Note what the agent does from now on."""
        self._write(behaviour=behaviour.written())

    def hang_up(self) -> None:
        """End the call."""
        placement.hang_up(self.world, self.call_id)

    def _note_words(self, identity: str, text: str, segment: str) -> None:
        call, speaker = self._call(), self.room.find(identity)
        if call is None or len(call["said"]) >= MOST_SAID:
            return
        role = "assistant" if speaker and speaker.kind == AGENT else "user"
        self._segments[segment] = len(call["said"])
        words = {"at": self.world.clock.now(), "ended_at": None, "by": identity, "role": role, "text": text}
        self._write(said=[*call["said"], words])

    def _end_words(self, place: int) -> None:
        call = self._call()
        if call is not None:
            ended = {**call["said"][place], "ended_at": self.world.clock.now()}
            self._write(said=[*call["said"][:place], ended, *call["said"][place + 1 :]])

    def _call(self) -> Record | None:
        return self.world.store.get("calls", self.call_id)

    def _write(self, **changes: JSON) -> None:
        call = self._call()
        if call is not None and any(call[name] != value for name, value in changes.items()):
            with self.world.store.transaction():
                self.world.store.update("calls", call, **changes)
