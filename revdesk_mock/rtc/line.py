"""One plain client's line into a room: sound over WebRTC, everything else as JSON on a data channel."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from revdesk_mock.errors import ApiError
from revdesk_mock.messages import JSON
from revdesk_mock.rtc.events import (
    MICROPHONE,
    RPC_NOBODY,
    Answered,
    Asked,
    Changed,
    Data,
    Event,
    Gone,
    Joined,
    Participant,
    Pressed,
    Relayed,
    Said,
    Speaking,
    Track,
    describe_participant,
)
from revdesk_mock.rtc.network import LOOPBACK, Network
from revdesk_mock.rtc.packets import Digit, PacketQueue
from revdesk_mock.rtc.peer import Listener, Peer, PeerError
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.rtc.switchboard import Seat

EVENTS = "events"  # the label of the data channel


class Line:
    """What a client's participant hangs on, and what listens to its connection.

    `gone` is called once, when the connection is closed; `has_left` tells whether the client said good-bye. `dial`
    raises ApiError where the client may not dial that number.
    """

    def __init__(
        self, gone: Callable[["Line"], None], dial: Callable[[Seat, str], None], network: Network = LOOPBACK
    ) -> None:
        listener = Listener(audio=self._audio, digit=self._digit, message=self._message, state=self._state)
        self.peer = Peer(listener, network)
        self.has_left = False
        self._gone = gone
        self._dial = dial
        self.seat: Seat | None = None
        self._queues: dict[str, PacketQueue] = {}
        self._answering: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def sit_down(self, seat: Seat, others: list[Participant], offer: str) -> str:
        """Take a place in a room with its tracks, and answer the client's offer; raises PeerError."""
        self.seat = seat
        for other in others:
            self._expect(other)
        answer = await self.peer.answer(offer)
        if seat.room.find(seat.identity) is not None:
            seat.room.publish(seat.identity, Track(self._track, MICROPHONE))
        return answer

    # from the room

    def tell(self, event: Event) -> None:
        """Pass an event on; new tracks wait for the client's next offer."""
        if isinstance(event, Joined | Changed) and self._expect(event.participant):
            self._send({"type": "offer_wanted"})
        message = written(event)
        if message is not None:
            self._send(message)

    def hear(self, _: str, track: str, packet: bytes, __: int | None) -> None:
        """Pass sound on, as it came."""
        queue = self._queues.get(track)
        if queue is not None:
            queue.push(packet)

    def close(self, reason: str) -> None:
        """Say why, and close the connection."""
        self.has_left = True
        self._send({"type": "closed", "reason": reason})
        self._closing = asyncio.create_task(self.peer.close(reason))

    # from the client

    def _audio(self, _: str, packet: bytes, level: int | None) -> None:
        if self.seat is not None:
            self.seat.room.sound(self.seat.identity, self._track, packet, level)

    def _digit(self, _: str, digit: Digit) -> None:
        if self.seat is not None:
            self.seat.room.send(Pressed(self.seat.identity, digit.key))

    def _state(self, state: str) -> None:
        if state == "connected" and self.seat is not None:
            self.seat.room.activate(self.seat.identity)
        elif state == "closed":
            self._gone(self)

    def _message(self, label: str, message: bytes | str) -> None:
        """Do what a message on the channel of events asks for; what makes no sense is answered with an error."""
        if label != EVENTS or self.seat is None:
            return
        try:
            order = orjson.loads(message)
        except orjson.JSONDecodeError:
            order = None
        room, me = self.seat.room, self.seat.identity
        match order:
            case {"type": "offer", "sdp": str() as sdp}:
                self._answering = asyncio.create_task(self._answer(sdp))
            case {"type": "mute", "muted": bool() as is_muted}:
                room.mute(me, self._track, is_muted=is_muted)
            case {"type": "attributes", "attributes": dict() as attributes} if _are_texts(attributes):
                room.describe(me, attributes=attributes)
            case {"type": "dial", "to_number": str() as number}:
                self._try_to_dial(self.seat, number)
            case {"type": "leave"}:
                self.has_left = True
                self._gone(self)
            case _:
                self._talk(room, me, order)

    def _talk(self, room: Room, me: str, order: JSON) -> None:
        """Pass on what a client says to the others."""
        match order:
            case {"type": "data", "topic": str() as topic, "payload": str() as text}:
                room.send(Data(topic, text.encode(), me))
            case {"type": "dtmf", "digits": str() as digits}:
                room.send(Pressed(me, digits))
            case {
                "type": "rpc",
                "id": str() as key,
                "to": str() as to,
                "method": str() as method,
                "payload": str() as text,
            }:
                if not room.send_to(to, Asked(key, me, method, text)):
                    self.tell(Answered(key, to, "", RPC_NOBODY))
            case {"type": "rpc_answer", "id": str() as key, "to": str() as to, "payload": str() as text}:
                room.send_to(to, Answered(key, me, text))
            case _:
                known = "offer, mute, data, dtmf, rpc, rpc_answer, attributes, dial or leave, with their fields"
                self._send({"type": "error", "message": f"That is no message of a client: send {known}."})

    def _try_to_dial(self, seat: Seat, number: str) -> None:
        try:
            self._dial(seat, number)
        except ApiError as error:
            self._send({"type": "error", "message": error.message})

    async def _answer(self, offer: str) -> None:
        try:
            self._send({"type": "answer", "sdp": await self.peer.answer(offer)})
        except PeerError as error:
            self._send({"type": "error", "message": str(error)})

    # helpers of both

    @property
    def _track(self) -> str:
        return f"TR_{self.seat.token[:12]}" if self.seat is not None else ""

    def _expect(self, participant: Participant) -> bool:
        """Make room for a participant's tracks; return whether there is a new one."""
        if self.seat is not None and participant.identity == self.seat.identity:
            return False
        new = [sid for sid in participant.tracks if sid not in self._queues]
        for sid in new:
            self._queues[sid] = PacketQueue(lead=2)  # a live voice comes unevenly
            self.peer.publish(participant.sid, sid, self._queues[sid])
        return bool(new)

    def _send(self, message: JSON) -> None:
        self.peer.send(EVENTS, orjson.dumps(message).decode())


