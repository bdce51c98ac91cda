"""The guard of the admin API: whom it answers on which address, and how much it reads."""

from collections.abc import Iterator

import pytest

from revdesk_mock import Emulator, Settings, StartError
from revdesk_mock.json_body import MAX_BYTES
from revdesk_mock.server import Server, is_local
from tests.conftest import KEY, MAIN, ORDINARY, SPEC
from tests.test_app import Reply, ask

TOKEN = "revdesk_admin_of_this_test"
EVERYWHERE = "0.0.0.0"


@pytest.fixture(scope="module", params=[EVERYWHERE, "127.0.0.1"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    emulator = Emulator(Settings(seed="guard", clock="frozen"), SPEC)
    with Server(emulator, request.param, admin_token=TOKEN) as running:
        yield running


def look(server: Server, **headers: str) -> Reply:
    return ask(server, "GET", "/_revdesk/worlds", **headers)


@pytest.mark.parametrize("sent", [{}, {"X_RevDesk_Mock_Token": ""}, {"X_RevDesk_Mock_Token": f"{TOKEN}x"}], ids=str)
def test_whoever_lacks_the_admin_token_is_told_what_to_send(server: Server, sent: dict[str, str]) -> None:
    reply = look(server, **sent)
    assert (reply.status, reply.body["error"]["code"]) == (401, "unauthorized")
    assert "X-RevDesk-Mock-Token" in reply.body["error"]["message"]
    assert TOKEN not in reply.raw.decode()


def test_whoever_has_the_admin_token_is_answered(server: Server) -> None:
    assert look(server, X_RevDesk_Mock_Token=TOKEN).status == 200


def test_an_explanation_needs_the_admin_token(server: Server) -> None:
    refused = ask(server, "GET", "/v1/nowhere")
    assert ask(server, "GET", refused.headers["x-revdesk-mock-explain"]).status == 401


def test_a_recording_needs_no_admin_token_for_the_api_hands_out_its_address(server: Server) -> None:
    call = ask(server, "POST", "/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY}).body["data"]["call_id"]
    world = server.emulator.world(KEY).id
    for form in ("wav", "ogg"):
        reply = ask(server, "GET", f"/_revdesk/worlds/{world}/calls/{call}/recording.{form}")
        assert (reply.status, reply.body["error"]["code"]) == (404, "not_found")
    assert ask(server, "GET", f"/_revdesk/worlds/{world}/calls/{call}/transcript").status == 401


def test_other_sites_are_refused_with_the_admin_token_too(server: Server) -> None:
    assert look(server, X_RevDesk_Mock_Token=TOKEN, Origin="http://evil.example").status == 403


def test_a_body_over_the_limit_is_refused_and_its_sender_reads_why(server: Server) -> None:
    body = b'{"key":"' + b"x" * (2 * MAX_BYTES) + b'"}'
    reply = ask(server, "PATCH", "/_revdesk/policies", body, X_RevDesk_Mock_Token=TOKEN)
    assert (reply.status, reply.body["error"]["fields"]) == (400, {"body": "is over 1048576 bytes"})


def test_nobody_listens_elsewhere_without_an_admin_token() -> None:
    with pytest.raises(StartError, match="needs an admin token"):
        Server(Emulator(Settings(), SPEC), EVERYWHERE)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.0.0.7", True),
        ("::1", True),
        ("localhost", True),
        (EVERYWHERE, False),
        ("::", False),
        ("127.0.0.1.example", False),
        ("192.0.2.1", False),
    ],
)
def test_an_address_is_this_machines_alone_only_on_the_loopback(host: str, *, expected: bool) -> None:
    assert is_local(host) is expected
