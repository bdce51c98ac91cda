"""The switchboard: one place for each token, and a room and its call that never disagree."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from revdesk_mock import ApiError, Emulator, Settings, audit, legs, timeline
from revdesk_mock.rtc.casting import Casting
from revdesk_mock.rtc.events import LEFT, LOST, PHONE, REPLACED, ROOM_CLOSED, SHUTDOWN, Data, Participant
from revdesk_mock.rtc.recorder import Recorder
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.rtc.switchboard import CALL_UPDATE, GRACE, REJOIN, Open, Seat, Switchboard
from revdesk_mock.world import World
from tests.conftest import AGENT, MAIN, ORDINARY, SPEC, Client, emulator_with
from tests.rtc.caller import until
from tests.rtc.test_rooms import Ear

BASE = "http://127.0.0.1:8473"
CONNECT = "+17035550155"


@dataclass
class Timers:
    """Timers that run out when the test says so."""

    waiting: list["Timer"] = field(default_factory=list)

    def later(self, seconds: float, call: Callable[[], None]) -> Any:
        self.waiting.append(Timer(self, seconds, call))
        return self.waiting[-1]

    def run_out(self, within: float = GRACE) -> None:
        for timer in [timer for timer in self.waiting if timer.seconds <= within]:
            if timer in self.waiting:  # or another has stopped it
                self.waiting.remove(timer)
                timer.call()


@dataclass(eq=False)
class Timer:
    timers: Timers
    seconds: float
    call: Callable[[], None]

    def cancel(self) -> None:
        if self in self.timers.waiting:  # or it has run out
            self.timers.waiting.remove(self)


@dataclass
class Hall:
    """A switchboard without a running loop: the clock stands, and timers run out by hand."""

    client: Client
    timers: Timers = field(default_factory=Timers)
    opened: list[str] = field(default_factory=list)
    open_room: Open | None = None

    def __post_init__(self) -> None:
        self.switchboard = Switchboard(self.client.emulator, self.open_room or self._open, self.timers.later)

    def _open(self, _: World, room: Room, call: Any) -> None:
        self.opened.append(call["id"])
        if call["agent_id"] is not None:
            room.join(Participant("PA_agent", "agent", kind="agent"), Ear())

    def enter(self, token: str, ear: Ear) -> tuple[Seat, list[Participant]]:
        async def entering() -> tuple[Seat, list[Participant]]:
            return self.switchboard.enter(token, ear, BASE)

        return asyncio.run(entering())


@pytest.fixture
def hall(client: Client) -> Hall:
    return Hall(client)


@pytest.fixture
def cast(client: Client) -> Hall:
    """Give a hall where those of ours take their places who do so in the emulator."""
    return Hall(client, open_room=Casting(Recorder()).open_room)


def web_call(client: Client) -> str:
    return str(client.post(f"/v1/agents/{AGENT}/web-call").data["token"])


def placed_call(client: Client, to: str = ORDINARY) -> Any:
    return client.post("/v1/room-token", {"from_number": MAIN, "to_number": to}).data


def browser_call(client: Client, to: str = ORDINARY) -> str:
    return str(client.post("/v1/webrtc-token", {"from_number": MAIN, "to_number": to}).data["token"])


def bridge(client: Client, connect: str | None = CONNECT, to: str = ORDINARY) -> Any:
    """Ring two phones, and return the call's record."""
    numbers = {"from_number": MAIN, "to_number": to} | ({"connect_number": connect} if connect else {})
    return client.world.store.get("calls", client.post("/v1/calls/dial", numbers).data["call_id"])


def newest(client: Client) -> Any:
    return client.get("/v1/calls?limit=1").data[0]


def updates(ear: Ear) -> list[str]:
    told = (event for event in ear.told if isinstance(event, Data) and event.topic == CALL_UPDATE)
    return [orjson.loads(event.payload)["status"] for event in told]


