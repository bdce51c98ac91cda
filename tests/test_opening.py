"""A world is ordered with a fixture, seed, clock, policies and scopes; a bad order is refused whole, in plain words."""

from typing import Any

import orjson
import pytest

from revdesk_mock import Emulator, Settings, StartError, opening
from revdesk_mock.clock import iso
from revdesk_mock.messages import JSON
from revdesk_mock.settings import WatchedPolicies, shipped
from tests.conftest import AGENT, KEY, MAIN, ORDINARY, SPEC, Client

FIXTURE: JSON = orjson.loads(shipped("fixtures/default.json").read_bytes())


def opened(emulator: Emulator, **order: Any) -> Client:
    ordered = opening.read(order, emulator.settings)
    emulator.open(ordered)
    return Client(emulator, ordered.key)


def test_a_world_without_an_order_is_what_any_key_opens(emulator: Emulator) -> None:
    ordered, by_key = opened(emulator), Client(emulator, KEY)
    assert ordered.get("/v1/phone-numbers").data == by_key.get("/v1/phone-numbers").data
    assert ordered.world.key.scopes == by_key.world.key.scopes
    assert ordered.key != opened(emulator).key


@pytest.mark.parametrize(("order", "owner", "is_demo"), [
    ({}, "organization", False),
    ({"kind": "user"}, "user", False),
    ({"demo": True}, "organization", True),
    ({"key": "revdesk_demo_mine"}, "organization", True),
    ({"data": "empty"}, "organization", False),
])  # fmt: skip
def test_the_order_says_whose_the_key_is(emulator: Emulator, order: JSON, owner: str, *, is_demo: bool) -> None:
    key = opened(emulator, **order).world.key
    assert (key.owner, key.is_demo) == (owner, is_demo)


def test_scopes_are_those_that_were_ordered(emulator: Emulator) -> None:
    client = opened(emulator, scopes=["calls:read"])
    assert client.get("/v1/calls").status == 200
    assert client.get("/v1/agents").status == 403


def test_a_fixture_comes_by_name_or_as_it_is(emulator: Emulator) -> None:
    assert opened(emulator, data="empty").get("/v1/phone-numbers").data == []
    dump = {**FIXTURE, "records": {**FIXTURE["records"], "phone_numbers": FIXTURE["records"]["phone_numbers"][:1]}}
    assert len(opened(emulator, data=dump).get("/v1/phone-numbers").data) == 1


def test_a_seed_makes_ids_repeat_under_any_key(emulator: Emulator) -> None:
    one, two, other = (opened(emulator, seed=seed) for seed in ("7", 7, "8"))
    first, second, third = (client.post("/v1/phone-numbers", {}).data for client in (one, two, other))
    assert first["workflow_run_id"] == second["workflow_run_id"] != third["workflow_run_id"]


def test_calling_tokens_of_worlds_with_one_seed_differ(emulator: Emulator) -> None:
    numbers = {"from_number": MAIN, "to_number": ORDINARY}
    tokens = {opened(emulator, seed=7).post("/v1/webrtc-token", numbers).data["token"] for _ in range(2)}
    assert len(tokens) == 2


def test_a_clock_stands_at_an_instant_or_runs(emulator: Emulator) -> None:
    standing = opened(emulator, clock="2030-01-31T12:00:00Z").world
    assert standing.clock.frozen
    assert iso(standing.clock.now()) == "2030-01-31T12:00:00.000Z"
    assert not opened(emulator, clock="real").world.clock.frozen


def test_policies_are_a_worlds_own(emulator: Emulator) -> None:
    strict, usual = opened(emulator, policy={"foreign_id_status": 403, "concurrency_cap": None}), Client(emulator)
    assert strict.get("/v1/calls/none").status == 403
    assert usual.get("/v1/calls/none").status == 404
    assert strict.world.policies.concurrency_cap is None


POLICIES_BEFORE_THE_HANDLER = [
    ({"wrong_method_status": "404"}, ("DELETE", "/v1/me", None), 404, 405),
    ({"wrong_content_type_status": "415"}, ("POST", "/v1/calls/dial", b"{}"), 415, 400),
    ({"unknown_body_fields": "reject"}, ("PATCH", f"/v1/agents/{AGENT}", {"colour": "red"}), 400, 200),
]


