"""Which tracks of the others a client of LiveKit's protocol hears: all that there are, but those it does not want."""

from collections.abc import Iterable

from livekit.protocol import rtc

from revdesk_mock.rtc.events import Participant
from revdesk_mock.rtc.livekit.transports import Transports


class Subscriptions:
    """Keeps a client's transports in step with the tracks of a room."""

    def __init__(self, transports: Transports) -> None:
        self._transports = transports
        self._unwanted: set[str] = set()  # sids

    def follow(self, one: Participant) -> bool:
        """Let the client hear what a participant has now, and no more of it; return whether that changes anything."""
        wanted = one.tracks.keys() - self._unwanted if one.grants.can_publish else set()
        old = [track for track in self._transports.heard_of(one.sid) if track not in wanted]
        new = [track for track in wanted if self._transports.subscribe(one.sid, track)]
        for track in old:
            self._transports.unsubscribe(track)
        return bool(new or old)

    def forget(self, one: Participant) -> None:
        """Let go of the tracks of a participant that is gone."""
        for track in self._transports.heard_of(one.sid):
            self._transports.unsubscribe(track)

    def choose(self, asked: rtc.UpdateSubscription, others: Iterable[Participant]) -> None:
        """Want some tracks of the others, or do not want them any more."""
        named = {*asked.track_sids, *(sid for of_one in asked.participant_tracks for sid in of_one.track_sids)}
        self._unwanted = self._unwanted - named if asked.subscribe else self._unwanted | named
        for one in others:
            self.follow(one)
