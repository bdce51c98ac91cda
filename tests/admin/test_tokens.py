"""The admin API of join tokens: their life as it is listed, and taking one back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from revdesk_mock import ApiError, Emulator, Settings, legs, placement
from revdesk_mock.server import Server
from tests.conftest import AGENT, MAIN, ORDINARY, SPEC, Client, reopened
from tests.test_app import Reply
from tests.test_app import ask as ask_plainly

PAIR = {"from_number": MAIN, "to_number": ORDINARY}
CONNECT = "+17035550155"
TOKENS = "/_revdesk/tokens"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="tokens", clock="frozen"), SPEC)) as running:
        yield running


def ask(server: Server, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    return ask_plainly(server, method, path, body, **headers)


def listed(server: Server) -> Any:
    return ask(server, "GET", TOKENS).body


def test_tokens_are_listed_with_their_state_and_without_themselves(server: Server) -> None:
    minted = [
        ask(server, "POST", "/v1/webrtc-token", PAIR).body["data"]["token"],
        ask(server, "POST", "/v1/room-token", PAIR).body["data"]["token"],
    ]
    calling, room = listed(server)
    assert calling.keys() == {"id", "kind", "call_id", "leg", "state", "issued_at", "expires_at"}
    assert [(token["kind"], token["state"], token["leg"]) for token in (calling, room)] == [
        ("calling", "issued", None),
        ("room", "issued", None),
    ]
    assert (room["issued_at"], room["expires_at"]) == ("2026-01-05T09:00:00.000Z", "2026-01-05T10:00:00.000Z")
    shown = ask(server, "GET", TOKENS).raw.decode()
    assert not any(token in shown for token in minted)
    ask(server, "POST", "/_revdesk/clock", {"advance_seconds": 5 * 3600})
    assert [token["state"] for token in listed(server)] == ["expired", "revoked"]  # the room's call had ended before


def test_a_token_is_revoked_once(server: Server) -> None:
    ask(server, "POST", "/v1/room-token", PAIR)
    [token] = listed(server)
    path = f"{TOKENS}/{token['id']}"
    assert [ask(server, "DELETE", path).status for _ in range(2)] == [204, 409]
    assert [token["state"] for token in listed(server)] == ["revoked"]
    assert ask(server, "DELETE", f"{TOKENS}/nope").status == 404


def test_tokens_are_those_of_the_calls_that_a_key_sees(server: Server) -> None:
    ask(server, "POST", "/v1/room-token", PAIR)
    [token] = listed(server)
    assert ask(server, "GET", TOKENS, Authorization="Bearer revdesk_another").body == []
    path = f"{TOKENS}/{token['id']}"
    assert ask(server, "DELETE", path, Authorization="Bearer revdesk_another").status == 404


# what becomes of the call


def minted(client: Client, path: str, body: Any = None) -> str:
    return str(client.post(path, body).data["token"])


def take_back(client: Client) -> None:
    placement.revoke(client.world, client.world.store.all("tokens")[-1])


def last_call(client: Client) -> Any:
    client.world.run_due()
    return client.world.store.all("calls")[-1]


def test_a_revoked_token_is_refused_as_revoked_after_a_restart_too(client: Client, tmp_path: Path) -> None:
    token = minted(client, "/v1/room-token", PAIR)
    take_back(client)
    for one in (client, reopened(client, tmp_path)):
        with pytest.raises(ApiError, match="The token is revoked") as caught:
            placement.join(one.world, token)
        assert caught.value.status == 401
    assert last_call(client)["ended_at"] is None  # RevDesk placed it: it does not wait for anybody


@pytest.mark.parametrize(("path", "body"), [("/v1/webrtc-token", PAIR), (f"/v1/agents/{AGENT}/web-call", None)])
def test_a_call_to_which_nobody_can_come_any_more_is_canceled(client: Client, path: str, body: Any) -> None:
    minted(client, path, body)
    take_back(client)
    assert last_call(client)["status"] == "canceled"


def test_a_call_to_which_a_guest_can_come_goes_on_waiting(client: Client) -> None:
    minted(client, f"/v1/agents/{AGENT}/web-call")
    call = last_call(client)
    with client.world.store.transaction():
        guest = client.world.join_tokens.issue_room(call, "ann", 60)
    placement.revoke(client.world, client.world.store.all("tokens")[0])
    assert last_call(client)["status"] == "queued"
    assert placement.join(client.world, guest)["id"] == call["id"]


def test_a_leg_whose_token_is_revoked_is_a_phone_again(client: Client) -> None:
    client.post("/v1/calls/dial", {**PAIR, "connect_number": CONNECT})
    legs.hand_over(client.world, last_call(client), "connect")
    client.advance(10)
    assert last_call(client)["status"] == "ringing"
    take_back(client)
    assert last_call(client)["status"] == "in_progress"
    legs.hand_over(client.world, last_call(client), "connect")


def test_a_token_that_was_used_is_not_revoked(client: Client) -> None:
    placement.join(client.world, minted(client, "/v1/room-token", PAIR))
    with pytest.raises(ApiError, match="The token is joined"):
        take_back(client)