def refusal(hall: Hall, token: str) -> tuple[int, str]:
    before = hall.client.world.dump()
    with pytest.raises(ApiError) as caught:
        hall.enter(token, Ear())
    with pytest.raises(ApiError) as checked:
        hall.switchboard.check(token)
    assert checked.value.message == caught.value.message
    assert hall.client.world.dump() == before
    return caught.value.status, caught.value.message


def test_a_token_lets_its_bearer_in_where_the_agent_waits_and_the_call_starts(hall: Hall) -> None:
    ear = Ear()
    seat, others = hall.enter(web_call(hall.client), ear)
    assert [one.identity for one in others] == ["agent"]
    assert seat.identity.startswith("browser-call_")
    assert updates(ear) == ["QUEUED", "RINGING", "IN_PROGRESS"]
    assert newest(hall.client)["status"] == "IN_PROGRESS"


def test_what_is_noted_beside_a_call_is_no_change_of_it(hall: Hall) -> None:
    ear = Ear()
    seat, _ = hall.enter(web_call(hall.client), ear)
    call, store = hall.client.world.store.get("calls", seat.call_id), hall.client.world.store
    assert call is not None
    told = updates(ear)
    with store.transaction():
        store.update("calls", call, digits="12")
    assert updates(ear) == told


def test_a_check_uses_nothing_up(hall: Hall) -> None:
    token = web_call(hall.client)
    hall.switchboard.check(token)
    hall.switchboard.check(token)
    hall.enter(token, Ear())


def test_a_second_join_is_refused(hall: Hall) -> None:
    token = web_call(hall.client)
    hall.enter(token, Ear())
    assert refusal(hall, token) == (401, "The token is joined: it joins one call, once.")


def leg_token(client: Client) -> str:
    return legs.hand_over(client.world, bridge(client), "connect")[0]


def room_token(client: Client) -> str:
    return str(placed_call(client)["token"])


@pytest.mark.parametrize("issue", [web_call, room_token, browser_call, leg_token])
def test_of_a_hundred_joins_at_once_one_gets_in(hall: Hall, issue: Callable[[Client], str]) -> None:
    token = issue(hall.client)

    async def attempt() -> bool:
        try:
            hall.switchboard.enter(token, Ear(), BASE)
        except ApiError:
            return False
        return True

    async def crowd() -> list[bool]:
        return await asyncio.gather(*(attempt() for _ in range(100)))

    assert sum(asyncio.run(crowd())) == 1


def told(hall: Hall, kind: str) -> list[str]:
    """Return what the timeline says of rooms or tokens, with `the room` and `the token` for their names."""
    lines = []
    for event in hall.client.world.timeline.events():
        if event.kind == kind:
            says = event.says
            for what in ("room", "token"):
                says = says.replace(f"{what} {event.detail.get(what)}", f"the {what}")
            lines.append(says)
    return lines


def test_the_timeline_tells_who_came_and_went(hall: Hall) -> None:
    ear = Ear()
    seat, _ = hall.enter(web_call(hall.client), ear)
    hall.switchboard.leave(seat)
    who = f"browser-{seat.call_id}"
    assert told(hall, timeline.ROOM) == [
        "the room opened",
        f"the room {who} joined",
        f"the room {who} left: left",
        "the room closed: completed",
    ]


def test_the_timeline_tells_of_a_refused_join_without_the_token(hall: Hall) -> None:
    token = web_call(hall.client)
    hall.enter(token, Ear())
    refusal(hall, token)
    assert told(hall, timeline.TOKEN) == ["the token let nobody in: The token is joined: it joins one call, once."] * 2
    events = hall.client.world.timeline.events()
    assert token not in repr(events)
    [finding] = audit.findings([], events, SPEC)
    assert (finding.code, len(finding.events)) == ("token_used_twice", 2)


