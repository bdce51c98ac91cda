"""Random lives of one account: after every step the emulator agrees with a model of a few small tables."""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from revdesk_mock import ApiError, Policies, placement
from revdesk_mock.clock import parse_iso
from revdesk_mock.provisioning import GREETING
from tests.account_model import (
    AGENT_MINUTE,
    BROWSER,
    CAP,
    FOR_SALE,
    LEG_MINUTE,
    MOST_SPENT,
    NO_REPLIES,
    NOT_FOR_SALE,
    PROVISIONING,
    REFUSED_FIRST,
    REFUSED_LAST,
    SCRIPTS,
    SPREADING,
    START,
    STRANGER,
    TOLL_FREE,
    Agent,
    Call,
    Model,
    Number,
    Text,
    Token,
    destination,
    minutes_of,
)
from tests.conftest import Answer
from tests.random_life import DAY, Life, mostly, pick, which

PERSONAL = [f"+161755501{digits}" for digits in (20, 21)]  # verified to call from
NOBODY = "00000000-0000-4000-8000-000000000000"
NAMES = ("Harbor", "Harbor", "Dental", "")
CNAM_CHANGES = [*({"cnam_display_name": name} for name in NAMES), {"cnam_enabled": True}, {"cnam_enabled": False}]
AGENT_CHANGES = [{"enabled": True}, {"enabled": True}, {"enabled": False}, {"name": "Kim", "greeting": None}]
REPLY_CHANGES = [{"auto_reply_enabled": True}, {"reply_delay_seconds": 9, "default_prompt": "Hello"}]

destinations = st.sampled_from(sorted({*SCRIPTS, *REFUSED_FIRST, *REFUSED_LAST} - {BROWSER}))
moments = st.one_of(
    st.sampled_from([1000, 3000, 4000, 5000, 30_000, 60_000]),
    st.integers(1, 60_000),
    st.integers(60_000, 4 * 3_600_000),
    st.sampled_from([DAY, SPREADING]),
)


