"""WebRTC: calling tokens, room tokens and client tokens, from issue to their end."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest

from revdesk_mock import ApiError, Emulator, placement
from tests.conftest import MAIN, NEWER_AGENT, ORDINARY, RECALL, VERIFIED, Answer, Client, emulator_with

NOW = 1_767_603_600  # the fixture's clock in Unix seconds
NUMBERS = {"from_number": MAIN, "to_number": ORDINARY}
PATHS = ("/v1/webrtc-token", "/v1/room-token")
FOR_SALE = "+13125550142"


def calling(client: Client, **changes: str) -> Answer:
    return client.post("/v1/webrtc-token", {**NUMBERS, **changes})


def room(client: Client, **changes: Any) -> Answer:
    return client.post("/v1/room-token", {**NUMBERS, **changes})


def mint(client: Client, **body: Any) -> Answer:
    return client.post("/v1/client-tokens", {"from_numbers": [MAIN], **body})


def holder(client: Client, **body: Any) -> Client:
    """Return a client that speaks with a client token."""
    return Client(client.emulator, mint(client, **body).data["token"])


def status(client: Client, issued: Answer) -> str:
    return str(client.get(f"/v1/calls/{issued.data['call_id']}").data["status"])


def states(client: Client) -> list[str]:
    """Return the state of each token that this world issued for a call."""
    world = client.world
    return [world.join_tokens.state(token) for token in world.store.all("tokens")]


def refusal(action: Callable[[], Any]) -> int:
    """Return the status with which something is refused."""
    with pytest.raises(ApiError) as refused:
        action()
    return refused.value.status


def claims_of(issued: Answer) -> dict[str, Any]:
    return dict(jwt.decode(issued.data["token"], options={"verify_signature": False}))


# both tokens


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("caller", [MAIN, VERIFIED], ids=["owned", "verified"])
def test_a_call_comes_from_an_owned_or_a_verified_number(client: Client, path: str, caller: str) -> None:
    answer = client.post(path, {**NUMBERS, "from_number": caller})
    assert answer.data.items() >= {"from_number": caller, "to_number": ORDINARY}.items()


@pytest.mark.parametrize("path", PATHS)
def test_a_number_of_somebody_else_is_refused_and_nothing_is_written(client: Client, path: str) -> None:
    before = client.world.dump()
    answer = client.post(path, {**NUMBERS, "from_number": FOR_SALE})
    assert (answer.status, answer.code) == (422, "caller_id_not_verified")
    assert set(answer.fields) == {"from_number"}
    assert client.world.dump() == before


@pytest.mark.parametrize("path", PATHS)
def test_a_token_is_kept_nowhere(client: Client, path: str) -> None:
    token = client.post(path, NUMBERS).data["token"]
    assert token not in str(client.world.dump())


@pytest.mark.parametrize("path", PATHS)
def test_each_token_is_another(client: Client, path: str) -> None:
    assert client.post(path, NUMBERS).data["token"] != client.post(path, NUMBERS).data["token"]


@pytest.mark.parametrize("path", PATHS)
def test_a_token_joins_its_call_once(client: Client, path: str) -> None:
    issued = client.post(path, NUMBERS)
    assert placement.join(client.world, issued.data["token"])["id"] == issued.data["call_id"]
    assert states(client) == ["joined"]
    assert refusal(lambda: placement.join(client.world, issued.data["token"])) == 401


@pytest.mark.parametrize(("reuse", "expected"), [("401", 401), ("403", 403), ("409", 409)])
def test_the_status_of_a_second_join_is_a_policy(reuse: str, expected: int) -> None:
    client = Client(emulator_with(token_reuse_status=reuse))
    token = room(client).data["token"]
    placement.join(client.world, token)
    assert refusal(lambda: placement.join(client.world, token)) == expected


@pytest.mark.parametrize("path", PATHS)
def test_the_end_of_the_call_spends_a_token_that_joined(client: Client, path: str) -> None:
    issued = client.post(path, NUMBERS)
    placement.join(client.world, issued.data["token"])
    client.post(f"/v1/calls/{issued.data['call_id']}/hangup")
    assert states(client) == ["spent"]


@pytest.mark.parametrize("path", PATHS)
def test_the_end_of_the_call_revokes_a_token_that_nobody_used(client: Client, path: str) -> None:
    issued = client.post(path, NUMBERS)
    client.post(f"/v1/calls/{issued.data['call_id']}/hangup")
    assert states(client) == ["revoked"]
    assert refusal(lambda: placement.join(client.world, issued.data["token"])) == 401


@pytest.mark.parametrize("path", PATHS)
def test_a_token_of_another_key_joins_nothing(emulator: Emulator, path: str) -> None:
    token = Client(emulator, "revdesk_another").post(path, NUMBERS).data["token"]
    assert refusal(lambda: placement.join(Client(emulator).world, token)) == 401


@pytest.mark.parametrize("token", ["rvw_" + "0" * 48, "nonsense", ""])
def test_a_token_that_nobody_issued_joins_nothing(client: Client, token: str) -> None:
    assert refusal(lambda: placement.join(client.world, token)) == 401


# calling tokens: the browser dials


def test_a_calling_token_lives_as_long_as_the_longest_call(client: Client) -> None:
    data = calling(client).data
    assert data["token"].startswith("rvw_")
    assert data["expires_in"] == 14_400


def test_its_call_waits_for_the_browser(client: Client) -> None:
    issued = calling(client)
    placement.join(client.world, issued.data["token"])
    client.advance(3600)
    assert status(client, issued) == "QUEUED"
    assert client.world.guardrails.channels_in_use() == 0
    placement.dial_from_browser(client.world, issued.data["call_id"])
    assert client.world.guardrails.channels_in_use() == 1
    client.advance(4)
    assert status(client, issued) == "IN_PROGRESS"


def test_the_browser_dials_once(client: Client) -> None:
    call = calling(client).data["call_id"]
    placement.dial_from_browser(client.world, call)
    assert refusal(lambda: placement.dial_from_browser(client.world, call)) == 409


def test_the_browser_dials_only_a_call_that_waits_for_it(client: Client) -> None:
    ended, dialed = calling(client).data["call_id"], room(client).data["call_id"]
    client.post(f"/v1/calls/{ended}/hangup")
    for call in (ended, dialed, "call_nobody"):
        assert refusal(partial(placement.dial_from_browser, client.world, call)) == 409


def test_a_browser_that_dials_when_every_channel_is_in_use_is_refused() -> None:
    client = Client(emulator_with(concurrency_cap=1))
    waiting = [calling(client).data["call_id"] for _ in range(2)]
    placement.dial_from_browser(client.world, waiting[0])
    assert refusal(lambda: placement.dial_from_browser(client.world, waiting[1])) == 429


def test_a_browsers_call_counts_against_the_minute_in_which_it_is_dialed() -> None:
    client = Client(emulator_with(calls_per_minute=1))
    waiting = calling(client)
    client.advance(120)
    placement.dial_from_browser(client.world, waiting.data["call_id"])
    answer = room(client)
    assert (answer.status, answer.code) == (429, "call_rate_exceeded")


def test_a_call_that_nobody_dials_is_canceled_when_its_token_expires() -> None:
    client = Client(emulator_with(webrtc_token_ttl_seconds=600))
    issued = calling(client)
    assert issued.data["expires_in"] == 600
    client.advance(599.999)
    assert (status(client, issued), states(client)) == ("QUEUED", ["issued"])
    client.advance(0.001)
    assert (status(client, issued), states(client)) == ("CANCELED", ["expired"])
    assert refusal(lambda: placement.join(client.world, issued.data["token"])) == 401


def test_a_dialed_call_outlives_its_token() -> None:
    client = Client(emulator_with(webrtc_token_ttl_seconds=600))
    issued = calling(client, to_number="+13125550109")
    placement.join(client.world, issued.data["token"])
    placement.dial_from_browser(client.world, issued.data["call_id"])
    client.advance(700)
    assert (status(client, issued), states(client)) == ("IN_PROGRESS", ["joined"])


# room tokens: RevDesk dials


def test_a_room_tokens_call_is_dialed_at_once(client: Client) -> None:
    issued = room(client)
    assert client.world.guardrails.channels_in_use() == 1
    client.advance(1)
    assert status(client, issued) == "RINGING"


def test_a_room_token_is_of_one_caller_in_one_room(client: Client) -> None:
    issued = room(client, ttl_seconds=120)
    data, claims = issued.data, claims_of(issued)
    assert claims.pop("jti")
    assert claims == {
        "iss": "revdesk-mock",
        "sub": f"caller-{data['call_id']}",
        "nbf": NOW,
        "exp": NOW + 120,
        "video": {
            "room": data["room_name"],
            "roomJoin": True,
            "canPublish": True,
            "canSubscribe": True,
            "canPublishData": True,
            "canPublishSources": ["microphone"],
        },
    }
    assert data["room_url"] == "ws://127.0.0.1:8473"


def test_each_call_has_a_room_of_its_own(client: Client) -> None:
    assert room(client).data["room_name"] != room(client).data["room_name"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [({}, 3600), ({"ttl_seconds": 60}, 60), ({"ttl_seconds": 14_400}, 14_400)],
    ids=["default", "shortest", "longest"],
)
def test_a_room_token_lives_as_long_as_asked(client: Client, body: dict[str, int], expected: int) -> None:
    issued = room(client, **body)
    assert issued.data["expires_in"] == expected
    assert claims_of(issued)["exp"] == NOW + expected


def test_the_life_of_a_room_token_by_default_is_a_policy() -> None:
    assert room(Client(emulator_with(room_token_ttl_seconds=90))).data["expires_in"] == 90


@pytest.mark.parametrize("ttl", [59, 14_401, 0, -60, 90.5, "90", None])
def test_a_room_token_of_another_life_is_refused_and_nobody_is_dialed(client: Client, ttl: Any) -> None:
    before = client.world.dump()
    answer = room(client, ttl_seconds=ttl)
    assert answer.status == 400
    assert set(answer.fields) == {"ttl_seconds"}
    assert client.world.dump() == before


def test_a_room_token_that_expires_unused_leaves_the_call_alone(client: Client) -> None:
    issued = room(client, to_number="+13125550109", ttl_seconds=60)
    client.advance(60)
    assert (status(client, issued), states(client)) == ("IN_PROGRESS", ["expired"])
    assert refusal(lambda: placement.join(client.world, issued.data["token"])) == 401


def test_a_room_token_that_was_tampered_with_joins_nothing(client: Client) -> None:
    header, _, signature = room(client).data["token"].split(".")
    _, other_payload, _ = room(client).data["token"].split(".")
    assert refusal(lambda: placement.join(client.world, f"{header}.{other_payload}.{signature}")) == 401


# client tokens


def test_a_client_token_has_the_documented_defaults(client: Client) -> None:
    data = mint(client).data
    assert data.pop("token").startswith("rdc_")
    assert data == {"expires_in": 900, "from_numbers": [MAIN], "to_numbers": [], "scopes": ["voice:webrtc"]}


def test_a_client_token_with_an_empty_list_may_call_any_destination_as_without_one(client: Client) -> None:
    assert mint(client, to_numbers=[]).data["to_numbers"] == []


def test_a_client_token_repeats_what_was_asked_for(client: Client) -> None:
    asked = {"from_numbers": [MAIN, RECALL], "to_numbers": [ORDINARY], "scopes": ["calls:read", "voice:webrtc"]}
    data = mint(client, **asked, ttl_seconds=60).data
    assert data.items() >= {**asked, "expires_in": 60}.items()


def test_a_scope_that_is_asked_for_twice_is_given_once(client: Client) -> None:
    assert mint(client, scopes=["calls:read", "calls:read"]).data["scopes"] == ["calls:read"]


@pytest.mark.parametrize("ttl", [60, 3600])
def test_a_client_token_lives_as_long_as_asked(client: Client, ttl: int) -> None:
    browser = holder(client, ttl_seconds=ttl)
    client.advance(ttl - 0.001)
    assert browser.get("/v1/me").status == 200
    client.advance(0.001)
    assert browser.get("/v1/me").status == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"ttl_seconds": 59}, "ttl_seconds"),
        ({"ttl_seconds": 3601}, "ttl_seconds"),
        ({"from_numbers": []}, "from_numbers"),
        ({"from_numbers": None}, "from_numbers"),
        ({"from_numbers": ["4155550100"]}, "from_numbers.0"),
        ({"to_numbers": [ORDINARY] * 201}, "to_numbers"),
        ({"scopes": ["everything"]}, "scopes.0"),
    ],
    ids=["short", "long", "no-numbers", "null", "no-e164", "many-numbers", "no-scope"],
)
def test_a_client_token_out_of_its_bounds_is_refused(client: Client, body: dict[str, Any], field: str) -> None:
    answer = mint(client, **body)
    assert answer.status == 400
    assert set(answer.fields) == {field}


@pytest.mark.parametrize("number", [FOR_SALE, VERIFIED], ids=["not-owned", "verified-caller-id"])
def test_a_client_token_is_for_owned_numbers_only(client: Client, number: str) -> None:
    answer = mint(client, from_numbers=[MAIN, number])
    assert (answer.status, answer.code) == (422, "caller_id_not_verified")
    assert set(answer.fields) == {"from_numbers.1"}


def test_a_client_token_is_for_active_numbers_only(client: Client) -> None:
    client.post("/v1/phone-numbers", {"phone_number": FOR_SALE})
    assert mint(client, from_numbers=[FOR_SALE]).status == 422
    client.advance(5)
    assert mint(client, from_numbers=[FOR_SALE]).status == 200


def test_a_client_token_cannot_name_an_emergency_number(client: Client) -> None:
    answer = mint(client, to_numbers=[ORDINARY, "+911"])
    assert (answer.status, answer.code) == (403, "destination_not_allowed")


def test_a_demo_key_mints_for_fictional_destinations_only(emulator: Emulator) -> None:
    demo = Client(emulator, "revdesk_demo_0123456789")
    assert mint(demo, to_numbers=[ORDINARY]).status == 200
    assert mint(demo, to_numbers=["+14155551234"]).status == 403


def test_a_client_token_mints_no_other(client: Client) -> None:
    answer = mint(holder(client, scopes=["tokens:mint"]))
    assert (answer.status, answer.code) == (403, "forbidden")


@pytest.mark.parametrize(("policy", "code"), [("403", "forbidden"), ("400", "validation_error")])
def test_scopes_that_the_key_lacks_cannot_be_handed_out(tmp_path: Path, policy: str, code: str) -> None:
    emulator = emulator_with(scope_escalation_status=policy)
    Client(emulator).get("/v1/me")
    worlds = emulator.dump()
    worlds["worlds"][0]["key"]["scopes"] = ["calls:read", "tokens:mint"]
    (tmp_path / "worlds.json").write_bytes(orjson.dumps(worlds))
    emulator.restore(tmp_path / "worlds.json")
    client = Client(emulator)
    assert mint(client, scopes=["calls:read"]).status == 200
    answer = mint(client, scopes=["calls:read", "calls:write"])
    assert (answer.status, answer.code) == (int(policy), code)
    assert "calls:write" in answer.body["error"]["message"]


def test_a_client_token_does_what_its_scopes_say_and_nothing_else(client: Client) -> None:
    browser = holder(client)
    assert calling(browser).status == 200
    assert room(browser).status == 200
    assert browser.post(f"/v1/agents/{NEWER_AGENT}/web-call").status == 200
    for path in ("/v1/calls", "/v1/phone-numbers", "/v1/usage", "/v1/agents", "/v1/account"):
        assert browser.get(path).status == 403


def test_a_client_token_calls_between_its_own_numbers_only(client: Client) -> None:
    browser = holder(client, to_numbers=[ORDINARY])
    assert calling(browser).status == 200
    assert calling(browser, from_number=RECALL).status == 403
    assert calling(browser, to_number="+13125550103").status == 403


def test_a_client_token_without_destinations_calls_anybody(client: Client) -> None:
    assert calling(holder(client), to_number="+14155551234").status == 200


def test_calls_of_a_client_token_are_the_keys_own(client: Client) -> None:
    issued = room(holder(client))
    assert status(client, issued) == "QUEUED"
