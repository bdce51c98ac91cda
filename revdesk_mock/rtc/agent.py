"""The agent in a room: it greets who comes in, and then does what its mode says."""

from revdesk_mock.rtc.events import AGENT, PERSON, RPC_UNKNOWN, Answered, Asked, Changed, Event, Participant, Track
from revdesk_mock.rtc.mouth import Mouth, Voice
from revdesk_mock.rtc.rooms import Room

IDENTITY = "agent"
STATE = "lk.agent.state"  # the attribute by which LiveKit's clients know what an agent does
INITIALIZING, LISTENING, SPEAKING = "initializing", "listening", "speaking"
ECHO, SILENT = "echo", "silent"


class Agent:
    """Takes its place in a room, says its greeting to the first person, and echoes what it hears (or is silent).

    `sid` is that of the participant, without its prefix.
    """

    def __init__(self, room: Room, sid: str, name: str, greeting: str, voice: Voice, mode: str = ECHO) -> None:
        self._room = room
        self._greeting = greeting
        self._mode = mode
        self._has_greeted = False
        attributes = {STATE: INITIALIZING}
        room.join(Participant(f"PA_{sid}", IDENTITY, AGENT, name, attributes=attributes, is_active=True), self)
        self._mouth = Mouth(room, IDENTITY, Track(f"TR_{sid}", "agent"), voice, self._show)

    def tell(self, event: Event) -> None:
        """Greet the first person that can hear it, and do what it is asked for."""
        match event:
            case Changed(person) if person.kind == PERSON and person.is_active and not self._has_greeted:
                self._has_greeted = True
                self._mouth.say(self._greeting)
                if not self._mouth.is_speaking:
                    self._show(is_speaking=False)
            case Asked(key, sender, "say", text):
                self._mouth.say(text)
                self._room.send_to(sender, Answered(key, IDENTITY, ""))
            case Asked(key, sender):
                self._room.send_to(sender, Answered(key, IDENTITY, "", RPC_UNKNOWN))

    def hear(self, _: str, __: str, packet: bytes, level: int | None) -> None:
        """Say back what it hears, as it came."""
        if self._mode == ECHO:
            self._mouth.echo(packet, level)

    def close(self, _: str) -> None:
        """Stop in the middle of a word."""
        self._mouth.stop()

    def _show(self, is_speaking: bool) -> None:  # noqa: FBT001 # that is what is told
        self._room.describe(IDENTITY, attributes={STATE: SPEAKING if is_speaking else LISTENING})
