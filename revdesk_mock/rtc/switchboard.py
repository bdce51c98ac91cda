"""The switchboard: who may come into which room, and how rooms and the calls behind them keep in step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import WeakSet

import orjson

from revdesk_mock import clock, legs, placement, room_address
from revdesk_mock.emulator import Emulator
from revdesk_mock.errors import ApiError, unauthorized
from revdesk_mock.ids import fingerprint
from revdesk_mock.messages import JSON, Record
from revdesk_mock.resources import calls
from revdesk_mock.rtc import telephone
from revdesk_mock.rtc.events import LEFT, LOST, PERSON, REPLACED, ROOM_CLOSED, SHUTDOWN, Data, Grants, Participant
from revdesk_mock.rtc.rooms import Link, Room
from revdesk_mock.signing import CALLING_TOKEN_PREFIX, world_of
from revdesk_mock.store import Change
from revdesk_mock.timeline import ROOM, TOKEN
from revdesk_mock.world import World

GRACE = 10  # seconds of real time in which a connection that dropped may come back
REJOIN = 0.5  # after a good-bye: a client that reconnects in full says good-bye first, and comes back at once
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


@dataclass(slots=True)
class OpenRoom:
    """An open room: with its call, how the first person reached the emulator, and what was told of the call last."""

    room: Room
    call_id: str
    base_url: str
    told: Data | None = None


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
        self._rooms: dict[tuple[str, str], OpenRoom] = {}  # by world and name
        self._followed: WeakSet[World] = WeakSet()

    def enter(self, token: str, link: Link, base_url: str) -> tuple[Seat, list[Participant]]:
        """Let the bearer of a calling or room token in, once; return its place and who is there already.

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
            others = seat.room.relink(seat.identity, link)
            self._tell_newcomer(seat)
            return seat, others
        try:
            call, (identity, grants) = placement.join(world, token), world.join_tokens.bearer_of(token)
        except ApiError as refusal:
            _note_refusal(world, token, refusal)
            raise
        room = self._room(world, call, base_url)
        others = room.join(self._participant(world, identity, grants), link)
        _note(world, room, f"{identity} joined", identity=identity)
        seat = Seat(fingerprint(token), world, room, call["id"], identity, link)
        self._seats[seat.token] = seat
        self._tell_newcomer(seat)
        world.run_due()  # a call that rings nobody, and who picks up a leg, has answered now
        return seat, others

    def check(self, token: str) -> None:
        """Raise ApiError as `enter` would, and use nothing up."""
        world = self._world_of(token)
        world.run_due()
        seat = self._seats.get(fingerprint(token))
        if seat is None or seat.leaves is None:
            try:
                world.join_tokens.check(token)
            except ApiError as refusal:
                _note_refusal(world, token, refusal)
                raise

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
        """Let a participant go; the call ends when the last person has left, and a bridge when anybody has."""
        if self._seats.pop(seat.token, None) is None:
            return
        seat.stay()
        seat.room.leave(seat.identity, reason)
        _note(seat.world, seat.room, f"{seat.identity} left: {reason}", identity=seat.identity, reason=reason)
        call = seat.world.store.get("calls", seat.call_id)
        is_bridge = call is not None and call["kind"] == placement.BRIDGE
        if is_bridge or not any(participant.kind == PERSON for participant in seat.room.participants):
            placement.hang_up(seat.world, seat.call_id)

    def dial(self, seat: Seat, to_number: str) -> None:
        """Let a participant dial: the one number of its calling token, once. Raises ApiError with the reason."""
        placement.dial_from_browser(seat.world, seat.call_id, to_number)

    def size(self) -> int:
        """Return how many rooms are open in all."""
        return len(self._rooms)

    def rooms(self, world: World) -> list[Room]:
        """Return the open rooms of a world."""
        return [opened.room for (owner, _), opened in self._rooms.items() if owner == world.id]

    def find_room(self, world: World, name: str) -> Room | None:
        """Return an open room of a world by its name, or None."""
        found = self._rooms.get((world.id, name))
        return None if found is None else found.room

    def call_of(self, world: World, room: Room) -> Record | None:
        """Return the call behind an open room as it is now, or None."""
        found = self._rooms.get((world.id, room.name))
        return None if found is None else world.store.get("calls", found.call_id)

    def close(self) -> None:
        """Close every room: the emulator stops."""
        for opened in list(self._rooms.values()):
            opened.room.close(SHUTDOWN)
        for seat in self._seats.values():
            seat.stay()
        for world in self._followed:
            world.clock.unwatch()
        self._rooms.clear()
        self._seats.clear()

    def _world_of(self, token: str) -> World:
        """Return the world that a token is from: a room token says so, and a calling token is looked for in all."""
        if token.startswith(CALLING_TOKEN_PREFIX):
            world = next((one for one in self._emulator.worlds() if one.join_tokens.knows(token)), None)
        else:
            world = self._emulator.find_world(world_of(token) or "")
        if world is None:
            raise unauthorized("The token is not valid.", "token.world", "a token issued here", "another", "the token")
        return world

    def _room(self, world: World, call: Record, base_url: str) -> Room:
        """Return the room of a call, opened now for the first who comes."""
        name = room_address.name_of(call)
        found = self._rooms.get((world.id, name))
        if found is not None:
            if not legs.phones(world, call):
                found.room.leave(telephone.IDENTITY)  # for whom the newcomer is here
            return found.room
        room = Room(name, f"RM_{world.dice.hex(12)}")
        self._rooms[world.id, name] = OpenRoom(room, call["id"], base_url)
        _note(world, room, "opened", call_id=call["id"])
        if world not in self._followed:
            self._followed.add(world)
            world.store.on_commit(lambda changes: self._follow(world, changes))
            world.clock.watch(world.run_due)
        self._open_room(world, room, call)
        return room

    def _participant(self, world: World, identity: str, grants: Grants) -> Participant:
        return Participant(f"PA_{world.dice.hex(12)}", identity, joined_at=world.clock.now(), grants=grants)

    def _follow(self, world: World, changes: Sequence[Change]) -> None:
        """Tell rooms what became of their calls, and close those whose call has ended or is gone."""
        for change in changes:
            call = change.after or change.before
            if change.collection != "calls" or call is None:
                continue
            opened = self._rooms.get((world.id, room_address.name_of(call)))
            if opened is None:
                continue
            if change.after is None:
                self._close_room(world, opened.room, ROOM_CLOSED)
                continue
            opened.room.describe(telephone.IDENTITY, attributes={telephone.STATUS: telephone.status_of(call)})
            self._tell_all(world, opened, call)
            if call["ended_at"] is not None:
                self._close_room(world, opened.room, call["status"])

    def _tell_all(self, world: World, opened: OpenRoom, call: Record) -> None:
        """Tell a room of its call, unless that is what it was told last."""
        told = _update(world, opened.base_url, call)
        if told != opened.told:
            opened.told = told
            opened.room.send(told)

    def _tell_newcomer(self, seat: Seat) -> None:
        """Tell one participant of the call as it is now."""
        opened = self._rooms.get((seat.world.id, seat.room.name))
        call = seat.world.store.get("calls", seat.call_id)
        if opened is not None and call is not None:
            opened.told = _update(seat.world, opened.base_url, call)
            seat.link.tell(opened.told)

    def _close_room(self, world: World, room: Room, reason: str) -> None:
        self._rooms.pop((world.id, room.name), None)
        for seat in [seat for seat in self._seats.values() if seat.room is room]:
            seat.stay()
            del self._seats[seat.token]
        room.close(reason)
        _note(world, room, f"closed: {reason}", reason=reason)


def _note(world: World, room: Room, what: str, **detail: JSON) -> None:
    world.timeline.add(ROOM, f"room {room.name} {what}", room=room.name, **detail)


def _note_refusal(world: World, token: str, refusal: ApiError) -> None:
    """Note that a token let nobody in: the token's id and state, never itself."""
    try:
        record = world.join_tokens.find(token)
    except ApiError:
        return  # not one of this world's: there is nothing to call it by
    state = world.join_tokens.state(record)
    says = f"token {record['id']} let nobody in: {refusal.message}"
    world.timeline.add(TOKEN, says, token=record["id"], call_id=record["call_id"], state=state, refused=True)


def _update(world: World, base_url: str, call: Record) -> Data:
    return Data(CALL_UPDATE, orjson.dumps(calls.describe(world, base_url, call)), None)
