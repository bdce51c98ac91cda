"""Who may be called, from which number, how often and for how much, on every path that places a call."""

from pathlib import Path
from typing import Any

import pytest

from revdesk_mock.clock import DAY, SECOND
from revdesk_mock.e164 import EMERGENCY
from revdesk_mock.simulation.guardrails import PRICES
from tests.conftest import AGENT, MAIN, NEWER_AGENT, ORDINARY, RECALL, VERIFIED, Answer, Client, emulator_with, reopened

AI, BRIDGE, ROOM, BROWSER = "/v1/calls", "/v1/calls/dial", "/v1/room-token", "/v1/webrtc-token"
PATHS = (AI, BRIDGE, ROOM, BROWSER)
CALLER_GIVEN = (BRIDGE, ROOM, BROWSER)  # an agent calls from a number of its own
DIALED_NOW = (AI, BRIDGE, ROOM)
CHANNELS = {AI: 1, BRIDGE: 2, ROOM: 1}
REAL = "+14155552671"  # rings a person
FOREIGN = "+442079460001"
ONE_MINUTE = "+13125550101"  # talks ten seconds: one begun minute
WATCHED = f"/v1/caller-trust/reputation/numbers/{MAIN}"
EVERY_PATH = pytest.mark.parametrize("path", PATHS)

# The price list, in millionths of a US dollar.
LEG, AGENT_TALK, TEXT, LIVE_QUERY = 14_000, 70_000, 8_000, 250_000


def demo_of(client: Client) -> Client:
    return Client(client.emulator, f"revdesk_demo_{client.key}")


def place(client: Client, path: str, to: str = ORDINARY, caller: str = MAIN, **more: Any) -> Answer:
    body = {"phoneNumber": to} if path == AI else {"from_number": caller, "to_number": to}
    return client.post(path, {**body, **more})


def placed(client: Client, path: str, to: str = ORDINARY, **more: Any) -> str:
    answer = place(client, path, to, **more)
    assert answer.status == 200, answer.raw
    return str(answer.data["call_id"])


def refused(client: Client, path: str, to: str = ORDINARY, caller: str = MAIN, **more: Any) -> tuple[int, str]:
    """Place a call that is refused and leaves no trace; return status and code."""
    before = client.world.dump()
    answer = place(client, path, to, caller, **more)
    assert answer.status >= 400, answer.raw
    assert client.world.dump() == before
    return answer.status, answer.code


def minted(client: Client, **bounds: Any) -> Client:
    """Return a client that speaks with a client token of these bounds."""
    scopes = ["calls:write", "calls:read", "voice:webrtc", "sms:write"]
    answer = client.post("/v1/client-tokens", {"from_numbers": [MAIN], "scopes": scopes, **bounds})
    assert answer.status == 200, answer.raw
    return TokenClient(client.emulator, answer.data["token"], parent=client)


class TokenClient(Client):
    """A client whose bearer is a token: its world is its parent's."""

    def __init__(self, emulator: Any, key: str, parent: Client) -> None:
        super().__init__(emulator, key)
        self.parent = parent

    @property
    def world(self) -> Any:
        return self.parent.world


# the caller ID


@pytest.mark.parametrize("caller", [MAIN, RECALL, VERIFIED])
@pytest.mark.parametrize("path", CALLER_GIVEN)
def test_an_owned_number_and_a_verified_caller_id_may_call(client: Client, path: str, caller: str) -> None:
    call_id = placed(client, path, caller=caller)
    assert client.get(f"/v1/calls/{call_id}").data["from_number"] == caller


@pytest.mark.parametrize("caller", [ORDINARY, REAL, "+911"])
@pytest.mark.parametrize("path", CALLER_GIVEN)
def test_any_other_number_may_not_call(client: Client, path: str, caller: str) -> None:
    assert refused(client, path, caller=caller) == (422, "caller_id_not_verified")


@pytest.mark.parametrize("path", CALLER_GIVEN)
def test_the_refusal_names_the_field_of_the_caller_id(client: Client, path: str) -> None:
    assert list(place(client, path, caller=ORDINARY).fields) == ["from_number"]


@pytest.mark.parametrize("path", CALLER_GIVEN)
def test_a_number_may_call_once_it_is_provisioned(client: Client, path: str) -> None:
    bought = "+13125550177"
    client.post("/v1/phone-numbers", {"phone_number": bought})
    client.advance(4.999)
    assert refused(client, path, caller=bought) == (422, "caller_id_not_verified")
    client.advance(0.001)
    placed(client, path, caller=bought)


