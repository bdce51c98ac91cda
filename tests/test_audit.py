"""The audit finds what a client did wrong, with evidence, and nothing in what a polite client does."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import fromstring

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import audit
from revdesk_mock.audit import Finding
from revdesk_mock.faults import effects
from revdesk_mock.faults.effects import EFFECTS
from revdesk_mock.faults.failures import Breakage, Delay, Storm
from revdesk_mock.timeline import TOKEN, Event
from tests.conftest import AGENT, KEY, MAIN, ORDINARY, SPEC, Client, emulator_with

BASE = "http://127.0.0.1:8473"
DIAL = {"from_number": MAIN, "to_number": ORDINARY}
LOST = "after_commit: reset"


def findings(client: Client) -> list[Finding]:
    world = client.world
    return audit.findings(world.journal.entries(), world.timeline.events(), SPEC)


def codes(client: Client) -> list[str]:
    return [finding.code for finding in findings(client)]


def dial(client: Client, key: str | None = None, **changes: Any) -> int:
    sent = {**DIAL, **changes}
    return client.post("/v1/calls/dial", sent, content_type="application/json", idempotency_key=key).status


def fail(client: Client, fault: str | None = LOST, status: int | None = None, **headers: str) -> None:
    """Let the newest request have failed on order: lost on its way, or answered with another status."""
    journal = client.world.journal
    newest = journal.entries()[-1]
    answer_headers = {**newest.answer_headers, **{name.replace("_", "-"): said for name, said in headers.items()}}
    status = newest.status if status is None else status
    journal.add(replace(newest, fault=fault, status=status, answer_headers=answer_headers))


# retried without a key


@pytest.mark.parametrize("fault", [LOST, 'body: cut {"after":20}', "body: malformed", "after_commit: stall"])
def test_a_write_whose_answer_was_lost_is_tried_again_without_a_key(client: Client, fault: str) -> None:
    dial(client)
    fail(client, fault)
    client.advance(1)
    dial(client)
    [finding] = findings(client)
    assert finding.code == "retry_without_key"
    assert "without an idempotency key after its answer was lost" in finding.message
    assert list(finding.entries) == client.world.journal.entries()


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_write_that_failed_is_tried_again_without_a_key(client: Client, status: int) -> None:
    dial(client)
    fail(client, None, status)
    client.advance(1)
    dial(client)
    assert codes(client) == ["retry_without_key"]


@pytest.mark.parametrize("keys", [("one", "two"), (None, "one"), ("one", None)])
def test_a_key_that_is_not_that_of_the_first_try_helps_nothing(
    client: Client, keys: tuple[str | None, str | None]
) -> None:
    dial(client, keys[0])
    fail(client)
    client.advance(1)
    dial(client, keys[1])
    assert codes(client) == ["retry_without_key"]


def test_a_write_that_was_given_up_and_sent_again_is_a_retry(client: Client) -> None:
    dial(client)
    dial(client)
    first, second = client.world.journal.entries()
    slow = replace(first, fault="before_commit: delay_ms 5000", at=second.at + 5000, took=5.0)
    [finding] = audit.findings([replace(second, at=second.at + 100), slow], [], SPEC)
    assert "after an answer that did not come in time" in finding.message


def test_many_tries_are_one_finding(client: Client) -> None:
    for wait in (1, 2, 4, 8):
        dial(client)
        fail(client)
        client.advance(wait)
    assert [len(finding.entries) for finding in findings(client)] == [4]


def test_a_retry_under_its_first_key_is_polite(client: Client) -> None:
    dial(client, "one")
    fail(client)
    client.advance(1)
    dial(client, "one")
    assert codes(client) == []


def test_two_calls_that_were_meant_are_no_retry(client: Client) -> None:
    dial(client)
    dial(client)
    assert codes(client) == []


def test_a_slow_answer_that_came_is_no_failure(client: Client) -> None:
    dial(client)
    fail(client, "before_commit: delay_ms 500")
    client.advance(1)
    dial(client)
    assert codes(client) == []


def test_the_same_request_long_after_a_failure_is_meant(client: Client) -> None:
    dial(client)
    fail(client)
    client.advance(3600)
    dial(client)
    assert codes(client) == []


def test_another_body_or_another_key_of_the_world_is_no_retry(client: Client) -> None:
    dial(client)
    fail(client)
    dial(client, to_number="+13125550101")
    dial(client.with_key())
    assert codes(client) == []


@pytest.mark.parametrize(("method", "target"), [("GET", "/v1/me"), ("DELETE", "/v1/phone-numbers/none")])
def test_what_may_be_repeated_needs_no_key(client: Client, method: str, target: str) -> None:
    client(method, target)
    fail(client)
    client.advance(1)
    client(method, target)
    assert codes(client) == []


# a key for another body


def test_a_key_is_sent_with_another_body(client: Client) -> None:
    assert dial(client, "one") == 200
    assert dial(client, "one", to_number="+13125550101") == 409
    [finding] = findings(client)
    assert (finding.code, len(finding.entries)) == ("key_reused", 2)


def test_a_key_whose_first_request_is_forgotten_is_found_all_the_same(client: Client) -> None:
    dial(client, "one")
    client.world.journal.clear()
    dial(client, "one", to_number="+13125550101")
    assert codes(client) == ["key_reused"]


def test_a_key_that_is_sent_twice_at_once_is_no_reuse(client: Client) -> None:
    dial(client, "one")
    dial(client, "one", to_number="+13125550101")
    first, second = client.world.journal.entries()
    entries = [replace(second, body=first.body), replace(second, body=first.body, request_id="req_third"), first]
    assert audit.findings(entries, [], SPEC) == []


def test_a_key_for_the_same_body_is_polite(client: Client) -> None:
    assert [dial(client, "one"), dial(client, "one"), dial(client, "two")] == [200, 200, 200]
    assert codes(client) == []


# a refusal, asked for again


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/v1/calls/dial", {"from_number": MAIN, "to_number": "12"}),
        ("POST", "/v1/calls/dial", {"from_number": ORDINARY, "to_number": MAIN}),
        ("GET", "/v1/calls/call_none", None),
    ],
    ids=["400", "422", "404"],
)
def test_a_refused_request_is_sent_again_as_it_was(client: Client, method: str, target: str, body: Any) -> None:
    for _ in range(3):
        client(method, target, body, content_type="application/json")
        client.get("/v1/me")
        client.advance(0.5)
    [finding] = [finding for finding in findings(client) if finding.code == "refusal_retried"]
    assert (len(finding.entries), "2 times" in finding.message) == (3, True)


def test_a_refused_key_is_tried_again(client: Client) -> None:
    revoked = Client(client.emulator, "revdesk_revoked_1")
    statuses = [revoked.get("/v1/me").status for _ in range(2)]
    assert statuses == [401, 401]
    [finding] = audit.findings(client.emulator.journal.entries(), [], SPEC)
    assert (finding.code, "401 unauthorized" in finding.message) == ("refusal_retried", True)


def test_a_refused_request_that_was_mended_is_polite(client: Client) -> None:
    dial(client, to_number="12")
    dial(client)
    assert codes(client) == []


def test_a_refusal_after_something_changed_is_no_blind_retry(client: Client) -> None:
    client.get("/v1/calls/call_none")
    dial(client)
    client.get("/v1/calls/call_none")
    client.advance(60)
    client.get("/v1/calls/call_none")
    assert codes(client) == []


def test_what_was_refused_and_then_taken_is_no_blind_retry(client: Client) -> None:
    dial(client)
    fail(client, None, 409)
    dial(client)
    assert codes(client) == []


# Retry-After


def test_a_client_comes_back_before_it_was_told_to(client: Client) -> None:
    dial(client, "one")
    fail(client, None, 429, retry_after="10")
    client.advance(9)
    dial(client, "one")
    [finding] = findings(client)
    assert finding.code == "retry_after_ignored"
    assert "told to come back in 10 s" in finding.message
    assert "after 9.000 s" in finding.message


def test_a_client_that_waits_as_long_as_it_was_told_is_polite(client: Client) -> None:
    for _ in range(5):
        client.get("/v1/me")
        fail(client, None, 429, retry_after="10")
        client.advance(10)
    assert codes(client) == []


def test_a_wait_by_the_wall_is_a_wait_too(client: Client) -> None:
    dial(client, "one")
    fail(client, None, 503, retry_after="2")
    dial(client, "one")
    first, second = client.world.journal.entries()
    assert audit.findings([first, replace(second, at=first.at + 2001)], [], SPEC) == []
    assert audit.findings([first, replace(second, at=first.at + 1001)], [], SPEC) != []


# back-off


def tried(client: Client, waits: Sequence[float]) -> None:
    for wait in (*waits, 0):
        client.get("/v1/me")
        fail(client, None, 503)
        client.advance(wait)


@pytest.mark.parametrize("waits", [(0, 0, 0), (1, 1, 1), (4, 2, 1), (0.5, 0.5, 0.5, 0.5, 0.5)])
def test_waits_that_do_not_grow_are_found(client: Client, waits: Sequence[float]) -> None:
    tried(client, waits)
    [finding] = findings(client)
    assert (finding.code, len(finding.entries)) == ("no_backoff", len(waits) + 1)


@pytest.mark.parametrize("waits", [(1, 2, 4), (0.1, 0.2, 0.4), (1, 1), (0, 0), (2, 1.2, 5), (1, 2, 2, 2)])
def test_waits_that_grow_and_a_few_quick_tries_are_polite(client: Client, waits: Sequence[float]) -> None:
    tried(client, waits)
    assert codes(client) == []


# polling


def read(client: Client, times: int, wait: float) -> None:
    for _ in range(times):
        client.get("/v1/calls")
        client.advance(wait)


@pytest.mark.parametrize(("times", "wait"), [(5, 0), (10, 0.5), (30, 0.9)])
def test_reading_one_thing_again_and_again_within_a_second_is_found(client: Client, times: int, wait: float) -> None:
    read(client, times, wait)
    [finding] = findings(client)
    assert (finding.code, len(finding.entries)) == ("polled_too_fast", times)


@pytest.mark.parametrize(("times", "wait"), [(4, 0), (30, 1), (10, 5)])
def test_reading_once_a_second_or_a_few_times_is_polite(client: Client, times: int, wait: float) -> None:
    read(client, times, wait)
    assert codes(client) == []


def test_reading_after_each_of_some_writes_or_other_things_is_no_polling(client: Client) -> None:
    for turn in range(6):
        dial(client, f"key {turn}")
        client.get("/v1/calls")
        client.get(f"/v1/calls?limit={turn + 1}")
    assert codes(client) == []


# tokens


def refusal(token: str, state: str) -> Event:
    return Event(1, 0, 0, "w", TOKEN, f"token {token} let nobody in", {"token": token, "state": state, "refused": True})


def test_a_token_that_is_used_to_join_again_is_found_once() -> None:
    events = [refusal("t1", "joined"), refusal("t1", "spent")]
    [finding] = audit.findings([], events, SPEC)
    assert (finding.code, finding.events) == ("token_used_twice", tuple(events))


def test_a_token_that_expired_or_was_revoked_unused_was_not_used_twice() -> None:
    assert audit.findings([], [refusal("t1", "expired"), refusal("t2", "revoked")], SPEC) == []


# fields that nothing reads


def test_fields_that_nothing_reads_are_named_and_where(client: Client) -> None:
    dial(client, recrod=True)
    dial(client, recrod=False)
    client.post(f"/v1/agents/{AGENT}/web-call", {"mode": "x"}, content_type="application/json")
    unread = findings(client)
    assert [finding.code for finding in unread] == ["unread_field", "unread_field"]
    assert "POST /v1/calls/dial does not know the field recrod" in unread[0].message
    assert len(unread[0].entries) == 2
    assert "does not know the field mode" in unread[1].message


def test_nested_fields_and_those_of_lists_are_looked_at_too() -> None:
    schema = {
        "properties": {
            "who": {"anyOf": [{"type": "null"}, {"properties": {"name": {}}}]},
            "rows": {"items": {"properties": {"id": {}}}},
            "free": {"type": "object"},
            "tags": {"type": "object", "properties": {}, "additionalProperties": {"type": "string"}},
        }
    }
    body = {
        "who": {"name": "Ann", "age": 5},
        "rows": [{"id": 1}, {"ID": 2}],
        "free": {"any": 1},
        "tags": {"any": "x"},
    }
    assert list(audit.bodies._undeclared(body, schema, "")) == ["who.age", "rows[].ID"]


def test_a_refused_request_is_not_searched_for_fields(client: Client) -> None:
    dial(client, to_number="12", recrod=True)
    assert codes(client) == []


def test_bodies_of_declared_fields_and_none_at_all_are_polite(client: Client) -> None:
    dial(client, record=False)
    client.post(f"/v1/agents/{AGENT}/web-call", {}, content_type="application/json")
    client.post(f"/v1/agents/{AGENT}/web-call")
    assert codes(client) == []


# real numbers


@pytest.mark.parametrize(
    ("path", "field", "others"),
    [
        ("/v1/calls/dial", "to_number", {"from_number": MAIN}),
        ("/v1/calls/dial", "connect_number", DIAL),
        ("/v1/calls", "phoneNumber", {"assistantId": AGENT}),
        ("/v1/webrtc-token", "to_number", {"from_number": MAIN}),
        ("/v1/room-token", "to_number", {"from_number": MAIN}),
        ("/v1/sms/send", "to", {"from": MAIN, "message": "Hello"}),
        ("/v1/caller-ids", "phone_number", {}),
    ],
)
def test_a_number_that_may_be_somebodys_is_named(client: Client, path: str, field: str, others: dict[str, str]) -> None:
    number = "+14155552671"
    answer = client.post(path, {**others, field: number}, content_type="application/json")
    assert answer.status == 200, answer.body
    assert [finding.code for finding in findings(client)] == ["real_number"]
    assert findings(client)[0].message.startswith(number)


def test_numbers_of_fiction_and_refused_ones_are_polite(client: Client) -> None:
    dial(client)
    dial(client, to_number="+1911")
    assert codes(client) == []


# faults as they are ordered


def ordered(client: Client, do: Any, key: str | None = None) -> None:
    """Dial, and let that fail as `X-RevDesk-Mock` orders it."""
    header = orjson.dumps({"fault": {"do": do}}).decode()
    client.post("/v1/calls/dial", DIAL, content_type="application/json", x_revdesk_mock=header, idempotency_key=key)


@pytest.mark.parametrize("name", EFFECTS)
def test_each_fault_is_known_as_a_failure_or_a_wait(client: Client, name: str) -> None:
    do: Any = {"delay_ms": 0} if name == "delay_ms" else EFFECTS[name].example
    effect = effects.read(do).effect
    if isinstance(effect, Storm):
        do = {"status": 429, "retry_after": 1}  # which is what a storm answers; no single request orders one
    ordered(client, do)
    client.advance(5)
    dial(client)
    waits = isinstance(effect, Delay) or (isinstance(effect, Breakage) and effect.how == "dribble")
    assert codes(client) == ([] if waits else ["retry_without_key"])


def test_the_lost_reply_of_a_client_with_a_key_is_clean(client: Client) -> None:
    before = len(client.get("/v1/calls").data)
    ordered(client, "reset", "one")
    client.advance(1)
    assert dial(client, "one") == 200
    assert len(client.get("/v1/calls").data) == before + 1
    assert codes(client) == []


def test_what_was_lost_before_it_was_done_called_nobody(client: Client) -> None:
    header = '{"fault": {"do": "reset", "phase": "before_commit"}}'
    body = {"from_number": MAIN, "to_number": "+14155552671", "recrod": True}
    client.post("/v1/calls/dial", body, content_type="application/json", x_revdesk_mock=header)
    assert client.world.journal.entries()[-1].status == 0
    assert codes(client) == []


# a polite client


@given(st.lists(st.sampled_from(["taken", "lost", "503", "429", "late"]), max_size=12))
def test_a_polite_client_is_clean_whatever_fails(fates: list[str]) -> None:
    client = Client(emulator_with())
    intention, tries = 0, 0
    for fate in fates:
        dial(client, f"key {intention}", to_number=f"+131255501{intention:02d}")
        wait = 2.0**tries
        tries += 1
        if fate == "lost":
            fail(client)
        elif fate == "503":
            fail(client, None, 503)
        elif fate == "429":
            fail(client, None, 429, retry_after="7")
            wait = max(wait, 7)
        else:
            fail(client, "before_commit: delay_ms 300" if fate == "late" else None)
            intention, tries = intention + 1, 0
        client.advance(wait)
        client.get("/v1/calls?limit=1")
    assert codes(client) == []
    audit.clean(findings(client))


# reports


@pytest.fixture
def guilty(client: Client) -> Client:
    dial(client, recrod="\x01 <&>")
    fail(client)
    dial(client, recrod="\x01 <&>")
    return client


def test_the_text_names_each_finding_with_its_evidence(guilty: Client) -> None:
    told = audit.text(findings(guilty), BASE)
    assert told.startswith("The audit found 2 things.\n\nretry_without_key: POST /v1/calls/dial was tried again")
    for entry in guilty.world.journal.entries():
        assert entry.request_id in told
    assert f"{BASE}/v1/calls/dial" in told
    assert KEY not in told
    assert audit.text([], BASE) == "The audit found nothing.\n"


def test_of_much_evidence_the_first_few_are_shown_and_the_rest_is_counted(client: Client) -> None:
    read(client, 30, 0)
    [finding] = findings(client)
    told = audit.describe(finding, BASE)
    assert (told["count"], len(told["requests"])) == (30, 5)
    assert "\n  and 25 more\n" in audit.text([finding], BASE)


def test_json_has_a_curl_line_for_each_request(guilty: Client) -> None:
    [retry, _] = [audit.describe(finding, BASE) for finding in findings(guilty)]
    assert (retry["code"], retry["events"]) == ("retry_without_key", [])
    assert [one["request_id"] for one in retry["requests"]] == [
        entry.request_id for entry in guilty.world.journal.entries()
    ]
    assert all(one["curl"].startswith("curl -i -X POST") for one in retry["requests"])


def test_junit_has_a_test_for_each_rule_and_counts_as_properties(guilty: Client) -> None:
    suite = fromstring(audit.junit(findings(guilty), BASE))  # noqa: S314 our own
    assert (suite.get("tests"), suite.get("failures")) == (str(len(audit.RULES)), "2")
    counts = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert counts["revdesk.audit.retry_without_key"] == "1"
    assert counts["revdesk.audit.no_backoff"] == "0"
    assert [failure.get("type") for failure in suite.iter("failure")] == ["retry_without_key", "unread_field"]
    assert len(list(suite.iter("testcase"))) == len(audit.RULES)


def test_clean_fails_with_the_report(guilty: Client) -> None:
    with pytest.raises(AssertionError, match="retry_without_key: POST /v1/calls/dial"):
        audit.clean(findings(guilty))


def test_every_rule_is_broken_by_a_test_here(request: pytest.FixtureRequest) -> None:
    source = request.path.read_text()
    assert all(f'"{code}"' in source for code in audit.RULES)
