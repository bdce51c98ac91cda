"""Announced tracks find the media sections that carry them."""

import pytest
from livekit.protocol import models, rtc

from revdesk_mock.rtc.events import Grants, Participant
from revdesk_mock.rtc.livekit.uploads import MOST, Uploads

ANN = Participant("PA_ann", "ann")
REASONS = rtc.RequestResponse.Reason


def asked(cid: str, *, muted: bool = False) -> rtc.AddTrackRequest:
    return rtc.AddTrackRequest(cid=cid, name=cid, type=models.TrackType.AUDIO, muted=muted)


def announced(*cids: str) -> Uploads:
    uploads = Uploads()
    for number, cid in enumerate(cids):
        assert uploads.announce(asked(cid), ANN, f"TR_{number}").HasField("track_published")
    return uploads


def sids(uploads: Uploads, **inbound: str) -> tuple[list[str], list[str]]:
    new, ended = uploads.carry(inbound)
    return [track.sid for track in new], [track.sid for track in ended]


def test_a_section_carries_the_track_that_it_names() -> None:
    uploads = announced("one", "two")
    assert sids(uploads, a="stream two") == (["TR_1"], [])
    assert (uploads.track_in("a"), uploads.track_in("b")) == ("TR_1", None)


def test_a_section_with_another_name_carries_the_track_that_waits_longest() -> None:
    uploads = announced("one", "two")
    assert sids(uploads, a="{stream} {other}") == (["TR_0"], [])


def test_a_section_that_speaks_no_more_ends_its_track() -> None:
    uploads = announced("one")
    sids(uploads, a="s one")
    assert sids(uploads, a="s one") == ([], [])
    assert sids(uploads) == ([], ["TR_0"])
    assert uploads.track_in("a") is None


def test_a_section_may_be_used_again_for_another_track() -> None:
    uploads = announced("one")
    sids(uploads, a="s one")
    uploads.announce(asked("two"), ANN, "TR_9")
    assert sids(uploads, a="s two") == (["TR_9"], ["TR_0"])


def test_sections_without_an_announced_track_carry_nothing() -> None:
    assert sids(Uploads(), a="s one") == ([], [])


def test_a_track_may_come_muted() -> None:
    answer = Uploads().announce(asked("one", muted=True), ANN, "TR_1")
    assert answer.track_published.track.muted


@pytest.mark.parametrize(
    ("request_", "owner", "reason"),
    [
        (rtc.AddTrackRequest(type=models.TrackType.VIDEO), ANN, REASONS.UNSUPPORTED_TYPE),
        (asked("one"), Participant("PA_bob", "bob", grants=Grants(can_publish=False)), REASONS.NOT_ALLOWED),
    ],
    ids=["a camera", "without the grant"],
)
def test_what_may_not_be_published_is_refused_with_the_request(
    request_: rtc.AddTrackRequest, owner: Participant, reason: rtc.RequestResponse.Reason
) -> None:
    response = Uploads().announce(request_, owner, "TR_1").request_response
    assert (response.reason, response.add_track) == (reason, request_)
    assert response.message


def test_there_is_an_end_to_the_tracks_of_one_client() -> None:
    uploads = announced(*map(str, range(MOST)))
    response = uploads.announce(asked("more"), ANN, "TR_9").request_response
    assert (response.reason, response.message) == (REASONS.LIMIT_EXCEEDED, f"a participant has up to {MOST} tracks")