def written(event: Event) -> dict[str, JSON] | None:
    """Return an event as a client reads it; None for what it cannot."""
    match event:
        case Joined() | Changed() | Gone():
            return _written_presence(event)
        case Data(topic, payload, sender):
            text = payload.decode("utf-8", "replace")
            return {"type": "data", "topic": topic, "payload": text, "from": sender}
        case Said(identity, text, is_final, segment):
            return {"type": "said", "from": identity, "text": text, "final": is_final, "segment": segment}
        case Speaking(levels):
            return {"type": "speaking", "levels": dict(levels)}
        case Pressed(sender, digits):
            return {"type": "dtmf", "digits": digits, "from": sender}
        case Asked(key, sender, method, payload):
            return {"type": "rpc", "id": key, "method": method, "payload": payload, "from": sender}
        case Answered(key, sender, payload, error):
            failure = error and {"code": error[0], "message": error[1]}
            return {"type": "rpc_answer", "id": key, "payload": payload, "error": failure, "from": sender}
        case Relayed():
            return None


def _written_presence(event: Joined | Changed | Gone) -> dict[str, JSON]:
    if isinstance(event, Gone):
        return {"type": "participant_left", "identity": event.participant.identity, "reason": event.reason}
    kind = "participant_joined" if isinstance(event, Joined) else "participant_changed"
    return {"type": kind, "participant": describe_participant(event.participant)}


def _are_texts(attributes: Mapping[str, Any]) -> bool:
    return all(isinstance(value, str) for value in attributes.values())
