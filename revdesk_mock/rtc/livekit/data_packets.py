"""Data packets of LiveKit's clients: what they send as events of a room, and what happens there as packets."""

from collections.abc import Iterator
from types import MappingProxyType

from google.protobuf.message import DecodeError
from livekit.protocol import models

from revdesk_mock.rtc import events
from revdesk_mock.rtc.events import RPC_NOBODY, Answered, Asked, Data, Pressed, Relayed, Said
from revdesk_mock.rtc.packets import DIGITS
from revdesk_mock.rtc.rooms import Room

TRANSCRIPTION = "lk.transcription"  # the topic of spoken words as text streams
CHUNK = 15_000  # bytes of one packet of a text stream

KINDS = MappingProxyType({events.RELIABLE: models.DataPacket.Kind.RELIABLE, events.LOSSY: models.DataPacket.Kind.LOSSY})
# What clients tell one another in a form of their own.
RELAYED = frozenset(
    {"chat_message", "stream_header", "stream_chunk", "stream_trailer", "transcription", "encrypted_packet"}
)
Sent = Data | Pressed | Asked | Answered | Relayed | Said


def post(payload: bytes, kind: str, room: Room, me: str) -> Iterator[models.DataPacket]:
    """Pass on what a client sends, and yield what it is answered at once; raises ValueError for what is no packet."""
    try:
        packet = models.DataPacket.FromString(payload)
    except DecodeError as error:
        raise ValueError(f"that is no DataPacket: {error}") from error
    what = packet.WhichOneof("value")
    to = frozenset(packet.destination_identities) or None
    if what == "user":
        user = packet.user
        room.send(Data(user.topic, user.payload, me, kind), to or frozenset(user.destination_identities) or None)
    elif what == "sip_dtmf":
        room.send(Pressed(me, packet.sip_dtmf.digit), to)
    elif what == "rpc_request":
        yield from ask(packet.rpc_request, room, me, next(iter(packet.destination_identities), ""))
    elif what == "rpc_response":
        response = packet.rpc_response
        failure = (response.error.code, response.error.message) if response.HasField("error") else None
        for identity in packet.destination_identities:
            room.send_to(identity, Answered(response.request_id, me, response.payload, failure))
    elif what in RELAYED:
        room.send(Relayed(me, payload, kind), to)


def ask(request: models.RpcRequest, room: Room, me: str, to: str) -> Iterator[models.DataPacket]:
    """Put a question to a participant; yield first that it arrives, or that nobody of that name is here."""
    if room.find(to) is None:
        yield from packets(Answered(request.id, to, "", RPC_NOBODY), room)
    else:
        yield signed(models.DataPacket(rpc_ack=models.RpcAck(request_id=request.id)), room, to)
        room.send_to(to, Asked(request.id, me, request.method, request.payload))


def packets(event: Sent, room: Room) -> Iterator[models.DataPacket]:
    """Yield the data packets that tell of an event, each with who sends it."""
    match event:
        case Relayed(sender, payload):
            packet = models.DataPacket.FromString(payload)
            yield signed(packet, room, sender)
        case Data(topic, payload, sender, kind):
            user = models.UserPacket(payload=payload, topic=topic, participant_identity=sender or "")
            yield signed(models.DataPacket(kind=KINDS[kind], user=user), room, sender)
        case Pressed(sender, digits):
            for digit in digits:
                tone = models.SipDTMF(code=max(0, DIGITS.find(digit)), digit=digit)
                yield signed(models.DataPacket(sip_dtmf=tone), room, sender)
        case Asked(key, sender, method, payload):
            request = models.RpcRequest(id=key, method=method, payload=payload, version=1)
            yield signed(models.DataPacket(rpc_request=request), room, sender)
        case Answered(key, sender, payload, error):
            response = models.RpcResponse(request_id=key, payload=payload)
            if error is not None:
                response = models.RpcResponse(request_id=key, error=models.RpcError(code=error[0], message=error[1]))
            yield signed(models.DataPacket(rpc_response=response), room, sender)
        case Said():
            yield from transcription(event, room)


def transcription(said: Said, room: Room) -> Iterator[models.DataPacket]:
    """Yield spoken words in both of LiveKit's forms: the older packet, and a text stream."""
    speaker = room.find(said.identity)
    track = next(iter(speaker.tracks), "") if speaker else ""
    segment = models.TranscriptionSegment(id=said.segment, text=said.text, final=said.is_final)
    older = models.Transcription(transcribed_participant_identity=said.identity, track_id=track, segments=[segment])
    yield signed(models.DataPacket(transcription=older), room, said.identity)
    stream = f"{said.segment}-{'final' if said.is_final else 'interim'}"
    text = said.text.encode()
    header = models.DataStream.Header(
        stream_id=stream,
        topic=TRANSCRIPTION,
        mime_type="text/plain",
        total_length=len(text),
        attributes={
            "lk.segment_id": said.segment,
            "lk.transcription_final": str(said.is_final).lower(),
            "lk.transcribed_track_id": track,
        },
        text_header=models.DataStream.TextHeader(),
    )
    yield signed(models.DataPacket(stream_header=header), room, said.identity)
    for index, start in enumerate(range(0, len(text), CHUNK)):
        chunk = models.DataStream.Chunk(stream_id=stream, chunk_index=index, content=text[start : start + CHUNK])
        yield signed(models.DataPacket(stream_chunk=chunk), room, said.identity)
    trailer = models.DataStream.Trailer(stream_id=stream)
    yield signed(models.DataPacket(stream_trailer=trailer), room, said.identity)


def signed(packet: models.DataPacket, room: Room, sender: str | None) -> models.DataPacket:
    """Return a packet with its sender, as the room knows it; nobody is the room itself."""
    one = room.find(sender) if sender else None
    packet.participant_identity, packet.participant_sid = sender or "", one.sid if one else ""
    packet.ClearField("destination_identities")
    packet.ClearField("sequence")
    return packet