@pytest.mark.parametrize("path", CALLER_GIVEN)
def test_a_number_that_was_released_may_not_call_any_more(client: Client, path: str) -> None:
    client("DELETE", "/v1/phone-numbers/1001")
    assert refused(client, path) == (422, "caller_id_not_verified")


@pytest.mark.parametrize("path", CALLER_GIVEN)
def test_the_number_of_another_account_may_not_call(client: Client, path: str) -> None:
    other = Client(client.emulator, f"{client.key}-other")
    other.post("/v1/phone-numbers", {"phone_number": "+13125550177"})
    other.advance(60)
    assert refused(client, path, caller="+13125550177") == (422, "caller_id_not_verified")


@pytest.mark.parametrize("path", CALLER_GIVEN)
def test_a_caller_id_that_is_not_verified_yet_may_not_call(client: Client, path: str) -> None:
    store = client.world.store
    with store.transaction():
        store.insert("caller_ids", {"id": "2002", "phone_number": REAL, "status": "PENDING"})
    assert refused(client, path, caller=REAL) == (422, "caller_id_not_verified")


def test_an_agent_calls_from_its_own_number_or_else_the_newest(client: Client) -> None:
    def caller(**body: str) -> str:
        return str(client.get(f"/v1/calls/{placed(client, AI, **body)}").data["from_number"])

    assert [caller(), caller(assistantId=NEWER_AGENT), caller(assistantId=AGENT)] == [RECALL, RECALL, MAIN]
    client("DELETE", "/v1/phone-numbers/1001")
    assert caller(assistantId=AGENT) == RECALL


def test_an_agent_does_not_call_from_a_number_that_is_being_provisioned(client: Client) -> None:
    for number in (1001, 1002):
        client("DELETE", f"/v1/phone-numbers/{number}")
    client.post("/v1/phone-numbers", {"phone_number": "+13125550177"})
    assert refused(client, AI) == (409, "conflict")
    client.advance(5)
    placed(client, AI)


# destinations

REFUSING = {
    90: (403, "destination_not_allowed"),
    91: (403, "spend_cap_exceeded"),
    92: (429, "concurrency_limit_exceeded"),
    93: (409, "carrier_rejected"),
    94: (429, "call_rate_exceeded"),
}


@pytest.mark.parametrize("digits", REFUSING)
@EVERY_PATH
def test_a_refusing_magic_number_refuses_on_every_path(client: Client, path: str, digits: int) -> None:
    assert refused(client, path, f"+131255501{digits}") == REFUSING[digits]


@pytest.mark.parametrize("digits", REFUSING)
def test_a_refusing_magic_number_refuses_as_the_persons_phone_too(client: Client, digits: int) -> None:
    assert refused(client, BRIDGE, connect_number=f"+170355501{digits}") == REFUSING[digits]


@pytest.mark.parametrize("digits", REFUSING)
def test_calling_from_a_number_of_ones_own_that_looks_magic_is_no_call_to_it(client: Client, digits: int) -> None:
    own = f"+131255501{digits}"
    client.post("/v1/phone-numbers", {"phone_number": own})
    client.advance(60)
    placed(client, BRIDGE, caller=own)


@pytest.mark.parametrize("digits", REFUSING)
def test_a_browser_talks_to_an_agent_whatever_its_number_looks_like(client: Client, digits: int) -> None:
    number = f"+131255501{digits}"
    client.post("/v1/phone-numbers", {"phone_number": number})
    client.advance(60)
    agent = client.get("/v1/agents").data[0]
    assert agent["phone_number"]["phone_number"] == number
    assert client.post(f"/v1/agents/{agent['id']}/web-call").status == 200


@pytest.mark.parametrize("digits", [92, 94])
def test_a_refusal_that_is_about_channels_leaves_texts_alone(client: Client, digits: int) -> None:
    body = {"from": MAIN, "to": f"+131255501{digits}", "message": "Hello"}
    assert client.post("/v1/sms/send", body).status == 200


@pytest.mark.parametrize("digits", [90, 91, 93])
def test_a_refusal_that_is_about_the_number_or_money_refuses_texts(client: Client, digits: int) -> None:
    before = client.world.dump()
    answer = client.post("/v1/sms/send", {"from": MAIN, "to": f"+131255501{digits}", "message": "Hello"})
    assert (answer.status, answer.code) == REFUSING[digits]
    assert client.world.dump() == before


