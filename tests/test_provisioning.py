"""Provisioning: which number is bought, what is written at once, and the one step that makes it active."""

from collections.abc import Iterator
from typing import Any

import pytest

from revdesk_mock import inventory
from tests.conftest import MAIN, RECALL, Answer, Client, emulator_with

FOR_SALE = "+13125550142"


def buy(client: Client, **body: Any) -> Answer:
    return client.post("/v1/phone-numbers", body)


def shown(client: Client, bought: Answer) -> dict[str, Any]:
    return dict(client.get(f"/v1/phone-numbers/{bought.data['phone_record_id']}").data)


def agent_of(client: Client, bought: Answer) -> dict[str, Any]:
    """Return the agent that was made for a number, by way of the number's settings."""
    agent = client("PATCH", f"/v1/phone-numbers/{bought.data['phone_record_id']}", {}).data["agent_id"]
    return dict(client.get(f"/v1/agents/{agent}").data)


def bought_numbers(client: Client, **body: Any) -> Iterator[str]:
    """Buy until nothing is for sale; yield the numbers."""
    while (answer := buy(client, **body)).status == 200:
        record = client.world.store.get("phone_numbers", str(answer.data["phone_record_id"]))
        assert record is not None
        yield record["phone_number"]


def test_buying_answers_where_to_look(client: Client) -> None:
    answer = buy(client, phone_number=FOR_SALE)
    data = answer.data
    assert data["status_url"] == f"http://127.0.0.1:8473/v1/phone-numbers/{data['phone_record_id']}"
    assert data["workflow_run_id"].startswith("wf_")


def test_a_bought_number_is_pending_at_first(client: Client) -> None:
    bought = buy(client, phone_number=FOR_SALE, name="Sales")
    data = shown(client, bought)
    assert data["phone_number"] == f"pending:{bought.data['workflow_run_id']}"
    assert (data["is_active"], data["subscription_status"]) == (False, "pending")
    assert (data["name"], data["iso_country"]) == ("Sales", "US")


def test_it_becomes_active_with_its_number_in_one_step(client: Client) -> None:
    bought = buy(client, phone_number=FOR_SALE)
    client.advance(4.999)
    before = shown(client, bought)
    client.advance(0.001)
    after = shown(client, bought)
    changes = {"phone_number": FOR_SALE, "is_active": True, "subscription_status": "active"}
    changes["reputation_enrolled_at"] = "2026-01-05T09:00:05.000Z"
    assert before["phone_number"].startswith("pending:")
    assert after == {**before, **changes}


@pytest.mark.parametrize("seconds", [0, 60])
def test_provisioning_takes_the_time_of_the_policy(seconds: int) -> None:
    client = Client(emulator_with(provisioning_seconds=seconds))
    bought = buy(client, phone_number=FOR_SALE)
    client.advance(max(0, seconds - 1))
    assert shown(client, bought)["is_active"] is (seconds == 0)
    client.advance(1)
    assert shown(client, bought)["is_active"] is True


def test_a_pending_number_cannot_call(client: Client) -> None:
    buy(client, phone_number=FOR_SALE)
    call = {"from_number": FOR_SALE, "to_number": "+13125550100"}
    assert client.post("/v1/room-token", call).status == 422
    client.advance(5)
    assert client.post("/v1/room-token", call).status == 200


@pytest.mark.parametrize(
    ("number", "country"),
    [("+442079460007", "GB"), ("+14165550101", "CA"), ("+18335550101", "US"), ("+447700900123", "GB")],
)
def test_a_number_of_any_block_can_be_bought(client: Client, number: str, country: str) -> None:
    bought = buy(client, phone_number=number)
    client.advance(5)
    data = shown(client, bought)
    assert (data["phone_number"], data["iso_country"]) == (number, country)


def test_without_a_number_the_first_of_the_area_code_is_bought(client: Client) -> None:
    bought = [buy(client, area_code="212"), buy(client, area_code="212")]
    client.advance(5)
    # +1 212 555 0100 is the fixture's.
    assert [shown(client, each)["phone_number"] for each in bought] == ["+12125550101", "+12125550102"]


