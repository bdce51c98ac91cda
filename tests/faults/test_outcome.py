"""What a fault does to a request: nothing is written before the commit, all is after it, and the reply fails."""

import asyncio
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revdesk_mock import Response, timeline
from revdesk_mock.faults.effects import EFFECTS
from revdesk_mock.messages import Record
from tests.conftest import MAIN, ORDINARY, Answer, Client
from tests.contract.asks import OPERATIONS, Ask, asks

DIAL = {"from_number": MAIN, "to_number": ORDINARY}
WRITTEN = {"after_commit", "body"}
LOST = {"reset", "empty", "stall"}


def cases() -> list[tuple[str, Any, str]]:
    """Return every effect in every phase that it goes with, those that take time with little of it."""
    shown = {name: kind.example for name, kind in EFFECTS.items()}
    plain = {**shown, "stall": "stall", "delay_ms": {"delay_ms": 0}, "dribble": {"dribble": {"ms": 50, "pieces": 5}}}
    legal = [(name, plain[name], phase) for name, kind in EFFECTS.items() for phase in kind.phases]
    return [*legal, ("stall", {"stall": {"after": 10}}, "body")]


CASES = cases()
every_case = pytest.mark.parametrize(
    ("name", "do", "phase"), CASES, ids=[f"{phase}: {orjson.dumps(do).decode()}" for _, do, phase in CASES]
)


def dial(client: Client, **headers: str) -> Response:
    return asyncio.run(client.emulator.handle(client.request("POST", "/v1/calls/dial", DIAL, **headers)))


def calls(client: Client) -> list[Record]:
    return [call for call in client.world.store.all("calls") if call["to_number"] == ORDINARY]


@every_case
def test_what_is_written_and_bound_depends_on_the_phase(client: Client, name: str, do: Any, phase: str) -> None:
    before = len(calls(client))
    client.world.faults.add([{"on": "POST /v1/calls/dial", "do": do, "phase": phase}])
    dial(client, idempotency_key="once")
    carried_out = phase in WRITTEN or name == "delay_ms"
    assert len(calls(client)) == before + carried_out
    client.advance(60)
    again = dict(dial(client, idempotency_key="once").headers)
    assert again.get("idempotency-replay") == ("true" if carried_out else None)
    assert len(calls(client)) == before + 1


@every_case
def test_the_journal_and_the_timeline_say_what_failed(client: Client, name: str, do: Any, phase: str) -> None:
    client.world.faults.add([{"on": "POST /v1/calls/dial", "do": do, "phase": phase}])
    dial(client)
    [entry] = client.world.journal.entries()
    assert entry.fault is not None
    assert entry.fault.startswith(f"{phase}: {name}")
    [event] = [event for event in client.world.timeline.events() if event.kind == timeline.FAULT]
    assert event.says == f"{entry.fault} (fault_1) on POST /v1/calls/dial"
    assert event.detail == {"request_id": entry.request_id, "fault": "fault_1", "phase": phase}


@pytest.mark.parametrize("how", sorted(LOST))
def test_a_lost_request_has_no_status_and_a_lost_reply_has_its_own(client: Client, how: str) -> None:
    client.world.faults.add([{"do": how, "phase": "before_commit"}, {"do": how, "phase": "after_commit", "nth": 1}])
    lost, unheard = dial(client), dial(client)
    assert (lost.status, lost.body, lost.delivery and lost.delivery.how) == (0, b"", how)
    assert (unheard.status, unheard.delivery and unheard.delivery.how) == (200, how)
    assert [entry.status for entry in client.world.journal.entries()] == [0, 200]


@pytest.mark.parametrize("phase", ["before_auth", "before_commit", "after_commit"])
def test_a_status_comes_in_the_vendors_envelope(client: Client, phase: str) -> None:
    client.world.faults.add([{"do": {"status": 503, "message": "Back soon.", "retry_after": 7}, "phase": phase}])
    answer = client.get("/v1/me")
    assert (answer.status, answer.headers["retry-after"]) == (503, "7")
    assert answer.body == {"error": {"code": "unavailable", "message": "Back soon."}}
    entry = client.emulator.journal.find(answer.headers["x-request-id"])
    assert entry is not None
    assert [(reason.rule, reason.where) for reason in entry.reasons] == [("fault", "fault_1")]


def test_a_status_401_challenges_as_a_real_one_does(client: Client) -> None:
    client.world.faults.add([{"do": {"status": 401}, "phase": "before_auth"}])
    assert client.get("/v1/me").headers["www-authenticate"].startswith("Bearer ")


def test_what_fails_before_the_key_is_judged_is_not_counted(client: Client) -> None:
    client.world.faults.add([{"do": {"status": 503}, "phase": "before_auth"}, {"do": {"status": 503}}])
    assert "x-ratelimit-remaining" not in client.get("/v1/me").headers
    assert client.get("/v1/me").headers["x-ratelimit-remaining"] == "599"


def test_a_replay_passes_what_is_before_the_commit_and_can_be_lost_itself(client: Client) -> None:
    assert dial(client, idempotency_key="once").delivery is None
    client.world.faults.add([{"do": "empty", "phase": "before_commit"}, {"do": "reset", "phase": "after_commit"}])
    lost = dial(client, idempotency_key="once")
    assert lost.delivery is not None
    assert lost.delivery.how == "reset"
    assert dict(lost.headers)["idempotency-replay"] == "true"
    assert dict(dial(client, idempotency_key="once").headers)["idempotency-replay"] == "true"


