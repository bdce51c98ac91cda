"""Keys beside the first one: what mints them, what they may do, and that nobody reads them again."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from revdesk_mock import Emulator, Settings, dumps
from revdesk_mock.emulator import export
from revdesk_mock.server import Server
from revdesk_mock.simulation.credentials import SCOPES
from tests.conftest import KEY, MAIN, ORDINARY, Client, emulator_with, reopened
from tests.test_app import Reply, ask

UPTOWN = "9d4b7c20-61fe-4a35-8e02-c5a7f3d81b96"  # the fixture's sub-entity
KEYS = "/_revdesk/keys"
PAIR = {"from_number": MAIN, "to_number": ORDINARY}
SUB_ENTITY = {"owner": "sub_entity", "sub_entity_id": UPTOWN}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="keys", clock="frozen", rate_limit="off"))) as running:
        yield running
    assert running.emulator.pipeline.breaches == []


def mint(server: Server, order: Any, bearer: str = KEY) -> Reply:
    return ask(server, "POST", KEYS, order, Authorization=f"Bearer {bearer}")


def look(server: Server, key: str, path: str = "/v1/me") -> Any:
    return ask(server, "GET", path, Authorization=f"Bearer {key}").body["data"]


# minting


@pytest.mark.parametrize(
    ("order", "organization"),
    [({"owner": "organization"}, "Harbor Dental"), ({"owner": "user"}, None), (SUB_ENTITY, "Harbor Dental Uptown")],
    ids=["organization", "user", "sub_entity"],
)
def test_a_minted_key_comes_to_the_world_of_the_key_that_asked(
    server: Server, order: dict[str, str], organization: str | None
) -> None:
    minted = mint(server, order)
    assert (minted.status, list(minted.body)) == (200, ["key", "api_key_id", "scopes"])
    assert server.emulator.world(minted.body["key"]) is server.emulator.world(KEY)
    me = look(server, minted.body["key"])
    assert (me["api_key_id"], me["user"]["name"]) == (minted.body["api_key_id"], "Sam Rivera")
    assert me["organization"] == organization or me["organization"]["name"] == organization
    assert (sorted(minted.body["scopes"]), me["scopes"]) == (sorted(SCOPES), sorted(SCOPES))


def test_every_minted_key_is_another(server: Server) -> None:
    minted = [mint(server, {"owner": "organization"}).body for _ in range(3)]
    assert len({key["key"] for key in minted}) == len({key["api_key_id"] for key in minted}) == 3
    assert all(len(key["key"]) == len("revdesk_") + 32 for key in minted)


def test_a_minted_key_mints_in_the_same_world(server: Server) -> None:
    first = mint(server, {"owner": "organization"}).body["key"]
    second = mint(server, SUB_ENTITY, bearer=first).body["key"]
    assert look(server, second)["organization"]["id"] == UPTOWN


BAD_ORDERS: dict[str, tuple[Any, int, str]] = {
    "no JSON": (b"owner", 400, "body"),
    "no object": ([], 400, "body"),
    "nothing": ({}, 400, "body"),
    "owner of another type": ({"owner": 1}, 400, "body"),
    "unknown owner": ({"owner": "team"}, 400, "owner"),
    "unknown field": ({"owner": "user", "name": "CI"}, 400, "body"),
    "sub-entity without its id": ({"owner": "sub_entity"}, 400, "sub_entity_id"),
    "sub-entity that is null": ({"owner": "sub_entity", "sub_entity_id": None}, 400, "sub_entity_id"),
    "sub-entity of another type": ({"owner": "sub_entity", "sub_entity_id": 7}, 400, "body"),
    "sub-entity that is not there": ({"owner": "sub_entity", "sub_entity_id": "nope"}, 404, ""),
    "organization with a sub-entity": ({**SUB_ENTITY, "owner": "organization"}, 400, "sub_entity_id"),
    "user's key without a user": ({"owner": "user", "has_user": False}, 400, "has_user"),
    "has_user of another type": ({"owner": "organization", "has_user": "no"}, 400, "body"),
    "scopes of another type": ({"owner": "organization", "scopes": "calls:read"}, 400, "body"),
    "a scope of another type": ({"owner": "organization", "scopes": ["calls:read", 1]}, 400, "body"),
    "unknown scope": ({"owner": "organization", "scopes": ["calls:read", "calls:rite"]}, 400, "scopes"),
}


@pytest.mark.parametrize(("order", "status", "field"), BAD_ORDERS.values(), ids=BAD_ORDERS)
def test_a_bad_order_is_refused_and_mints_nothing(server: Server, order: Any, status: int, field: str) -> None:
    before = server.emulator.dump()
    refused = mint(server, order)
    error = refused.body["error"]
    assert (refused.status, error["code"]) == (status, "validation_error" if status == 400 else "not_found")
    assert list(error.get("fields", {})) == ([field] if field else [])
    assert server.emulator.dump() == before


def test_the_sub_entity_of_another_world_is_not_found(server: Server) -> None:
    made = ask(server, "POST", "/v1/sub-entities", {"name": "Elsewhere"}, Authorization="Bearer revdesk_elsewhere")
    order = {"owner": "sub_entity", "sub_entity_id": made.body["data"]["id"]}
    assert mint(server, order).status == 404
    assert mint(server, order, bearer="revdesk_elsewhere").status == 200


@pytest.mark.parametrize("bearer", ["", "revdesk_revoked_1", "rdc_a.b.c"])
def test_minting_needs_a_key_that_is_let_in(server: Server, bearer: str) -> None:
    assert mint(server, {"owner": "organization"}, bearer=bearer).status == 401


def test_where_only_given_keys_are_let_in_those_that_they_minted_are_too() -> None:
    client = Client(Emulator(Settings(seed="test", clock="frozen", api_keys=(KEY,))))
    assert client.with_key("user").get("/v1/me").status == 200
    assert Client(client.emulator, "revdesk_0").get("/v1/me").status == 401


# what a minted key may do


def test_scopes_are_those_asked_for_in_their_usual_order(server: Server) -> None:
    asked = ["calls:write", "account:read", "calls:write"]
    minted = mint(server, {"owner": "organization", "scopes": asked}).body
    assert minted["scopes"] == ["account:read", "calls:write"]
    bearer = {"Authorization": f"Bearer {minted['key']}"}
    assert ask(server, "POST", "/v1/calls/dial", PAIR, **bearer).status == 200
    assert ask(server, "GET", "/v1/calls", **bearer).status == 403


def test_a_key_without_a_scope_can_ask_who_it_is(client: Client) -> None:
    nobody = client.with_key(scopes=[])
    assert nobody.get("/v1/me").data["scopes"] == []
    assert nobody.get("/v1/account").status == 403


def test_a_key_that_no_person_issued_has_no_user(client: Client) -> None:
    machine = client.with_key(has_user=False)
    assert machine.get("/v1/me").data["user"] is None
    call = machine.post("/v1/calls/dial", PAIR).data["call_id"]
    assert machine.get(f"/v1/calls/{call}").data["user_id"] is None


def test_all_keys_of_a_demo_world_are_demo_keys(emulator: Emulator) -> None:
    minted = Client(emulator, "revdesk_demo_1").with_key()
    me = minted.get("/v1/me")
    assert (me.data["is_demo"], me.headers["x-ratelimit-limit"]) == (True, "120")
    assert minted.post("/v1/calls/dial", {**PAIR, "to_number": "+14155552671"}).status == 403


def test_each_key_has_a_rate_limit_of_its_own(client: Client) -> None:
    other = client.with_key()
    for _ in range(3):
        client.get("/v1/me")
    assert client.get("/v1/me").headers["x-ratelimit-remaining"] == "596"
    assert other.get("/v1/me").headers["x-ratelimit-remaining"] == "599"


def test_each_key_has_idempotency_keys_of_its_own(client: Client) -> None:
    other = client.with_key()
    first, second = (one.post("/v1/calls/dial", PAIR, idempotency_key="a") for one in (client, other))
    assert first.data["call_id"] != second.data["call_id"]
    assert "idempotency-replay" not in second.headers
    assert other.post("/v1/calls/dial", {**PAIR, "record": False}, idempotency_key="b").status == 200
    assert client.post("/v1/calls/dial", PAIR, idempotency_key="b").status == 200


# client tokens of a minted key


def uptown_with_a_number(client: Client) -> tuple[Client, str]:
    """Return a sub-entity's client and the number that it has bought."""
    uptown = client.with_key("sub_entity", team=UPTOWN)
    assert uptown.post("/v1/phone-numbers", {"phone_number": "+13125550142"}).status == 200
    uptown.advance(5)
    return uptown, "+13125550142"