def test_a_connection_that_comes_back_and_a_token_that_ran_out_are_no_second_use(hall: Hall) -> None:
    token, ear = web_call(hall.client), Ear()
    seat, _ = hall.enter(token, ear)
    hall.switchboard.drop(seat, ear)
    hall.enter(token, Ear())
    late = web_call(hall.client)
    hall.client.advance(900)
    refusal(hall, late)
    refusal(hall, "rvw_unknown")
    assert len(told(hall, timeline.TOKEN)) == 2
    assert audit.findings([], hall.client.world.timeline.events(), SPEC) == []


def test_a_join_after_the_call_is_refused(hall: Hall) -> None:
    call = placed_call(hall.client)
    hall.client.post(f"/v1/calls/{call['call_id']}/hangup")
    assert refusal(hall, call["token"])[0] == 401


def test_an_expired_token_is_refused(hall: Hall) -> None:
    token = web_call(hall.client)
    hall.client.advance(900)
    assert refusal(hall, token)[0] == 401


def test_a_forged_token_is_refused(hall: Hall) -> None:
    token = web_call(hall.client)
    for forged in (f"{token[:-2]}xx", f"x{token}", token.upper(), "", f"rvw_{'0' * 48}"):
        assert refusal(hall, forged)[0] == 401


def test_another_emulators_token_is_refused(hall: Hall) -> None:
    elsewhere = Client(Emulator(Settings(seed="another", clock="frozen"), SPEC))
    assert refusal(hall, web_call(elsewhere))[0] == 401


def test_hanging_up_by_the_api_empties_the_room(hall: Hall) -> None:
    ear = Ear()
    hall.enter(web_call(hall.client), ear)
    hall.client.advance(10)
    call = newest(hall.client)
    hall.client.post(f"/v1/calls/{call['id']}/hangup")
    assert (ear.closed, updates(ear)[-1]) == (["completed"], "COMPLETED")


def test_leaving_the_room_ends_the_call(hall: Hall) -> None:
    seat, _ = hall.enter(web_call(hall.client), Ear())
    hall.client.advance(12)
    hall.switchboard.leave(seat)
    call = newest(hall.client)
    assert (call["status"], call["duration_seconds"]) == ("COMPLETED", 12)
    hall.switchboard.leave(seat)


def test_the_end_of_the_called_party_empties_the_room(hall: Hall) -> None:
    ear = Ear()
    hall.enter(placed_call(hall.client, "+13125550102")["token"], ear)
    hall.client.advance(5)
    assert (ear.closed, updates(ear)[-1]) == (["busy"], "BUSY")


def test_releasing_the_number_empties_the_room(hall: Hall) -> None:
    ear = Ear()
    hall.enter(placed_call(hall.client)["token"], ear)
    hall.client("DELETE", "/v1/phone-numbers/1001")
    assert ear.closed == [ROOM_CLOSED]


def test_a_connection_that_dropped_comes_back_with_its_token_unseen(hall: Hall) -> None:
    token, first, again = web_call(hall.client), Ear(), Ear()
    seat, _ = hall.enter(token, first)
    hall.switchboard.drop(seat, first)
    hall.switchboard.check(token)
    back, others = hall.enter(token, again)
    assert (back, [one.identity for one in others], hall.timers.waiting) == (seat, ["agent"], [])
    assert refusal(hall, token)[0] == 401
    hall.client.post(f"/v1/calls/{newest(hall.client)['id']}/hangup")
    assert (updates(first)[-1], updates(again)) == ("IN_PROGRESS", ["IN_PROGRESS", "COMPLETED"])


def test_a_connection_that_dropped_and_stays_away_has_left(hall: Hall) -> None:
    token, ear = web_call(hall.client), Ear()
    seat, _ = hall.enter(token, ear)
    hall.client.advance(5)
    hall.switchboard.drop(seat, ear)
    hall.switchboard.drop(seat, ear)
    assert newest(hall.client)["status"] == "IN_PROGRESS"
    hall.timers.run_out()
    assert (ear.closed, newest(hall.client)["status"]) == ([LOST], "COMPLETED")
    assert refusal(hall, token)[0] == 401


