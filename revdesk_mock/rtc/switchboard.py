"""The switchboard: who may come into which room, and how rooms and the calls behind them keep in step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from revdesk_mock import clock, placement
from revdesk_mock.emulator import Emulator
from revdesk_mock.errors import unauthorized
from revdesk_mock.ids import fingerprint
from revdesk_mock.messages import Record
from revdesk_mock.resources import calls
from revdesk_mock.rtc.events import LEFT, LOST, PERSON, REPLACED, ROOM_CLOSED, SHUTDOWN, Data, Participant
from revdesk_mock.rtc.rooms import Link, Room
from revdesk_mock.signing import world_of
from revdesk_mock.store import Change
from revdesk_mock.world import World

GRACE = 10  # seconds of real time in which a connection that dropped may come back
REJOIN = 0.75  # after a good-bye: a client that reconnects in full says good-bye first, and comes back at once
CALL_UPDATE = "callUpdate"  # the topic of a call's changes (documented: the event's name)

Open = Callable[[World, Room, Record], None]
Later = Callable[[float, Callable[[], None]], clock.Timer]


@dataclass(slots=True)
class Seat:
    """One token's place in a room. `leaves` is the timer of a connection that dropped and may come back."""

    token: str  # its SHA-256
    world: World
    room: Room
    call_id: str
    identity: str
    link: Link
    leaves: clock.Timer | None = None

    def stay(self) -> None:
        """Stop the timer, if it runs."""
        if self.leaves is not None:
            self.leaves.cancel()
            self.leaves = None


class Switchboard:
    """All open rooms of an emulator.

    `open_room` is called with a new room before its first person comes in: an agent can take its place there.
    `base_url` is what `enter` takes, made of the scheme and the Host by which a person reached the emulator.
    """

    def __init__(self, emulator: Emulator, open_room: Open, later: Later = clock.later) -> None:
        self._emulator = emulator
        self.base_url = emulator.settings.base_url
        self._open_room = open_room
        self._later = later
        self._seats: dict[str, Seat] = {}
        self._rooms: dict[tuple[str, str], tuple[Room, str]] = {}  # with how the first person reached the emulator
        self._followed: set[World] = set()

    def enter(self, token: str, link: Link, base_url: str) -> tuple[Seat, list[Participant]]:
        """Let the bearer of a room token in, once; return its place and who is there already.

        Within the grace time a connection that dropped comes back with the same token, unseen by the others.
        Raises ApiError with the reason for a token that is no good, used, expired or revoked.
        """
        world = self._world_of(token)
        world.run_due()
        seat = self._seats.get(fingerprint(token))
        if seat is not None and seat.leaves is not None:
            seat.stay()
            if seat.link is not link:
                seat.link.close(REPLACED)
            seat.link = link
            return seat, seat.room.relink(seat.identity, link)
        call, identity = placement.join(world, token), world.join_tokens.identity_of(token)
        room = self._room(world, call, base_url)
        others = room.join(self._participant(world, identity), link)
        seat = Seat(fingerprint(token), world, room, call["id"], identity, link)
        self._seats[seat.token] = seat
        room.send(_update(world, self._rooms[world.id, room.name][1], call))
        world.run_due()  # a call that rings nobody is answered now
        return seat, others

    def check(self, token: str) -> None:
        """Raise ApiError as `enter` would, and use nothing up."""
        world = self._world_of(token)
        world.run_due()
        seat = self._seats.get(fingerprint(token))
        if seat is None or seat.leaves is None:
            world.join_tokens.check(token)

    def drop(self, seat: Seat, link: Link) -> None:
        """Note that a connection is lost: its place is kept for the grace time."""
        self._keep(seat, link, GRACE, LOST)

    def part(self, seat: Seat, link: Link) -> None:
        """Note that a client said good-bye: its place is kept for a moment."""
        self._keep(seat, link, REJOIN, LEFT)

    def _keep(self, seat: Seat, link: Link, seconds: float, reason: str) -> None:
        if self._seats.get(seat.token) is seat and seat.link is link and seat.leaves is None:
            seat.leaves = self._later(seconds, lambda: self.leave(seat, reason))

    def leave(self, seat: Seat, reason: str = LEFT) -> None:
        """Let a participant go; when the last person has left, the call ends."""
        if self._seats.pop(seat.token, None) is None:
            return
        seat.stay()
        seat.room.leave(seat.identity, reason)
        if not any(participant.kind == PERSON for participant in seat.room.participants):
            self._end_call(seat)

    def rooms(self, world: World) -> list[Room]:
        """Return the open rooms of a world."""
        return [room for (owner, _), (room, _) in self._rooms.items() if owner == world.id]

    def find_room(self, world: World, name: str) -> Room | None:
        """Return an open room of a world by its name, or None."""
        found = self._rooms.get((world.id, name))
        return found and found[0]

    def close(self) -> None:
        """Close every room: the emulator stops."""
        for room, _ in list(self._rooms.values()):
            room.close(SHUTDOWN)
        for seat in self._seats.values():
            seat.stay()
        for world in self._followed:
            world.clock.unwatch()
        self._rooms.clear()
        self._seats.clear()

    def _world_of(self, token: str) -> World:
        world = self._emulator.find_world(world_of(token) or "")
        if world is None:
            raise unauthorized("The room token is not valid.", "token.world", "a token issued here", "another", "token")
        return world

    def _room(self, world: World, call: Record, base_url: str) -> Room:
        """Return the room of a call, opened now for the first who comes."""
        found = self._rooms.get((world.id, call["room_name"]))
        if found is not None:
            return found[0]
        room = Room(call["room_name"], f"RM_{world.dice.hex(12)}")
        self._rooms[world.id, room.name] = (room, base_url)
        if world not in self._followed:
            self._followed.add(world)
            world.store.on_commit(lambda changes: self._follow(world, changes))
            world.clock.watch(world.run_due)
        self._open_room(world, room, call)
        return room

    def _participant(self, world: World, identity: str) -> Participant:
        return Participant(f"PA_{world.dice.hex(12)}", identity, joined_at=world.clock.now())

    def _follow(self, world: World, changes: Sequence[Change]) -> None:
        """Tell rooms what became of their calls, and close those whose call has ended or is gone."""
        for change in changes:
            call = change.after or change.before
            if change.collection != "calls" or call is None:
                continue
            found = self._rooms.get((world.id, call["room_name"] or ""))
            if found is None:
                continue
            room, base_url = found
            if change.after is not None and _is_news(world, base_url, change):
                room.send(_update(world, base_url, change.after))
            if change.after is None or change.after["ended_at"] is not None:
                self._close_room(world, room)

    def _close_room(self, world: World, room: Room) -> None:
        del self._rooms[world.id, room.name]
        for seat in [seat for seat in self._seats.values() if seat.room is room]:
            seat.stay()
            del self._seats[seat.token]
        room.close(ROOM_CLOSED)

    def _end_call(self, seat: Seat) -> None:
        call = seat.world.store.get("calls", seat.call_id)
        if call is not None:
            with seat.world.store.transaction():
                seat.world.calls.hang_up(call)


def _is_news(world: World, base_url: str, change: Change) -> bool:
    """Whether a client can see what changed: words and keys that are noted beside the call are no change of it."""
    before, after = (record and calls.describe(world, base_url, record) for record in (change.before, change.after))
    return before != after


def _update(world: World, base_url: str, call: Record) -> Data:
    return Data(CALL_UPDATE, orjson.dumps(calls.describe(world, base_url, call)), None)
