"""The HTTP door: real sockets, CORS, health, and the admin API beside the API."""

import http.client
import io
import json
import socket
import threading
import wave
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.errors import AddressTaken
from revdesk_mock.json_body import MAX_BYTES
from revdesk_mock.server import Server
from tests.conftest import AGENT, COMPANY, KEY, MAIN, ORDINARY, SIGNATURE

BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="app", clock="frozen", rate_limit="off"))) as running:
        yield running
    assert running.emulator.pipeline.breaches == []


class Reply:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        self.raw = answer.read()

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


def ask(server: Server, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        sent = {**BEARER, **{name.replace("_", "-"): value for name, value in headers.items()}}
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.request(method, path, raw, sent)
        return Reply(connection.getresponse())
    finally:
        connection.close()


def test_a_request_over_the_wire_is_answered(server: Server) -> None:
    reply = ask(server, "POST", "/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY})
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert ask(server, "GET", f"/v1/calls/{reply.body['data']['call_id']}").body["data"]["to_number"] == ORDINARY


def test_percent_encoded_paths_are_decoded_a_segment_at_a_time(server: Server) -> None:
    assert "'a/b'" in ask(server, "GET", "/v1/calls/a%2Fb").body["error"]["message"]


def test_a_body_at_the_limit_is_read_and_one_byte_more_is_not(server: Server) -> None:
    at_limit = b'{"name":"' + b"x" * (MAX_BYTES - 11) + b'"}'
    assert len(at_limit) == MAX_BYTES
    assert ask(server, "POST", "/v1/phone-numbers", at_limit).status == 200
    over = ask(server, "POST", "/v1/phone-numbers", at_limit + b" ")
    assert (over.status, over.body["error"]["fields"]) == (400, {"body": "is over 1048576 bytes"})


def test_a_very_large_body_is_refused_before_its_end(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
        head = (
            f"POST /v1/calls HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 99999999999\r\n\r\n"
        )
        line.sendall(head.encode())
        for _ in range(17):
            line.sendall(b" " * MAX_BYTES)
        assert line.recv(64).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_leaves_in_mid_body_is_forgotten(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
        line.sendall(b"POST /v1/calls HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert ask(server, "GET", "/v1/me").status == 200


def test_another_origin_may_call_and_read_what_matters(server: Server) -> None:
    preflight = ask(
        server,
        "OPTIONS",
        "/v1/webrtc-token",
        Origin="http://localhost:3000",
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="authorization,content-type,idempotency-key",
    )
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    reply = ask(server, "GET", "/v1/me", Origin="http://localhost:3000")
    assert reply.headers["access-control-allow-origin"] == "*"
    exposed = reply.headers["access-control-expose-headers"].lower()
    for name in ("x-request-id", "retry-after", "idempotency-replay", "x-ratelimit-reset", "x-revdesk-mock-explain"):
        assert name in exposed


def test_only_named_origins_may_call_where_some_are_named() -> None:
    with Server(Emulator(Settings(clock="frozen")), cors_origins=["https://app.example"]) as server:
        allowed = ask(server, "GET", "/v1/me", Origin="https://app.example")
        assert allowed.headers["access-control-allow-origin"] == "https://app.example"
        assert "access-control-allow-origin" not in ask(server, "GET", "/v1/me", Origin="https://evil.example").headers


def test_health_and_ready_tell_version_and_contract(server: Server) -> None:
    health = ask(server, "GET", "/health")
    assert (health.status, health.body["status"], health.body["operations"]) == (200, "ok", 63)
    assert ask(server, "HEAD", "/health").status == 200
    assert ask(server, "GET", "/ready").body["status"] == "ready"


def test_ready_answers_503_once_it_is_stopping() -> None:
    server = Server(Emulator())
    with server:
        server._uvicorn._app.ready = False
        assert ask(server, "GET", "/ready").status == 503
        assert ask(server, "GET", "/health").status == 200


def test_the_bearer_challenge_leads_to_its_metadata(server: Server) -> None:
    challenge = ask(server, "GET", "/v1/me", Authorization="x").headers["www-authenticate"]
    url = urlsplit(challenge.partition('resource_metadata="')[2].partition('"')[0])
    assert url.netloc == f"127.0.0.1:{server.port}"
    assert "calls:write" in ask(server, "GET", url.path).body["scopes_supported"]


def test_with_a_public_url_clients_are_told_of_that_alone() -> None:
    public = "https://revdesk.example/mock"
    with Server(Emulator(Settings(clock="frozen", public_url=f"{public}/"))) as server:
        call = ask(server, "POST", f"/v1/agents/{AGENT}/web-call").body["data"]
        assert call["room_url"] == "wss://revdesk.example/mock"
        refused = ask(server, "GET", "/v1/me", Authorization="x")
        assert f'resource_metadata="{public}/.well-known/' in refused.headers["www-authenticate"]
        assert ask(server, "GET", "/.well-known/oauth-protected-resource").body["resource"] == public
        explanation = refused.headers["x-revdesk-mock-explain"]
        assert explanation.startswith("/mock/_revdesk/explain/")
        told = ask(server, "GET", explanation.removeprefix("/mock"), Host="revdesk.example", Origin=public[:-5])
        assert told.body["curl"].endswith(f"{public}/v1/me")
        bought = ask(server, "POST", "/v1/phone-numbers", {}).body["data"]
        assert bought["status_url"].startswith(f"{public}/v1/phone-numbers/")
        assert ask(server, "GET", "/_revdesk/prices", Host="rebound.example").status == 403


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "null"}, {"Host": ""}, {"Host": "", "Origin": "null"}, {"Host": "["}, {"Origin": "http://["}],
)
def test_a_page_without_a_name_cannot_use_the_admin_api(server: Server, headers: dict[str, str]) -> None:
    assert ask(server, "GET", "/_revdesk/prices", **headers).status == 403


def test_a_refusal_leads_to_its_explanation(server: Server) -> None:
    refused = ask(server, "POST", "/v1/calls/dial", {"from_number": MAIN})
    told = ask(server, "GET", refused.headers["x-revdesk-mock-explain"]).body
    assert told["reasons"][0]["where"] == "body /to_number"
    assert told["curl"].endswith(f"http://127.0.0.1:{server.port}/v1/calls/dial")
    assert KEY not in json.dumps(told)
    assert ask(server, "GET", "/_revdesk/explain/req_unknown").status == 404


def test_who_has_lost_the_way_in_the_admin_api_is_told_what_would_do(server: Server) -> None:
    lost = ask(server, "GET", "/_revdesk/world")
    assert (lost.status, lost.body["error"]["code"]) == (404, "route_not_found")
    assert "did you mean '/_revdesk/worlds'?" in lost.body["error"]["message"]
    wrong = ask(server, "DELETE", "/_revdesk/clock")
    assert (wrong.status, wrong.headers["allow"], wrong.body["error"]["code"]) == (
        405,
        "GET, HEAD, POST",
        "method_not_allowed",
    )


def test_magic_numbers_policies_and_prices_are_data(server: Server) -> None:
    magic = ask(server, "GET", "/_revdesk/magic-numbers").body
    busy = next(row for row in magic if row["number"] == "+1 NXX 555 0102")
    assert (busy["outcome"], busy["rings_seconds"]) == ("busy", 1)
    policies = ask(server, "GET", "/_revdesk/policies").body
    assert {"name", "value", "choices", "question", "source"} == set(policies[0])
    assert all(isinstance(price, int) for price in ask(server, "GET", "/_revdesk/prices").body.values())


def test_the_clock_of_ones_own_world_can_be_moved(server: Server) -> None:
    key = {"Authorization": "Bearer revdesk_clock"}
    before = ask(server, "GET", "/_revdesk/clock", **key).body
    assert before["frozen"] is True
    call = ask(server, "POST", "/v1/calls/dial", {"from_number": MAIN, "to_number": "+13125550102"}, **key).body["data"]
    assert ask(server, "GET", "/_revdesk/clock", **key).body["next_event"] == "2026-01-05T09:00:01.000Z"
    moved = ask(server, "POST", "/_revdesk/clock", {"advance_seconds": 2.5}, **key).body
    assert moved == {"now": "2026-01-05T09:00:02.500Z", "frozen": True, "next_event": None}
    assert ask(server, "GET", f"/v1/calls/{call['call_id']}", **key).body["data"]["status"] == "BUSY"
    assert (
        ask(server, "POST", "/_revdesk/clock", {"set": "2026-02-01T00:00:00Z"}, **key).body["now"][:10] == "2026-02-01"
    )
    assert ask(server, "POST", "/_revdesk/clock", {"frozen": False}, **key).body["frozen"] is False
    assert ask(server, "POST", "/_revdesk/clock", {"frozen": True}, **key).body["frozen"] is True


@pytest.mark.parametrize(
    "order",
    [
        b"no",
        [],
        {},
        {"advance_seconds": -1},
        {"advance_seconds": True},
        {"advance_seconds": 1e15},
        {"advance_seconds": 1e300},
        {"set": "9999-01-01T00:00:00Z"},
        {"advance_seconds": "1"},
        {"set": "soon"},
        {"set": "2026-01-01T00:00:00"},
    ],
    ids=str,
)
def test_a_clock_order_that_makes_no_sense_moves_nothing(server: Server, order: Any) -> None:
    before = ask(server, "GET", "/_revdesk/clock").body
    reply = ask(server, "POST", "/_revdesk/clock", order)
    assert (reply.status, reply.body["error"]["code"]) == (400, "validation_error")
    assert ask(server, "GET", "/_revdesk/clock").body == before


def test_the_code_of_a_caller_id_is_there_for_its_own_key_only(server: Server) -> None:
    key = {"Authorization": "Bearer revdesk_caller_ids"}
    started = ask(server, "POST", "/v1/caller-ids", {"phone_number": "+13125550177"}, **key).body["data"]
    path = f"/_revdesk/caller-ids/{started['caller_id_id']}/code"
    assert ask(server, "GET", path).status == 404
    code = ask(server, "GET", path, **key).body["code"]
    handed_in = {"verification_code": code}
    verify = f"/v1/caller-ids/{started['caller_id_id']}/verify"
    assert ask(server, "POST", verify, handed_in, **key).body["data"]["verified"] is True


def test_the_logo_of_a_brand_is_set_by_its_own_key_only(server: Server) -> None:
    key = {"Authorization": "Bearer revdesk_brand"}
    world, path = server.emulator.world("revdesk_brand"), "/_revdesk/brand/logo"
    assert world.organization is not None
    enterprise = {"id": world.dice.uuid(), "organization_id": world.organization["id"], "status": "DRAFT"}
    with world.store.transaction():
        world.store.insert("enterprises", enterprise)
    logo = {"logo_url": "https://harbor-dental.example/logo.png"}
    assert ask(server, "PUT", path, logo, **key).status == 404
    brand = {"display_name": "Harbor Dental", "call_reason": "Your appointment"}
    brand_id = ask(server, "PUT", "/v1/caller-trust/brand", brand, **key).body["data"]["id"]
    assert ask(server, "PUT", path, logo).status == 404
    assert ask(server, "PUT", path, {"logo_url": "logo.png"}, **key).body["error"]["fields"].keys() == {"logo_url"}
    assert ask(server, "PUT", path, logo, **key).body == {"id": brand_id, **logo, "status": "DRAFT"}
    assert ask(server, "GET", "/v1/caller-trust/brand", **key).body["data"]["logo_url"] == logo["logo_url"]
    assert ask(server, "PUT", path, {"logo_url": None}, **key).body["logo_url"] is None


@pytest.mark.parametrize("what", ["enterprise", "reputation", "brand"])
def test_the_carriers_verdict_can_be_given_at_once(server: Server, what: str) -> None:
    key = {"Authorization": f"Bearer revdesk_verdict_{what}"}
    path, verdict = "/v1/caller-trust", f"/_revdesk/{what}/verdict"
    approval, rejection = {"status": "APPROVED"}, {"status": "REJECTED", "reasons": ["The name is another's."]}
    ask(server, "POST", f"{path}/enterprise", COMPANY, **key)
    assert ask(server, "POST", verdict, approval, **key).status == (409 if what == "enterprise" else 404)
    ask(server, "POST", f"{path}/enterprise/sign-and-submit", SIGNATURE, **key)
    brand = {"display_name": "Harbor Dental", "call_reason": "Your appointment"}
    ask(server, "PUT", f"{path}/brand", brand, **key)
    ask(server, "PUT", "/_revdesk/brand/logo", {"logo_url": "https://harbor-dental.example/logo.png"}, **key)
    ask(server, "POST", f"{path}/brand/submit", **key)
    if what == "brand":  # which goes to the carrier by night
        assert ask(server, "POST", verdict, approval, **key).status == 409
        ask(server, "POST", "/_revdesk/clock", {"advance_seconds": 17 * 3600}, **key)
    assert ask(server, "POST", verdict, {"status": "DRAFT"}, **key).status == 400
    told = {"status": "REJECTED", "rejection_reasons": rejection["reasons"]}
    assert told.items() <= ask(server, "POST", verdict, rejection, **key).body.items()
    ask(server, "POST", "/_revdesk/clock", {"advance_seconds": 3600}, **key)
    assert told.items() <= ask(server, "GET", f"{path}/{what}", **key).body["data"].items()
    assert ask(server, "POST", verdict, approval, **key).status == 409


def test_the_clock_needs_a_key(server: Server) -> None:
    assert ask(server, "GET", "/_revdesk/clock", Authorization="nothing").status == 401


def test_other_sites_cannot_use_the_admin_api(server: Server) -> None:
    assert ask(server, "GET", "/_revdesk/prices", Origin="http://evil.example").status == 403
    assert ask(server, "GET", "/_revdesk/prices", Host="rebound.example").status == 403
    own = f"http://127.0.0.1:{server.port}"
    assert ask(server, "GET", "/_revdesk/prices", Origin=own, Host=own[7:]).status == 200


def test_recording_and_transcript_are_there_once_the_call_has_ended(server: Server) -> None:
    key = {"Authorization": "Bearer revdesk_recording"}
    call = ask(server, "POST", "/v1/calls", {"phoneNumber": "+13125550101", "script": "Good day"}, **key).body["data"]
    world = server.emulator.world("revdesk_recording")
    path = f"/_revdesk/worlds/{world.id}/calls/{call['call_id']}"
    assert ask(server, "GET", f"{path}/recording.wav").status == 404
    assert ask(server, "GET", f"{path}/transcript").status == 404
    ask(server, "POST", "/_revdesk/clock", {"advance_seconds": 60}, **key)
    shown = ask(server, "GET", f"/v1/calls/{call['call_id']}", **key).body["data"]
    assert shown["has_transcript"] is True
    sound = ask(server, "GET", urlsplit(shown["recording_url"]).path)
    assert sound.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(sound.raw)) as file:
        assert file.getnframes() == file.getframerate() * shown["duration_seconds"]
        samples = file.readframes(800)
    assert max(samples) > 0
    small = ask(server, "GET", f"{path}/recording.ogg")
    assert (small.headers["content-type"], small.raw[:4]) == ("audio/ogg", b"OggS")
    turns = ask(server, "GET", f"{path}/transcript").body["structured_transcript"]
    assert [turn["text"] for turn in turns] == ["Good day"]


@pytest.mark.parametrize(
    "path", ["/_revdesk/worlds/nope/calls/x/transcript", "/_revdesk/worlds/{id}/calls/x/transcript"]
)
def test_recordings_of_what_is_not_there_are_404(server: Server, path: str) -> None:
    assert ask(server, "GET", path.format(id=server.emulator.world(KEY).id)).status == 404


def test_a_hundred_duplicates_at_once_over_the_wire_place_one_call(server: Server) -> None:
    key = {"Authorization": "Bearer revdesk_duplicates", "Idempotency_Key": "one"}
    statuses: list[int] = []
    replays: list[str | None] = []

    def send() -> None:
        reply = ask(server, "POST", "/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY}, **key)
        statuses.append(reply.status)
        replays.append(reply.headers.get("idempotency-replay"))

    threads = [threading.Thread(target=send) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 100
    assert sorted(map(str, replays)) == ["None"] + ["true"] * 99
    assert server.emulator.world("revdesk_duplicates").store.size("calls") == 4  # three are the fixture's


def test_a_port_that_is_taken_is_refused() -> None:
    with Server(Emulator()) as server, pytest.raises(AddressTaken, match=f"port {server.port} on 127.0.0.1 is taken"):
        Server(Emulator(), port=server.port)


def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(AddressTaken, match="cannot listen"):
        Server(Emulator(), host="192.0.2.1", admin_token="revdesk_admin")


def test_stopping_answers_a_request_that_waits() -> None:
    server = Server(Emulator(Settings(clock="frozen"))).start()
    replies: list[Reply] = []
    control = '{"delay_ms": 600000}'
    thread = threading.Thread(target=lambda: replies.append(ask(server, "GET", "/v1/me", X_RevDesk_Mock=control)))
    thread.start()
    world = server.emulator.world(KEY)
    arrived = threading.Event()
    while not world.clock._sleepers:
        arrived.wait(0.01)
    server.stop()
    thread.join()
    assert replies[0].status == 200