def test_without_number_and_area_code_some_us_number_is_bought(client: Client) -> None:
    bought = buy(client)
    client.advance(5)
    assert inventory.is_us_local(shown(client, bought)["phone_number"])


def test_an_area_code_that_is_sold_out_is_a_conflict(client: Client) -> None:
    numbers = list(bought_numbers(client, area_code="808"))
    assert numbers == [f"+1808555{last:04d}" for last in range(100, 200)]
    answer = buy(client, area_code="808")
    assert (answer.status, answer.code) == (409, "conflict")


@pytest.mark.parametrize(
    "body",
    [
        {"phone_number": MAIN},
        {"phone_number": RECALL, "name": "Mine already"},
        {"phone_number": "+13125550200"},
        {"phone_number": "+4915112345678"},
        {"phone_number": FOR_SALE, "area_code": "212"},
        {"area_code": "999"},
    ],
    ids=["owned", "owned-named", "unknown", "unknown-country", "in-another-area-code", "no-such-area-code"],
)
def test_a_number_that_is_not_for_sale_is_a_conflict_and_nothing_is_written(
    client: Client, body: dict[str, str]
) -> None:
    before = client.world.dump()
    answer = buy(client, **body)
    assert (answer.status, answer.code) == (409, "conflict")
    assert client.world.dump() == before


def test_a_number_that_is_still_pending_is_taken(client: Client) -> None:
    assert buy(client, phone_number=FOR_SALE).status == 200
    assert buy(client, phone_number=FOR_SALE).status == 409


def test_a_number_and_its_area_code_agree(client: Client) -> None:
    assert buy(client, phone_number=FOR_SALE, area_code="312").status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [({"phone_number": "3125550142"}, "phone_number"), ({"area_code": "31"}, "area_code"), ({"name": 1}, "name")],
    ids=["no-e164", "short-area-code", "no-name"],
)
def test_a_malformed_purchase_is_refused(client: Client, body: dict[str, Any], field: str) -> None:
    answer = buy(client, **body)
    assert answer.status == 400
    assert set(answer.fields) == {field}


def test_a_number_brings_an_agent_of_its_own(client: Client) -> None:
    bought = buy(client, phone_number=FOR_SALE, name="Sales")
    agent = agent_of(client, bought)
    assert agent["name"] == "Agent for Sales"
    assert (agent["enabled"], agent["agent_type"], agent["business_name"]) == (True, "both", "Harbor Dental")
    assert agent["phone_number"]["id"] == bought.data["phone_record_id"]
    assert client.get("/v1/agents?limit=1").data[0]["id"] == agent["id"]


def test_the_agents_view_of_the_number_is_pending_too(client: Client) -> None:
    bought = buy(client, phone_number=FOR_SALE)
    number = agent_of(client, bought)["phone_number"]
    assert (number["phone_number"], number["is_active"]) == (f"pending:{bought.data['workflow_run_id']}", False)
    client.advance(5)
    number = agent_of(client, bought)["phone_number"]
    assert (number["phone_number"], number["is_active"]) == (FOR_SALE, True)


def test_an_agent_of_a_nameless_number_is_named_after_it(client: Client) -> None:
    assert agent_of(client, buy(client, phone_number=FOR_SALE))["name"] == f"Agent for {FOR_SALE}"


def test_the_agents_name_keeps_to_what_an_agents_name_may_be(client: Client) -> None:
    agent = agent_of(client, buy(client, name="N" * 200))
    assert len(agent["name"]) == 120
    assert client("PATCH", f"/v1/agents/{agent['id']}", {"name": agent["name"]}).status == 200


def test_a_record_id_that_is_taken_is_drawn_again(client: Client) -> None:
    rolled = client.world.dice.position
    first = buy(client).data["phone_record_id"]
    client.world.dice.position = rolled  # the next draws repeat the ones before
    second = buy(client).data["phone_record_id"]
    assert first != second
    assert {number["id"] for number in client.get("/v1/phone-numbers").data} == {1001, 1002, first, second}