def test_an_old_connections_end_is_no_matter_once_there_is_a_new_one(hall: Hall) -> None:
    token, old, new = web_call(hall.client), Ear(), Ear()
    seat, _ = hall.enter(token, old)
    hall.switchboard.drop(seat, old)
    hall.enter(token, new)
    hall.switchboard.drop(seat, old)
    assert hall.timers.waiting == []


def test_who_says_good_bye_has_a_moment_to_come_back(hall: Hall) -> None:
    token, first, again = web_call(hall.client), Ear(), Ear()
    seat, _ = hall.enter(token, first)
    hall.switchboard.part(seat, first)
    assert [timer.seconds for timer in hall.timers.waiting] == [REJOIN]
    hall.switchboard.check(token)
    back, _ = hall.enter(token, again)
    assert (back, hall.timers.waiting, first.closed) == (seat, [], [REPLACED])
    hall.switchboard.part(seat, first)  # the old connection's, again
    assert hall.timers.waiting == []


def test_who_says_good_bye_and_stays_away_has_left(hall: Hall) -> None:
    token, ear = web_call(hall.client), Ear()
    seat, _ = hall.enter(token, ear)
    hall.client.advance(5)
    hall.switchboard.part(seat, ear)
    hall.switchboard.drop(seat, ear)  # which a good-bye is followed by
    hall.timers.run_out(REJOIN)
    assert (ear.closed, newest(hall.client)["status"]) == ([LEFT], "COMPLETED")
    assert refusal(hall, token)[0] == 401


def test_who_comes_back_is_told_how_the_call_is_now(hall: Hall) -> None:
    token, first, again = web_call(hall.client), Ear(), Ear()
    seat, _ = hall.enter(token, first)
    hall.switchboard.drop(seat, first)
    hall.client.advance(1)
    hall.enter(token, again)
    assert updates(again) == ["IN_PROGRESS"]


def test_what_does_not_show_in_a_call_is_not_told(hall: Hall) -> None:
    ear = Ear()
    seat, _ = hall.enter(web_call(hall.client), ear)
    world = hall.client.world
    for note in ("one", "two"):
        with world.store.transaction():
            world.store.update("calls", world.store.get("calls", seat.call_id) or {}, opening=note)
    assert updates(ear) == ["QUEUED", "RINGING", "IN_PROGRESS"]


# a browser that dials


def test_a_calling_token_is_found_in_whichever_world_issued_it(hall: Hall) -> None:
    other = Client(hall.client.emulator, "revdesk_another")
    seat, _ = hall.enter(browser_call(other), Ear())
    assert (seat.world, seat.identity, seat.room.name[:5]) == (other.world, f"caller-{seat.call_id}", "room_")


def test_a_browser_dials_its_one_number_once(hall: Hall) -> None:
    ear = Ear()
    seat, _ = hall.enter(browser_call(hall.client), ear)
    for number, status in (("+13125550101", 403), ("", 403), (ORDINARY, None), (ORDINARY, 409)):
        assert dialing(hall, seat, number) == status
    hall.client.advance(4)
    assert updates(ear) == ["QUEUED", "RINGING", "IN_PROGRESS"]
    assert dialing(hall, seat, ORDINARY) == 409


def dialing(hall: Hall, seat: Seat, number: str) -> int | None:
    """Dial, and return the status of the refusal."""
    try:
        hall.switchboard.dial(seat, number)
    except ApiError as error:
        return error.status
    return None


def test_a_browser_that_finds_no_channel_waits_and_may_dial_again() -> None:
    hall = Hall(Client(emulator_with(concurrency_cap=1)))
    seat, _ = hall.enter(browser_call(hall.client), Ear())
    busy = placed_call(hall.client)["call_id"]
    assert dialing(hall, seat, ORDINARY) == 429
    hall.client.post(f"/v1/calls/{busy}/hangup")
    assert dialing(hall, seat, ORDINARY) is None


