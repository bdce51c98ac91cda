"""How a client of LiveKit's protocol asks to come in, in any of its dialects."""

import zlib
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from livekit.protocol import rtc

LONGEST_JOIN = 512 * 1024  # bytes of a join request when unpacked
GZIP = 16 + zlib.MAX_WBITS  # zlib's name for data in a gzip wrapper


@dataclass(frozen=True, slots=True)
class Joining:
    """What a client says. `is_dual`: it has a peer connection each way; `returns_as`: the sid of one that resumes."""

    is_dual: bool
    returns_as: str | None = None
    offer: rtc.SessionDescription | None = None
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    tracks: tuple[rtc.AddTrackRequest, ...] = ()


def read_dual(query: Mapping[str, str]) -> Joining:
    """Read the query of `/rtc`."""
    return Joining(is_dual=True, returns_as=query.get("sid", "") if query.get("reconnect") == "1" else None)


def read_single(query: Mapping[str, str]) -> Joining:
    """Read the query of `/rtc/v1`; raises ValueError where its `join_request` cannot be read."""
    text = query.get("join_request", "")
    try:
        wrapped = rtc.WrappedJoinRequest.FromString(b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
        packed = wrapped.join_request
        if wrapped.compression == rtc.WrappedJoinRequest.Compression.GZIP:
            packed = zlib.decompressobj(GZIP).decompress(packed, LONGEST_JOIN)
        request = rtc.JoinRequest.FromString(packed)
    except (DecodeError, ValueError, zlib.error) as error:
        raise ValueError(
            f"join_request is a WrappedJoinRequest in base64url; this one cannot be read: {error}"
        ) from error
    return Joining(
        is_dual=False,
        returns_as=request.participant_sid if request.reconnect else None,
        offer=request.publisher_offer if request.HasField("publisher_offer") else None,
        metadata=request.metadata,
        attributes=dict(request.participant_attributes),
        tracks=tuple(request.add_track_requests),
    )
