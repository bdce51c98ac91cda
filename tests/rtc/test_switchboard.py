"""The switchboard: one place for each token, and a room and its call that never disagree."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import ApiError, Emulator, Settings
from revdesk_mock.rtc.events import LOST, ROOM_CLOSED, SHUTDOWN, Data, Gone, Joined, Participant
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.rtc.switchboard import CALL_UPDATE, GRACE, Seat, Switchboard
from revdesk_mock.world import World
from tests.conftest import AGENT, MAIN, ORDINARY, SPEC, Client, emulator_with
from tests.rtc.caller import until
from tests.rtc.test_rooms import Ear

BASE = "http://127.0.0.1:8473"


@dataclass
class Timers:
    """Timers that run out when the test says so."""

    waiting: list["Timer"] = field(default_factory=list)

    def later(self, seconds: float, call: Callable[[], None]) -> Any:
        assert seconds == GRACE
        self.waiting.append(Timer(self, call))
        return self.waiting[-1]

    def run_out(self) -> None:
        for timer in list(self.waiting):
            self.waiting.remove(timer)
            timer.call()


@dataclass(eq=False)
class Timer:
    timers: Timers
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

    def __post_init__(self) -> None:
        self.switchboard = Switchboard(self.client.emulator, self._open, self.timers.later)

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


def web_call(client: Client) -> str:
    return str(client.post(f"/v1/agents/{AGENT}/web-call").data["token"])


def placed_call(client: Client, to: str = ORDINARY) -> Any:
    return client.post("/v1/room-token", {"from_number": MAIN, "to_number": to}).data


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


def test_of_a_hundred_joins_at_once_one_gets_in(hall: Hall) -> None:
    token = web_call(hall.client)

    async def attempt() -> bool:
        try:
            hall.switchboard.enter(token, Ear(), BASE)
        except ApiError:
            return False
        return True

    async def crowd() -> list[bool]:
        return await asyncio.gather(*(attempt() for _ in range(100)))

    assert sum(asyncio.run(crowd())) == 1


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
    for forged in (f"{token[:-2]}xx", f"x{token}", token.upper(), ""):
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
    assert (ear.closed, updates(ear)[-1]) == ([ROOM_CLOSED], "COMPLETED")


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
    assert (ear.closed, updates(ear)[-1]) == ([ROOM_CLOSED], "BUSY")


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
    assert (updates(first)[-1], updates(again)) == ("IN_PROGRESS", ["COMPLETED"])


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


@dataclass
class Visit:
    """One person's way in and out of one call, step by step."""

    hall: Hall

    def __post_init__(self) -> None:
        self.client = self.hall.client
        self.token = web_call(self.client)
        self.call_id = newest(self.client)["id"]
        self.ears: list[Ear] = []
        self.seat: Seat | None = None

    def enter(self) -> None:
        ear = Ear()
        try:
            self.seat, _ = self.hall.enter(self.token, ear)
        except ApiError:
            return
        self.ears.append(ear)

    def drop(self) -> None:
        if self.seat is not None:
            self.hall.switchboard.drop(self.seat, self.ears[-1])

    def leave(self) -> None:
        if self.seat is not None:
            self.hall.switchboard.leave(self.seat)

    def run_out(self) -> None:
        self.hall.timers.run_out()

    def hang_up(self) -> None:
        self.client.post(f"/v1/calls/{self.call_id}/hangup")

    def wait(self) -> None:
        self.client.advance(5)

    def check(self) -> None:
        """Assert that the API and the room say the same of the call."""
        call = self.client.get(f"/v1/calls/{self.call_id}").data
        last = self.ears[-1] if self.ears else Ear(closed=["never there"])
        if last.closed and self.ears:
            assert call["ended_at"] is not None
        if call["ended_at"] is not None:
            assert last.closed
            assert self.hall.timers.waiting == []
        if not last.closed and updates(last):
            assert updates(last)[-1] == call["status"]
        told = [event for ear in self.ears for event in ear.told]
        assert not any(isinstance(event, Gone | Joined) for event in told)


STEPS = st.lists(st.sampled_from([Visit.enter, Visit.drop, Visit.run_out, Visit.leave, Visit.hang_up, Visit.wait]))


@given(steps=STEPS)
def test_the_room_and_the_api_agree_whatever_happens(steps: list[Callable[[Visit], None]]) -> None:
    visit = Visit(Hall(Client(emulator_with())))
    for step in steps:
        step(visit)
        visit.check()
