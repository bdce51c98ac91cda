"""Idempotency keys: a success is replayed verbatim for 24 hours, anything else under the key is a conflict."""

import asyncio
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import Emulator, Settings
from revdesk_mock.clock import DAY
from revdesk_mock.settings import shipped
from tests.conftest import KEY, MAIN, ORDINARY, RECALL, Answer, Client, emulator_with, reopened

DIAL = {"from_number": MAIN, "to_number": ORDINARY}
DELAYED = '{"delay_ms": 1000}'
REPLAYED = "idempotency-replay"
DAY_SECONDS = DAY / 1000


def dial(client: Client, key: str | None = "a", **changes: Any) -> Answer:
    return client.post("/v1/calls/dial", {**DIAL, **changes}, idempotency_key=key)


def started(client: Client, body: object = DIAL, key: str = "a", delay: str | None = DELAYED) -> asyncio.Task[Answer]:
    """Send a dial that runs on its own, a second long unless it is told otherwise."""
    return asyncio.create_task(client.send("POST", "/v1/calls/dial", body, idempotency_key=key, x_revdesk_mock=delay))


def calls_in(client: Client) -> int:
    return client.world.store.size("calls")


def is_replay(answer: Answer) -> bool:
    return answer.headers.get(REPLAYED) == "true"


# replays


def test_a_repeated_request_is_answered_word_for_word_and_not_carried_out(client: Client) -> None:
    before = calls_in(client)
    first, second = dial(client), dial(client)
    assert (second.status, second.raw) == (first.status, first.raw)
    assert calls_in(client) == before + 1


def test_a_replay_says_that_it_is_one_and_has_a_request_id_of_its_own(client: Client) -> None:
    first, second = dial(client), dial(client)
    assert (REPLAYED in first.headers, second.headers[REPLAYED]) == (False, "true")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


def test_a_replay_tells_what_was_true_then_and_not_what_is_true_now(client: Client) -> None:
    first = dial(client)
    client.advance(3600)
    assert dial(client).raw == first.raw
    assert client.get(f"/v1/calls/{first.data['call_id']}").data["status"] == "COMPLETED"


def test_a_deletion_is_replayed_although_its_record_is_gone(client: Client) -> None:
    first = client("DELETE", "/v1/phone-numbers/1001", idempotency_key="a")
    second = client("DELETE", "/v1/phone-numbers/1001", idempotency_key="a")
    assert (second.status, second.raw) == (first.status, first.raw) == (200, first.raw)
    assert client("DELETE", "/v1/phone-numbers/1001", idempotency_key="b").status == 404


def test_a_replay_repeats_status_and_location(tmp_path: Path) -> None:
    contract = orjson.loads(shipped("openapi.json").read_bytes())
    responses = contract["paths"]["/v1/calls/dial"]["post"]["responses"]
    responses["202"] = responses.pop("200")
    path = tmp_path / "openapi.json"
    path.write_bytes(orjson.dumps(contract))
    client = Client(Emulator(Settings(spec=path, seed="test", clock="frozen")))
    first, second = dial(client), dial(client)
    assert (first.status, first.headers["location"]) == (202, f"/v1/calls/{first.data['call_id']}")
    assert (second.status, second.headers["location"], second.raw) == (202, first.headers["location"], first.raw)


def test_without_a_key_every_request_is_a_new_one(client: Client) -> None:
    assert dial(client, None).data["call_id"] != dial(client, None).data["call_id"]


def test_reading_ignores_the_key(client: Client) -> None:
    first = client.get("/v1/me", idempotency_key="a")
    second = client.get("/v1/account", idempotency_key="a")
    assert (first.status, second.status, is_replay(second)) == (200, 200, False)


def test_each_api_key_has_its_own_idempotency_keys(client: Client) -> None:
    other = Client(client.emulator, "another-key")
    first, second = dial(client), dial(other)
    assert not is_replay(second)
    assert first.data["call_id"] != second.data["call_id"]


def test_an_export_holds_no_stored_response_so_that_keys_are_free_afterwards(client: Client, tmp_path: Path) -> None:
    dial(client)
    answer = dial(reopened(client, tmp_path))
    assert (answer.status, is_replay(answer)) == (200, False)


# conflicts


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/calls/dial", {**DIAL, "to_number": RECALL}),
        ("POST", "/v1/calls/dial", {**DIAL, "record": True}),
        ("POST", "/v1/room-token", DIAL),
        ("POST", "/v1/calls/call_fixture00000001/hangup", None),
        ("PATCH", "/v1/phone-numbers/1001", {"name": "Front"}),
        ("DELETE", "/v1/phone-numbers/1001", None),
    ],
    ids=["other body", "default spelt out", "other operation", "no body", "other method", "deletion"],
)
def test_the_key_with_another_request_is_a_conflict_that_names_the_first(
    client: Client, method: str, path: str, body: object
) -> None:
    first = dial(client)
    before = client.world.dump()
    answer = client(method, path, body, idempotency_key="a")
    assert (answer.status, answer.code) == (409, "idempotency_conflict")
    assert answer.fields == {"conflicts_with": first.headers["x-request-id"]}
    assert client.world.dump() == before