@pytest.mark.parametrize(("policy", "request_", "own", "usual"), POLICIES_BEFORE_THE_HANDLER)
def test_a_worlds_policies_hold_from_the_first_step_on(
    emulator: Emulator, policy: JSON, request_: tuple[str, str, Any], own: int, usual: int
) -> None:
    asked = (opened(emulator, policy=policy), Client(emulator))
    headers = {"content_type": "text/plain"} if isinstance(request_[2], bytes) else {}
    assert [client(*request_, **headers).status for client in asked] == [own, usual]


def test_an_own_request_id_is_echoed_where_the_worlds_policy_says_so(emulator: Emulator) -> None:
    client = opened(emulator, policy={"request_id": "echo"})
    assert client.get("/v1/me", x_request_id="mine").headers["x-request-id"] == "mine"


def test_watched_policies_tell_which_were_read(emulator: Emulator) -> None:
    client = opened(emulator, watch_policies=True)
    client.get("/v1/calls/none")
    policies = client.world.policies
    assert isinstance(policies, WatchedPolicies)
    assert "foreign_id_status" in policies.read
    assert "texting_approval" not in policies.read
    assert list(policies.describe()) == list(emulator.settings.policies.describe())
    client.world.settle(policies.changed({"foreign_id_status": "403"}))
    client.post("/v1/sms/send", {"from": MAIN, "to": ORDINARY, "message": "Hello"})
    assert isinstance(client.world.policies, WatchedPolicies)
    assert {"foreign_id_status", "texting_approval"} <= client.world.policies.read
    assert "caller_id_code" not in client.world.policies.read, "to copy and show them all is not to read them"


REFUSED = [
    ({"colour": "red"}, "a world has no 'colour'"),
    ({"sed": 1}, "did you mean 'seed'"),
    ({"seed": True}, "seed: True is neither a text nor a whole number"),
    ({"kind": "sub_entity"}, "kind: 'sub_entity' is no kind of key; it takes organization or user"),
    ({"demo": "yes"}, "demo: 'yes' is neither true nor false"),
    ({"demo": True, "kind": "user"}, "demo: a demo key is an organization's"),
    ({"key": "with space"}, "key: it takes a text"),
    ({"key": 5}, "key: it takes a text"),
    ({"key": "revdesk_mine", "demo": True}, "key: its own text says what it is"),
    ({"key": "revdesk_revoked"}, "key: The API key is revoked."),
    ({"scopes": "calls:read"}, "scopes: it takes a list"),
    ({"scopes": ["call:read"]}, "scopes: 'call:read' does not exist; did you mean 'calls:read'?"),
    ({"data": "registred"}, "data: no fixture 'registred' comes with the product; it takes default, empty, registered"),
    ({"data": {"records": {"calls": [{}]}}}, "data: "),
    ({"clock": "noon"}, "clock: 'noon' is none of real, frozen or an instant"),
    ({"clock": "2030-01-31T12:00:00"}, "end it with Z"),
    ({"clock": 5}, "clock: 5 is none of"),
    ({"policy": {"foreign_id": "403"}}, "unknown policy 'foreign_id'; did you mean 'foreign_id_status'?"),
    ({"policy": {"foreign_id_status": "418"}}, "policy foreign_id_status cannot be '418'"),
    ({"policy": ["foreign_id_status"]}, "policy: it takes an object"),
]


@pytest.mark.parametrize(("order", "says"), REFUSED, ids=[str(order) for order, _ in REFUSED])
def test_a_bad_order_opens_nothing_and_says_what_would_do(emulator: Emulator, order: JSON, says: str) -> None:
    with pytest.raises(StartError) as refusal:
        opened(emulator, **order)
    assert says in str(refusal.value)
    assert emulator.worlds() == []


def test_a_key_has_one_world(emulator: Emulator) -> None:
    opened(emulator, key=KEY)
    with pytest.raises(StartError, match="it has a world already"):
        opened(emulator, key=KEY)


def test_worlds_can_be_ordered_where_only_given_keys_come_in() -> None:
    emulator = Emulator(Settings(clock="frozen", api_keys=("revdesk_mine",)), SPEC)
    assert opened(emulator).get("/v1/me").status == 200
