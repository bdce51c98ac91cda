"""Calls that wait for a browser: joining with a token, dialing from the browser, and giving up."""

from typing import Any

import orjson
import pytest

from revdesk_mock import ApiError, placement
from revdesk_mock.messages import Record
from tests.conftest import AGENT, MAIN, ORDINARY, Client, emulator_with

PAIR = {"from_number": MAIN, "to_number": ORDINARY}
BROWSER, ROOM, WEB = "/v1/webrtc-token", "/v1/room-token", f"/v1/agents/{AGENT}/web-call"
HOUR = 3600


def opened(client: Client, path: str, **body: Any) -> tuple[str, str]:
    """Ask for a token; return it and the id of its call."""
    answer = client.post(path, None if path == WEB else {**PAIR, **body})
    assert answer.status == 200, answer.raw
    return answer.data["token"], client.world.store.all("calls")[-1]["id"]


def look(client: Client, call_id: str) -> Any:
    return client.get(f"/v1/calls/{call_id}").data


def status(client: Client, call_id: str) -> str:
    return str(look(client, call_id)["status"])


def refusal(client: Client, call_id: str) -> tuple[int, str]:
    """Dial in vain, leaving no trace."""
    before = client.world.dump()
    with pytest.raises(ApiError) as caught:
        placement.dial_from_browser(client.world, call_id)
    assert client.world.dump() == before
    return caught.value.status, caught.value.code


# a call that the browser dials


def test_a_call_waits_for_its_browser_until_the_token_ends_and_is_canceled_then(client: Client) -> None:
    _, call_id = opened(client, BROWSER)
    client.advance(4 * HOUR - 0.001)
    assert status(client, call_id) == "QUEUED"
    client.advance(0.001)
    call = look(client, call_id)
    assert (call["status"], call["duration_seconds"], call["started_at"]) == ("CANCELED", 0, None)


def test_joining_with_a_calling_token_dials_nobody_yet(client: Client) -> None:
    token, call_id = opened(client, BROWSER)
    assert placement.join(client.world, token)["id"] == call_id
    client.advance(60)
    assert status(client, call_id) == "QUEUED"
    assert client.world.guardrails.channels_in_use() == 0


def test_the_browser_dials_its_one_destination(client: Client) -> None:
    token, call_id = opened(client, BROWSER)
    placement.join(client.world, token)
    client.advance(60)
    call = placement.dial_from_browser(client.world, call_id)
    assert [leg["number"] for leg in call["legs"]] == [ORDINARY]
    seen = []
    for seconds in (0, 1, 3, 30):
        client.advance(seconds)
        seen.append(status(client, call_id))
    assert seen == ["QUEUED", "RINGING", "IN_PROGRESS", "COMPLETED"]
    assert look(client, call_id)["duration_seconds"] == 30


def test_a_dialed_call_is_not_canceled_when_the_tokens_time_ends(client: Client) -> None:
    _, call_id = opened(client, BROWSER, to_number="+13125550111")
    client.advance(HOUR)
    placement.dial_from_browser(client.world, call_id)
    client.advance(3 * HOUR)
    assert status(client, call_id) == "IN_PROGRESS"


def test_a_call_is_dialed_once(client: Client) -> None:
    _, call_id = opened(client, BROWSER)
    placement.dial_from_browser(client.world, call_id)
    assert refusal(client, call_id) == (409, "conflict")
    client.advance(HOUR)
    assert refusal(client, call_id) == (409, "conflict")


@pytest.mark.parametrize("seconds", [0, 4 * HOUR], ids=["hung up", "given up"])
def test_a_call_that_has_ended_cannot_be_dialed(client: Client, seconds: float) -> None:
    _, call_id = opened(client, BROWSER)
    client.advance(seconds)
    client.post(f"/v1/calls/{call_id}/hangup")
    assert refusal(client, call_id) == (409, "conflict")


@pytest.mark.parametrize("path", [ROOM, WEB, "/v1/calls/dial"])
def test_a_call_of_another_kind_cannot_be_dialed_by_a_browser(client: Client, path: str) -> None:
    client.post(path, None if path == WEB else PAIR)
    assert refusal(client, client.world.store.all("calls")[-1]["id"]) == (409, "conflict")


def test_a_call_that_does_not_exist_cannot_be_dialed(client: Client) -> None:
    assert refusal(client, "call_of_nobody") == (409, "conflict")


def test_dialing_from_the_browser_holds_to_the_concurrency_cap() -> None:
    client = Client(emulator_with(concurrency_cap=1))
    calls = [opened(client, BROWSER)[1] for _ in range(2)]
    placement.dial_from_browser(client.world, calls[0])
    assert refusal(client, calls[1]) == (429, "concurrency_limit_exceeded")


def test_dialing_from_the_browser_holds_to_the_calls_per_minute() -> None:
    client = Client(emulator_with(calls_per_minute=1))
    calls = [opened(client, BROWSER)[1] for _ in range(2)]
    placement.dial_from_browser(client.world, calls[0])
    assert refusal(client, calls[1]) == (429, "call_rate_exceeded")