def with_token(client: Client, number: str) -> Client:
    """Return a client that speaks with a client token of this one's key."""
    minted = client.post("/v1/client-tokens", {"from_numbers": [number], "scopes": ["calls:write", "calls:read"]})
    assert minted.status == 200
    return Client(client.emulator, minted.data["token"])


def test_a_sub_entitys_client_token_is_as_limited_as_its_key(client: Client) -> None:
    theirs = client.post("/v1/calls/dial", PAIR).data["call_id"]
    uptown, number = uptown_with_a_number(client)
    token = with_token(uptown, number)
    assert token.get("/v1/calls").data == []
    assert token.get(f"/v1/calls/{theirs}").status == 404
    call = token.post("/v1/calls/dial", {**PAIR, "from_number": number}).data["call_id"]
    assert [shown["id"] for shown in uptown.get("/v1/calls").data] == [call]
    assert uptown.get(f"/v1/calls/{call}").data["organization_id"] == UPTOWN


def test_a_sub_entitys_key_mints_no_token_for_numbers_that_are_not_its_own(client: Client) -> None:
    uptown, number = uptown_with_a_number(client)
    assert uptown.post("/v1/client-tokens", {"from_numbers": [number, MAIN]}).status == 422


def test_a_client_token_comes_to_the_world_of_its_key_by_the_admin_api_too(server: Server) -> None:
    body = {"from_numbers": [MAIN]}
    token = ask(server, "POST", "/v1/client-tokens", body).body["data"]["token"]
    before = len(server.emulator.worlds())
    bearer = {"Authorization": f"Bearer {token}"}
    moved = ask(server, "POST", "/_revdesk/clock", {"advance_seconds": 60}, **bearer).body["now"]
    assert ask(server, "GET", "/_revdesk/clock").body["now"] == moved
    assert len(server.emulator.worlds()) == before


