"""Account: who a credential belongs to, what it may do, and what the organization has."""

from pathlib import Path
from typing import Any

import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.simulation.credentials import SCOPES
from tests.conftest import COMPANY, KEY, MAIN, RECALL, Client, reopened

DEMO_KEY, READ_ONLY_KEY = "revdesk_demo_0123456789", "revdesk_readonly_0123456789"
USER = {"id": "0b9d7e54-8a26-4f3c-b1e7-5c2d9a6f8e40", "email": "sam@harbor-dental.example", "name": "Sam Rivera"}
ORGANIZATION = {"id": "6f1c2a9e-3b57-4c1d-9a84-0f5e7d2b6c31", "name": "Harbor Dental", "slug": "harbor-dental"}


def with_token(client: Client, **body: Any) -> Client:
    """Return a client that speaks with a client token of this client's key."""
    answer = client.post("/v1/client-tokens", {"from_numbers": [MAIN], **body})
    assert answer.status == 200
    return Client(client.emulator, answer.data["token"])


def footprint(client: Client) -> dict[str, Any]:
    return dict(client.get("/v1/account").data["footprint"])


@pytest.mark.parametrize("path", ["/v1/me", "/v1/account"])
def test_a_key_has_a_user_and_an_organization(client: Client, path: str) -> None:
    data = client.get(path).data
    assert data["user"] == USER
    assert data["organization"] == ORGANIZATION


@pytest.mark.parametrize("path", ["/v1/me", "/v1/account"])
def test_only_a_demo_key_is_demo(emulator: Emulator, path: str) -> None:
    shown = {key: Client(emulator, key).get(path).data["is_demo"] for key in (KEY, DEMO_KEY, READ_ONLY_KEY)}
    assert shown == {KEY: False, DEMO_KEY: True, READ_ONLY_KEY: False}


def test_an_ordinary_key_has_every_scope(client: Client) -> None:
    assert client.get("/v1/me").data["scopes"] == sorted(SCOPES)


def test_a_read_only_key_has_the_read_scopes(emulator: Emulator) -> None:
    scopes = Client(emulator, READ_ONLY_KEY).get("/v1/me").data["scopes"]
    assert scopes == sorted(scope for scope in SCOPES if scope.endswith(":read"))


def test_a_read_only_key_writes_nothing(emulator: Emulator) -> None:
    client = Client(emulator, READ_ONLY_KEY)
    before = client.world.dump()
    assert client.post("/v1/phone-numbers", {}).status == 403
    assert client.world.dump() == before


def test_an_ordinary_key_has_no_demo_that_ends(client: Client) -> None:
    assert client.get("/v1/me").data["demo_expires_at"] is None


def test_a_demo_ends_14_days_after_its_key_was_first_seen(emulator: Emulator) -> None:
    demo = Client(emulator, DEMO_KEY)
    assert demo.get("/v1/me").data["demo_expires_at"] == "2026-01-19T09:00:00.000Z"
    demo.advance(3 * 86_400)
    assert demo.get("/v1/me").data["demo_expires_at"] == "2026-01-19T09:00:00.000Z"


def test_a_restored_demo_ends_when_it_would_have(emulator: Emulator, tmp_path: Path) -> None:
    demo = Client(emulator, DEMO_KEY)
    ends = demo.get("/v1/me").data["demo_expires_at"]
    demo.advance(86_400)
    assert reopened(demo, tmp_path).get("/v1/me").data["demo_expires_at"] == ends


def test_each_key_has_an_id_of_its_own_that_stays(emulator: Emulator) -> None:
    ids = {Client(emulator, key).get("/v1/me").data["api_key_id"] for key in (KEY, DEMO_KEY, READ_ONLY_KEY)}
    assert len(ids) == 3
    assert Client(emulator).get("/v1/account").data["api_key_id"] in ids


def test_a_client_token_shows_its_own_scopes_and_its_keys_id(client: Client) -> None:
    data = with_token(client).get("/v1/me").data
    assert data["scopes"] == ["voice:webrtc"]
    assert data["api_key_id"] == client.get("/v1/me").data["api_key_id"]
    assert data["organization"] == ORGANIZATION


def test_a_client_token_of_a_demo_key_is_demo(emulator: Emulator) -> None:
    data = with_token(Client(emulator, DEMO_KEY)).get("/v1/me").data
    assert data["is_demo"] is True
    assert data["demo_expires_at"] == "2026-01-19T09:00:00.000Z"


def test_a_client_token_sees_the_account_only_with_the_scope_for_it(client: Client) -> None:
    assert with_token(client).get("/v1/account").status == 403
    assert with_token(client, scopes=["account:read"]).get("/v1/account").data["organization"] == ORGANIZATION


def test_the_account_has_a_plan_and_no_brand_of_its_own(client: Client) -> None:
    data = client.get("/v1/account").data
    assert data["plan"]
    assert data["footprint"] == {
        "phone_numbers": 2,
        "enrolled_reputation_numbers": 1,
        "own_brand_enterprise": False,
    }


def test_a_brand_of_ones_own_is_one_that_the_carrier_knows(client: Client) -> None:
    path = "/v1/caller-trust/enterprise"
    branch = client.with_key("sub_entity", team=client.post("/v1/sub-entities", {"name": "Uptown"}).data["id"])
    seen = []
    for method, rest, body in (("POST", "", COMPANY), ("POST", "/submit", None), ("DELETE", "", None)):
        assert client(method, f"{path}{rest}", body).status == 200
        seen.append([footprint(each)["own_brand_enterprise"] for each in (client, branch)])
    assert seen == [[False, False], [True, True], [False, False]]


def test_a_number_counts_from_the_moment_it_is_bought_until_it_is_released(client: Client) -> None:
    bought = client.post("/v1/phone-numbers", {}).data["phone_record_id"]
    assert footprint(client)["phone_numbers"] == 3
    client("DELETE", f"/v1/phone-numbers/{bought}")
    assert footprint(client)["phone_numbers"] == 2


def test_a_number_counts_as_enrolled_while_it_is(client: Client) -> None:
    client.post("/v1/caller-trust/reputation/numbers", {"phone_numbers": [RECALL]})
    assert footprint(client)["enrolled_reputation_numbers"] == 2
    client("DELETE", f"/v1/caller-trust/reputation/numbers/{MAIN}")
    assert footprint(client)["enrolled_reputation_numbers"] == 1


def test_a_world_without_owners_answers_null_for_both(tmp_path: Path) -> None:
    fixture = tmp_path / "bare.json"
    fixture.write_text('{"format": 1, "records": {}}')
    client = Client(Emulator(Settings(data=fixture, seed="test", clock="frozen")))
    for path in ("/v1/me", "/v1/account"):
        data = client.get(path).data
        assert data["user"] is None
        assert data["organization"] is None
