"""The called party in a room: a telephone that rings, is answered with a sentence, and echoes or keeps silent."""

from collections.abc import Callable
from typing import NamedTuple

import orjson

from revdesk_mock.errors import ApiError
from revdesk_mock.legs import CONNECT
from revdesk_mock.messages import Record
from revdesk_mock.rtc.events import PERSON, PHONE, RPC_UNKNOWN, Answered, Asked, Changed, Event, Participant, Track
from revdesk_mock.rtc.mouth import Mouth, Voice
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.rtc.telephone import ACTIVE, IDENTITY, NUMBER, RINGS, STATUS
from revdesk_mock.rtc.tones import Tones
from revdesk_mock.simulation.call_flow import VOICEMAIL, script_for

MESSAGE = "Please leave a message after the tone."


class Role(NamedTuple):
    """What a party is: the number that is shown of it, what it says when it answers, and what it does then."""

    number: str
    words: str
    beeps: bool = False
    echoes: bool = True


class Lines(NamedTuple):
    """What others in the room may ask a telephone for: to dial a number (which raises ApiError), and to hang up."""

    dial: Callable[[str], object]
    hang_up: Callable[[], object]


class Party:
    """Stands for a telephone in a room, and does what its attribute `sip.callStatus` says, which follows the call.

    It is heard only while a person is there to hear it. `sid` is that of the participant, without its prefix.
    """

    def __init__(self, room: Room, sid: str, status: str, role: Role, voice: Voice, tones: Tones, lines: Lines) -> None:
        self._room = room
        self._role = role
        self._tones = tones
        self._lines = lines
        self._status = status
        self._has_spoken = False
        shown = {STATUS: status, NUMBER: role.number}
        attributes = {name: value for name, value in shown.items() if value}
        room.join(Participant(f"PA_{sid}", IDENTITY, PHONE, attributes=attributes, is_active=True), self)
        self._mouth = Mouth(room, IDENTITY, Track(f"TR_{sid}", IDENTITY), voice, self._turned)

    def tell(self, event: Event) -> None:
        """Follow the call, begin once somebody can hear it, and do what it is asked for."""
        match event:
            case Changed(one) if one.identity == IDENTITY and one.attributes.get(STATUS, "") != self._status:
                self._status = one.attributes.get(STATUS, "")
                self._mouth.stop()
                self._go_on()
            case Changed(one) if one.kind == PERSON and one.is_active:
                self._go_on()
            case Asked(key, sender, "dial", payload):
                self._room.send_to(sender, Answered(key, IDENTITY, "", self._dial(payload)))
            case Asked(key, sender, "hangup"):
                self._room.send_to(sender, Answered(key, IDENTITY, ""))
                self._lines.hang_up()
            case Asked(key, sender):
                self._room.send_to(sender, Answered(key, IDENTITY, "", RPC_UNKNOWN))

    def hear(self, identity: str, _: str, packet: bytes, level: int | None) -> None:
        """Say back what a person says, as it came; two of ours that echo one another would never end."""
        speaker = self._room.find(identity)
        if self._role.echoes and self._has_spoken and speaker is not None and speaker.kind == PERSON:
            self._mouth.echo(packet, level)

    def close(self, _: str) -> None:
        """Stop in the middle of a word."""
        self._status = ""
        self._mouth.stop()

    def _turned(self, is_speaking: bool) -> None:  # noqa: FBT001 # that is what is told
        if not is_speaking:
            self._go_on()

    def _go_on(self) -> None:
        """Ring once more, or say the sentence, if it is time for that and somebody can hear it."""
        if self._mouth.is_speaking or not any(one.kind == PERSON and one.is_active for one in self._room.participants):
            return
        if self._status == RINGS:
            self._mouth.play(self._tones.ringback)
        elif self._status == ACTIVE and not self._has_spoken:
            self._has_spoken = True
            self._mouth.say(self._role.words)
            if self._role.beeps:
                self._mouth.play(self._tones.beep)

    def _dial(self, payload: str) -> tuple[int, str] | None:
        """Dial the number that somebody sent; return why not, with the status that the API would have."""
        try:
            self._lines.dial(number_in(payload))
        except ApiError as error:
            return error.status, error.message
        return None


def role_of(call: Record, leg: Record, *, echoes: bool) -> Role:
    """Return what the telephone of a leg is for the others. In a bridge nobody is shown the number of anybody."""
    is_bridge = any(other["role"] == CONNECT for other in call["legs"])
    is_voicemail = script_for(leg["number"]).ending == VOICEMAIL
    if is_voicemail:
        words = MESSAGE
    elif is_bridge:
        words = "Hello, this is the test phone. You are connected."
    else:
        words = f"Hello, this is the test number ending in {' '.join(leg['number'][-4:])}."
    return Role(leg["caller_id"] if is_bridge else leg["number"], words, is_voicemail, echoes and not is_voicemail)


def number_in(payload: str) -> str:
    """Read a number to dial: by itself, as JSON, or as `{"to_number": ...}`; raises ApiError where there is none."""
    text = payload.strip()
    try:
        match orjson.loads(text) if text.startswith(("{", '"')) else text:
            case str() as number if number:
                return number
            case {"to_number": str() as number}:
                return number
    except orjson.JSONDecodeError:
        pass
    what = '{"to_number": "+13125550100"}'
    raise ApiError("validation_error", f"Nobody can be dialed with that: send the number, or {what}.")