@pytest.mark.parametrize(
    ("digits", "policy"), [(91, "daily_spend_cap_cents"), (92, "concurrency_cap"), (94, "calls_per_minute")]
)
def test_a_magic_refusal_makes_sense_where_its_cap_is_off(digits: int, policy: str) -> None:
    answer = place(Client(emulator_with(**{policy: None})), ROOM, f"+131255501{digits}")
    assert (answer.status, answer.code) == REFUSING[digits]
    assert "None" not in answer.body["error"]["message"]


@pytest.mark.parametrize("number", sorted(EMERGENCY))
@EVERY_PATH
def test_emergency_numbers_cannot_be_reached(client: Client, path: str, number: str) -> None:
    assert refused(client, path, number) == (403, "destination_not_allowed")


def test_emergency_numbers_cannot_be_reached_as_the_persons_phone_or_by_text(client: Client) -> None:
    assert refused(client, BRIDGE, connect_number="+911") == (403, "destination_not_allowed")
    answer = client.post("/v1/sms/send", {"from": MAIN, "to": "+911", "message": "Hello"})
    assert (answer.status, answer.code) == (403, "destination_not_allowed")


@EVERY_PATH
def test_a_production_key_reaches_any_number(client: Client, path: str) -> None:
    placed(client, path, REAL)


@pytest.mark.parametrize("number", [REAL, FOREIGN, "+13125560101", "+131255501011"])
@EVERY_PATH
def test_a_demo_key_reaches_no_real_number(client: Client, path: str, number: str) -> None:
    assert refused(demo_of(client), path, number) == (403, "destination_not_allowed")


@EVERY_PATH
def test_a_demo_key_reaches_fictional_numbers(client: Client, path: str) -> None:
    placed(demo_of(client), path)


def test_a_demo_key_reaches_no_real_number_as_the_persons_phone_or_by_text(client: Client) -> None:
    demo = demo_of(client)
    assert refused(demo, BRIDGE, connect_number=REAL) == (403, "destination_not_allowed")
    answer = demo.post("/v1/sms/send", {"from": MAIN, "to": REAL, "message": "Hello"})
    assert (answer.status, answer.code) == (403, "destination_not_allowed")


# bounds of a client token


@EVERY_PATH
def test_a_client_token_reaches_its_destinations_and_no_other(client: Client, path: str) -> None:
    token = minted(client, from_numbers=[MAIN, RECALL], to_numbers=[ORDINARY, ONE_MINUTE])
    assert refused(token, path, "+13125550107") == (403, "forbidden")
    placed(token, path, ORDINARY)
    placed(token, path, ONE_MINUTE)


@EVERY_PATH
def test_a_client_token_without_destinations_reaches_any(client: Client, path: str) -> None:
    placed(minted(client, from_numbers=[MAIN, RECALL]), path, REAL)


@pytest.mark.parametrize("path", CALLER_GIVEN)
def test_a_client_token_calls_from_its_numbers_and_no_other(client: Client, path: str) -> None:
    token = minted(client, from_numbers=[MAIN])
    assert refused(token, path, caller=RECALL) == (403, "forbidden")
    placed(token, path, caller=MAIN)


def test_an_agent_does_not_call_for_a_token_from_a_number_outside_its_bounds(client: Client) -> None:
    token = minted(client, from_numbers=[MAIN])
    assert refused(token, AI, assistantId=NEWER_AGENT) == (403, "forbidden")
    placed(token, AI, assistantId=AGENT)


def test_a_client_token_texts_within_its_bounds(client: Client) -> None:
    token = minted(client, to_numbers=[ORDINARY])
    statuses = [
        token.post("/v1/sms/send", {"from": sender, "to": to, "message": "Hello"}).status
        for sender, to in ((MAIN, ORDINARY), (RECALL, ORDINARY), (MAIN, ONE_MINUTE))
    ]
    assert statuses == [200, 403, 403]


def test_a_caller_id_that_is_not_ours_is_refused_before_the_bounds_are_looked_at(client: Client) -> None:
    assert refused(minted(client), BRIDGE, caller=ORDINARY) == (422, "caller_id_not_verified")


def test_the_explanation_of_a_refusal_lists_at_most_five_numbers(client: Client) -> None:
    destinations = [f"+131255501{digits}" for digits in range(20, 30)]
    answer = place(minted(client, to_numbers=destinations), BRIDGE)
    entry = client.emulator.journal.find(answer.headers["x-request-id"])
    assert entry is not None
    assert entry.reasons[0].expected == "one of " + ", ".join(destinations[:5]) + " ..."


