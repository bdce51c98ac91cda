"""Every way a request can be bad is refused in the vendor's envelope, with a plain message, and writes nothing."""

import asyncio
from typing import Any

import orjson
import pytest

from revdesk_mock import Emulator, World
from revdesk_mock.exchange import Exchange, Reply
from revdesk_mock.resources import HANDLERS
from tests.conftest import KEY, MAIN, ORDINARY, Client, answer_of, emulator_with

DIAL = {"from_number": MAIN, "to_number": ORDINARY}
DEEP = b'{"name":' * 70 + b"1" + b"}" * 70

# method, target, body, headers -> status, code, what the message says, offending fields
BAD: dict[str, tuple[str, str, Any, dict[str, str | None], int, str, str, list[str]]] = {
    "unknown path": ("GET", "/v1/nowhere", None, {}, 404, "route_not_found", "No route GET /v1/nowhere", []),
    "legacy path": ("GET", "/api/v1/voice/calls", None, {}, 404, "route_not_found", "No route", []),
    "trailing slash": ("GET", "/v1/me/", None, {}, 404, "route_not_found", "No route", []),
    "wrong method": ("DELETE", "/v1/calls", None, {}, 405, "method_not_allowed", "GET, POST is", []),
    "no authorization": ("GET", "/v1/me", None, {"authorization": None}, 401, "unauthorized", "is missing", []),
    "basic authorization": (
        "GET", "/v1/me", None, {"authorization": "Basic eDp5"}, 401, "unauthorized", "must be a Bearer key", [],
    ),
    "authorization without key": (
        "GET", "/v1/me", None, {"authorization": "Bearer "}, 401, "unauthorized", "holds no key", [],
    ),
    "authorization with two keys": (
        "GET", "/v1/me", None, {"authorization": "Bearer one two"}, 401, "unauthorized", "holds no key", [],
    ),
    "invalid key": ("GET", "/v1/me", None, {"authorization": "Bearer revdesk_invalid"}, 401, "unauthorized", "invalid", []),
    "revoked key": ("GET", "/v1/me", None, {"authorization": "Bearer revdesk_revoked"}, 401, "unauthorized", "revoked", []),
    "expired key": ("GET", "/v1/me", None, {"authorization": "Bearer revdesk_expired"}, 401, "unauthorized", "expired", []),
    "forged client token": (
        "GET", "/v1/me", None, {"authorization": "Bearer rdc_a.b.c"}, 401, "unauthorized", "not valid", [],
    ),
    "missing scope": (
        "POST", "/v1/calls/dial", DIAL, {"authorization": "Bearer revdesk_readonly_1"}, 403, "forbidden", "calls:write", [],
    ),
    "no body": ("POST", "/v1/calls/dial", None, {}, 400, "validation_error", "is required", ["body"]),
    "blank body": ("POST", "/v1/calls/dial", b" \n", {}, 400, "validation_error", "is required", ["body"]),
    "not JSON": ("POST", "/v1/calls/dial", b"{from", {}, 400, "validation_error", "not valid JSON", ["body"]),
    "not UTF-8": ("POST", "/v1/calls/dial", b'{"a":"\xff"}', {}, 400, "validation_error", "not UTF-8", ["body"]),
    "not an object": ("POST", "/v1/calls/dial", b"[]", {}, 400, "validation_error", "must be a JSON object", ["body"]),
    "duplicate key": (
        "POST", "/v1/calls/dial", b'{"record":true,"record":false}', {}, 400, "validation_error", "'record' twice", ["body"],
    ),
    "NaN": ("POST", "/v1/calls/dial", b'{"record":NaN}', {}, 400, "validation_error", "NaN", ["body"]),
    "too deep": ("POST", "/v1/calls/dial", DEEP, {}, 400, "validation_error", "deeper than 64", ["body"]),
    "content type": (
        "POST", "/v1/calls/dial", DIAL, {"content_type": "text/plain"}, 400, "validation_error", "application/json", ["body"],
    ),
    "unknown query parameter": ("GET", "/v1/calls?page=2", None, {}, 400, "validation_error", "page", ["page"]),
    "repeated query parameter": (
        "GET", "/v1/calls?limit=1&limit=2", None, {}, 400, "validation_error", "more than once", ["limit"],
    ),
    "query of a wrong type": ("GET", "/v1/calls?limit=ten", None, {}, 400, "validation_error", "an integer", ["limit"]),
    "query out of bounds": ("GET", "/v1/agents?limit=101", None, {}, 400, "validation_error", "at most 100", ["limit"]),
    "bad cursor": ("GET", "/v1/calls?cursor=zzz", None, {}, 400, "validation_error", "not a cursor", ["cursor"]),
    "missing fields": (
        "POST", "/v1/calls/dial", {}, {}, 400, "validation_error", "is required", ["from_number", "to_number"],
    ),
    "every field wrong": (
        "POST", "/v1/calls/dial", {"from_number": 1, "to_number": "911", "record": "yes"}, {}, 400, "validation_error",
        "must be a string", ["from_number", "record", "to_number"],
    ),
    "a place in a list": (
        "POST", "/v1/client-tokens", {"from_numbers": [MAIN, "x"]}, {}, 400, "validation_error", "E.164", ["from_numbers.1"],
    ),
    "a nested field": (
        "POST", "/v1/caller-trust/enterprise", {"organization_contact": {"email": 5}}, {}, 400, "validation_error",
        "is required", ["organization_contact.email", "organization_contact.first_name", "legal_name"],
    ),
    "foreign id": ("GET", "/v1/phone-numbers/999", None, {}, 404, "not_found", "No phone number", []),
    "control header": (
        "GET", "/v1/me", None, {"x_revdesk_mock": '{"dealy_ms":1}'}, 400, "validation_error", "dealy_ms", ["X-RevDesk-Mock"],
    ),
    "overlong idempotency key": (
        "POST", "/v1/calls/dial", DIAL, {"idempotency_key": "k" * 256}, 400, "validation_error", "at most 255", ["Idempotency-Key"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_a_bad_request_is_refused_in_plain_words(client: Client, case: tuple[Any, ...]) -> None:
    method, target, body, headers, status, code, words, fields = case
    before = client.world.dump()
    answer = client(method, target, body, **headers)
    assert (answer.status, answer.code) == (status, code)
    assert words in answer.raw.decode()
    assert set(fields) <= set(answer.fields)
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["x-revdesk-mock-explain"] == f"/_revdesk/explain/{answer.headers['x-request-id']}"
    assert {**client.world.dump(), "dice": 0} == {**before, "dice": 0}


def test_a_body_over_one_mebibyte_is_refused(emulator: Emulator, client: Client) -> None:
    request = client.request("POST", "/v1/calls/dial", DIAL)
    unread = type(request)(request.method, request.path, headers=request.headers, body=None)
    answer = answer_of(asyncio.run(emulator.handle(unread)))
    assert (answer.status, list(answer.fields)) == (400, ["body"])
    assert "1048576 bytes" in answer.body["error"]["message"]


def test_a_body_where_none_belongs_is_not_looked_at(client: Client) -> None:
    call = client.post("/v1/calls/dial", DIAL).data["call_id"]
    assert client.post(f"/v1/calls/{call}/hangup", b"not JSON").status == 200


def test_a_wrong_method_names_the_right_ones(client: Client) -> None:
    assert client("PUT", "/v1/agents/x").headers["allow"] == "GET, PATCH"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "BREW"])
def test_methods_that_the_contract_lacks_are_refused(client: Client, method: str) -> None:
    assert client(method, "/v1/me").status == 405


def test_a_401_challenges_for_a_bearer(client: Client) -> None:
    missing = client.get("/v1/me", authorization=None).headers["www-authenticate"]
    assert missing.startswith("Bearer realm=")
    assert 'resource_metadata="http://127.0.0.1:8473/.well-known/oauth-protected-resource"' in missing
    assert "error=" not in missing
    assert 'error="invalid_token"' in client.get("/v1/me", authorization="Bearer revoked").headers["www-authenticate"]


def test_a_403_for_a_scope_names_it_in_the_challenge(client: Client) -> None:
    answer = client.post("/v1/sms/send", {}, authorization="Bearer revdesk_readonly_1")
    assert 'error="insufficient_scope", scope="sms:write"' in answer.headers["www-authenticate"]


def test_every_authenticated_answer_says_where_the_rate_limit_stands(client: Client) -> None:
    for number, answer in enumerate([client.get("/v1/me"), client.get("/v1/calls/x"), client.post("/v1/calls", {})], 1):
        assert answer.headers["x-ratelimit-limit"] == "600"
        assert answer.headers["x-ratelimit-remaining"] == str(600 - number)
        assert int(answer.headers["x-ratelimit-reset"]) == client.world.clock.now() + 60_000
        assert answer.headers["ratelimit"] == f'"default";r={600 - number};t=60'
        assert answer.headers["ratelimit-policy"] == '"default";q=600;w=60'


def test_an_unauthenticated_answer_has_no_rate_limit_headers(client: Client) -> None:
    assert "ratelimit" not in client.get("/v1/me", authorization=None).headers


def test_an_operation_without_a_handler_answers_501_with_its_name(client: Client, emulator: Emulator) -> None:
    emulator.pipeline._handlers = {name: verb for name, verb in HANDLERS.items() if name != "v1_me_get"}
    answer = client.get("/v1/me")
    assert (answer.status, answer.code) == (501, "not_implemented")
    assert "v1_me_get" in answer.body["error"]["message"]


def test_every_operation_of_the_contract_has_a_handler(emulator: Emulator) -> None:
    assert set(HANDLERS) == set(emulator.spec.operations)


def test_request_ids_differ(client: Client) -> None:
    ids = {client.get("/v1/me").headers["x-request-id"] for _ in range(20)}
    assert len(ids) == 20


def test_a_delayed_request_waits_in_the_worlds_time(client: Client) -> None:
    async def send() -> int:
        task = asyncio.create_task(client.send("GET", "/v1/me", x_revdesk_mock='{"delay_ms": 5000}'))
        await asyncio.sleep(0)  # noqa: TID251 lets the task reach its delay
        assert not task.done()
        client.advance(4)
        await asyncio.sleep(0)  # noqa: TID251 lets the task see that it is too early
        assert not task.done()
        client.advance(1)
        return (await task).status

    assert asyncio.run(send()) == 200


def break_contract(_: World, __: Exchange) -> Reply:
    return Reply({"token": 5})


def write_and_crash(world: World, _: Exchange) -> Reply:
    world.store.insert("contacts", {"id": "x", "phone_number": ORDINARY, "name": None})
    raise ZeroDivisionError


@pytest.mark.parametrize("handler", [break_contract, write_and_crash])
def test_a_bug_of_ours_is_a_marked_500_that_writes_nothing(
    handler: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(emulator_with())
    monkeypatch.setattr(client.emulator.pipeline, "_handlers", {"v1_me_get": handler})
    before = client.world.store.dump()
    answer = client.get("/v1/me")
    assert (answer.status, answer.code) == (500, "internal_error")
    assert answer.headers["x-revdesk-mock-breach"] == "1"
    assert b"Traceback" not in answer.raw
    assert b"ZeroDivision" not in answer.raw
    assert len(client.emulator.pipeline.breaches) == 1
    assert answer.headers["x-request-id"] in caplog.text
    assert client.world.store.dump() == before


def test_a_breach_is_logged_with_its_pointer(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    client = Client(emulator_with())
    monkeypatch.setattr(client.emulator.pipeline, "_handlers", {"v1_me_get": break_contract})
    client.get("/v1/me")
    assert "v1_me_get answered against its contract at /data" in caplog.text


def test_statuses_and_properties_follow_the_contract_in_use(tmp_path: Any) -> None:
    from revdesk_mock import Settings  # noqa: PLC0415 kept beside its only use
    from revdesk_mock.settings import shipped  # noqa: PLC0415 kept beside its only use

    document = orjson.loads(shipped("openapi.json").read_bytes())
    responses = document["paths"]["/v1/calls/dial"]["post"]["responses"]
    accepted = responses["202"] = responses.pop("200")
    data = accepted["content"]["application/json"]["schema"]["properties"]["data"]
    del data["properties"]["provider_call_sid"]
    data["required"].remove("provider_call_sid")
    path = tmp_path / "later.json"
    path.write_bytes(orjson.dumps(document))
    client = Client(Emulator(Settings(spec=path, clock="frozen")), KEY)
    answer = client.post("/v1/calls/dial", DIAL)
    assert answer.status == 202
    assert "provider_call_sid" not in answer.data
    assert answer.headers["location"] == f"/v1/calls/{answer.data['call_id']}"


def test_a_host_that_is_none_is_refused_like_any_other_request(client: Client) -> None:
    answer = client.get("/v1/nowhere", host="[")
    assert (answer.status, answer.headers["x-revdesk-mock-explain"][:22]) == (404, "/_revdesk/explain/req_")
