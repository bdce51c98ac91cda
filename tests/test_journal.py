"""The journal remembers requests without their secrets and explains each refusal."""

import shlex
from typing import Any

import orjson

from revdesk_mock import Emulator
from revdesk_mock.journal import KEPT, Journal, explain, redact
from tests.conftest import KEY, MAIN, ORDINARY, Answer, Client

BASE = "http://127.0.0.1:8473"


def explanation_of(emulator: Emulator, answer: Answer) -> Any:
    entry = emulator.journal.find(answer.headers["x-request-id"])
    assert entry is not None
    return explain(entry, BASE)


def test_a_refusal_is_explained_by_rule_place_and_difference(emulator: Emulator, client: Client) -> None:
    answer = client.post("/v1/calls/dial", {"from_number": MAIN, "to_number": "12"})
    told = explanation_of(emulator, answer)
    assert told["operation"] == "v1_calls_dial_post"
    assert (told["status"], told["code"]) == (400, "validation_error")
    assert told["reasons"] == [
        {
            "rule": "schema.pattern",
            "where": "body /to_number",
            "expected": "be a phone number in E.164 form, like +14155550100",
            "got": "'12'",
        }
    ]


def test_the_curl_line_repeats_the_request_without_its_key(emulator: Emulator, client: Client) -> None:
    body = {"from_number": MAIN, "to_number": "it's"}
    answer = client.post("/v1/calls/dial?x=1", body, idempotency_key="key 1", content_type="application/json")
    line = explanation_of(emulator, answer)["curl"]
    assert KEY not in line
    words = shlex.split(line)
    assert words[:4] == ["curl", "-i", "-X", "POST"]
    assert words[-1] == f"{BASE}/v1/calls/dial?x=1"
    assert "authorization: Bearer $REVDESK_API_KEY" in words
    assert "idempotency-key: key 1" in words
    assert orjson.loads(words[words.index("--data-binary") + 1]) == body


def test_a_success_can_be_looked_up_too(emulator: Emulator, client: Client) -> None:
    told = explanation_of(emulator, client.get("/v1/me"))
    assert (told["status"], told["code"], told["reasons"]) == (200, None, [])


def test_keys_and_tokens_are_never_remembered(emulator: Emulator, client: Client) -> None:
    token = client.post("/v1/client-tokens", {"from_numbers": [MAIN]}).data["token"]
    calling = client.post("/v1/webrtc-token", {"from_number": MAIN, "to_number": ORDINARY}).data["token"]
    room = client.post("/v1/room-token", {"from_number": MAIN, "to_number": ORDINARY}).data["token"]
    odd = "no-prefix-at-all"
    for secret in (KEY, token, calling, room):
        client.post(f"/v1/{secret}?q={secret}", {"x": secret})
        client.post("/v1/sms/send", {"message": secret}, idempotency_key=secret[:200])
        client.get(f"/v1/calls/{secret}")
        client.get("/v1/me", authorization=f"Basic {secret}")
    client.get(f"/v1/calls/{odd}", authorization=f"Bearer {odd}")
    kept = repr(list(emulator.journal._entries.values()))
    for secret in (KEY, token, calling, room[:40], odd):
        assert secret not in kept


def test_of_a_large_body_only_the_beginning_is_remembered(emulator: Emulator, client: Client) -> None:
    answer = client.post("/v1/phone-numbers", {"name": "x" * 500_000})
    entry = emulator.journal.find(answer.headers["x-request-id"])
    assert entry is not None
    assert len(entry.body) < KEPT + 50
    assert entry.body.endswith("(500011 bytes)")


def test_the_oldest_gives_way(client: Client, emulator: Emulator) -> None:
    first = client.get("/v1/me").headers["x-request-id"]
    entry = emulator.journal.find(first)
    assert entry is not None
    journal = Journal(size=1)
    journal.add(entry)
    later = client.get("/v1/me").headers["x-request-id"]
    second = emulator.journal.find(later)
    assert second is not None
    journal.add(second)
    assert journal.find(first) is None
    assert journal.find(later) is second


def test_redaction_leaves_other_texts_alone() -> None:
    assert redact("/v1/phone-numbers?limit=5") == "/v1/phone-numbers?limit=5"
    assert redact("a revdesk_abcdef01 b") == "a revdesk_**** b"
    assert redact("a rdc_eyJh.bc.d b") == "a rdc_**** b"
    assert redact("a eyJhbGci.eyJzdWI.abc b") == "a **** b"