# channels


@pytest.mark.parametrize("path", DIALED_NOW)
def test_a_call_holds_its_channels_from_placing_to_its_end(client: Client, path: str) -> None:
    placed(client, path, ONE_MINUTE)
    client.advance(13.999)
    assert client.world.guardrails.channels_in_use() == CHANNELS[path]
    client.advance(0.001)
    assert client.world.guardrails.channels_in_use() == 0


@pytest.mark.parametrize("path", DIALED_NOW)
def test_hanging_up_frees_the_channels(client: Client, path: str) -> None:
    call_id = placed(client, path)
    client.post(f"/v1/calls/{call_id}/hangup")
    client.post(f"/v1/calls/{call_id}/hangup")
    assert client.world.guardrails.channels_in_use() == 0


def test_erasing_a_live_call_frees_its_channels(client: Client) -> None:
    placed(client, BRIDGE)
    client("DELETE", "/v1/phone-numbers/1001")
    assert client.world.guardrails.channels_in_use() == 0


def test_a_call_that_waits_for_its_browser_holds_no_channel(client: Client) -> None:
    placed(client, BROWSER)
    client.post(f"/v1/agents/{AGENT}/web-call")
    assert client.world.guardrails.channels_in_use() == 0


@pytest.mark.parametrize(
    ("cap", "paths", "last"),
    [
        (1, [AI], AI),
        (1, [], BRIDGE),
        (2, [BRIDGE], ROOM),
        (2, [ROOM], BRIDGE),
        (3, [BRIDGE], BRIDGE),
        (3, [BRIDGE, AI], BROWSER),
        (0, [], AI),
    ],
)
def test_all_channels_together_make_the_cap_and_a_bridge_uses_two(cap: int, paths: list[str], last: str) -> None:
    client = Client(emulator_with(concurrency_cap=cap))
    for path in paths:
        placed(client, path)
    assert refused(client, last) == (429, "concurrency_limit_exceeded")


def test_a_channel_that_is_freed_can_be_used_again() -> None:
    client = Client(emulator_with(concurrency_cap=2))
    call_id = placed(client, BRIDGE)
    refused(client, AI)
    client.post(f"/v1/calls/{call_id}/hangup")
    placed(client, AI)
    placed(client, AI, ONE_MINUTE)
    refused(client, AI)
    client.advance(14)
    placed(client, AI)


# calls a minute


def test_more_calls_than_the_policy_has_within_a_minute_are_refused_with_a_time_to_come_back() -> None:
    client = Client(emulator_with(calls_per_minute=3))
    for path in DIALED_NOW:
        placed(client, path)
        client.advance(5)
    answer = place(client, AI)
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (429, "call_rate_exceeded", "45")
    client.advance(44.999)
    assert refused(client, AI) == (429, "call_rate_exceeded")
    client.advance(0.001)
    placed(client, AI)
    assert refused(client, AI) == (429, "call_rate_exceeded")


def test_a_refused_call_is_not_counted_as_placed() -> None:
    client = Client(emulator_with(calls_per_minute=1))
    for digits in REFUSING:
        refused(client, AI, f"+131255501{digits}")
    placed(client, AI)
    assert refused(client, AI) == (429, "call_rate_exceeded")


def test_hanging_up_does_not_take_a_call_back_that_was_placed() -> None:
    client = Client(emulator_with(calls_per_minute=1))
    client.post(f"/v1/calls/{placed(client, AI)}/hangup")
    assert refused(client, AI) == (429, "call_rate_exceeded")


def test_texts_are_not_counted_as_calls() -> None:
    client = Client(emulator_with(calls_per_minute=1))
    for _ in range(3):
        assert client.post("/v1/sms/send", {"from": MAIN, "to": ORDINARY, "message": "Hello"}).status == 200
    placed(client, AI)


def test_a_clock_moved_backwards_locks_nobody_out() -> None:
    client = Client(emulator_with(calls_per_minute=2))
    placed(client, AI)
    client.advance(-3600)
    placed(client, AI)
    client.advance(10)
    placed(client, AI)
    assert refused(client, AI) == (429, "call_rate_exceeded")
    client.advance(50.001)
    placed(client, AI)