def test_a_call_counts_in_the_minute_in_which_its_browser_dials_it() -> None:
    client = Client(emulator_with(calls_per_minute=1))
    _, call_id = opened(client, BROWSER)
    client.advance(HOUR)
    placement.dial_from_browser(client.world, call_id)
    client.advance(59.999)
    assert client.post("/v1/calls/dial", PAIR).code == "call_rate_exceeded"
    client.advance(0.001)
    assert client.post("/v1/calls/dial", PAIR).status == 200


# a call that is dialed already


def test_joining_a_room_leaves_its_call_as_it_is(client: Client) -> None:
    token, call_id = opened(client, ROOM)
    client.advance(2)
    before: Record | None = client.world.store.get("calls", call_id)
    assert placement.join(client.world, token) == before
    assert status(client, call_id) == "RINGING"


def test_the_call_of_a_room_goes_on_without_anybody_joining(client: Client) -> None:
    _, call_id = opened(client, ROOM)
    client.advance(34)
    assert status(client, call_id) == "COMPLETED"


# a call with an agent


def test_an_agent_waits_for_the_browser_and_gives_up_after_its_time(client: Client) -> None:
    _, call_id = opened(client, WEB)
    client.advance(899.999)
    assert status(client, call_id) == "QUEUED"
    client.advance(0.001)
    assert status(client, call_id) == "CANCELED"


def test_an_agent_talks_at_once_when_the_browser_has_joined(client: Client) -> None:
    token, call_id = opened(client, WEB)
    client.advance(100)
    placement.join(client.world, token)
    assert client.world.guardrails.channels_in_use() == 1
    client.advance(1)
    assert status(client, call_id) == "IN_PROGRESS"


def test_a_talk_with_an_agent_ends_when_the_browser_hangs_up(client: Client) -> None:
    token, call_id = opened(client, WEB)
    placement.join(client.world, token)
    client.advance(60)
    client.post(f"/v1/calls/{call_id}/hangup")
    call = look(client, call_id)
    assert (call["status"], call["duration_seconds"], call["has_recording"]) == ("COMPLETED", 60, True)
    assert client.world.guardrails.spent_today() == 70_000


def test_a_call_that_rings_nobody_is_answered_when_it_is_joined(client: Client) -> None:
    token, call_id = opened(client, WEB)
    placement.join(client.world, token)
    assert look(client, call_id)["status"] == "IN_PROGRESS"


def test_a_talk_with_an_agent_ends_by_itself_after_four_hours(client: Client) -> None:
    token, call_id = opened(client, WEB)
    placement.join(client.world, token)
    client.advance(4 * HOUR + 1)
    assert look(client, call_id)["duration_seconds"] == 4 * HOUR


def test_joining_an_agent_holds_to_the_concurrency_cap() -> None:
    client = Client(emulator_with(concurrency_cap=1))
    tokens = [opened(client, WEB)[0] for _ in range(2)]
    placement.join(client.world, tokens[0])
    before = client.world.dump()
    with pytest.raises(ApiError) as caught:
        placement.join(client.world, tokens[1])
    assert caught.value.code == "concurrency_limit_exceeded"
    assert client.world.dump() == before


@pytest.mark.parametrize("path", [BROWSER, ROOM, WEB])
def test_a_second_join_is_refused_and_changes_nothing(client: Client, path: str) -> None:
    token, _ = opened(client, path)
    placement.join(client.world, token)
    client.advance(2)
    before = client.world.dump()
    with pytest.raises(ApiError) as caught:
        placement.join(client.world, token)
    assert (caught.value.status, caught.value.code) == (401, "unauthorized")
    assert client.world.dump() == before


# the person's own phone stays their own

PRIVATE = "+17035550155"


def test_the_number_of_the_person_is_in_no_answer(client: Client) -> None:
    body = {**PAIR, "connect_number": PRIVATE}
    call_id = client.post("/v1/calls/dial", body, idempotency_key="a").data["call_id"]
    answers = [
        client.post("/v1/calls/dial", body, idempotency_key="a"),
        client.post("/v1/calls/dial", PAIR, idempotency_key="a"),
    ]
    reading = [
        operation.path.replace("{id}", record_id).replace("{phoneId}", "1001")
        for operation in client.emulator.spec.operations.values()
        for record_id in ("1001", call_id, AGENT)
        if operation.method == "GET"
    ]
    for seconds in (0, 1, 3, 30):
        client.advance(seconds)
        answers += [client.get(path) for path in reading]
        answers.append(client.post(f"/v1/calls/{call_id}/hangup") if seconds == 3 else client.get("/v1/calls"))
    assert {answer.status for answer in answers} >= {200, 404, 409}
    assert not [answer for answer in answers if PRIVATE in answer.raw.decode() or PRIVATE in str(answer.headers)]