# who reads them


def test_a_key_is_shown_once_and_kept_nowhere(server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = mint(server, {"owner": "organization"}).body["key"]
    bearer = {"Authorization": f"Bearer {key}"}
    answers = [
        ask(server, "GET", "/v1/me", **bearer),
        ask(server, "POST", "/v1/calls/dial", {"from_number": key}, **bearer),
        ask(server, "GET", f"/v1/calls/{key}", **bearer),
    ]
    explained = [
        ask(server, "GET", f"/_revdesk/explain/{answer.headers['x-request-id']}").raw.decode() for answer in answers
    ]
    assert all("Bearer $REVDESK_API_KEY" in text for text in explained)
    file = tmp_path / "worlds.json"
    export(server.emulator, file)
    record = server.emulator.world(key).store.all("keys")[-1]
    for text in (*explained, file.read_text(), json.dumps(record), caplog.text):
        assert key not in text
        assert key.removeprefix("revdesk_") not in text


def test_a_key_and_its_tokens_survive_an_export(client: Client, tmp_path: Path) -> None:
    uptown, number = uptown_with_a_number(client)
    machine = client.with_key(has_user=False, scopes=["calls:read", "account:read"])
    token = with_token(uptown, number)
    clients = (client, uptown, machine, token)
    before = [[one.get(path).body for path in ("/v1/me", "/v1/calls", "/v1/phone-numbers")] for one in clients]
    emulator = reopened(client, tmp_path).emulator
    again = [Client(emulator, one.key) for one in clients]
    assert [[one.get(path).body for path in ("/v1/me", "/v1/calls", "/v1/phone-numbers")] for one in again] == before
    assert len({id(one.world) for one in again}) == 1


def test_the_settings_of_a_sub_entity_survive_an_export(client: Client, tmp_path: Path) -> None:
    uptown = client.with_key("sub_entity", team=UPTOWN)
    uptown("PATCH", "/v1/sms/config", {"default_prompt": "Be brief."})
    back = Client(reopened(client, tmp_path).emulator, uptown.key)
    assert back.get("/v1/sms/config").data["default_prompt"] == "Be brief."


def test_a_world_that_is_used_as_a_fixture_hands_on_no_key(client: Client, tmp_path: Path) -> None:
    minted = client.with_key("sub_entity", team=UPTOWN)
    fixture = tmp_path / "world.json"
    fixture.write_bytes(orjson.dumps(client.world.dump()))
    assert "keys" not in dumps.load(fixture)["records"]
    emulator = Emulator(Settings(data=fixture, seed="test", clock="frozen"))
    Client(emulator, "revdesk_one").get("/v1/me")
    assert Client(emulator, minted.key).world is not Client(emulator, "revdesk_one").world


def test_the_same_seed_mints_the_same_keys() -> None:
    keys = [[one.key for one in (client.with_key(), client.with_key("user"))] for client in map(Client, twins())]
    assert keys[0] == keys[1]


def twins() -> list[Emulator]:
    return [emulator_with(), emulator_with()]