def test_calls_of_before_a_small_move_backwards_are_forgotten_like_any_other() -> None:
    client = Client(emulator_with(calls_per_minute=3))
    for pause in (50, -40, 50, 10.001):  # at 0, 50, 10 and 60 seconds; then it is 70
        placed(client, AI)
        client.advance(pause)
    # Of the minute that ends now, only the calls of 50 and 60 are left.
    placed(client, AI)


# money


def test_the_price_table_is_what_things_are_charged_by() -> None:
    assert sorted(PRICES.values()) == sorted([LEG, AGENT_TALK, TEXT, LIVE_QUERY])


@pytest.mark.parametrize(
    ("path", "number", "cost"),
    [
        (AI, ONE_MINUTE, LEG + AGENT_TALK),
        (BRIDGE, ONE_MINUTE, 2 * LEG),
        (ROOM, ONE_MINUTE, LEG),
        (AI, "+13125550102", 0),
        (BRIDGE, "+13125550103", 0),
        (ROOM, "+13125550106", 0),
        (BRIDGE, "+13125550109", 45 * 2 * LEG),
        (ROOM, "+13125550111", 240 * LEG),
        (AI, "+13125550110", LEG + AGENT_TALK),
        (BROWSER, ONE_MINUTE, 0),
    ],
)
def test_an_ended_call_costs_its_begun_minutes_for_each_leg_and_the_agent(
    client: Client, path: str, number: str, cost: int
) -> None:
    placed(client, path, number)
    client.advance(14_404.5)
    assert client.world.guardrails.spent_today() == cost


def test_a_text_costs_its_price_at_once(client: Client) -> None:
    client.post("/v1/sms/send", {"from": MAIN, "to": ORDINARY, "message": "Hello"})
    assert client.world.guardrails.spent_today() == TEXT
    client.advance(60)
    assert client.world.guardrails.spent_today() == TEXT


def test_a_live_query_costs_its_price_once(client: Client) -> None:
    client.get(f"{WATCHED}?fresh=true")
    assert client.world.guardrails.spent_today() == LIVE_QUERY
    assert client.get(f"{WATCHED}?fresh=true").status == 429
    client.get(WATCHED)
    assert client.world.guardrails.spent_today() == LIVE_QUERY


def test_each_day_pays_for_its_own_live_query(client: Client) -> None:
    for _ in range(2):
        client.get(f"{WATCHED}?fresh=true")
        assert client.world.guardrails.spent_today() == LIVE_QUERY
        client.advance(DAY / SECOND)


@pytest.mark.parametrize(("seconds", "minutes"), [(4, 0), (4.999, 0), (5, 1), (64, 1), (65, 2)])
def test_a_begun_minute_is_a_whole_one(client: Client, seconds: float, minutes: int) -> None:
    call_id = placed(client, ROOM, "+13125550109")
    client.advance(seconds)
    client.post(f"/v1/calls/{call_id}/hangup")
    assert client.world.guardrails.spent_today() == minutes * LEG


def test_a_live_call_has_cost_nothing_yet(client: Client) -> None:
    placed(client, ROOM)
    client.advance(30)
    assert client.world.guardrails.spent_today() == 0


def test_the_cap_may_be_reached_and_not_passed() -> None:
    client = Client(emulator_with(daily_spend_cap_cents=7))  # five minutes of one leg, exactly
    for _ in range(5):
        placed(client, ROOM, ONE_MINUTE)
        client.advance(60)
    assert refused(client, ROOM) == (403, "spend_cap_exceeded")


@pytest.mark.parametrize(
    ("cap", "path", "is_refused"),
    [
        (2, BRIDGE, True),
        (3, BRIDGE, False),
        (8, AI, True),
        (9, AI, False),
        (1, ROOM, True),
        (2, ROOM, False),
        (1, BROWSER, True),
        (2, BROWSER, False),
    ],
)
def test_a_call_is_placed_only_if_its_first_minute_can_be_paid(cap: int, path: str, *, is_refused: bool) -> None:
    client = Client(emulator_with(daily_spend_cap_cents=cap))
    if is_refused:
        assert refused(client, path) == (403, "spend_cap_exceeded")
    else:
        placed(client, path)


@pytest.mark.parametrize(("cap", "status"), [(6, 403), (7, 200)])
def test_talking_to_an_agent_in_the_browser_costs_the_agent_alone(cap: int, status: int) -> None:
    client = Client(emulator_with(daily_spend_cap_cents=cap))
    assert client.post(f"/v1/agents/{AGENT}/web-call").status == status