def test_the_same_operation_on_another_record_is_a_conflict(client: Client) -> None:
    first = client.post("/v1/calls/call_fixture00000001/hangup", idempotency_key="a")
    second = client.post("/v1/calls/call_fixture00000002/hangup", idempotency_key="a")
    assert (first.status, second.status) == (200, 409)
    assert second.fields["conflicts_with"] == first.headers["x-request-id"]


def test_the_same_path_with_another_method_is_a_conflict(client: Client) -> None:
    first = client("PATCH", "/v1/phone-numbers/1001", {}, idempotency_key="a")
    second = client("DELETE", "/v1/phone-numbers/1001", idempotency_key="a")
    assert (first.status, second.status) == (200, 409)


def test_a_conflict_goes_on_naming_the_first_request_and_not_its_replays(client: Client) -> None:
    first = dial(client)
    dial(client)
    dial(client, to_number=RECALL)
    assert dial(client, to_number=RECALL).fields["conflicts_with"] == first.headers["x-request-id"]


def test_a_conflict_leaves_the_first_success_where_it_is(client: Client) -> None:
    first = dial(client)
    dial(client, to_number=RECALL)
    assert dial(client).raw == first.raw


# comparing bodies

SPELLINGS = [
    b'{"to_number":"+13125550100","from_number":"+14155550100"}',
    b'{ "from_number" : "+14155550100",\n\t"to_number" : "+13125550100" }',
    b'{"from_number":"\\u002b14155550100","to_number":"+13125550100"}',
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=["order", "space", "escape"])
@pytest.mark.parametrize(("policy", "status"), [("canonical", 200), ("bytes", 409)])
def test_spelling_alone_makes_another_body_only_where_bytes_are_compared(
    policy: str, status: int, spelling: bytes
) -> None:
    client = Client(emulator_with(idempotency_body=policy))
    first = client.post(
        "/v1/calls/dial", b'{"from_number":"+14155550100","to_number":"+13125550100"}', idempotency_key="a"
    )
    second = client.post("/v1/calls/dial", spelling, idempotency_key="a")
    assert second.status == status
    assert (second.raw == first.raw) == (status == 200)


NESTED = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)


def turned(value: Any) -> Any:
    """Return a JSON value with the members of every object in the opposite order."""
    if isinstance(value, dict):
        return {name: turned(value[name]) for name in reversed(value)}
    return [turned(item) for item in value] if isinstance(value, list) else value


@given(NESTED, NESTED)
def test_two_bodies_are_the_same_exactly_if_they_mean_the_same(one: Any, other: Any) -> None:
    client = Client(emulator_with())

    def send(extra: Any, body: bytes) -> Answer:
        assert json.loads(body)["extra"] == extra
        return client("PATCH", "/v1/sms/config", body, idempotency_key="a")

    assert send(one, json.dumps({"auto_reply_enabled": True, "extra": one}).encode()).status == 200
    assert is_replay(send(one, json.dumps(turned({"auto_reply_enabled": True, "extra": one}), indent=2).encode()))
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    answer = send(other, json.dumps({"auto_reply_enabled": True, "extra": other}).encode())
    assert answer.status == (200 if same else 409)


# for how long


def test_a_key_is_bound_for_24_hours_from_its_success_to_the_millisecond(client: Client) -> None:
    first = dial(client)
    client.advance(DAY_SECONDS - 0.001)
    assert dial(client).raw == first.raw
    client.advance(0.001)
    assert dial(client).data["call_id"] != first.data["call_id"]


def test_the_24_hours_begin_with_the_success_and_not_with_the_request(client: Client) -> None:
    async def run() -> Answer:
        slow = started(client, delay='{"delay_ms": 60000}')
        await asyncio.wait([slow], timeout=0)
        client.advance(60)
        return await slow

    first = asyncio.run(run())
    client.advance(DAY_SECONDS - 60)
    assert dial(client).raw == first.raw


def test_a_replay_does_not_prolong_the_24_hours(client: Client) -> None:
    first = dial(client)
    client.advance(DAY_SECONDS / 2)
    dial(client)
    client.advance(DAY_SECONDS / 2)
    assert dial(client).data["call_id"] != first.data["call_id"]