class Account(Life):
    """Drives one account by requests and keeps the model beside it."""

    policies = Policies(concurrency_cap=CAP, daily_spend_cap_cents=MOST_SPENT // 10_000, calls_per_minute=None)

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()

    # numbers

    @initialize()
    def own_a_number(self) -> None:
        self.buy(FOR_SALE[0])
        self.pass_time(PROVISIONING * 1000)
        self.name_number(0, {"cnam_display_name": "Harbor"})

    @rule(phone=st.sampled_from([*FOR_SALE, NOT_FOR_SALE]))
    def buy(self, phone: str) -> None:
        model = self.model
        answer = self.write("POST", "/v1/phone-numbers", {"phone_number": phone})
        if phone == NOT_FOR_SALE or model.owner_of(phone) is not None:
            assert answer.status == 409
            return
        record = answer.data["phone_record_id"]
        assert record not in model.numbers
        agent = self.ask("GET", "/v1/agents?limit=1").data[0]
        assert agent["id"] not in model.agents
        fields = {"name": f"Agent for {phone}", "enabled": True, "greeting": GREETING}
        model.agents[agent["id"]] = Agent(agent["id"], model.now, fields)
        model.numbers[record] = Number(phone, model.now, agent["id"])

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

    @rule(which=which, body=st.sampled_from(CNAM_CHANGES))
    def name_number(self, which: int, body: dict[str, Any]) -> None:
        model = self.model
        likely = [each for each, it in model.numbers.items() if it.was_seen_live or not it.is_active(model.now)]
        record = mostly(likely, model.numbers, which)
        number = model.numbers[record]
        name = body.get("cnam_display_name", number.cnam)
        is_off = not body.get("cnam_enabled", name)
        refusal = None
        if not is_off:
            refusal = 400 if number.phone == TOLL_FREE or not name else None if number.is_active(model.now) else 409
        assert self.write("PATCH", f"/v1/phone-numbers/{record}", body).status == (refusal or 200)
        if is_off:
            number.cnam, number.cnam_since, number.was_seen_live = name or None, None, False
        elif refusal is None and (name != number.cnam or number.cnam_since is None):
            number.cnam, number.cnam_since, number.was_seen_live = name, model.now, False

    @rule(which=which)
    def look_at_cnam(self, which: int) -> None:
        model = self.model
        record = mostly(
            (each for each in model.numbers if model.numbers[each].is_live(model.now)), model.numbers, which
        )
        number = model.numbers[record]
        is_live = number.is_live(model.now)
        number.was_seen_live = is_live
        shown = self.ask("GET", f"/v1/phone-numbers/{record}/cnam-status").data
        assert shown["cnam_status"] == number.cnam_status()
        assert shown["live_enabled"] is is_live
        assert shown["live_display_name"] == (number.cnam if is_live else None)
        waiting = "inactive" if number.cnam_since is None else "provisioning"
        assert shown["live_status"] == ("active" if is_live else waiting)

    # agents

    @rule(which=which, change=st.sampled_from(AGENT_CHANGES))
    def change_agent(self, which: int, change: dict[str, Any]) -> None:
        agent = pick(list(self.model.agents.values()), which)
        assert self.write("PATCH", f"/v1/agents/{agent.id}", change).status == 200
        agent.shown |= change
        agent.changed = self.model.now

    @rule(which=which)
    def wire(self, which: int) -> None:
        """Let an agent, or one that is not there, answer a number."""
        model = self.model
        record, agent = pick(list(model.numbers), which), pick([*model.agents, NOBODY], which // 4)
        answer = self.write("PATCH", f"/v1/phone-numbers/{record}", {"agent_id": agent})
        assert answer.status == (200 if agent in model.agents else 404)
        if answer.status == 200:
            model.numbers[record].agent = agent

    @rule(which=which)
    def web_call(self, which: int) -> None:
        model = self.model
        agent = pick(list(model.agents.values()), which)
        refusal = model.overload(BROWSER, AGENT_MINUTE) if agent.shown["enabled"] else 409
        answer = self.write("POST", f"/v1/agents/{agent.id}/web-call")
        assert answer.status == (refusal or 200)
        if refusal is None:
            number, ttl = model.number_of(agent.id), answer.data["expires_in"]
            to = f"agent:{agent.id}" if number is None else model.numbers[number].phone
            record = answer.data["room_name"].replace("room_", "call_")
            waits_until = model.now + ttl * 1000
            model.calls[record] = Call(record, None, BROWSER, to, BROWSER, AGENT_MINUTE, waits_until=waits_until)
            self.keep_token(answer, record, ttl)

    # texts

    @rule(which=which, digits=destinations)
    def text(self, which: int, digits: str) -> None:
        model, sender = self.model, self.caller(which)
        refusal = model.refusal_of_text(sender, digits)
        body = {"from": sender, "to": destination(digits), "message": "See you tomorrow"}
        assert self.write("POST", "/v1/sms/send", body).status == (refusal or 200)
        if refusal is None:
            model.texts.append(Text(digits, model.now))

    @rule(
        which=which,
        change=st.sampled_from(REPLY_CHANGES),
    )
    def set_replies(self, which: int, change: dict[str, Any]) -> None:
        """Change the settings of a number, or those of all others."""
        model = self.model
        record = pick([None, *model.numbers], which)
        texting = model.texting if record is None else model.numbers[record].texting
        path = "/v1/sms/config" if record is None else f"/v1/phone-numbers/{record}/sms-config"
        assert self.write("PATCH", path, change).status == 200
        texting |= change

    # calls

    @precondition(lambda self: len(self.model.caller_ids) < len(PERSONAL))
    @rule()
    def verify_caller_id(self) -> None:
        phone = PERSONAL[len(self.model.caller_ids)]
        record = self.write("POST", "/v1/caller-ids", {"phone_number": phone}).data["caller_id_id"]
        started = self.client.world.store.get("caller_ids", record) or {}
        verified = self.write("POST", f"/v1/caller-ids/{record}/verify", {"verification_code": started["code"]})
        assert verified.data["verified"] is True
        self.model.caller_ids.append(phone)

    def place(
        self, path: str, body: Any, caller: str, digits: str, price: int = LEG_MINUTE, channels: int = 1
    ) -> Answer | None:
        """Place a call that is dialed now; return the answer where it is not refused."""
        refusal = self.model.refusal(caller, digits, price, channels)
        answer = self.write("POST", path, body)
        if refusal is not None:
            assert answer.status == refusal
            return None
        self.note(answer, caller, digits, price, channels).dialed = self.model.now
        return answer

    def note(self, answer: Answer, caller: str, digits: str, price: int, channels: int = 1) -> Call:
        record, number = answer.data["call_id"], self.model.owner_of(caller)
        assert record not in self.model.calls
        call = self.model.calls[record] = Call(record, number, caller, destination(digits), digits, price, channels)
        return call

    def caller(self, which: int) -> str:
        """Pick a number to call from: mostly one that may be."""
        model = self.model
        active = [model.numbers[record].phone for record in model.active()]
        return str(mostly([*active, *model.caller_ids], [*FOR_SALE, *PERSONAL, STRANGER], which))

    @rule(which=which, digits=destinations)
    def dial(self, which: int, digits: str) -> None:
        caller = self.caller(which)
        numbers = {"from_number": caller, "to_number": destination(digits)}
        self.place("/v1/calls/dial", numbers, caller, digits, 2 * LEG_MINUTE, channels=2)

    @rule(which=which, digits=destinations, is_named=st.booleans())
    def ai_call(self, which: int, digits: str, *, is_named: bool) -> None:
        model = self.model
        agents = list(model.agents.values())
        agent = pick(agents, which) if is_named else agents[-1]
        body = {"phoneNumber": destination(digits)} | ({"assistantId": agent.id} if is_named else {})
        caller = model.caller_for(agent.id)
        if caller is None or not agent.shown["enabled"]:
            assert self.write("POST", "/v1/calls", body).status == 409
            return
        self.place("/v1/calls", body, caller, digits, LEG_MINUTE + AGENT_MINUTE)

    @rule(which=which, digits=destinations, ttl=st.sampled_from([60, 3600]))
    def room_token(self, which: int, digits: str, ttl: int) -> None:
        caller = self.caller(which)
        body = {"from_number": caller, "to_number": destination(digits), "ttl_seconds": ttl}
        answer = self.place("/v1/room-token", body, caller, digits)
        if answer is not None:
            self.keep_token(answer, answer.data["call_id"], ttl)

    @rule(which=which, digits=destinations)
    def calling_token(self, which: int, digits: str) -> None:
        caller = self.caller(which)
        refusal = self.model.refusal(caller, digits, LEG_MINUTE)
        numbers = {"from_number": caller, "to_number": destination(digits)}
        answer = self.write("POST", "/v1/webrtc-token", numbers)
        if refusal is not None:
            assert answer.status == refusal
            return
        ttl = answer.data["expires_in"]
        self.note(answer, caller, digits, LEG_MINUTE).waits_until = self.model.now + ttl * 1000
        self.keep_token(answer, answer.data["call_id"], ttl)

    def keep_token(self, answer: Answer, call: str, ttl: int) -> None:
        token = Token(answer.data["token"], call, self.model.now + ttl * 1000)
        self.model.tokens.append(token)

    @precondition(lambda self: self.model.tokens)
    @rule(which=which)
    def join(self, which: int) -> None:
        """Join with a token; an agent's call starts by it, if there is room and money for it."""
        model = self.model
        token = pick(model.tokens, which)
        call = model.calls.get(token.call)
        starts = call is not None and call.digits == BROWSER
        is_open = call is not None and token.state(call, model.now) == "issued"
        if call is not None and is_open and not (starts and model.overload(BROWSER, call.price)):
            assert placement.join(self.client.world, token.text)["id"] == token.call
            token.is_joined = True
            call.dialed = model.now if starts else call.dialed
        else:
            with pytest.raises(ApiError):
                placement.join(self.client.world, token.text)

    def waiting(self) -> list[Call]:
        model = self.model
        waiting = [call for call in model.calls.values() if call.dialed is None and call.ended(model.now) is None]
        return [call for call in waiting if call.digits != BROWSER]

    @precondition(lambda self: self.waiting())
    @rule(which=which)
    def browser_dials(self, which: int) -> None:
        call = pick(self.waiting(), which)
        if self.model.overload(BROWSER, call.price):
            with pytest.raises(ApiError):
                placement.dial_from_browser(self.client.world, call.id)
        else:
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
        super().pass_time(milliseconds)
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
                "phone_number_id": None if call.number is None else str(call.number),
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
            assert (number["cnam_display_name"], number["cnam_status"]) == (expected.cnam, expected.cnam_status())

    @invariant()
    def agents_agree(self) -> None:
        model = self.model
        shown = self.ask("GET", "/v1/agents").data
        assert [agent["id"] for agent in shown] == list(reversed(model.agents))
        for agent in shown:
            expected, number = model.agents[agent["id"]], model.number_of(agent["id"])
            assert {name: agent[name] for name in expected.shown} == expected.shown
            assert parse_iso(agent["updated_at"]) - START.timestamp() * 1000 == expected.changed
            assert (agent["phone_number"] and agent["phone_number"]["id"]) == number
            assert agent["agent_type"] == ("unassigned" if number is None else "both")

    @invariant()
    def texts_agree(self) -> None:
        model, world = self.model, self.client.world
        statuses = [message["status"] for message in world.store.all("messages")]
        assert statuses == [text.status(model.now) for text in model.texts]
        assert self.ask("GET", "/v1/sms/config").data == model.texting
        for record, number in model.numbers.items():
            expected = {"phone_number_id": record, "has_override": bool(number.texting), **dict.fromkeys(NO_REPLIES)}
            assert self.ask("GET", f"/v1/phone-numbers/{record}/sms-config").data == expected | number.texting

    @invariant()
    def channels_and_spending_agree(self) -> None:
        guardrails = self.client.world.guardrails
        assert guardrails.channels_in_use() == self.model.channels_in_use() <= CAP
        assert guardrails.spent_today() == self.model.spent_today()

    @invariant()
    def tokens_agree(self) -> None:
        model, world = self.model, self.client.world
        expected = {
            token.call: token.state(model.calls[token.call], model.now)
            for token in model.tokens
            if token.call in model.calls
        }
        states = {token["call_id"]: world.join_tokens.state(token) for token in world.store.all("tokens")}
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
