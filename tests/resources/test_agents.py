"""Agents: what is shown of them, what can be changed, and browser calls with one."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest

from revdesk_mock import ApiError, placement
from tests.conftest import AGENT, MAIN, NEWER_AGENT, ORDINARY, Answer, Client, answer_of, emulator_with, reopened

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def patch(client: Client, agent: str, **changes: Any) -> Answer:
    return client("PATCH", f"/v1/agents/{agent}", changes)


def web_call(client: Client, agent: str = AGENT) -> Answer:
    return client.post(f"/v1/agents/{agent}/web-call")


def newest_call(client: Client) -> dict[str, Any]:
    return dict(client.get("/v1/calls?limit=1").data[0])


def test_the_list_has_the_newest_first_and_no_system_prompt(client: Client) -> None:
    agents = client.get("/v1/agents").data
    assert [agent["id"] for agent in agents] == [NEWER_AGENT, AGENT]
    assert all("system_prompt" not in agent for agent in agents)


def test_the_list_comes_in_pages(client: Client) -> None:
    first = client.get("/v1/agents?limit=1")
    assert first.body["meta"]["page_size"] == 1
    second = client.get(f"/v1/agents?limit=1&cursor={first.body['meta']['cursor']}")
    assert [first.data[0]["id"], second.data[0]["id"]] == [NEWER_AGENT, AGENT]
    assert second.body["meta"] == {"page_size": 1}


def test_one_agent_is_shown_with_its_prompt_and_its_number(client: Client) -> None:
    data = client.get(f"/v1/agents/{AGENT}").data
    assert data["system_prompt"] == "You are the receptionist of Harbor Dental. Be brief and kind."
    assert data["agent_type"] == "both"
    assert data["phone_number"] == {"id": 1001, "phone_number": MAIN, "provider": "mock", "is_active": True}


def test_an_agents_id_is_found_in_capitals_too(client: Client) -> None:
    assert client.get(f"/v1/agents/{AGENT.upper()}").data["id"] == AGENT


def test_an_agent_without_a_number_is_unassigned(client: Client) -> None:
    client("DELETE", "/v1/phone-numbers/1001")
    data = client.get(f"/v1/agents/{AGENT}").data
    assert data["agent_type"] == "unassigned"
    assert data["phone_number"] is None


def test_of_several_numbers_an_agent_shows_the_one_that_was_bought_last(client: Client) -> None:
    client("PATCH", "/v1/phone-numbers/1002", {"agent_id": AGENT})
    assert client.get(f"/v1/agents/{AGENT}").data["phone_number"]["id"] == 1002
    assert client.get(f"/v1/agents/{NEWER_AGENT}").data["phone_number"] is None


def test_an_agents_number_is_the_same_after_export_and_restore(client: Client, tmp_path: Path) -> None:
    client("PATCH", "/v1/phone-numbers/1001", {"agent_id": NEWER_AGENT})
    before = client.get(f"/v1/agents/{NEWER_AGENT}").data
    assert reopened(client, tmp_path).get(f"/v1/agents/{NEWER_AGENT}").data == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "", None), ("PATCH", "", {"name": "Nobody"}), ("POST", "/web-call", None)],
    ids=["show", "update", "web-call"],
)
def test_an_unknown_agent_is_not_found(client: Client, method: str, path: str, body: Any) -> None:
    answer = client(method, f"/v1/agents/{UNKNOWN}{path}", body)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Night desk"),
        ("enabled", False),
        ("greeting", None),
        ("system_prompt", "Speak slowly."),
        ("voice_id", "en-gb"),
        ("language", "de"),
    ],
    ids=str,
)
def test_an_update_changes_what_is_given_and_nothing_else(client: Client, field: str, value: Any) -> None:
    before = client.get(f"/v1/agents/{AGENT}").data
    client.advance(60)
    changed = patch(client, AGENT, **{field: value}).data
    assert changed == {**before, field: value, "updated_at": "2026-01-05T09:01:00.000Z"}
    assert client.get(f"/v1/agents/{AGENT}").data == changed


@pytest.mark.parametrize("field", ["id", "agent_type", "business_name", "created_at"])
def test_an_update_leaves_what_cannot_be_written(client: Client, field: str) -> None:
    before = client.get(f"/v1/agents/{AGENT}").data
    assert patch(client, AGENT, **{field: "changed"}).data[field] == before[field]


def test_the_next_call_uses_the_new_greeting_and_a_running_one_keeps_its_own(client: Client) -> None:
    body = {"phoneNumber": ORDINARY, "assistantId": AGENT}
    first = client.post("/v1/calls", body).data["call_id"]
    patch(client, AGENT, greeting="Moin.")
    second = client.post("/v1/calls", body).data["call_id"]
    openings = [client.world.store.get("calls", call) or {} for call in (first, second)]
    assert [call["opening"] for call in openings] == ["Hello, this is Harbor Dental. How can I help you?", "Moin."]


def test_a_web_call_hands_out_a_token_and_a_room(client: Client) -> None:
    data = web_call(client).data
    assert data["expires_in"] == 900
    assert data["agent_id"] == AGENT
    assert data["ice_servers"] == []
    assert data["room_url"] == "ws://127.0.0.1:8473"
    assert jwt.decode(data["token"], options={"verify_signature": False})["video"]["room"] == data["room_name"]


def test_a_web_call_with_an_agent_that_is_switched_off_is_a_conflict(client: Client) -> None:
    patch(client, AGENT, enabled=False)
    before = client.world.dump()
    answer = web_call(client)
    assert (answer.status, answer.code) == (409, "conflict")
    assert client.world.dump() == before


def test_a_web_call_waits_until_it_is_joined_and_then_starts(client: Client) -> None:
    token = web_call(client).data["token"]
    client.advance(100)
    assert newest_call(client)["status"] == "QUEUED"
    placement.join(client.world, token)
    client.advance(2)
    assert newest_call(client)["status"] == "IN_PROGRESS"


def test_a_web_call_holds_a_channel_from_joining_on(client: Client) -> None:
    token = web_call(client).data["token"]
    assert client.world.guardrails.channels_in_use() == 0
    placement.join(client.world, token)
    assert client.world.guardrails.channels_in_use() == 1


def test_a_web_call_that_nobody_joins_is_canceled_when_its_token_ends(client: Client) -> None:
    token = web_call(client).data["token"]
    client.advance(899.999)
    assert newest_call(client)["status"] == "QUEUED"
    client.advance(0.001)
    assert newest_call(client)["status"] == "CANCELED"
    with pytest.raises(ApiError):
        placement.join(client.world, token)


def test_the_token_of_a_web_call_joins_once(client: Client) -> None:
    token = web_call(client).data["token"]
    placement.join(client.world, token)
    with pytest.raises(ApiError) as refused:
        placement.join(client.world, token)
    assert refused.value.status == 401


def test_a_web_call_is_between_the_browser_and_the_agents_number(client: Client) -> None:
    web_call(client)
    call = newest_call(client)
    assert (call["from_number"], call["to_number"], call["phone_number_id"]) == ("browser", MAIN, None)


def test_an_agent_without_a_number_takes_web_calls_too(client: Client) -> None:
    client("DELETE", "/v1/phone-numbers/1001")
    assert web_call(client).status == 200
    assert newest_call(client)["to_number"] == f"agent:{AGENT}"


def test_web_calls_stay_out_of_the_list_where_the_policy_says_so() -> None:
    client = Client(emulator_with(web_calls_in_list="no"))
    web_call(client)
    answer = client.get("/v1/calls")
    assert len(answer.data) == answer.body["meta"]["total_results"] == 3


@pytest.mark.parametrize(
    ("policy", "scheme", "expected"),
    [
        ("ws", "http", "ws://127.0.0.1:8473"),
        ("ws", "https", "wss://127.0.0.1:8473"),
        ("http", "http", "http://127.0.0.1:8473"),
        ("http", "https", "https://127.0.0.1:8473"),
    ],
)
def test_the_room_is_reached_where_the_client_reached_the_api(policy: str, scheme: str, expected: str) -> None:
    client = Client(emulator_with(room_url_scheme=policy))
    request = replace(client.request("POST", f"/v1/agents/{AGENT}/web-call"), scheme=scheme)
    answer = answer_of(asyncio.run(client.emulator.handle(request)))
    assert answer.data["room_url"] == expected
