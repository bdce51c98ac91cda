"""The bill: what a world would have cost, counted once and never taken back."""

from pathlib import Path
from typing import Any

from revdesk_mock import Emulator, bill
from revdesk_mock.bill import Bill
from revdesk_mock.simulation.guardrails import AGENT_MINUTE, LEG_MINUTE, LIVE_QUERY, MESSAGE
from tests.conftest import AGENT, KEY, MAIN, ORDINARY, Client, reopened

CONNECT = "+17035550155"
BUSY, UNREACHABLE = "+13125550181", "+13125550184"


def post(client: Client, path: str, body: Any) -> Any:
    answer = client.post(path, body, content_type="application/json")
    assert answer.status == 200, answer.body
    return answer.data


def dial(client: Client, **numbers: str) -> Any:
    return post(client, "/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY, **numbers})


def test_a_bridge_rings_two_phones_and_costs_both_legs(client: Client) -> None:
    dial(client, connect_number=CONNECT)
    client.advance(120)
    used = client.world.bill
    assert (dict(used.calls), used.phones, used.minutes) == ({"bridge": 1}, 2, 1)
    assert used.micros == 2 * LEG_MINUTE == client.world.guardrails.spent_today()


def test_an_agents_call_costs_the_agent_too(client: Client) -> None:
    post(client, "/v1/calls", {"phoneNumber": ORDINARY, "assistantId": AGENT})
    client.advance(120)
    used = client.world.bill
    assert (dict(used.calls), used.phones, used.minutes, used.micros) == ({"ai": 1}, 1, 1, LEG_MINUTE + AGENT_MINUTE)


def test_messages_and_live_queries_are_counted(client: Client) -> None:
    post(client, "/v1/sms/send", {"from": MAIN, "to": ORDINARY, "message": "Hello"})
    client.advance(25 * 3600)
    assert client.get(f"/v1/caller-trust/reputation/numbers/{MAIN}?fresh=true").status == 200
    client.advance(25 * 3600)
    assert client.get(f"/v1/caller-trust/reputation/numbers/{MAIN}?fresh=true").status == 200
    used = client.world.bill
    assert (used.messages, used.live_queries, used.micros) == (1, 2, MESSAGE + 2 * LIVE_QUERY)


def test_a_call_that_goes_on_is_counted_without_its_minutes(client: Client) -> None:
    dial(client)
    assert (client.world.bill.calls.total(), client.world.bill.phones) == (1, 0)
    client.advance(5)
    assert (client.world.bill.phones, client.world.bill.minutes, client.world.bill.micros) == (1, 0, 0)


def test_a_refused_call_and_one_that_no_browser_dialed_cost_nothing(client: Client) -> None:
    client.post("/v1/calls/dial", {"from_number": MAIN, "to_number": "+1911"}, content_type="application/json")
    post(client, "/v1/webrtc-token", {"from_number": MAIN, "to_number": ORDINARY})
    client.advance(24 * 3600)
    assert client.world.bill == Bill()


def test_the_calls_of_a_fixture_a_restored_dump_and_an_import_are_nobodys_bill(client: Client, tmp_path: Path) -> None:
    assert client.world.store.all("calls")
    assert client.world.bill == Bill()
    dial(client)
    client.advance(120)
    paid = client.world.bill.micros
    client.world.restore(client.world.dump())
    client.world.reset()
    assert client.world.bill.micros == paid > 0
    assert reopened(client, tmp_path).world.bill == Bill()


def test_what_is_deleted_is_paid_for(client: Client) -> None:
    dial(client)
    client.advance(120)
    before = bill.describe(client.world.bill)
    for number in client.get("/v1/phone-numbers").data:
        assert client("DELETE", f"/v1/phone-numbers/{number['id']}").status == 200
    assert bill.describe(client.world.bill) == before


def test_the_emulator_sums_its_worlds_and_those_that_are_gone(emulator: Emulator) -> None:
    clients = [Client(emulator, key) for key in (KEY, "revdesk_other", "revdesk_third")]
    for client in clients:
        dial(client)
        client.advance(120)
    alone = clients[0].world.bill
    emulator.discard(clients[2].world)
    total = emulator.bill
    assert (total.calls["bridge"], total.phones, total.minutes) == (3, 3 * alone.phones, 3 * alone.minutes)
    assert total.micros == 3 * alone.micros
    assert emulator.bill == total


def test_a_bill_is_one_line() -> None:
    nothing = "0 calls, 0 phones that would have rung, 0 minutes, 0 messages, 0 live queries: 0.00 US dollars not spent"
    assert bill.text(Bill()) == f"{nothing}\n"
    one = "0 calls, 1 phone that would have rung, 1 minute, 1 message, 1 live query: 0.26 US dollars not spent"
    used = Bill(phones=1, minutes=1, messages=1, live_queries=1, micros=258_000)
    assert bill.text(used) == f"{one}\n"


def test_a_bill_names_the_kinds_of_calls(client: Client) -> None:
    dial(client)
    dial(client)
    post(client, "/v1/calls", {"phoneNumber": ORDINARY, "assistantId": AGENT})
    assert bill.text(client.world.bill).startswith("3 calls (1 ai, 2 bridge), ")
    told = bill.describe(client.world.bill)
    assert (told["calls"], told["dollars"]) == ({"bridge": 2, "ai": 1}, 0.0)
