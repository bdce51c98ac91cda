"""A join is read in each dialect, packed or not, and refused for what it is."""

import gzip
from base64 import urlsafe_b64encode

import pytest
from livekit.protocol import rtc

from revdesk_mock.rtc.livekit.joining import LONGEST_JOIN, Joining, read_dual, read_single

REQUEST = rtc.JoinRequest(
    publisher_offer=rtc.SessionDescription(type="offer", sdp="v=0", id=1),
    metadata="m",
    participant_attributes={"a": "1"},
)


def query(packed: bytes, compression: rtc.WrappedJoinRequest.Compression) -> dict[str, str]:
    wrapped = rtc.WrappedJoinRequest(join_request=packed, compression=compression)
    return {"join_request": urlsafe_b64encode(wrapped.SerializeToString()).decode().rstrip("=")}


@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "gzip"])
def test_a_join_request_is_read_as_it_comes(*, is_packed: bool) -> None:
    kinds, raw = rtc.WrappedJoinRequest.Compression, REQUEST.SerializeToString()
    joining = read_single(query(gzip.compress(raw), kinds.GZIP) if is_packed else query(raw, kinds.NONE))
    assert joining == Joining(is_dual=False, offer=REQUEST.publisher_offer, metadata="m", attributes={"a": "1"})


def test_who_resumes_says_as_whom() -> None:
    request = rtc.JoinRequest(reconnect=True, participant_sid="PA_1").SerializeToString()
    assert read_single(query(request, rtc.WrappedJoinRequest.Compression.NONE)).returns_as == "PA_1"
    assert read_dual({"reconnect": "1", "sid": "PA_1"}).returns_as == "PA_1"
    assert read_dual({"sid": "PA_1"}).returns_as is None


@pytest.mark.parametrize(
    "given",
    [
        {"join_request": "not base64!"},
        {"join_request": "AAAA"},
        query(b"no gzip", rtc.WrappedJoinRequest.Compression.GZIP),
        query(b"\xff\xff", rtc.WrappedJoinRequest.Compression.NONE),
    ],
    ids=["alphabet", "protobuf", "gzip", "request"],
)
def test_what_cannot_be_read_is_refused_with_what_it_should_be(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="join_request is a WrappedJoinRequest in base64url"):
        read_single(given)


def test_a_join_request_that_unpacks_without_end_is_cut() -> None:
    bomb = gzip.compress(b"\x12" + b"\x00" * (64 * LONGEST_JOIN))
    with pytest.raises(ValueError, match="join_request"):
        read_single(query(bomb, rtc.WrappedJoinRequest.Compression.GZIP))
