"""Rooms as plain state: who is there, and who hears of whom. No media library, no protocol."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from revdesk_mock.rtc.events import (
    EVERYTHING,
    LEFT,
    REPLACED,
    ROOM_CLOSED,
    Answered,
    Asked,
    Changed,
    Event,
    FromOne,
    Gone,
    Grants,
    Joined,
    Participant,
    ToOne,
    Track,
)


class Link(Protocol):
    """What a participant hangs on: a client's connection, or code in this process. Neither call may block or raise."""

    def tell(self, event: Event) -> None:
        """Take note of something that happened in the room."""

    def hear(self, identity: str, track: str, packet: bytes, level: int | None) -> None:
        """Take 20 ms of another participant's sound: one Opus packet, and how loud it is.

        The level is in dBov, -127 to 0, or None where its sender does not tell.
        """

    def close(self, reason: str) -> None:
        """Learn that one is not in the room any more."""


class Refused(Exception):
    """Somebody cannot come in; the message says why."""


class Room:
    """One room. Each participant hears of everything that the others do, in order, and never of its own doing."""

    def __init__(self, name: str, sid: str) -> None:
        self.name = name
        self.sid = sid
        self.is_open = True
        self._members: dict[str, tuple[Participant, Link]] = {}
        self._watchers: list[Link] = []
        self._tracks = 0
        self._answer: Answered | None = None  # to the room itself

    def watch(self, link: Link) -> None:
        """Let something see and hear all of the room without being in it; it is closed with the room."""
        self._watchers.append(link)

    @property
    def participants(self) -> list[Participant]:
        """Everybody in the room, in the order of joining."""
        return [participant for participant, _ in self._members.values()]

    def find(self, identity: str) -> Participant | None:
        """Return a participant, or None."""
        member = self._members.get(identity)
        return member and member[0]

    def join(self, participant: Participant, link: Link) -> list[Participant]:
        """Let somebody in and return who is there already; raises Refused for a room that is closed.

        A participant with the same identity is put out first: nobody is there twice.
        """
        if not self.is_open:
            raise Refused("the room is closed")
        self.leave(participant.identity, REPLACED)
        others = self.participants
        self._members[participant.identity] = (participant, link)
        self._tell_others(participant.identity, Joined(participant))
        return others

    def relink(self, identity: str, link: Link) -> list[Participant]:
        """Hang a participant that came back on a new link, unseen by the others; return everybody else.

        Raises Refused where it is not here any more.
        """
        if identity not in self._members:
            raise Refused("the participant has left")
        self._members[identity] = (self._members[identity][0], link)
        return [participant for participant in self.participants if participant.identity != identity]

    def leave(self, identity: str, reason: str = LEFT) -> None:
        """Put a participant out, if it is here; its link is closed and the others are told."""
        member = self._members.pop(identity, None)
        if member is not None:
            participant, link = member
            link.close(reason)
            self._tell_others(identity, Gone(participant, reason))

    def close(self, reason: str = ROOM_CLOSED) -> None:
        """Put everybody out; nobody comes in any more."""
        self.is_open = False
        links = [*(link for _, link in self._members.values()), *self._watchers]
        self._members, self._watchers = {}, []  # whoever knows the room longer does not hold on to them
        for link in links:
            link.close(reason)

    def publish(self, identity: str, track: Track) -> None:
        """Add or replace a track of a participant; one who may not publish is not heard."""
        if self._grants(identity).can_publish:
            self._change(identity, lambda one: replace(one, tracks={**one.tracks, track.sid: track}))

    def unpublish(self, identity: str, sid: str) -> None:
        """Take a track of a participant away."""
        self._change(
            identity,
            lambda one: replace(one, tracks={key: track for key, track in one.tracks.items() if key != sid}),
        )

    def mute(self, identity: str, sid: str, *, is_muted: bool) -> None:
        """Mute or unmute a track of a participant; one that is not there is no matter."""
        member = self._members.get(identity)
        if member is not None and sid in member[0].tracks:
            self.publish(identity, replace(member[0].tracks[sid], is_muted=is_muted))

    def activate(self, identity: str) -> None:
        """Note that sound and data can reach a participant from now on."""
        self._change(identity, lambda one: replace(one, is_active=True))

    def describe(
        self,
        identity: str,
        *,
        name: str | None = None,
        metadata: str | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """Change how a participant describes itself; an attribute with an empty value is taken away."""

        def changed(one: Participant) -> Participant:
            merged = {**one.attributes, **(attributes or {})}
            return replace(
                one,
                name=one.name if name is None else name,
                metadata=one.metadata if metadata is None else metadata,
                attributes={key: value for key, value in merged.items() if value},
            )

        self._change(identity, changed)

    def send(self, event: FromOne, to: frozenset[str] | None = None) -> None:
        """Pass on what somebody sends to everybody else, or to some; who may not send is not heard."""
        if not self._grants(event.sender).can_publish_data:
            return
        for identity, (_, link) in list(self._members.items()):
            if identity != event.sender and (to is None or identity in to):
                link.tell(event)
        for watcher in self._watchers:
            watcher.tell(event)

    def send_to(self, identity: str, event: ToOne) -> bool:
        """Pass a question or an answer on to one participant; return whether it is here."""
        if not identity and isinstance(event, Answered):
            self._answer = event
        member = self._members.get(identity) if self._grants(event.sender).can_publish_data else None
        if member is not None:
            member[1].tell(event)
        return member is not None

    def ask(self, identity: str, method: str, payload: str) -> Answered | None:
        """Put a question in the room's own name; return the answer, None where it does not come at once."""
        self._answer = None
        self.send_to(identity, Asked("", "", method, payload))
        return self._answer

    def tell(self, event: Event) -> None:
        """Tell everybody."""
        self._tell_others(None, event)

    def sound(self, identity: str, track: str, packet: bytes, level: int | None = None) -> None:
        """Let everybody else hear 20 ms of a track, unless it is muted; the level is in dBov, None if unknown."""
        member = self._members.get(identity)
        if member is None or track not in member[0].tracks or member[0].tracks[track].is_muted:
            return
        for other, (listener, link) in list(self._members.items()):
            if other != identity and listener.grants.can_subscribe:
                link.hear(identity, track, packet, level)
        for watcher in self._watchers:
            watcher.hear(identity, track, packet, level)

    def name_track(self) -> str:
        """Return a name for a new track, as no other has it in this room."""
        self._tracks += 1
        return f"TR_{self.sid.removeprefix('RM_')}{self._tracks}"

    def _grants(self, sender: str | None) -> Grants:
        member = self._members.get(sender) if sender is not None else None
        return member[0].grants if member is not None else EVERYTHING

    def _change(self, identity: str, change: Callable[[Participant], Participant]) -> None:
        member = self._members.get(identity)
        if member is not None:
            participant = change(member[0])
            if participant != member[0]:
                self._members[identity] = (participant, member[1])
                self.tell(Changed(participant))

    def _tell_others(self, identity: str | None, event: Event) -> None:
        for other, (_, link) in list(self._members.items()):
            if other != identity:
                link.tell(event)
        for watcher in self._watchers:
            watcher.tell(event)