def test_the_cap_holds_for_texts(client: Client) -> None:
    client = Client(emulator_with(daily_spend_cap_cents=1))
    body = {"from": MAIN, "to": ORDINARY, "message": "Hello"}
    assert [client.post("/v1/sms/send", body).status for _ in range(2)] == [200, 403]


@pytest.mark.parametrize(("cap", "status"), [(24, 403), (25, 200)])
def test_the_cap_holds_for_live_queries(cap: int, status: int) -> None:
    client = Client(emulator_with(daily_spend_cap_cents=cap))
    assert client.get(f"{WATCHED}?fresh=true").status == status


def test_the_day_of_the_cap_ends_at_midnight_utc() -> None:
    client = Client(emulator_with(daily_spend_cap_cents=2))
    placed(client, ROOM, ONE_MINUTE)
    client.advance(60)
    now = client.world.clock.now()
    client.advance((DAY - now % DAY - 1) / SECOND)
    assert refused(client, ROOM) == (403, "spend_cap_exceeded")
    client.advance(0.001)
    assert client.world.guardrails.spent_today() == 0
    placed(client, ROOM)


def test_a_call_over_midnight_is_paid_on_the_day_it_ends(client: Client) -> None:
    client.advance((DAY - client.world.clock.now() % DAY) / SECOND - 10)
    placed(client, ROOM, ONE_MINUTE)
    client.advance(9)
    assert client.world.guardrails.spent_today() == 0
    client.advance(6)
    assert client.world.guardrails.spent_today() == LEG


def test_the_refusal_tells_what_was_spent() -> None:
    client = Client(emulator_with(daily_spend_cap_cents=4))
    placed(client, BRIDGE, ONE_MINUTE)
    client.advance(60)
    assert "0.03 USD" in place(client, BRIDGE).body["error"]["message"]


# counters follow committed records and nothing else


def counters(client: Client) -> tuple[int, int]:
    return client.world.guardrails.channels_in_use(), client.world.guardrails.spent_today()


def busy_account(client: Client) -> None:
    """Leave live, ended and waiting calls, a text and a live query behind."""
    for path in PATHS:
        placed(client, path, ONE_MINUTE)
    client.post("/v1/sms/send", {"from": MAIN, "to": ORDINARY, "message": "Hello"})
    client.post(f"/v1/agents/{AGENT}/web-call")
    client.get(f"{WATCHED}?fresh=true")
    client.advance(20)
    for path in PATHS:
        placed(client, path)
    client.advance(2)


def test_after_a_restart_channels_and_spending_are_the_same(tmp_path: Path) -> None:
    client = Client(emulator_with())
    busy_account(client)
    restored = reopened(client, tmp_path)
    assert (
        counters(client)
        == counters(restored)
        == (
            4,
            TEXT + LIVE_QUERY + LEG + AGENT_TALK + 2 * LEG + LEG,
        )
    )
    client.advance(60)
    restored.advance(60)
    assert counters(restored) == counters(client)


def test_after_a_restart_the_same_calls_are_within_the_minute(tmp_path: Path) -> None:
    client = Client(emulator_with(calls_per_minute=7))
    busy_account(client)
    placed(client, AI)
    restored = reopened(client, tmp_path, calls_per_minute=7)
    answers = place(client, AI), place(restored, AI)
    assert {(answer.code, answer.headers["retry-after"]) for answer in answers} == {("call_rate_exceeded", "38")}
    for each in (client, restored):
        each.advance(38)
        placed(each, AI)


def test_after_a_restart_what_was_erased_with_a_number_is_counted_alike(tmp_path: Path) -> None:
    client = Client(emulator_with())
    placed(client, BRIDGE, ONE_MINUTE)
    client.advance(20)
    placed(client, BRIDGE)
    client.get(f"{WATCHED}?fresh=true")
    client("DELETE", "/v1/phone-numbers/1001")
    restored = reopened(client, tmp_path)
    assert counters(restored) == counters(client)


def test_writes_that_are_undone_are_counted_nowhere(client: Client) -> None:
    world, before = client.world, client.world.dump()
    call = {**world.store.all("calls")[0], "id": "call_half_way", "ended_at": None}

    def write_half() -> None:
        with world.store.transaction():
            world.store.insert("calls", call)
            world.store.insert("messages", {"id": "m", "phone_number_id": "1001", "created_at": world.clock.now()})
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write_half()
    assert (world.dump(), counters(client)) == (before, (0, 0))