@pytest.mark.parametrize("issue", [web_call, room_token, leg_token])
def test_no_other_client_changes_the_destination(hall: Hall, issue: Callable[[Client], str]) -> None:
    seat, _ = hall.enter(issue(hall.client), Ear())
    before = hall.client.world.dump()
    assert dialing(hall, seat, "+13125550101") == dialing(hall, seat, ORDINARY) == 409
    assert hall.client.world.dump() == before


def test_a_browser_that_never_dials_is_put_out_when_its_time_ends(hall: Hall) -> None:
    ear = Ear()
    hall.enter(browser_call(hall.client), ear)
    hall.client.advance(14_400)
    assert (ear.closed, updates(ear)[-1]) == (["canceled"], "CANCELED")


# telephones


def phone(room: Room) -> Any:
    found = room.find("phone")
    return found and dict(found.attributes)


def test_the_telephone_of_a_placed_call_is_shown_as_the_call_is(cast: Hall) -> None:
    seat, others = cast.enter(placed_call(cast.client)["token"], Ear())
    assert [(one.kind, one.is_active) for one in others] == [(PHONE, True)]
    seen = []
    for seconds in (0, 1, 3):
        cast.client.advance(seconds)
        seen.append(phone(seat.room))
    shown = ("dialing", "ringing", "active")
    assert seen == [{"sip.callStatus": status, "sip.phoneNumber": ORDINARY} for status in shown]


def test_a_telephone_that_waits_to_be_dialed_does_nothing_yet(cast: Hall) -> None:
    seat, _ = cast.enter(browser_call(cast.client), Ear())
    assert phone(seat.room) == {"sip.phoneNumber": ORDINARY}
    cast.switchboard.dial(seat, ORDINARY)
    assert phone(seat.room)["sip.callStatus"] == "dialing"


def test_who_picks_up_a_leg_meets_the_other_phone_until_a_person_has_that_too(cast: Hall) -> None:
    call, ear = bridge(cast.client), Ear()
    tokens = [legs.hand_over(cast.client.world, call, role)[0] for role in ("connect", "destination")]
    seat, others = cast.enter(tokens[0], ear)
    assert [one.identity for one in others] == ["phone"]
    assert phone(seat.room) == {"sip.callStatus": "dialing", "sip.phoneNumber": MAIN}
    cast.client.advance(2)
    _, others = cast.enter(tokens[1], Ear())
    assert [one.identity for one in others] == [f"connect-{call['id']}"]
    assert updates(ear) == ["QUEUED", "RINGING", "IN_PROGRESS"]


def test_a_bridge_ends_when_either_of_its_people_hangs_up(hall: Hall) -> None:
    call, ears = bridge(hall.client), [Ear(), Ear()]
    tokens = [legs.hand_over(hall.client.world, call, role)[0] for role in ("connect", "destination")]
    seats = [hall.enter(token, ear)[0] for token, ear in zip(tokens, ears, strict=True)]
    hall.client.advance(8)
    hall.switchboard.leave(seats[1])
    assert [ear.closed for ear in ears] == [["completed"], [LEFT]]
    assert newest(hall.client)["duration_seconds"] == 7


def test_closing_puts_everybody_out_and_ends_no_call(hall: Hall) -> None:
    ear = Ear()
    hall.enter(web_call(hall.client), ear)
    hall.client.advance(2)
    hall.switchboard.close()
    assert ear.closed == [SHUTDOWN]
    assert newest(hall.client)["status"] == "IN_PROGRESS"


def test_time_goes_on_with_the_wall_while_somebody_is_in_a_room() -> None:
    client = Client(Emulator(Settings(seed="test"), SPEC))
    switchboard = Switchboard(client.emulator, lambda *_: None)
    ear = Ear()

    async def talk() -> None:
        token = (await client.send("POST", f"/v1/agents/{AGENT}/web-call")).data["token"]
        switchboard.enter(token, ear, BASE)
        client.world.clock.set(client.world.clock.now() + 999)  # a millisecond before it is answered
        await until(lambda: "IN_PROGRESS" in updates(ear))
        switchboard.close()

    asyncio.run(talk())
