"""The admin API of live calls over the wire: tokens for legs, and what is refused before any room is open."""

from collections.abc import Iterator
from typing import Any

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
