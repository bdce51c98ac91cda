"""What happens in a room, as messages of LiveKit's signalling."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from google.protobuf.message import DecodeError
from livekit.protocol import models, rtc

from revdesk_mock.rtc import events
from revdesk_mock.rtc.events import Participant, Track
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.simulation import call_flow

VERSION, PROTOCOL = "1.9.0", 16  # of LiveKit's server: from 1.8.0 on clients make remote procedure calls
PING_INTERVAL, PING_TIMEOUT = 5, 15  # seconds
MILLISECONDS = 1000

KINDS = MappingProxyType(
    {
        events.PERSON: models.ParticipantInfo.Kind.STANDARD,
        events.AGENT: models.ParticipantInfo.Kind.AGENT,
        events.PHONE: models.ParticipantInfo.Kind.SIP,
    }
)
# Why somebody is not in the room any more; any other reason is the end of the call, and so of the room.
REASONS = MappingProxyType(
    {
        events.LEFT: models.DisconnectReason.CLIENT_INITIATED,
        events.REPLACED: models.DisconnectReason.DUPLICATE_IDENTITY,
        events.LOST: models.DisconnectReason.CONNECTION_TIMEOUT,
        events.UNUSABLE: models.DisconnectReason.MEDIA_FAILURE,
        call_flow.BUSY: models.DisconnectReason.USER_REJECTED,
        call_flow.DECLINED: models.DisconnectReason.USER_REJECTED,
        call_flow.NO_ANSWER: models.DisconnectReason.USER_UNAVAILABLE,
        call_flow.UNREACHABLE: models.DisconnectReason.USER_UNAVAILABLE,
        events.SHUTDOWN: models.DisconnectReason.SERVER_SHUTDOWN,
    }
)


def server() -> models.ServerInfo:
    """Return what clients are told of the server."""
    return models.ServerInfo(edition=models.ServerInfo.Edition.Standard, version=VERSION, protocol=PROTOCOL)


def joined(room: Room, me: Participant, others: Iterable[Participant], *, is_dual: bool) -> rtc.SignalResponse:
    """Return the first message of a join: the room, oneself and who is there already."""
    join = rtc.JoinResponse(
        room=models.Room(sid=room.sid, name=room.name, num_participants=len(room.participants)),
        participant=info(me),
        other_participants=[info(other) for other in others],
        server_version=VERSION,
        server_info=server(),
        subscriber_primary=is_dual,
        ping_interval=PING_INTERVAL,
        ping_timeout=PING_TIMEOUT,
        enabled_publish_codecs=[models.Codec(mime="audio/opus")],
        fast_publish=True,
    )
    return rtc.SignalResponse(join=join)


def resumed() -> rtc.SignalResponse:
    """Return the first message to a client that is back."""
    return rtc.SignalResponse(reconnect=rtc.ReconnectResponse(server_info=server()))


def update(*participants: Participant, gone_because: str | None = None) -> rtc.SignalResponse:
    """Return the news of some participants, as they are or as they went."""
    return rtc.SignalResponse(
        update=rtc.ParticipantUpdate(participants=[info(one, gone_because) for one in participants])
    )


def leave(reason: str, *, comes_back: bool = False) -> rtc.SignalResponse:
    """Return the good-bye to a client; one that `comes_back` joins anew at once, with the token that it has."""
    action = rtc.LeaveRequest.Action.RECONNECT if comes_back else rtc.LeaveRequest.Action.DISCONNECT
    return rtc.SignalResponse(leave=rtc.LeaveRequest(reason=disconnected(reason), action=action))


def description(kind: str, sdp: str, number: int, mids: Mapping[str, str]) -> rtc.SignalResponse:
    """Return an offer or an answer; `mids` tells which track a media section of it carries."""
    described = rtc.SessionDescription(type=kind, sdp=sdp, id=number, mid_to_track_id=mids)
    return rtc.SignalResponse(offer=described) if kind == "offer" else rtc.SignalResponse(answer=described)


def speakers(levels: Mapping[str, float]) -> rtc.SignalResponse:
    """Return who is heard, by sid and loudness; 0 is who is not any more."""
    heard = [models.SpeakerInfo(sid=sid, level=level, active=level > 0) for sid, level in levels.items()]
    return rtc.SignalResponse(speakers_changed=rtc.SpeakersChanged(speakers=heard))


def request_response(
    request: rtc.RequestResponse, reason: rtc.RequestResponse.Reason, message: str = ""
) -> rtc.SignalResponse:
    """Return how a request, which the response holds already, went."""
    request.reason, request.message = reason, message
    return rtc.SignalResponse(request_response=request)


def disconnected(reason: str) -> models.DisconnectReason:
    """Return LiveKit's word for why somebody is gone."""
    return REASONS.get(reason, models.DisconnectReason.ROOM_DELETED)


def info(one: Participant, gone_because: str | None = None) -> models.ParticipantInfo:
    """Return a participant as clients see it."""
    states = models.ParticipantInfo.State
    present = states.ACTIVE if one.is_active else states.JOINED
    return models.ParticipantInfo(
        sid=one.sid,
        identity=one.identity,
        name=one.name,
        metadata=one.metadata,
        attributes=one.attributes,
        kind=KINDS[one.kind],
        state=present if gone_because is None else states.DISCONNECTED,
        tracks=[track_info(track) for track in one.tracks.values()] if gone_because is None else [],
        joined_at=one.joined_at // MILLISECONDS,
        joined_at_ms=one.joined_at,
        permission=permission(one),
        is_publisher=bool(one.tracks),
        disconnect_reason=None if gone_because is None else disconnected(gone_because),
    )


def permission(one: Participant) -> models.ParticipantPermission:
    """Return what a participant may do; a microphone is the one source there is."""
    return models.ParticipantPermission(
        can_subscribe=one.grants.can_subscribe,
        can_publish=one.grants.can_publish,
        can_publish_data=one.grants.can_publish_data,
        can_publish_sources=[models.TrackSource.MICROPHONE],
        can_update_metadata=True,
        agent=one.kind == events.AGENT,
    )


def track_info(track: Track) -> models.TrackInfo:
    """Return a track as clients see it."""
    return models.TrackInfo(
        sid=track.sid,
        type=models.TrackType.AUDIO,
        name=track.name,
        source=models.TrackSource.MICROPHONE,
        muted=track.is_muted,
        mime_type="audio/opus",
        stream="camera",  # LiveKit's name of the group in which a voice and its picture are in step
    )


def read_request(frame: bytes | None) -> rtc.SignalRequest:
    """Read what a client signals; raises ValueError for what is none, and for a text (None)."""
    if frame is None:
        raise ValueError("a frame is one SignalRequest in protobuf, and this is a text")
    try:
        return rtc.SignalRequest.FromString(frame)
    except DecodeError as error:
        raise ValueError(f"a frame is one SignalRequest in protobuf, and this is none: {error}") from error