def test_a_reply_that_is_late_was_written_in_time(client: Client) -> None:
    client.world.faults.add([{"on": "POST /v1/calls/dial", "do": {"delay_ms": 9000}, "phase": "after_commit"}])
    before, start = len(calls(client)), client.world.clock.now()

    async def run() -> Answer:
        slow = asyncio.ensure_future(client.send("POST", "/v1/calls/dial", DIAL, idempotency_key="once"))
        await asyncio.wait([slow], timeout=0)
        assert len(calls(client)) == before + 1
        replay = await client.send("POST", "/v1/calls/dial", DIAL, idempotency_key="once")
        assert replay.headers["idempotency-replay"] == "true"
        client.advance(8.999)
        await asyncio.wait([slow], timeout=0)
        assert not slow.done()
        client.advance(0.001)
        return await slow

    call = client.world.store.get("calls", asyncio.run(run()).data["call_id"])
    assert call is not None
    assert call["created_at"] == start


def test_a_world_that_is_reset_amid_a_wait_lets_it_end_in_peace(client: Client) -> None:
    client.world.faults.add([{"on": "POST /v1/calls/dial", "do": {"delay_ms": 9000}}])

    async def run() -> Answer:
        slow = asyncio.ensure_future(client.send("POST", "/v1/calls/dial", DIAL, idempotency_key="once"))
        await asyncio.wait([slow], timeout=0)
        client.world.reset()
        client.advance(9)
        return await slow

    assert asyncio.run(run()).status == 200


def test_a_spoiled_body_is_no_json_and_says_how_long_it_is(client: Client) -> None:
    whole = client.get("/v1/me").raw
    client.world.faults.add([{"do": "malformed"}, {"do": "truncated", "nth": 2}])
    malformed, truncated = client.get("/v1/me"), client.get("/v1/me")
    assert len(malformed.raw) == len(whole)
    assert truncated.raw == whole[: len(whole) // 2]
    for answer in (malformed, truncated):
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(answer.raw)


def test_a_wrong_content_type_leaves_the_body(client: Client) -> None:
    client.world.faults.add([{"do": "wrong_content_type"}])
    answer = client.get("/v1/me")
    assert answer.headers["content-type"] == "text/html"
    assert answer.data["user"]


def test_faults_of_the_body_meet_refusals_and_other_faults(client: Client) -> None:
    client.world.faults.add([{"do": {"status": 502}}, {"do": "wrong_content_type", "every": 1}])
    bad_gateway, refused = client.get("/v1/me"), client.get("/v1/calls/call_none")
    assert (bad_gateway.status, bad_gateway.headers["content-type"]) == (502, "text/html")
    assert (refused.status, refused.headers["content-type"]) == (404, "text/html")


def test_a_reply_that_is_lost_has_no_body_to_spoil(client: Client) -> None:
    client.world.faults.add([{"do": "reset"}, {"do": "malformed"}])
    assert dial(client).delivery is not None
    assert [row["matched"] for row in client.world.faults.rows()] == [1, 0]


def test_a_cut_body_is_shorter_than_promised_even_by_a_late_cut(client: Client) -> None:
    client.world.faults.add([{"do": {"cut": {"after": 1_000_000}}}])
    response = dial(client)
    assert response.delivery is not None
    assert response.delivery.sent == len(response.body) - 1


def test_the_carrier_takes_nothing_during_its_outage_and_all_else_works(client: Client) -> None:
    client.world.faults.add(["carrier-outage"])
    text = {"from": MAIN, "to": ORDINARY, "message": "Hello."}
    for path, body in (("/v1/calls/dial", DIAL), ("/v1/room-token", DIAL), ("/v1/sms/send", text)):
        answer = client.post(path, body)
        assert (answer.status, answer.code) == (409, "carrier_rejected")
    real = client.post("/v1/calls/dial", {**DIAL, "to_number": "+13125550193"})
    assert (real.status, real.code) == (409, "carrier_rejected")
    assert client.get("/v1/calls").status == client.post("/v1/phone-numbers", {}).status == 200
    assert client.post("/v1/calls/dial", {}).status == 400


# Whatever is asked and whatever fails

RULES = st.sampled_from(CASES).flatmap(
    lambda case: st.fixed_dictionaries(
        {"do": st.just(case[1]), "phase": st.just(case[2])},
        optional={"method": st.sampled_from(["GET", "POST", "PATCH"]), "every": st.sampled_from([1, 2])},
    )
)


def sent(ask: Ask, rules: list[Any]) -> tuple[Client, str | None]:
    """Send a request to a fresh world with these rules; return the world's client and what failed."""
    client = ask.client()
    client.world.faults.add(rules)
    client(ask.method, ask.target, ask.body, idempotency_key="a-key")
    return client, client.world.journal.entries()[-1].fault


@settings(max_examples=8 * settings().max_examples)
@given(name=st.sampled_from(sorted(OPERATIONS)), rules=st.lists(RULES, min_size=1, max_size=3), data=st.data())
def test_a_fault_before_the_commit_changes_nothing_and_one_after_it_no_more_than_the_request(
    name: str, rules: list[Any], data: st.DataObject
) -> None:
    ask = data.draw(asks(name))
    untouched = ask.client().world.dump()
    peaceful = sent(ask, [])[0].world.dump()
    client, fault = sent(ask, rules)
    if any(part.startswith("before_") and "delay_ms" not in part for part in (fault or "").split("; ")):
        assert client.world.dump() == untouched
        client.world.faults.clear()
        assert "idempotency-replay" not in ask.send(client, idempotency_key="a-key").headers
    else:
        assert client.world.dump() == peaceful
    assert client.emulator.pipeline.breaches == []
