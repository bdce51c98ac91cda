"""All resources together: two keys are two worlds, and an empty account answers everywhere."""

from collections.abc import Callable
from typing import Any

import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.resources import HANDLERS
from revdesk_mock.settings import shipped
from revdesk_mock.spec import Spec
from tests.conftest import COMPANY, MAIN, ORDINARY, SIGNATURE, SIGNER, Client

NUMBER = "+13125550142"
OPERATIONS = Spec.load(shipped("openapi.json")).operations
BY_ID = [name for name in HANDLERS if "{" in OPERATIONS[name].path]
LISTS = ("/v1/phone-numbers", "/v1/calls", "/v1/agents")


def number_of(client: Client) -> str:
    record = client.post("/v1/phone-numbers", {"phone_number": NUMBER}).data["phone_record_id"]
    client.advance(5)
    return str(record)


def call_of(client: Client) -> str:
    return str(client.post("/v1/room-token", {"from_number": MAIN, "to_number": ORDINARY}).data["call_id"])


def agent_of(client: Client) -> str:
    number_of(client)
    return str(client.get("/v1/agents?limit=1").data[0]["id"])


def document_of(client: Client) -> str:
    upload = {"file_base64": "JVBERi0xLjcK", "filename": "letter.pdf"}
    return str(client.post("/v1/caller-trust/documents", upload).data["document_id"])


def watched_number_of(client: Client) -> str:
    number_of(client)
    return NUMBER


def caller_id_of(client: Client) -> str:
    started = client.post("/v1/caller-ids", {"phone_number": "+13125550177"}).data["caller_id_id"]
    record = client.world.store.get("caller_ids", started)
    assert record is not None
    client.post(f"/v1/caller-ids/{started}/verify", {"verification_code": record["code"]})
    return str(started)


def sub_entity_of(client: Client) -> str:
    return str(client.post("/v1/sub-entities", {"name": "Uptown"}).data["id"])


def enterprise_of(client: Client) -> str:
    return str(client.post("/v1/caller-trust/enterprise", COMPANY).data["id"])


def submitted_enterprise_of(client: Client) -> str:
    enterprise_of(client)
    return str(client.post("/v1/caller-trust/enterprise/submit").data["id"])


def signed_enterprise_of(client: Client) -> str:
    enterprise_of(client)
    return str(client.post("/v1/caller-trust/enterprise/sign-and-submit", SIGNATURE).data["id"])


# What makes a record of one's own, by the operation that wants it so or else by the path that shows it.
MADE: dict[str, Callable[[Client], str]] = {
    "/v1/phone-numbers/": number_of,
    "/v1/usage/": number_of,
    "/v1/calls/": call_of,
    "/v1/agents/": agent_of,
    "/v1/caller-ids/": caller_id_of,
    "/v1/caller-trust/documents/": document_of,
    "/v1/caller-trust/reputation/numbers/": watched_number_of,
    "/v1/caller-trust/enterprise/": enterprise_of,
    "v1_caller_trust_enterprise_id_generate_loa_post": submitted_enterprise_of,
    "v1_caller_trust_enterprise_id_resign_post": signed_enterprise_of,
    "/v1/sub-entities/": sub_entity_of,
}
# What a by-id write needs in its body.
BODIES = {
    "v1_sub_entities_id_patch": {"name": "Uptown"},
    "v1_caller_ids_id_patch": {"cnam_display_name": "Harbor"},
    "v1_caller_ids_id_verify_post": {"verification_code": "000000"},
    "v1_caller_trust_enterprise_id_generate_loa_post": SIGNER,
    "v1_caller_trust_enterprise_id_resign_post": SIGNATURE,
    "v1_caller_trust_enterprise_id_sign_and_submit_post": SIGNATURE,
}


@pytest.fixture
def other(emulator: Emulator) -> Client:
    return Client(emulator, "revdesk_another")


@pytest.fixture
def empty() -> Client:
    settings = Settings(seed="test", clock="frozen", data=shipped("fixtures/empty.json"))
    return Client(Emulator(settings))


def ask(client: Client, name: str, record: str) -> int:
    """Ask for a by-id operation and return the status."""
    operation = OPERATIONS[name]
    start, _, rest = operation.path.partition("{")
    path = f"{start}{record}{rest.partition('}')[2]}"
    return client(operation.method, path, None if operation.request is None else BODIES.get(name, {})).status


@pytest.mark.parametrize("name", BY_ID)
def test_the_id_of_another_keys_record_is_not_found(client: Client, other: Client, name: str) -> None:
    make = MADE.get(name) or MADE[OPERATIONS[name].path.partition("{")[0]]
    record = make(client)
    other.get("/v1/me")
    before = other.world.dump()
    assert ask(other, name, record) == 404
    assert other.world.dump() == before
    assert ask(client, name, record) == 200


def test_what_one_key_writes_another_does_not_see(client: Client, other: Client) -> None:
    before = [other.get(path).body for path in (*LISTS, "/v1/usage", "/v1/account", "/v1/sms/config")]
    number_of(client)
    call_of(client)
    client("PATCH", "/v1/sms/config", {"auto_reply_enabled": True})
    client("DELETE", "/v1/phone-numbers/1001")
    after = [other.get(path).body for path in (*LISTS, "/v1/usage", "/v1/account", "/v1/sms/config")]
    assert after == before


def test_two_keys_may_have_the_same_number(client: Client, other: Client) -> None:
    assert number_of(client) != number_of(other)


def test_one_keys_time_is_not_anothers(client: Client, other: Client) -> None:
    record = other.post("/v1/phone-numbers", {"phone_number": NUMBER}).data["phone_record_id"]
    client.advance(60)
    assert other.get(f"/v1/phone-numbers/{record}").data["is_active"] is False


# the empty account


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_account_has_empty_lists(empty: Client, path: str) -> None:
    answer = empty.get(path)
    assert (answer.status, answer.data, answer.body["meta"]["page_size"]) == (200, [], 0)
    assert "cursor" not in answer.body["meta"]


def test_an_empty_account_has_an_owner(empty: Client) -> None:
    assert empty.get("/v1/me").data["organization"]["name"] == "Harbor Dental"
    assert empty.get("/v1/account").data["footprint"]["phone_numbers"] == 0


def test_an_empty_account_used_nothing(empty: Client) -> None:
    data = empty.get("/v1/usage").data
    assert (data["calls_placed"], data["minutes_used"], data["phone_numbers_active"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/calls", {"phoneNumber": ORDINARY}, 409),
        ("/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY}, 422),
        ("/v1/webrtc-token", {"from_number": MAIN, "to_number": ORDINARY}, 422),
        ("/v1/room-token", {"from_number": MAIN, "to_number": ORDINARY}, 422),
        ("/v1/client-tokens", {"from_numbers": [MAIN]}, 422),
        ("/v1/sms/send", {"from": MAIN, "to": ORDINARY, "message": "Hello"}, 422),
    ],
)
def test_an_empty_account_calls_nobody(empty: Client, path: str, body: dict[str, Any], status: int) -> None:
    before = empty.world.dump()
    assert empty.post(path, body).status == status
    assert empty.world.dump() == before


def test_an_empty_account_may_buy_and_then_call(empty: Client) -> None:
    number_of(empty)
    call = empty.post("/v1/calls", {"phoneNumber": ORDINARY})
    assert empty.get(f"/v1/calls/{call.data['call_id']}").data["from_number"] == NUMBER
    assert empty.emulator.pipeline.breaches == []
