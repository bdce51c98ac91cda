"""A token's life whatever happens: one client at a time, and room and API agree after every step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import ApiError, legs
from revdesk_mock.rtc.casting import Casting
from revdesk_mock.rtc.events import LEFT, LOST, Data, describe_participant
from revdesk_mock.rtc.recorder import Recorder
from revdesk_mock.rtc.switchboard import CALL_UPDATE, REJOIN, Seat
from revdesk_mock.rtc.telephone import STATUS, status_of
from tests.conftest import AGENT, MAIN, ORDINARY, Client, emulator_with
from tests.rtc.test_rooms import Ear
from tests.rtc.test_switchboard import CONNECT, Hall, bridge

PAIR = {"from_number": MAIN, "to_number": ORDINARY}
SHOWN = ("id", "status", "started_at", "ended_at", "duration_seconds")
TTL = 300  # seconds, of every token
Handed = list[str]


def from_api(path: str, body: Any, client: Client) -> Handed:
    return [client.post(path, body).data["token"]]


def for_legs(roles: list[str], client: Client) -> Handed:
    call = bridge(client)
    return [legs.hand_over(client.world, call, role)[0] for role in roles]


KINDS: Mapping[str, Callable[[Client], Handed]] = {
    "web": partial(from_api, f"/v1/agents/{AGENT}/web-call", None),
    "room": partial(from_api, "/v1/room-token", PAIR),
    "calling": partial(from_api, "/v1/webrtc-token", PAIR),
    "connect": partial(for_legs, ["connect"]),
    "destination": partial(for_legs, ["destination"]),
    "both legs": partial(for_legs, ["connect", "destination"]),
}


def told_of_call(ear: Ear) -> list[bytes]:
    return [event.payload for event in ear.told if isinstance(event, Data) and event.topic == CALL_UPDATE]


@dataclass
class Holder:
    """What a model knows of somebody with a token: whether it was used, and whether its bearer is in or away."""

    token: str
    is_used: bool = False
    is_away: bool = False
    seat: Seat | None = None
    ears: list[Ear] = field(default_factory=list)


class Life:
    """One call, those who hold a token for it, and all that can happen to them."""

    def __init__(self, kind: str) -> None:
        ttls = dict.fromkeys(("webrtc_token_ttl_seconds", "room_token_ttl_seconds", "web_call_ttl_seconds"), TTL)
        self.client = Client(emulator_with(**ttls))
        self.hall = Hall(self.client, open_room=Casting(Recorder()).open_room)
        self.used_before = self.usage()
        self.ends_at = self.client.world.clock.now() + TTL * 1000
        self.holders = [Holder(token) for token in KINDS[kind](self.client)]
        self.call_id = self.client.world.store.all("calls")[-1]["id"]
        self.issued = self.rest()

    def usage(self) -> tuple[int, float]:
        usage = self.client.get("/v1/usage").data
        return usage["calls_placed"], usage["minutes_used"]

    def rest(self) -> Any:
        return self.client.get(f"/v1/calls/{self.call_id}").data

    def has_ended(self) -> bool:
        return self.rest()["ended_at"] is not None

    # what can happen

    def enter(self, one: Holder) -> None:
        is_fresh = not one.is_used and not self.has_ended() and self.client.world.clock.now() < self.ends_at
        may_enter = is_fresh or one.is_away
        ear = Ear()
        try:
            seat, _ = self.hall.enter(one.token, ear)
        except ApiError:
            assert not may_enter
            return
        assert may_enter
        assert seat is one.seat or not one.is_away
        one.seat, one.is_used, one.is_away = seat, True, False
        one.ears.append(ear)

    def drop(self, one: Holder) -> None:
        if one.seat is not None:
            self.hall.switchboard.drop(one.seat, one.ears[-1])
            one.is_away = True

    def part(self, one: Holder) -> None:
        if one.seat is not None:
            self.hall.switchboard.part(one.seat, one.ears[-1])
            one.is_away = True

    def leave(self, one: Holder) -> None:
        if one.seat is not None:
            self.hall.switchboard.leave(one.seat)
            assert self.has_ended()

    def stay_away(self, _: Holder) -> None:
        is_over = any(other.is_away for other in self.holders)
        self.hall.timers.run_out()
        assert self.has_ended() or not is_over

    def stay_away_a_moment(self, _: Holder) -> None:
        self.hall.timers.run_out(REJOIN)

    def dial(self, one: Holder) -> None:
        if one.seat is not None:
            for number in ("+13125550101", ORDINARY):
                before = self.client.world.store.get("calls", self.call_id)
                try:
                    self.hall.switchboard.dial(one.seat, number)
                except ApiError:
                    assert self.client.world.store.get("calls", self.call_id) == before
                else:
                    assert number == ORDINARY

    def hang_up(self, _: Holder) -> None:
        self.client.post(f"/v1/calls/{self.call_id}/hangup")
        assert self.has_ended()

    def note(self, _: Holder) -> None:
        """Write down something that does not show."""
        store = self.client.world.store
        call = store.get("calls", self.call_id)
        assert call is not None
        with store.transaction():
            store.update("calls", call, name=f"{call['name']} again")

    def wait(self, _: Holder) -> None:
        self.client.advance(3)

    def wait_for_the_script(self, _: Holder) -> None:
        self.client.advance(34)

    def wait_for_the_end_of_the_token(self, _: Holder) -> None:
        self.client.advance(TTL)

    # what is always so

    def check(self) -> None:
        call, record = self.rest(), self.client.world.store.get("calls", self.call_id)
        assert record is not None
        if call["ended_at"] is not None:
            for one in self.holders:
                one.seat, one.is_away = None, False
        self.check_room(call, record)
        self.check_books(call, record)
        for one in self.holders:
            self.check_told(one, call)

    def check_room(self, call: Any, record: Any) -> None:
        rooms = self.hall.switchboard.rooms(self.client.world)
        seated = [one.seat.identity for one in self.holders if one.seat is not None]
        assert bool(rooms) == bool(seated)
        if call["ended_at"] is not None:
            assert (rooms, self.hall.timers.waiting) == ([], [])
        for room in rooms:
            people = [one.identity for one in room.participants if one.kind == "standard"]
            assert sorted(people) == sorted(seated)
            phone = room.find("phone")
            assert (phone is not None) == bool(legs.phones(self.client.world, record))
            assert phone is None or phone.attributes.get(STATUS, "") == status_of(record)
            room.send(Data("probe", b"", None))

    def check_told(self, one: Holder, call: Any) -> None:
        reached = [ear for ear in one.ears if any(isinstance(it, Data) and it.topic == "probe" for it in ear.told)]
        for ear in reached:
            ear.told[:] = [it for it in ear.told if not (isinstance(it, Data) and it.topic == "probe")]
        assert reached == one.ears[-1:] * (one.seat is not None)  # never two, and nobody who is out
        for ear in one.ears:
            assert all(before != after for before, after in pairwise(told_of_call(ear)))
        if one.ears:
            assert len(one.ears[-1].closed) == (one.seat is None)
            if not {LEFT, LOST} & {*one.ears[-1].closed}:  # who went does not hear of the end
                last = orjson.loads(told_of_call(one.ears[-1])[-1])
                assert {name: call[name] for name in SHOWN} == {name: last[name] for name in SHOWN}

    def check_books(self, call: Any, record: Any) -> None:
        lasting = ("from_number", "to_number", "organization_id", "user_id", "direction")
        assert {name: call[name] for name in lasting} == {name: self.issued[name] for name in lasting}
        seconds = call["duration_seconds"] or 0
        if call["ended_at"] is not None:
            assert seconds == (record["ended_at"] - (record["answered_at"] or record["ended_at"])) // 1000
        is_counted = record["dialed_at"] is not None and record["phone_number_id"] is not None
        expected = self.used_before[0] + is_counted, self.used_before[1] + (-(-seconds // 60) if is_counted else 0)
        assert self.usage() == expected
        is_live = record["dialed_at"] is not None and record["ended_at"] is None
        assert self.client.world.guardrails.channels_in_use() == len(record["legs"]) * is_live


STEPS = [
    Life.enter,
    Life.drop,
    Life.part,
    Life.leave,
    Life.stay_away,
    Life.stay_away_a_moment,
    Life.dial,
    Life.hang_up,
    Life.note,
    Life.wait,
    Life.wait_for_the_script,
    Life.wait_for_the_end_of_the_token,
]
step = st.tuples(st.sampled_from([*[Life.enter] * 4, *STEPS]), st.integers(0, 1))


@given(kind=st.sampled_from(sorted(KINDS)), steps=st.lists(step, max_size=12))
def test_one_client_at_a_time_is_in_and_room_and_api_agree(
    kind: str, steps: list[tuple[Callable[[Life, Holder], None], int]]
) -> None:
    life = Life(kind)
    life.check()
    for act, who in steps:
        act(life, life.holders[who % len(life.holders)])
        life.check()


NUMBER = st.integers(2_000_000, 9_999_999).map(lambda digits: f"+1703{digits}").filter(lambda number: number != CONNECT)


@given(connect=NUMBER, role=st.sampled_from(["connect", "destination"]), waits=st.lists(st.sampled_from([0, 1, 3, 40])))
def test_nobody_in_a_room_is_ever_told_the_number_of_the_person(connect: str, role: str, waits: list[float]) -> None:
    client = Client(emulator_with())
    hall, ear = Hall(client, open_room=Casting(Recorder()).open_room), Ear()
    token, _ = legs.hand_over(client.world, bridge(client, connect), role)
    seat, others = hall.enter(token, ear)
    told = [repr(client.world.join_tokens._signer.read(token)), repr(others), seat.room.name]
    for seconds in waits:
        told.append(repr([describe_participant(one) for one in seat.room.participants]))
        client.advance(seconds)
    text = " ".join((*told, repr(ear.told)))
    assert connect.removeprefix("+") not in text
    assert "callUpdate" in text
