"""The admin API of live calls over the wire: tokens for legs, and what is refused before any room is open."""

from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.server import Server
from tests.conftest import AGENT, KEY, MAIN, ORDINARY, SPEC
from tests.test_app import Reply
from tests.test_app import ask as ask_plainly

CONNECT = "+17035550155"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="test", clock="frozen"), SPEC)) as running:
        yield running


def ask(server: Server, path: str, body: Any = None, key: str = KEY) -> Reply:
    return ask_plainly(server, "POST", path, body, Authorization=f"Bearer {key}")


def bridge(server: Server) -> str:
    numbers = {"from_number": MAIN, "to_number": ORDINARY, "connect_number": CONNECT}
    return str(ask(server, "/v1/calls/dial", numbers).body["data"]["call_id"])


def test_a_leg_is_handed_over_with_all_that_joining_needs(server: Server) -> None:
    call = bridge(server)
    reply = ask(server, f"/_revdesk/calls/{call}/legs/connect/token")
    handed = reply.body
    assert reply.status == 200
    assert handed.pop("token").startswith("eyJ")
    assert handed == {
        "room_url": server.url.replace("http", "ws"),
        "room_name": f"room_{call.removeprefix('call_')}",
        "call_id": call,
        "expires_in": 3600,
    }


def test_a_leg_is_handed_over_once_and_only_to_the_calls_own_key(server: Server) -> None:
    path = f"/_revdesk/calls/{bridge(server)}/legs/destination/token"
    assert ask(server, path, key="revdesk_another").status == 404
    assert [ask(server, path).status for _ in range(2)] == [200, 409]
    assert ask(server, path.replace("destination", "third")).status == 404


def test_an_agent_joins_only_a_room_that_is_open(server: Server) -> None:
    ask(server, "/v1/room-token", {"from_number": MAIN, "to_number": ORDINARY})
    assert ask(server, "/_revdesk/rooms/room_of_nobody/agents", {"agent_id": AGENT}).status == 404


def web_call(server: Server) -> str:
    ask(server, f"/v1/agents/{AGENT}/web-call")
    [world] = server.emulator.worlds()
    return str(next(call["id"] for _, call in world.store.newest("calls")))


def test_a_guest_is_invited_with_all_that_joining_needs(server: Server) -> None:
    call = web_call(server)
    reply = ask(server, f"/_revdesk/calls/{call}/guests", {"identity": "ann", "can_publish": False})
    assert (reply.status, reply.body["call_id"], reply.body["expires_in"]) == (200, call, 3600)
    claims = jwt.decode(reply.body["token"], options={"verify_signature": False})
    assert (claims["sub"], claims["video"]["room"]) == ("ann", reply.body["room_name"])
    assert [claims["video"][grant] for grant in ("canPublish", "canSubscribe", "canPublishData")] == [False, True, True]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"identity": ""},
        {"identity": "x" * 101},
        {"identity": "agent"},
        {"identity": "phone"},
        {"identity": "ann", "can_publish": "no"},
        {"identity": "ann", "may_publish": True},
    ],
)
def test_an_invitation_that_makes_no_sense_is_refused_with_what_would(server: Server, body: Any) -> None:
    reply = ask(server, f"/_revdesk/calls/{web_call(server)}/guests", body)
    assert (reply.status, bool(reply.body["error"]["fields"])) == (400, True)


def test_nobody_is_invited_to_what_has_ended_or_goes_straight_from_a_browser(server: Server) -> None:
    ended = web_call(server)
    ask(server, f"/v1/calls/{ended}/hangup")
    browser = ask(server, "/v1/webrtc-token", {"from_number": MAIN, "to_number": ORDINARY}).body["data"]["call_id"]
    for call in (ended, browser):
        assert ask(server, f"/_revdesk/calls/{call}/guests", {"identity": "ann"}).status == 409
    assert ask(server, f"/_revdesk/calls/{ended}/guests", {"identity": "ann"}, key="revdesk_another").status == 404


def test_a_call_is_driven_by_hand_over_the_wire(server: Server) -> None:
    numbers = {"from_number": MAIN, "to_number": ORDINARY}
    call = ask(server, "/v1/calls/dial", numbers).body["data"]["call_id"]
    path = f"/_revdesk/calls/{call}"
    assert ask(server, f"{path}/ring").body == {"call_id": call, "status": "RINGING", "digits": ""}
    assert ask(server, f"{path}/answer").body["status"] == "IN_PROGRESS"
    assert ask(server, f"{path}/digits", {"digits": "12#"}).body["digits"] == "12#"
    again = ask(server, f"{path}/ring")
    assert (again.status, again.body["error"]["code"]) == (409, "conflict")
    assert "in_progress" in again.body["error"]["message"]
    assert ask(server, f"{path}/hang-up").body["status"] == "COMPLETED"
    assert ask(server, f"{path}/hang-up", key="revdesk_another").status == 404


@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("digits", {}),
        ("digits", {"digits": ""}),
        ("digits", {"digits": "1 2"}),
        ("digits", {"digits": 12}),
        ("digits", {"digits": "1" * 1001}),
        ("ring", {"digits": "1"}),
        ("answer", []),
    ],
    ids=str,
)
def test_a_step_with_a_body_that_makes_no_sense_is_refused(server: Server, step: str, body: Any) -> None:
    call = ask(server, "/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY}).body["data"]["call_id"]
    reply = ask(server, f"/_revdesk/calls/{call}/{step}", body)
    assert (reply.status, bool(reply.body["error"]["fields"])) == (400, True)
