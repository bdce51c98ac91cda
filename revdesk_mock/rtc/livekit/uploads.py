"""What a client of LiveKit's protocol publishes: announced tracks, and the media sections that carry them."""

from collections.abc import Mapping

from livekit.protocol import models, rtc

from revdesk_mock.rtc.events import Participant, Track
from revdesk_mock.rtc.livekit.messages import request_response, track_info

MOST = 8  # tracks of one client


class Uploads:
    """Announced tracks wait under the client's own name for them (its `cid`) until an offer has a section for them."""

    def __init__(self) -> None:
        self._announced: dict[str, Track] = {}
        self._carried: dict[str, tuple[str, Track]] = {}  # by mid, with the section's msid

    def announce(self, asked: rtc.AddTrackRequest, owner: Participant, sid: str) -> rtc.SignalResponse:
        """Expect a microphone of a participant, and return what its client is answered; all else is refused."""
        reasons = rtc.RequestResponse.Reason
        refused = rtc.RequestResponse(add_track=asked)
        if asked.type != models.TrackType.AUDIO:
            return request_response(refused, reasons.UNSUPPORTED_TYPE, "a call has no pictures: publish a microphone")
        if not owner.grants.can_publish:
            return request_response(refused, reasons.NOT_ALLOWED, "this token may not publish")
        if len(self._announced) + len(self._carried) >= MOST:
            return request_response(refused, reasons.LIMIT_EXCEEDED, f"a participant has up to {MOST} tracks")
        track = self._announced[asked.cid] = Track(sid, asked.name, is_muted=asked.muted)
        return rtc.SignalResponse(track_published=rtc.TrackPublishedResponse(cid=asked.cid, track=track_info(track)))

    def carry(self, inbound: Mapping[str, str]) -> tuple[list[Track], list[Track]]:
        """Match the sections in which a client speaks (mid -> "stream track") to its tracks; return (new, ended).

        Firefox gives a section another name than it announced: it carries the track that waits longest.
        """
        ended = [
            self._carried.pop(mid)[1] for mid, (msid, _) in list(self._carried.items()) if inbound.get(mid) != msid
        ]
        new = []
        for mid, msid in inbound.items():
            if mid in self._carried or not self._announced:
                continue
            name = msid.rpartition(" ")[2]
            track = self._announced.pop(name if name in self._announced else next(iter(self._announced)))
            self._carried[mid] = (msid, track)
            new.append(track)
        return new, ended

    def track_in(self, mid: str) -> str | None:
        """Return the sid of the track that a section carries, or None."""
        carried = self._carried.get(mid)
        return carried and carried[1].sid
