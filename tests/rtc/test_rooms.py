"""Rooms as plain state: who is there, who hears of what, and that nobody is there twice."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock.rtc.events import (
    LEFT,
    LOSSY,
    REPLACED,
    ROOM_CLOSED,
    Answered,
    Asked,
    Changed,
    Data,
    Event,
    Gone,
    Joined,
    Participant,
    Said,
    Track,
    describe_participant,
)
from revdesk_mock.rtc.rooms import Refused, Room

PEOPLE = ("ann", "bob", "cy")
MICROPHONE = Track("TR_1", "microphone")


@dataclass
class Ear:
    """A link that notes all it is told."""

    told: list[Event] = field(default_factory=list)
    heard: list[tuple[str, str, bytes]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def tell(self, event: Event) -> None:
        self.told.append(event)

    def hear(self, identity: str, track: str, packet: bytes, _: int | None) -> None:
        self.heard.append((identity, track, packet))

    def close(self, reason: str) -> None:
        self.closed.append(reason)


def somebody(identity: str) -> Participant:
    return Participant(f"PA_{identity}", identity)


@pytest.fixture
def room() -> Room:
    return Room("room_1", "RM_1")


def come(room: Room, *identities: str) -> list[Ear]:
    ears = [Ear() for _ in identities]
    for identity, ear in zip(identities, ears, strict=True):
        room.join(somebody(identity), ear)
    return ears


def test_who_comes_in_is_told_of_the_others_and_they_of_the_newcomer(room: Room) -> None:
    (ann,) = come(room, "ann")
    assert room.join(somebody("bob"), Ear()) == [somebody("ann")]
    assert ann.told == [Joined(somebody("bob"))]


def test_a_track_is_heard_by_the_others_and_not_by_its_own(room: Room) -> None:
    ann, bob, cy = come(room, "ann", "bob", "cy")
    room.publish("ann", MICROPHONE)
    room.sound("ann", "TR_1", b"opus")
    assert (ann.heard, bob.heard, cy.heard) == ([], [("ann", "TR_1", b"opus")], [("ann", "TR_1", b"opus")])


def test_only_a_published_track_that_is_not_muted_is_heard(room: Room) -> None:
    _, bob = come(room, "ann", "bob")
    room.sound("ann", "TR_1", b"1")
    room.publish("ann", MICROPHONE)
    room.mute("ann", "TR_1", is_muted=True)
    room.sound("ann", "TR_1", b"2")
    room.mute("ann", "TR_1", is_muted=False)
    room.sound("ann", "TR_1", b"3")
    room.unpublish("ann", "TR_1")
    room.sound("ann", "TR_1", b"4")
    assert [packet for _, _, packet in bob.heard] == [b"3"]


def test_a_change_is_told_to_everybody_its_author_included(room: Room) -> None:
    ann, bob = come(room, "ann", "bob")
    room.describe("ann", name="Ann", attributes={"mood": "fine"})
    changed = room.find("ann")
    assert changed is not None
    assert (changed.name, changed.attributes) == ("Ann", {"mood": "fine"})
    assert ann.told[-1] == bob.told[-1] == Changed(changed)


def test_what_changes_nothing_is_not_told(room: Room) -> None:
    (ann,) = come(room, "ann")
    room.describe("ann", name="")
    room.mute("ann", "TR_none", is_muted=True)
    assert ann.told == []


def test_an_attribute_with_an_empty_value_is_taken_away(room: Room) -> None:
    come(room, "ann")
    room.describe("ann", attributes={"a": "1", "b": "2"})
    room.describe("ann", attributes={"a": ""})
    changed = room.find("ann")
    assert changed is not None
    assert changed.attributes == {"b": "2"}


def test_data_goes_to_everybody_else_or_to_some(room: Room) -> None:
    ann, bob, cy = come(room, "ann", "bob", "cy")
    for ear in (ann, bob, cy):
        ear.told.clear()
    to_all, to_cy = Data("t", b"1", "ann"), Data("t", b"2", "ann", LOSSY)
    room.send(to_all)
    room.send(to_cy, frozenset({"cy"}))
    assert (ann.told, bob.told, cy.told) == ([], [to_all], [to_all, to_cy])


def test_who_is_asked_in_the_rooms_own_name_answers_the_room(room: Room) -> None:
    class Clerk(Ear):
        def tell(self, event: Event) -> None:
            if isinstance(event, Asked) and event.method == "add":
                room.send_to(event.sender, Answered(event.id, "clerk", f"{event.payload}!"))

    room.join(somebody("clerk"), Clerk())
    answer = room.ask("clerk", "add", "7")
    assert answer == Answered("", "clerk", "7!")
    assert (room.ask("clerk", "wait", "7"), room.ask("nobody", "add", "7")) == (None, None)


def test_the_room_itself_speaks_to_everybody(room: Room) -> None:
    ann, bob = come(room, "ann", "bob")
    said = Said("agent", "Hello", is_final=True, segment="s")
    room.tell(said)
    room.send(Data("callUpdate", b"{}", None))
    assert ann.told[-2:] == bob.told[-2:] == [said, Data("callUpdate", b"{}", None)]


def test_nobody_is_there_twice(room: Room) -> None:
    (first,) = come(room, "ann")
    bob, again = come(room, "bob", "ann")
    assert first.closed == [REPLACED]
    assert bob.told == [Gone(somebody("ann"), REPLACED), Joined(somebody("ann"))]
    assert again.closed == []
    assert [one.identity for one in room.participants] == ["bob", "ann"]


def test_who_comes_back_on_a_new_link_was_never_gone(room: Room) -> None:
    ann, bob = come(room, "ann", "bob")
    told = list(bob.told)
    new = Ear()
    assert room.relink("ann", new) == [somebody("bob")]
    room.send(Data("t", b"1", "bob"))
    assert (bob.told, len(new.told), ann.closed) == (told, 1, [])


def test_who_has_left_cannot_come_back_on_a_new_link(room: Room) -> None:
    come(room, "ann")
    room.leave("ann")
    with pytest.raises(Refused, match="has left"):
        room.relink("ann", Ear())


def test_leaving_is_told_once(room: Room) -> None:
    ann, bob = come(room, "ann", "bob")
    room.leave("ann")
    room.leave("ann")
    assert (ann.closed, bob.told[-1], len(bob.told)) == ([LEFT], Gone(somebody("ann"), LEFT), 1)


def test_a_closed_room_is_empty_and_stays_so(room: Room) -> None:
    ann, bob = come(room, "ann", "bob")
    room.close()
    room.close()
    assert (ann.closed, bob.closed, room.participants) == ([ROOM_CLOSED], [ROOM_CLOSED], [])
    with pytest.raises(Refused, match="closed"):
        room.join(somebody("cy"), Ear())


def test_a_participant_is_json_without_its_link(room: Room) -> None:
    come(room, "ann")
    room.publish("ann", MICROPHONE)
    ann = room.find("ann")
    assert ann is not None
    shown = describe_participant(ann)
    assert shown["tracks"] == [{"sid": "TR_1", "name": "microphone", "source": "microphone", "muted": False}]
    assert (shown["identity"], shown["kind"]) == ("ann", "standard")


MOVES = st.lists(st.tuples(st.sampled_from(["join", "leave", "publish", "unpublish", "mute"]), st.sampled_from(PEOPLE)))


@given(moves=MOVES)
def test_what_somebody_was_told_adds_up_to_who_is_there(moves: list[tuple[str, str]]) -> None:
    room, watcher = Room("room_1", "RM_1"), Ear()
    room.join(somebody("watcher"), watcher)
    for move, who in moves:
        match move:
            case "join":
                room.join(somebody(who), Ear())
            case "leave":
                room.leave(who)
            case "publish":
                room.publish(who, MICROPHONE)
            case "unpublish":
                room.unpublish(who, "TR_1")
            case _:
                room.mute(who, "TR_1", is_muted=True)
    known: dict[str, Participant] = {}
    for event in watcher.told:
        if isinstance(event, Joined | Changed):
            known[event.participant.identity] = event.participant
        elif isinstance(event, Gone):
            del known[event.participant.identity]
    assert known == {one.identity: one for one in room.participants if one.identity != "watcher"}
