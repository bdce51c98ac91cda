"""The agent in a room: it greets who comes in, and then does what its mode says."""

import asyncio
from collections.abc import Callable, Sequence

from revdesk_mock.clock import Pace
from revdesk_mock.rtc.packets import FRAME, RATE
from revdesk_mock.rtc.rooms import AGENT, PERSON, Changed, Event, Participant, Room, Said, Track

IDENTITY = "agent"
STATE = "lk.agent.state"  # the attribute by which LiveKit's clients know what an agent does
INITIALIZING, LISTENING, SPEAKING = "initializing", "listening", "speaking"
ECHO, SILENT = "echo", "silent"
BEAT = FRAME / RATE  # seconds of a packet

Voice = Callable[[str], Sequence[bytes]]  # a text as Opus packets of 20 ms; may take a while


class Agent:
    """Takes its place in a room, says its greeting to the first person, and echoes what it hears (or is silent).

    `sid` is that of the participant, without its prefix.
    """

    def __init__(self, room: Room, sid: str, name: str, greeting: str, voice: Voice, mode: str = ECHO) -> None:
        self._room = room
        self._greeting = greeting
        self._voice = voice
        self._mode = mode
        self._track = f"TR_{sid}"
        self._task: asyncio.Task[None] | None = None
        self._is_speaking = False
        attributes = {STATE: INITIALIZING}
        room.join(Participant(f"PA_{sid}", IDENTITY, AGENT, name, attributes=attributes, is_active=True), self)
        room.publish(IDENTITY, Track(self._track, "agent"))

    def tell(self, event: Event) -> None:
        """Greet the first person that can hear it."""
        if isinstance(event, Changed) and self._task is None:
            person = event.participant
            if person.kind == PERSON and person.is_active:
                self._task = asyncio.create_task(self._say(self._greeting))

    def hear(self, _: str, __: str, packet: bytes) -> None:
        """Say back what it hears, as it came."""
        if self._mode == ECHO and not self._is_speaking:
            self._room.sound(IDENTITY, self._track, packet)

    def close(self, _: str) -> None:
        """Stop in the middle of a word."""
        if self._task is not None:
            self._task.cancel()

    async def _say(self, text: str) -> None:
        """Speak a text at its own pace, and show it as it is said."""
        if text:
            packets = await asyncio.get_running_loop().run_in_executor(None, self._voice, text)
            self._is_speaking = True
            self._room.describe(IDENTITY, attributes={STATE: SPEAKING})
            self._room.tell(Said(IDENTITY, text, is_final=False, segment=self._track))
            pace = Pace()
            for packet in packets:
                await pace.beat(BEAT)
                self._room.sound(IDENTITY, self._track, packet)
            self._room.tell(Said(IDENTITY, text, is_final=True, segment=self._track))
            self._is_speaking = False
        self._room.describe(IDENTITY, attributes={STATE: LISTENING})