@pytest.mark.parametrize("number", ["+911", "+14155552671", "+17035550190", "+17035550193"])
def test_the_number_of_the_person_is_not_in_a_refusal_either(client: Client, number: str) -> None:
    demo = Client(client.emulator, "revdesk_demo_0123456789abcdef")
    answer = demo.post("/v1/calls/dial", {**PAIR, "connect_number": number})
    assert answer.status in {200, 403, 409}
    assert number not in answer.raw.decode()


def test_each_party_is_shown_the_caller_id_and_not_the_other_party(client: Client) -> None:
    client.post("/v1/calls/dial", {**PAIR, "connect_number": PRIVATE})
    person, called = client.world.store.all("calls")[-1]["legs"]
    assert (person["role"], person["number"], person["caller_id"]) == ("connect", PRIVATE, MAIN)
    assert (called["role"], called["number"], called["caller_id"]) == ("destination", ORDINARY, MAIN)
    assert PRIVATE not in orjson.dumps(called).decode()
    assert ORDINARY not in orjson.dumps(person).decode()


# an agent on a live call


def add_agent(client: Client, call_id: str, agent_id: str = AGENT) -> Record:
    call = client.world.store.get("calls", call_id)
    assert call is not None
    return placement.add_agent(client.world, client.world.key, call, agent_id)


def agent_refusal(client: Client, call_id: str, agent_id: str = AGENT) -> tuple[int, str]:
    """Add an agent in vain, leaving no trace."""
    before = client.world.dump()
    with pytest.raises(ApiError) as caught:
        add_agent(client, call_id, agent_id)
    assert client.world.dump() == before
    return caught.value.status, caught.value.message


def bridge(client: Client) -> str:
    return str(client.post("/v1/calls/dial", PAIR).data["call_id"])


@pytest.mark.parametrize("place", [lambda client: opened(client, ROOM)[1], bridge])
def test_an_agent_joins_a_call_that_revdesk_placed_and_is_paid_from_then_on(client: Client, place: Any) -> None:
    call_id = place(client)
    call = add_agent(client, call_id, AGENT.upper())
    assert (call["agent_id"], call["opening"]) == (AGENT, "Hello, this is Harbor Dental. How can I help you?")
    client.advance(60)
    assert look(client, call_id)["has_transcript"]
    assert client.world.guardrails.spent_today() == 70_000 + 14_000 * len(call["legs"])


def test_no_agent_joins_a_call_that_the_browser_dials(client: Client) -> None:
    _, call_id = opened(client, BROWSER)
    placement.dial_from_browser(client.world, call_id)
    status, message = agent_refusal(client, call_id)
    assert (status, "straight from the browser" in message) == (409, True)


def test_a_call_has_one_agent(client: Client) -> None:
    _, placed = opened(client, ROOM)
    add_agent(client, placed)
    for call_id in (placed, opened(client, WEB)[1]):
        assert agent_refusal(client, call_id) == (409, "An agent is on this call already.")


def test_no_agent_joins_a_call_that_has_ended(client: Client) -> None:
    _, call_id = opened(client, ROOM)
    client.post(f"/v1/calls/{call_id}/hangup")
    assert agent_refusal(client, call_id) == (409, "This call has ended.")


def test_an_agent_that_is_switched_off_or_not_there_joins_nothing(client: Client) -> None:
    _, call_id = opened(client, ROOM)
    assert agent_refusal(client, call_id, "nobody")[0] == 404
    client("PATCH", f"/v1/agents/{AGENT}", {"enabled": False})
    assert agent_refusal(client, call_id) == (409, "This agent is switched off.")


def test_an_agent_costs_money_that_has_to_be_there() -> None:
    client = Client(emulator_with(daily_spend_cap_cents=5))
    _, call_id = opened(client, ROOM)
    assert agent_refusal(client, call_id)[0] == 403


# the number that a browser names


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (ROOM, "RevDesk placed this call: its destination cannot be changed."),
        (WEB, "This call is with an agent: there is nobody to dial."),
    ],
)
def test_who_may_not_dial_is_told_why(client: Client, path: str, why: str) -> None:
    _, call_id = opened(client, path)
    with pytest.raises(ApiError, match=why):
        placement.dial_from_browser(client.world, call_id, ORDINARY)


def test_another_number_than_the_tokens_own_is_refused_and_the_call_waits_on(client: Client) -> None:
    _, call_id = opened(client, BROWSER)
    with pytest.raises(ApiError, match="no other number") as refused:
        placement.dial_from_browser(client.world, call_id, "+13125550101")
    assert (refused.value.status, status(client, call_id)) == (403, "QUEUED")
    placement.dial_from_browser(client.world, call_id, ORDINARY)
    client.advance(1)
    assert status(client, call_id) == "RINGING"


def test_hanging_up_a_call_that_is_gone_is_no_matter(client: Client) -> None:
    before = client.world.dump()
    placement.hang_up(client.world, "call_of_nobody")
    assert client.world.dump() == before
