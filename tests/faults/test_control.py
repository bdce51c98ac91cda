"""The X-RevDesk-Mock header: what a request may order for itself, and what it gets."""

import asyncio

import pytest

from revdesk_mock import ApiError
from revdesk_mock.faults.control import NOTHING, Control, read
from revdesk_mock.faults.effects import LONGEST
from revdesk_mock.faults.failures import Delay
from revdesk_mock.ids import Dice
from tests.conftest import MAIN, ORDINARY, Answer, Client


def test_no_header_orders_nothing() -> None:
    assert read(None) == read("{}") == NOTHING == Control()


@pytest.mark.parametrize(
    ("header", "delay"),
    [('{"delay_ms": 0}', 0), ('{"delay_ms": 250}', 250), ('{"delay_ms":600000}', 600_000)],
)
def test_a_delay_is_read_in_milliseconds(header: str, delay: int) -> None:
    [failure] = read(header).failures
    assert isinstance(failure.effect, Delay)
    assert (failure.phase, failure.effect.draw(Dice(""))) == ("before_commit", delay)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "slow",
        "[]",
        '"delay_ms"',
        "250",
        "null",
        '{"delay_ms": }',
        '{"delay": 5}',
        '{"delay_ms": 5, "status": 500}',
        '{"delay_ms": -1}',
        '{"delay_ms": 600001}',
        '{"delay_ms": 1.5}',
        '{"delay_ms": true}',
        '{"delay_ms": "5"}',
        '{"delay_ms": null}',
        '{"delay_ms": [5]}',
        '{"fault": "reset"}',
        '{"fault": {}}',
        '{"fault": {"do": "rest"}}',
        '{"fault": {"do": "reset", "phase": "body"}}',
        '{"fault": {"do": "reset", "first": 2}}',
        '{"fault": {"do": {"rate_limit": {"seconds": 30}}}}',
    ],
)
def test_anything_else_is_refused(client: Client, header: str) -> None:
    answer = client.get("/v1/me", x_revdesk_mock=header)
    assert (answer.status, answer.code) == (400, "validation_error")
    assert list(answer.fields) == ["X-RevDesk-Mock"]


def test_a_member_that_is_not_known_is_named_beside_those_that_are() -> None:
    with pytest.raises(
        ApiError, match=r"does not know 'falt'; did you mean 'fault'\?; it knows delay_ms, agent, fault"
    ):
        read('{"falt": {}}')


def test_the_longest_delay_is_named_in_the_refusal() -> None:
    with pytest.raises(ApiError, match=str(LONGEST)):
        read('{"delay_ms": 600001}')


def test_a_refused_header_writes_nothing(client: Client) -> None:
    before = client.world.dump()
    body = {"from_number": MAIN, "to_number": ORDINARY}
    assert client.post("/v1/calls/dial", body, x_revdesk_mock="{").status == 400
    assert client.world.dump() == before


@pytest.mark.parametrize("key", [None, "a-key"], ids=["plain", "idempotent"])
def test_a_delayed_request_is_carried_out_when_its_time_has_come(client: Client, key: str | None) -> None:
    body, start = {"from_number": MAIN, "to_number": ORDINARY}, client.world.clock.now()
    before = client.world.dump()["records"]

    async def run() -> Answer:
        slow = asyncio.ensure_future(
            client.send("POST", "/v1/calls/dial", body, x_revdesk_mock='{"delay_ms": 5000}', idempotency_key=key)
        )
        await asyncio.wait([slow], timeout=0)
        client.advance(4.999)
        await asyncio.wait([slow], timeout=0)
        assert not slow.done()
        assert client.world.dump()["records"] == before
        client.advance(0.001)
        return await slow

    answer = asyncio.run(run())
    call = client.world.store.get("calls", answer.data["call_id"])
    assert call is not None
    assert call["created_at"] == start + 5000


def test_a_delayed_request_sees_what_happened_meanwhile(client: Client) -> None:
    call_id = client.post("/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY}).data["call_id"]

    async def run() -> Answer:
        slow = asyncio.ensure_future(client.send("GET", f"/v1/calls/{call_id}", x_revdesk_mock='{"delay_ms": 4000}'))
        await asyncio.wait([slow], timeout=0)
        client.world.clock.set(client.world.clock.now() + 4000)
        return await slow

    assert asyncio.run(run()).data["status"] == "IN_PROGRESS"


def test_what_is_wrong_with_a_request_is_answered_without_delay(client: Client) -> None:
    assert client.post("/v1/calls", {}, x_revdesk_mock='{"delay_ms": 5000}').status == 400


def test_a_request_orders_its_own_failure_and_no_other_gets_it(client: Client) -> None:
    refused = client.get("/v1/me", x_revdesk_mock='{"fault": {"do": {"status": 503, "retry_after": 2}}}')
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "unavailable", "2")
    assert client.get("/v1/me").status == 200


def test_a_bad_header_is_refused_even_before_a_bad_key(client: Client) -> None:
    assert client.get("/v1/me", authorization="Bearer revdesk_invalid", x_revdesk_mock="{").status == 400


def test_a_request_of_no_world_is_refused_as_ever_whatever_it_orders(client: Client) -> None:
    header = '{"fault": {"do": "reset", "phase": "before_auth"}}'
    assert client.get("/v1/me", authorization="Bearer revdesk_invalid", x_revdesk_mock=header).status == 401
    assert client.get("/v1/nowhere", x_revdesk_mock=header).status == 404


def test_delay_and_fault_go_together(client: Client) -> None:
    answer = client.get("/v1/me", x_revdesk_mock='{"delay_ms": 0, "fault": {"do": {"status": 500}}}')
    assert answer.status == 500
    [entry] = client.world.journal.entries()
    assert entry.fault == "before_commit: delay_ms 0; before_commit: status 500"