def test_after_24_hours_the_key_may_carry_another_request(client: Client) -> None:
    dial(client)
    client.advance(DAY_SECONDS)
    first = dial(client, to_number=RECALL)
    assert first.status == 200
    assert dial(client).fields["conflicts_with"] == first.headers["x-request-id"]


def test_a_key_bound_after_the_clock_was_moved_backwards_is_bound_for_24_hours_too(client: Client) -> None:
    dial(client, "before")
    client.advance(-10 * DAY_SECONDS)
    first = dial(client, "after")
    client.advance(DAY_SECONDS)
    assert dial(client, "after").data["call_id"] != first.data["call_id"]


# only successes bind


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/calls/dial", {}, 400),
        ("/v1/calls/dial", {**DIAL, "from_number": ORDINARY}, 422),
        ("/v1/calls/dial", {**DIAL, "to_number": "+13125550190"}, 403),
        ("/v1/calls/dial", {**DIAL, "to_number": "+13125550192"}, 429),
        ("/v1/calls/dial", {**DIAL, "to_number": "+13125550193"}, 409),
        ("/v1/calls/call_of_nobody/hangup", None, 404),
    ],
)
def test_a_refusal_frees_the_key_for_any_request(client: Client, path: str, body: object, status: int) -> None:
    assert client.post(path, body, idempotency_key="a").status == status
    answer = dial(client)
    assert (answer.status, is_replay(answer)) == (200, False)


def test_a_refusal_is_looked_at_anew_every_time(client: Client) -> None:
    body = {**DIAL, "from_number": "+13125550177"}
    assert client.post("/v1/calls/dial", body, idempotency_key="a").status == 422
    bought = client.post("/v1/phone-numbers", {"phone_number": "+13125550177"})
    assert bought.status < 300
    client.advance(60)
    assert client.post("/v1/calls/dial", body, idempotency_key="a").status == 200


def test_a_full_window_refuses_a_duplicate_without_unbinding_its_key() -> None:
    client = Client(Emulator(Settings(seed="test", clock="frozen", rate_limit=1)))
    first = dial(client)
    assert dial(client).status == 429
    client.advance(60)
    assert dial(client).raw == first.raw


# the key's own form


@pytest.mark.parametrize("key", ["x", "k" * 255, "not-a-uuid", "{}", "ein Schlüssel"])
def test_any_text_up_to_255_characters_is_a_key(client: Client, key: str) -> None:
    first, second = dial(client, key), dial(client, key)
    assert (first.status, second.raw) == (200, first.raw)


def test_an_empty_key_is_no_key(client: Client) -> None:
    first, second = dial(client, ""), dial(client, "")
    assert (first.status, second.status) == (200, 200)
    assert first.data["call_id"] != second.data["call_id"]


def test_a_key_of_more_than_255_characters_is_refused(client: Client) -> None:
    answer = dial(client, "k" * 256)
    assert (answer.status, answer.code, list(answer.fields)) == (400, "validation_error", ["Idempotency-Key"])


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("0B9D7E54-8a26-4f3c-b1e7-5c2d9a6f8e40", 200),
        ("0b9d7e548a264f3cb1e75c2d9a6f8e40", 400),
        ("{0b9d7e54-8a26-4f3c-b1e7-5c2d9a6f8e40}", 400),
        ("0b9d7e54-8a26-4f3c-b1e7-5c2d9a6f8e40\n", 400),
        ("a", 400),
    ],
)
def test_by_policy_a_key_must_be_a_uuid(key: str, status: int) -> None:
    assert dial(Client(emulator_with(idempotency_key_format="uuid")), key).status == status


# at the same time


async def together(client: Client, delay: str | None) -> list[Answer]:
    """Send 100 duplicates at once, let them settle, move the clock, and return the answers."""
    tasks = [started(client, delay=delay) for _ in range(100)]
    await asyncio.wait(tasks, timeout=0)
    client.world.clock.set(client.world.clock.now() + 1000)
    return list(await asyncio.gather(*tasks))


def test_of_100_duplicates_at_once_one_is_carried_out_and_99_conflict(client: Client) -> None:
    before = calls_in(client)
    answers = asyncio.run(together(client, DELAYED))
    successes = [answer for answer in answers if answer.status == 200]
    conflicts = [answer for answer in answers if answer.status == 409]
    assert (len(successes), len(conflicts), calls_in(client)) == (1, 99, before + 1)
    assert {answer.code for answer in conflicts} == {"idempotency_conflict"}
    assert {answer.fields["conflicts_with"] for answer in conflicts} == {successes[0].headers["x-request-id"]}
    assert dial(client).raw == successes[0].raw


