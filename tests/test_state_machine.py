"""Random lives of one account: after every step the emulator agrees with a model of a few small tables."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from revdesk_mock import ApiError, Policies, placement
from tests.conftest import Answer
from tests.random_life import DAY, Life, pick, which

START = datetime(2026, 1, 5, 9, tzinfo=UTC)  # the fixture's clock
CAP = 6  # channels
PROVISIONING = 5  # seconds
FOR_SALE = [f"+13125550{number}" for number in (120, 121, 122, 123)]
NOT_FOR_SALE = STRANGER = "+13125550999"

QUEUED, RINGING, TALKING, COMPLETED, CANCELED = "QUEUED", "RINGING", "IN_PROGRESS", "COMPLETED", "CANCELED"
# What a call does by the last two digits of its destination: seconds after it is dialed, and the status from
# then on. The last line is the end.
SCRIPTS: dict[str, list[tuple[int, str]]] = {
    "00": [(1, RINGING), (4, TALKING), (34, COMPLETED)],
    "01": [(1, RINGING), (4, TALKING), (14, COMPLETED)],
    "02": [(1, RINGING), (2, "BUSY")],
    "03": [(1, RINGING), (31, "NO_ANSWER")],
    "04": [(1, RINGING), (21, TALKING), (33, "VOICEMAIL")],
    "05": [(1, RINGING), (5, "DECLINED")],
    "06": [(1, "UNREACHABLE")],
    "07": [(1, RINGING), (26, TALKING), (56, COMPLETED)],
    "08": [(1, RINGING), (1, TALKING), (31, COMPLETED)],
    "09": [(1, RINGING), (4, TALKING), (2704, COMPLETED)],
    "10": [(1, RINGING), (4, TALKING), (6, COMPLETED)],
    "11": [(1, RINGING), (4, TALKING), (14_404, COMPLETED)],
    "50": [(1, RINGING), (4, TALKING), (34, COMPLETED)],
}
REFUSED_FIRST = {"90": 403, "93": 409}  # whatever the load
REFUSED_LAST = {"92": 429, "94": 429, "91": 403}  # as if the account had no room left


@dataclass
class Number:
    """An owned number; times are milliseconds since the start."""

    phone: str
    bought: int

    def is_active(self, now: int) -> bool:
        return now >= self.bought + PROVISIONING * 1000


@dataclass
class Call:
    """A call; until it is dialed it waits for its browser, and not for ever."""

    id: str
    number: int
    caller: str
    digits: str
    channels: int
    dialed: int | None = None
    waits_until: int = 0
    hung_up: int | None = None

    @property
    def to(self) -> str:
        return destination(self.digits)

    def story(self) -> list[tuple[int, str]]:
        """Return when it takes which status, up to its end."""
        if self.dialed is None:
            story = [(self.waits_until, CANCELED)]
        else:
            story = [(self.dialed + seconds * 1000, status) for seconds, status in SCRIPTS[self.digits]]
        if self.hung_up is not None:
            story = [(at, status) for at, status in story if at <= self.hung_up]
            was_answered = any(status == TALKING for _, status in story)
            story.append((self.hung_up, COMPLETED if was_answered else CANCELED))
        return story

    def status(self, now: int) -> str:
        return next((status for at, status in reversed(self.story()) if at <= now), QUEUED)

    def ended(self, now: int) -> int | None:
        end = self.story()[-1][0]
        return end if end <= now else None

    def seconds(self, now: int) -> int:
        """Return how long it talked, once it has ended."""
        end = self.ended(now)
        answered = next((at for at, status in self.story() if status == TALKING), None)
        return 0 if end is None or answered is None else (end - answered) // 1000

    def channels_in_use(self, now: int) -> int:
        return self.channels if self.dialed is not None and self.ended(now) is None else 0


@dataclass
class Token:
    text: str
    call: str
    expires: int
    is_joined: bool = False

    def state(self, call: Call, now: int) -> str:
        end = call.ended(now)
        if self.is_joined:
            return "joined" if end is None else "spent"
        if end is not None and end < self.expires:
            return "revoked"
        return "expired" if now >= self.expires else "issued"


@dataclass
class Model:
    """All that is known of the account. The newest is last everywhere."""

    now: int = 0
    numbers: dict[int, Number] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    newest_agents_number: int = 0

    def active(self) -> list[int]:
        return [record for record, number in self.numbers.items() if number.is_active(self.now)]

    def owner_of(self, phone: str) -> int | None:
        return next((record for record, number in self.numbers.items() if number.phone == phone), None)

    def channels_in_use(self) -> int:
        return sum(call.channels_in_use(self.now) for call in self.calls.values())

    def refusal(self, caller: str, digits: str, channels: int) -> int | None:
        """Return the status with which a call is refused, if it is."""
        if self.owner_of(caller) not in self.active():
            return 422
        if digits in REFUSED_FIRST:
            return REFUSED_FIRST[digits]
        if self.channels_in_use() + channels > CAP:
            return 429
        return REFUSED_LAST.get(digits)

    def placed_this_month(self, record: int) -> list[Call]:
        return [
            call
            for call in self.calls.values()
            if call.number == record and call.dialed is not None and month_of(call.dialed) == month_of(self.now)
        ]


def destination(digits: str) -> str:
    return f"+141555501{digits}"


def month_of(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(START.timestamp() + milliseconds / 1000, UTC):%Y-%m}"


def minutes_of(seconds: int) -> int:
    return -(-seconds // 60)


destinations = st.sampled_from(sorted([*SCRIPTS, *REFUSED_FIRST, *REFUSED_LAST]))
moments = st.one_of(
    st.sampled_from([1000, 3000, 4000, 5000, 30_000, 60_000]),
    st.integers(1, 60_000),
    st.integers(60_000, 4 * 3_600_000),
    st.just(DAY),
)


class Account(Life):
    """Drives one account by requests and keeps the model beside it."""

    policies = Policies(concurrency_cap=CAP, daily_spend_cap_cents=None, calls_per_minute=None)

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()

    # numbers

    @initialize()
    def own_a_number(self) -> None:
        self.buy(FOR_SALE[0])
        self.pass_time(PROVISIONING * 1000)

    @rule(phone=st.sampled_from([*FOR_SALE, NOT_FOR_SALE]))
    def buy(self, phone: str) -> None:
        model = self.model
        answer = self.write("POST", "/v1/phone-numbers", {"phone_number": phone})
        if phone == NOT_FOR_SALE or model.owner_of(phone) is not None:
            assert answer.status == 409
            return
        record = answer.data["phone_record_id"]
        assert record not in model.numbers
        model.numbers[record] = Number(phone, model.now)
        model.newest_agents_number = record

    @precondition(lambda self: len(self.model.numbers) > 1)
    @rule(which=which)
    def release(self, which: int) -> None:
        model = self.model
        record = pick(list(model.numbers), which)
        path = f"/v1/phone-numbers/{record}"
        assert self.write("DELETE", path).data == {"id": record, "deleted": True}
        assert self.ask("GET", path).status == 404
        del model.numbers[record]
        model.calls = {call.id: call for call in model.calls.values() if call.number != record}

    # calls

    def place(self, path: str, body: Any, caller: str, digits: str, channels: int = 1) -> Answer | None:
        """Place a call that is dialed now; return the answer where it is not refused."""
        refusal = self.model.refusal(caller, digits, channels)
        answer = self.write("POST", path, body)
        if refusal is not None:
            assert answer.status == refusal
            return None
        self.note(answer, caller, digits, channels).dialed = self.model.now
        return answer

    def note(self, answer: Answer, caller: str, digits: str, channels: int = 1) -> Call:
        record, number = answer.data["call_id"], self.model.owner_of(caller)
        assert record not in self.model.calls
        assert number is not None
        call = self.model.calls[record] = Call(record, number, caller, digits, channels)
        return call

    def caller(self, which: int) -> str:
        """Pick a number to call from: mostly one that is owned."""
        return str(pick([*(number.phone for number in self.model.numbers.values()), STRANGER], which))

    @rule(which=which, digits=destinations)
    def dial(self, which: int, digits: str) -> None:
        caller = self.caller(which)
        numbers = {"from_number": caller, "to_number": destination(digits)}
        self.place("/v1/calls/dial", numbers, caller, digits, channels=2)

    @rule(digits=destinations)
    def ai_call(self, digits: str) -> None:
        model = self.model
        active = model.active()
        body = {"phoneNumber": destination(digits)}
        if not active:
            assert self.write("POST", "/v1/calls", body).status == 409
            return
        own = model.newest_agents_number
        caller = model.numbers[own if own in active else active[-1]].phone
        self.place("/v1/calls", body, caller, digits)

    @rule(which=which, digits=destinations, ttl=st.sampled_from([60, 3600]))
    def room_token(self, which: int, digits: str, ttl: int) -> None:
        caller = self.caller(which)
        body = {"from_number": caller, "to_number": destination(digits), "ttl_seconds": ttl}
        answer = self.place("/v1/room-token", body, caller, digits)
        if answer is not None:
            self.keep_token(answer, ttl)

    @rule(which=which, digits=destinations)
    def calling_token(self, which: int, digits: str) -> None:
        caller = self.caller(which)
        refusal = self.model.refusal(caller, digits, channels=1)
        numbers = {"from_number": caller, "to_number": destination(digits)}
        answer = self.write("POST", "/v1/webrtc-token", numbers)
        if refusal is not None:
            assert answer.status == refusal
            return
        ttl = answer.data["expires_in"]
        self.note(answer, caller, digits).waits_until = self.model.now + ttl * 1000
        self.keep_token(answer, ttl)

    def keep_token(self, answer: Answer, ttl: int) -> None:
        token = Token(answer.data["token"], answer.data["call_id"], self.model.now + ttl * 1000)
        self.model.tokens.append(token)

    @precondition(lambda self: self.model.tokens)
    @rule(which=which)
    def join(self, which: int) -> None:
        token = pick(self.model.tokens, which)
        call = self.model.calls.get(token.call)
        if call is not None and token.state(call, self.model.now) == "issued":
            assert placement.join(self.client.world, token.text)["id"] == token.call
            token.is_joined = True
        else:
            with pytest.raises(ApiError):
                placement.join(self.client.world, token.text)

    def waiting(self) -> list[Call]:
        model = self.model
        return [call for call in model.calls.values() if call.dialed is None and call.ended(model.now) is None]

    @precondition(lambda self: self.waiting() and self.model.channels_in_use() < CAP)
    @rule(which=which)
    def browser_dials(self, which: int) -> None:
        call = pick(self.waiting(), which)
        placement.dial_from_browser(self.client.world, call.id)
        call.dialed = self.model.now

    @precondition(lambda self: self.model.calls)
    @rule(which=which)
    def hang_up(self, which: int) -> None:
        now = self.model.now
        call = pick(list(self.model.calls.values()), which)
        answer = self.write("POST", f"/v1/calls/{call.id}/hangup")
        if call.ended(now) is None:
            call.hung_up = now
        assert answer.data == {"call_id": call.id, "status": call.status(now)}

    # everything

    @rule(milliseconds=moments)
    def pass_time(self, milliseconds: int) -> None:
        self.client.advance(milliseconds / 1000)
        self.model.now += milliseconds

    # what always holds

    @invariant()
    def calls_agree(self) -> None:
        model = self.model
        expected = [
            {
                "id": call.id,
                "status": call.status(model.now),
                "from_number": call.caller,
                "to_number": call.to,
                "phone_number_id": str(call.number),
                "duration_seconds": None if call.ended(model.now) is None else call.seconds(model.now),
            }
            for call in reversed(model.calls.values())
        ]
        shown: list[Any] = []
        cursor = ""
        while True:
            answer = self.ask("GET", f"/v1/calls?limit=20{cursor}")
            assert answer.body["meta"]["total_results"] == len(expected)
            shown += answer.data
            if "cursor" not in answer.body["meta"]:
                break
            cursor = f"&cursor={answer.body['meta']['cursor']}"
        fields = ("id", "status", "from_number", "to_number", "phone_number_id", "duration_seconds")
        assert [{name: call[name] for name in fields} for call in shown] == expected

    @invariant()
    def numbers_agree(self) -> None:
        model = self.model
        shown = self.ask("GET", "/v1/phone-numbers").data
        assert [number["id"] for number in shown] == list(reversed(model.numbers))
        for number in shown:
            expected = model.numbers[number["id"]]
            assert number["is_active"] is expected.is_active(model.now)
            if number["is_active"]:
                assert number["phone_number"] == expected.phone
            else:
                assert number["phone_number"].startswith("pending:")

    @invariant()
    def channels_agree(self) -> None:
        in_use = self.client.world.guardrails.channels_in_use()
        assert in_use == self.model.channels_in_use() <= CAP

    @invariant()
    def tokens_agree(self) -> None:
        model, world = self.model, self.client.world
        expected = {
            token.call: token.state(model.calls[token.call], model.now)
            for token in model.tokens
            if token.call in model.calls
        }
        states = {token["call_id"]: world.credentials.state(token) for token in world.store.all("tokens")}
        assert states == expected

    @invariant()
    def usage_agrees(self) -> None:
        model = self.model
        total = self.ask("GET", "/v1/usage").data
        placed = minutes = 0
        for record in model.numbers:
            calls = model.placed_this_month(record)
            seconds = [call.seconds(model.now) for call in calls]
            statuses = [call.status(model.now) for call in calls]
            shown = self.ask("GET", f"/v1/usage/{record}").data
            assert shown["calls_placed"] == len(calls)
            assert shown["duration_seconds"] == sum(seconds)
            assert shown["minutes_used"] == sum(map(minutes_of, seconds))
            assert shown["calls_by_status"] == {status: statuses.count(status) for status in statuses}
            placed += shown["calls_placed"]
            minutes += shown["minutes_used"]
        assert (total["calls_placed"], total["minutes_used"]) == (placed, minutes)
        assert total["phone_numbers_active"] == len(model.active())


def test_the_emulator_agrees_with_the_model_whatever_happens() -> None:
    run_state_machine_as_test(Account)