def test_by_policy_99_of_100_duplicates_wait_and_are_answered_with_the_first_success() -> None:
    client = Client(emulator_with(idempotency_in_flight="wait"))
    before = calls_in(client)
    answers = asyncio.run(together(client, DELAYED))
    assert {(answer.status, answer.raw) for answer in answers} == {(200, answers[0].raw)}
    assert sorted(map(is_replay, answers)) == [False] + [True] * 99
    assert calls_in(client) == before + 1


@pytest.mark.parametrize("policy", ["conflict", "wait"])
def test_of_100_duplicates_without_any_delay_99_are_replays(policy: str) -> None:
    client = Client(emulator_with(idempotency_in_flight=policy))
    before = calls_in(client)
    answers = asyncio.run(together(client, None))
    assert {(answer.status, answer.raw) for answer in answers} == {(200, answers[0].raw)}
    assert (sum(map(is_replay, answers)), calls_in(client)) == (99, before + 1)


@pytest.mark.parametrize("policy", ["conflict", "wait"])
def test_another_body_conflicts_at_once_while_the_first_runs(policy: str) -> None:
    client = Client(emulator_with(idempotency_in_flight=policy))

    async def run() -> tuple[Answer, Answer]:
        first = started(client)
        await asyncio.wait([first], timeout=0)
        other = await client.send("POST", "/v1/calls/dial", {**DIAL, "to_number": RECALL}, idempotency_key="a")
        assert not first.done()
        client.advance(1)
        return await first, other

    first, other = asyncio.run(run())
    assert (first.status, other.status) == (200, 409)
    assert other.fields["conflicts_with"] == first.headers["x-request-id"]


@pytest.mark.parametrize("policy", ["conflict", "wait"])
def test_a_first_request_that_goes_away_frees_the_key(policy: str) -> None:
    client = Client(emulator_with(idempotency_in_flight=policy))
    before = calls_in(client)

    async def run() -> None:
        first = started(client)
        await asyncio.wait([first], timeout=0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first

    asyncio.run(run())
    client.advance(2)
    assert calls_in(client) == before
    answer = dial(client, to_number=RECALL)
    assert (answer.status, is_replay(answer)) == (200, False)


def test_a_waiting_duplicate_takes_the_place_of_a_first_request_that_goes_away() -> None:
    client = Client(emulator_with(idempotency_in_flight="wait"))
    before = calls_in(client)

    async def run() -> list[Answer]:
        first, *others = tasks = [started(client) for _ in range(4)]
        await asyncio.wait(tasks, timeout=0)
        first.cancel()
        await asyncio.wait(others, timeout=0)
        client.advance(1)
        await asyncio.wait(others, timeout=0)
        client.advance(1)
        return list(await asyncio.gather(*others))

    answers = asyncio.run(run())
    assert sorted(map(is_replay, answers)) == [False, True, True]
    assert calls_in(client) == before + 1


def test_a_duplicate_that_stops_waiting_harms_nobody() -> None:
    client = Client(emulator_with(idempotency_in_flight="wait"))

    async def run() -> list[Answer]:
        first, gone, *others = tasks = [started(client) for _ in range(4)]
        await asyncio.wait(tasks, timeout=0)
        gone.cancel()
        await asyncio.wait([gone])
        client.advance(1)
        return list(await asyncio.gather(first, *others))

    assert [is_replay(answer) for answer in asyncio.run(run())] == [False, True, True]


def test_waiting_duplicates_of_a_refused_request_are_each_refused_in_their_turn() -> None:
    client = Client(emulator_with(idempotency_in_flight="wait"))

    async def run() -> list[Answer]:
        tasks = [started(client, {**DIAL, "from_number": ORDINARY}) for _ in range(4)]
        await asyncio.wait(tasks, timeout=0)
        for _ in tasks:
            client.advance(1)
            await asyncio.wait(tasks, timeout=0)
            await asyncio.wait(tasks, timeout=0)
        return list(await asyncio.gather(*tasks))

    assert [answer.status for answer in asyncio.run(run())] == [422] * 4
    assert dial(client).status == 200


def test_different_keys_at_the_same_time_do_not_meet(client: Client) -> None:
    before = calls_in(client)

    async def run() -> list[Answer]:
        tasks = [started(client, key=str(number)) for number in range(10)]
        await asyncio.wait(tasks, timeout=0)
        client.advance(1)
        return list(await asyncio.gather(*tasks))

    assert {answer.status for answer in asyncio.run(run())} == {200}
    assert calls_in(client) == before + 10


def test_an_export_holds_neither_idempotency_keys_nor_api_keys(client: Client) -> None:
    dial(client, "my-key")
    assert "my-key" not in json.dumps(client.emulator.dump())
    assert KEY not in json.dumps(client.emulator.dump())
