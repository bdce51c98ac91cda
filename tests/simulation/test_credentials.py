"""Keys, scopes and tokens: who gets in, with what, and how each token lives and ends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest

from revdesk_mock import ApiError, Emulator, Settings
from revdesk_mock.clock import SECOND
from revdesk_mock.emulator import export
from revdesk_mock.messages import Record
from revdesk_mock.signing import world_of
from revdesk_mock.simulation.credentials import SCOPES, required_scope
from revdesk_mock.spec import Spec
from tests.conftest import AGENT, KEY, MAIN, ORDINARY, RECALL, VERIFIED, Answer, Client, emulator_with

DEMO_KEY = "revdesk_demo_0123456789abcdef"
READ_ONLY_KEY = "revdesk_readonly_0123456789abcdef"
PAIR = {"from_number": MAIN, "to_number": ORDINARY}
CONTRACT = Spec.load(Settings().spec)


def explained(client: Client, answer: Answer) -> str:
    """Return the rule that refused a request."""
    entry = client.emulator.journal.find(answer.headers["x-request-id"])
    assert entry is not None
    return entry.reasons[0].rule


def mint(client: Client, **body: Any) -> Answer:
    return client.post("/v1/client-tokens", {"from_numbers": [MAIN], **body})


def bearer(client: Client, **body: Any) -> Client:
    """Return a client that speaks with a client token minted by another."""
    return Client(client.emulator, mint(client, **body).data["token"])


# the header


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        (None, "auth.missing"),
        ("", "auth.scheme"),
        (KEY, "auth.scheme"),
        (f"Basic {KEY}", "auth.scheme"),
        (f"Token {KEY}", "auth.scheme"),
        (f"Bearer:{KEY}", "auth.scheme"),
        (f"Bearer\t{KEY}", "auth.scheme"),
        (f"BearerX {KEY}", "auth.scheme"),
        (f" Bearer {KEY}", "auth.scheme"),
        ("Bearer", "auth.malformed"),
        ("Bearer ", "auth.malformed"),
        ("Bearer    ", "auth.malformed"),
        (f"Bearer {KEY} {KEY}", "auth.malformed"),
        (f"Bearer Bearer {KEY}", "auth.malformed"),
        (f"Bearer {KEY}, Basic x", "auth.malformed"),
    ],
)
def test_a_malformed_authorization_is_refused_for_what_it_is(client: Client, header: str | None, rule: str) -> None:
    answer = client.get("/v1/me", authorization=header)
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert explained(client, answer) == rule


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER   {KEY}", f"Bearer {KEY} "])
def test_the_scheme_is_written_in_any_case_and_with_any_space(client: Client, header: str) -> None:
    assert client.get("/v1/me", authorization=header).status == 200


def test_a_refusal_does_not_repeat_what_was_sent_in_the_place_of_a_scheme(client: Client) -> None:
    answer = client.get("/v1/me", authorization="sk_live_0123456789abcdef0123456789")
    assert "0123456789" not in str(answer.raw)


def test_who_sends_no_token_is_not_told_that_it_is_invalid(client: Client) -> None:
    challenge = client.get("/v1/me", authorization=None).headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="revdesk", resource_metadata="http://127.0.0.1:8473/.well-known/')
    assert "error" not in challenge


# keys


@pytest.mark.parametrize("mark", ["invalid", "revoked", "expired"])
def test_a_key_that_plays_a_refused_one_is_refused_as_that(client: Client, mark: str) -> None:
    answer = Client(client.emulator, f"revdesk_{mark}_0123").get("/v1/me")
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert answer.body["error"]["message"] == f"The API key is {mark}."
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert len(client.emulator.worlds()) == 0


@pytest.mark.parametrize(
    ("key", "is_demo", "scopes"),
    [
        (KEY, False, 22),
        ("anything", False, 22),
        (DEMO_KEY, True, 22),
        (READ_ONLY_KEY, False, 11),
    ],
    ids=["production", "any text", "demo", "read only"],
)
def test_the_text_of_a_key_tells_its_kind(client: Client, key: str, scopes: int, *, is_demo: bool) -> None:
    me = Client(client.emulator, key).get("/v1/me").data
    assert (me["is_demo"], len(me["scopes"]), me["demo_expires_at"] is not None) == (is_demo, scopes, is_demo)


def test_a_read_only_key_reads_everything_and_does_nothing(client: Client) -> None:
    reader = Client(client.emulator, READ_ONLY_KEY)
    assert all(scope.endswith(":read") for scope in reader.get("/v1/me").data["scopes"])
    assert reader.get("/v1/calls").status == 200
    assert reader.post("/v1/calls/dial", PAIR).status == 403
    assert mint(reader).status == 403


def test_only_keys_that_were_given_at_start_are_let_in() -> None:
    emulator = Emulator(Settings(seed="test", clock="frozen", api_keys=(KEY,)))
    assert Client(emulator).get("/v1/me").status == 200
    answer = Client(emulator, "another-key").get("/v1/me")
    assert (answer.status, explained(Client(emulator), answer)) == (401, "auth.unknown")


def test_the_scopes_are_those_that_the_contract_lets_one_mint() -> None:
    request: Any = CONTRACT.operations["v1_client_tokens_post"].request
    assert sorted(SCOPES) == sorted(request["properties"]["scopes"]["items"]["enum"])


# scopes

FAMILIES = {
    "/v1/account": "account",
    "/v1/agents": "agents",
    "/v1/caller-ids": "caller_trust",
    "/v1/caller-trust": "caller_trust",
    "/v1/caller-trust/brand": "brand",
    "/v1/calls": "calls",
    "/v1/phone-numbers": "phone_numbers",
    "/v1/phone-numbers/{id}/sms-config": "phone_numbers",
    "/v1/sms": "sms",
    "/v1/sub-entities": "sub_entities",
    "/v1/usage": "usage",
}
EXCEPTIONS = {
    "v1_me_get": None,
    "v1_client_tokens_post": "tokens:mint",
    "v1_webrtc_token_post": "voice:webrtc",
    "v1_room_token_post": "voice:webrtc",
    "v1_agents_id_web_call_post": "voice:webrtc",
}
OPERATIONS = pytest.mark.parametrize("operation_id", sorted(CONTRACT.operations))


def scope_of(operation_id: str) -> str | None:
    """Return the scope that an operation needs."""
    if operation_id in EXCEPTIONS:
        return EXCEPTIONS[operation_id]
    operation = CONTRACT.operations[operation_id]
    prefix = max((path for path in FAMILIES if operation.path.startswith(path)), key=len)
    return f"{FAMILIES[prefix]}:{'read' if operation.method == 'GET' else 'write'}"


def ask(client: Client, operation_id: str) -> Answer:
    operation = CONTRACT.operations[operation_id]
    path = operation.path.replace("{id}", "1001").replace("{phoneId}", "1001").replace("{phone}", MAIN)
    return client(operation.method, path, None if operation.request is None else {})


@pytest.fixture(scope="module")
def everybody() -> Emulator:
    return emulator_with()


@OPERATIONS
def test_an_operation_is_closed_without_its_scope(everybody: Emulator, operation_id: str) -> None:
    client = Client(everybody, f"key-{operation_id}")
    needed = scope_of(operation_id)
    if needed == "tokens:mint":
        other = Client(everybody, READ_ONLY_KEY)  # no client token may mint, whatever its scopes
    else:
        other = bearer(client, scopes=[scope for scope in SCOPES if scope != needed])
    answer = ask(other, operation_id)
    if needed is None:
        assert answer.status == 200
        return
    assert (answer.status, answer.code, explained(client, answer)) == (403, "forbidden", "auth.scope")
    assert needed in answer.body["error"]["message"]
    assert f'error="insufficient_scope", scope="{needed}"' in answer.headers["www-authenticate"]


@OPERATIONS
def test_an_operation_is_open_with_its_scope_alone(everybody: Emulator, operation_id: str) -> None:
    client = Client(everybody, f"another-key-{operation_id}")
    needed = scope_of(operation_id)
    other = client if needed == "tokens:mint" else bearer(client, scopes=[needed] if needed else [])
    assert ask(other, operation_id).status not in {401, 403}


def test_a_tag_that_nobody_knows_needs_no_scope() -> None:
    known = CONTRACT.operations["v1_calls_get"]
    document = {
        "paths": {
            "/v1/news": {"get": {"operationId": "v1_news_get", "tags": ["News"], "responses": {"200": {}}}},
            "/v1/old": {"get": {"operationId": "v1_old_get", "tags": [known.tag], "responses": {"200": {}}}},
        }
    }
    operations = Spec(document).operations
    assert required_scope(operations["v1_news_get"]) is None
    assert required_scope(operations["v1_old_get"]) == "calls:read"


# client tokens


def test_a_client_token_has_the_documented_defaults(client: Client) -> None:
    answer = mint(client)
    assert answer.status == 200
    assert answer.data["token"].startswith("rdc_")
    shown = {name: value for name, value in answer.data.items() if name != "token"}
    assert shown == {
        "expires_in": 900,
        "from_numbers": [MAIN],
        "to_numbers": [],
        "scopes": ["voice:webrtc"],
    }


def test_a_client_token_speaks_for_the_key_that_minted_it(client: Client) -> None:
    mine, its = client.get("/v1/me").data, bearer(client, scopes=["calls:read"]).get("/v1/me").data
    assert its["api_key_id"] == mine["api_key_id"]
    assert its["scopes"] == ["calls:read"]
    assert its["organization"] == mine["organization"]


def test_a_call_placed_by_a_client_token_is_its_keys_call(client: Client) -> None:
    token = bearer(client, scopes=["calls:write", "calls:read"])
    call_id = token.post("/v1/calls/dial", PAIR).data["call_id"]
    assert client.get(f"/v1/calls/{call_id}").status == 200
    record = client.world.store.get("calls", call_id)
    assert record is not None
    assert record["api_key_id"] == client.get("/v1/me").data["api_key_id"]


def test_a_demo_keys_client_token_is_a_demo_token(client: Client) -> None:
    demo = bearer(Client(client.emulator, DEMO_KEY))
    assert demo.get("/v1/me").data["is_demo"]
    assert demo.get("/v1/me").headers["x-ratelimit-limit"] == "120"
    assert demo.post("/v1/webrtc-token", {**PAIR, "to_number": "+14155552671"}).code == "destination_not_allowed"


def test_scopes_that_are_asked_for_twice_are_held_once(client: Client) -> None:
    assert mint(client, scopes=["calls:read", "agents:read", "calls:read"]).data["scopes"] == [
        "calls:read",
        "agents:read",
    ]


def test_a_client_token_cannot_mint_even_with_the_scope(client: Client) -> None:
    answer = mint(bearer(client, scopes=["tokens:mint"]))
    assert (answer.status, answer.code, explained(client, answer)) == (403, "forbidden", "auth.mint")


@pytest.mark.parametrize("ttl", [60, 3600])
def test_a_client_token_ends_at_its_second_on_the_worlds_clock(client: Client, ttl: int) -> None:
    token = bearer(client, ttl_seconds=ttl)
    client.advance(ttl - 0.001)
    assert token.get("/v1/me").status == 200
    client.advance(0.001)
    answer = token.get("/v1/me")
    assert (answer.status, answer.code, explained(client, answer)) == (401, "unauthorized", "auth.client_token_expired")


def test_a_client_token_lives_its_whole_time_when_it_is_minted_within_a_second(client: Client) -> None:
    client.advance(0.9)
    token = bearer(client, ttl_seconds=60)
    client.advance(59.999)
    assert token.get("/v1/me").status == 200


@pytest.mark.parametrize("ttl", [59, 3601, 0, -1, 60.5, "900"])
def test_a_client_token_lives_between_a_minute_and_an_hour(client: Client, ttl: object) -> None:
    assert (mint(client, ttl_seconds=ttl).status, list(mint(client, ttl_seconds=ttl).fields)) == (400, ["ttl_seconds"])


def test_a_client_token_is_nowhere_in_a_dump(client: Client) -> None:
    token = mint(client).data["token"]
    dump = orjson.dumps(client.emulator.dump()).decode()
    assert token not in dump
    assert token.rpartition(".")[2] not in dump


def test_a_client_token_binds_numbers_that_are_the_accounts_own(client: Client) -> None:
    answer = mint(client, from_numbers=[MAIN, ORDINARY])
    assert (answer.status, answer.code, list(answer.fields)) == (422, "caller_id_not_verified", ["from_numbers.1"])
    assert mint(client, from_numbers=[VERIFIED]).status == 422
    assert mint(client, from_numbers=[MAIN, RECALL]).status == 200


def test_a_client_token_cannot_be_minted_for_a_number_that_is_being_provisioned(client: Client) -> None:
    client.post("/v1/phone-numbers", {"phone_number": "+13125550177"})
    assert mint(client, from_numbers=["+13125550177"]).status == 422
    client.advance(5)
    assert mint(client, from_numbers=["+13125550177"]).status == 200


@pytest.mark.parametrize("number", ["+911", "+1933"])
def test_a_client_token_cannot_be_minted_for_an_emergency_number(client: Client, number: str) -> None:
    answer = mint(client, to_numbers=[ORDINARY, number])
    assert (answer.status, answer.code) == (403, "destination_not_allowed")


def test_a_demo_key_cannot_mint_for_a_real_number(client: Client) -> None:
    demo = Client(client.emulator, DEMO_KEY)
    assert mint(demo, to_numbers=["+14155552671"]).code == "destination_not_allowed"
    assert mint(demo, to_numbers=[ORDINARY]).status == 200


def with_scopes(client: Client, path: Path, *scopes: str) -> Client:
    """Return the client's key with these scopes alone, as an export may have it."""
    client.get("/v1/me")
    export(client.emulator, path)
    content = orjson.loads(path.read_bytes())
    content["worlds"][0]["key"]["scopes"] = list(scopes)
    path.write_bytes(orjson.dumps(content))
    emulator = emulator_with()
    emulator.restore(path)
    return Client(emulator, client.key)


def test_a_key_cannot_hand_out_a_scope_that_it_lacks(client: Client, tmp_path: Path) -> None:
    limited = with_scopes(client, tmp_path / "export.json", "tokens:mint", "calls:read")
    answer = mint(limited, scopes=["calls:read", "calls:write"])
    assert (answer.status, answer.code, explained(limited, answer)) == (403, "forbidden", "token.scopes")
    assert "calls:write" in answer.body["error"]["message"]
    assert mint(limited, scopes=["calls:read"]).status == 200


def test_the_default_scopes_are_no_way_around(client: Client, tmp_path: Path) -> None:
    assert mint(with_scopes(client, tmp_path / "export.json", "tokens:mint")).status == 403


def test_a_credential_without_any_scope_is_told_so(client: Client, tmp_path: Path) -> None:
    nobody = with_scopes(client, tmp_path / "export.json")
    answer = nobody.get("/v1/calls")
    entry = nobody.emulator.journal.find(answer.headers["x-request-id"])
    assert entry is not None
    assert (answer.status, entry.reasons[0].got) == (403, "no scope")


def test_a_client_token_outlives_a_restart_with_the_same_seed(client: Client, tmp_path: Path) -> None:
    token = mint(client, scopes=["calls:read"]).data["token"]
    restored = with_scopes(client, tmp_path / "export.json", *SCOPES)
    assert Client(restored.emulator, token).get("/v1/me").data["scopes"] == ["calls:read"]


# client tokens that are no good


WRONG_SECRET = "a secret that is long enough for HS256"


def signed_again(token: str, secret: str, algorithm: str) -> str:
    token = token.removeprefix("rdc_")
    content = jwt.decode(token, options={"verify_signature": False})
    kid = jwt.get_unverified_header(token)["kid"]
    return "rdc_" + jwt.encode(content, secret, algorithm=algorithm, headers={"kid": kid})


def forge(token: str) -> str:
    return signed_again(token, WRONG_SECRET, "HS256")


def unsigned(token: str) -> str:
    return signed_again(token, "", "none")


def altered(token: str) -> str:
    head, body, signature = token.removeprefix("rdc_").split(".")
    return f"rdc_{head}.{body[:-4]}{'AAAA' if body[-4:] != 'AAAA' else 'BBBB'}.{signature}"


FORGERIES: dict[str, Callable[[str], str]] = {
    "signed by somebody else": forge,
    "not signed": unsigned,
    "altered": altered,
    "cut off": lambda token: token[:-5],
    "without a signature": lambda token: token.rpartition(".")[0],
    "longer": lambda token: token + "AAAA",
    "prefix alone": lambda _: "rdc_",
    "nonsense": lambda _: "rdc_0123456789abcdef",
    "no JWT": lambda _: "rdc_a.b.c",
    "no world": lambda token: "rdc_" + jwt.encode({"sub": token[-8:]}, WRONG_SECRET),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_client_token_is_refused(client: Client, forgery: Callable[[str], str]) -> None:
    forged = Client(client.emulator, forgery(mint(client).data["token"]))
    answer = forged.get("/v1/me")
    assert (answer.status, answer.code, explained(client, answer)) == (401, "unauthorized", "auth.client_token")


def test_a_client_token_of_another_emulator_is_refused(client: Client) -> None:
    token = mint(Client(Emulator(Settings(seed="another", clock="frozen")))).data["token"]
    assert Client(client.emulator, token).get("/v1/me").status == 401


def test_a_client_token_opens_the_world_that_minted_it_and_no_other(client: Client) -> None:
    other = Client(client.emulator, "another-key")
    call_id = client.post("/v1/calls/dial", PAIR).data["call_id"]
    path = f"/v1/calls/{call_id}"
    assert bearer(client, scopes=["calls:read"]).get(path).status == 200
    assert bearer(other, scopes=["calls:read"]).get(path).status == 404


def test_a_client_token_that_says_it_is_of_another_world_is_refused(client: Client) -> None:
    other = Client(client.emulator, "another-key")
    token = mint(client).data["token"].removeprefix("rdc_")
    content = jwt.decode(token, options={"verify_signature": False})
    secret = client.world.join_tokens._signer._secret
    moved = "rdc_" + jwt.encode(content, secret, algorithm="HS256", headers={"kid": other.world.id})
    assert Client(client.emulator, moved).get("/v1/me").status == 401


def test_a_room_token_is_no_client_token(client: Client) -> None:
    room = client.post("/v1/room-token", PAIR).data["token"]
    assert Client(client.emulator, f"rdc_{room}").get("/v1/me").status == 401


def test_only_a_signed_token_names_its_world(client: Client) -> None:
    token = mint(client).data["token"]
    assert world_of(token.removeprefix("rdc_")) == client.world.id
    assert world_of("rvw_0123") is None
    assert world_of(jwt.encode({}, WRONG_SECRET)) is None


# whose window and keys a client token uses


def test_a_client_token_uses_its_parents_window_and_idempotency_keys(client: Client) -> None:
    token = bearer(client, scopes=["calls:write"])
    first = client.post("/v1/calls/dial", PAIR, idempotency_key="a")
    second = token.post("/v1/calls/dial", PAIR, idempotency_key="a")
    assert second.raw == first.raw
    remaining = [int(each.headers["x-ratelimit-remaining"]) for each in (first, second)]
    assert remaining[1] == remaining[0] - 1


def test_by_policy_each_client_token_has_a_window_and_idempotency_keys_of_its_own() -> None:
    client = Client(emulator_with(client_token_bucket="own"))
    tokens = [bearer(client, scopes=["calls:write"]) for _ in range(2)]
    answers = [each.post("/v1/calls/dial", PAIR, idempotency_key="a") for each in (client, *tokens)]
    assert len({answer.data["call_id"] for answer in answers}) == 3
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["597", "599", "599"]
    assert tokens[0].post("/v1/calls/dial", PAIR, idempotency_key="a").raw == answers[1].raw


# the life of calling and room tokens

LONG = "+13125550111"  # talks for four hours
CALLING, ROOM, WEB = "calling", "room", "web"
ISSUING: dict[str, tuple[str, Any]] = {
    CALLING: ("/v1/webrtc-token", {"from_number": MAIN, "to_number": LONG}),
    ROOM: ("/v1/room-token", {"from_number": MAIN, "to_number": LONG}),
    WEB: (f"/v1/agents/{AGENT}/web-call", None),
}
EVERY_KIND = pytest.mark.parametrize("kind", ISSUING)


def issued(client: Client, kind: str, **body: Any) -> Any:
    path, pair = ISSUING[kind]
    answer = client.post(path, pair and {**pair, **body})
    assert answer.status == 200, answer.raw
    return answer.data


def token_record(client: Client) -> Record:
    """Return the record of the latest token."""
    return client.world.store.all("tokens")[-1]


def state(client: Client) -> str:
    return client.world.join_tokens.state(token_record(client))


def join(client: Client, token: str) -> Record:
    with client.world.store.transaction():
        return client.world.join_tokens.join(token)


def refusal(client: Client, token: str) -> tuple[int, str, str]:
    """Join in vain, leaving no trace; return status, code and rule."""
    before = client.world.dump()
    with pytest.raises(ApiError) as caught:
        join(client, token)
    assert client.world.dump() == before
    return caught.value.status, caught.value.code, caught.value.reasons[0].rule


def end_call(client: Client) -> None:
    client.post(f"/v1/calls/{token_record(client)['call_id']}/hangup")


@EVERY_KIND
def test_a_token_is_issued_joined_and_spent(client: Client, kind: str) -> None:
    token = issued(client, kind)["token"]
    states = [state(client)]
    join(client, token)
    states.append(state(client))
    end_call(client)
    assert [*states, state(client)] == ["issued", "joined", "spent"]


@EVERY_KIND
def test_a_token_that_nobody_used_is_revoked_by_the_end_of_its_call(client: Client, kind: str) -> None:
    token = issued(client, kind)["token"]
    end_call(client)
    assert state(client) == "revoked"
    assert refusal(client, token) == (401, "unauthorized", "token.single_use")


@EVERY_KIND
def test_a_revoked_token_does_not_become_an_expired_one(client: Client, kind: str) -> None:
    issued(client, kind)
    end_call(client)
    client.advance(100_000)
    assert state(client) == "revoked"


@EVERY_KIND
def test_a_token_expires_at_the_end_of_its_time_and_not_before(client: Client, kind: str) -> None:
    answer = issued(client, kind)
    client.advance(answer["expires_in"] - 0.001)
    assert state(client) == "issued"
    client.advance(0.001)
    assert state(client) == "expired"
    assert refusal(client, answer["token"]) == (401, "unauthorized", "token.single_use")


@EVERY_KIND
def test_an_expired_token_stays_expired_when_its_call_ends(client: Client, kind: str) -> None:
    answer = issued(client, kind)
    client.advance(answer["expires_in"])
    end_call(client)
    client.advance(100_000)
    assert state(client) == "expired"


@EVERY_KIND
def test_time_does_not_run_out_for_one_who_has_joined(client: Client, kind: str) -> None:
    answer = issued(client, kind)
    client.advance(answer["expires_in"] - 0.001)
    join(client, answer["token"])
    assert state(client) == "joined"
    client.advance(0.001)
    assert state(client) != "expired"


@EVERY_KIND
def test_a_second_use_of_the_token_is_refused(client: Client, kind: str) -> None:
    token = issued(client, kind)["token"]
    joined = join(client, token)
    assert joined["joined_at"] == client.world.clock.now()
    assert refusal(client, token) == (401, "unauthorized", "token.single_use")
    end_call(client)
    assert refusal(client, token) == (401, "unauthorized", "token.single_use")


@pytest.mark.parametrize("ttl", [60, 14_400])
def test_a_room_token_lives_as_long_as_was_asked_for(client: Client, ttl: int) -> None:
    answer = issued(client, ROOM, ttl_seconds=ttl)
    assert answer["expires_in"] == ttl
    record = token_record(client)
    assert record["expires_at"] - record["issued_at"] == ttl * SECOND


@pytest.mark.parametrize("ttl", [59, 14_401, 0, -60])
def test_a_room_token_cannot_live_shorter_or_longer_and_then_nobody_is_called(client: Client, ttl: int) -> None:
    before = client.world.dump()
    answer = client.post("/v1/room-token", {**PAIR, "ttl_seconds": ttl})
    assert (answer.status, list(answer.fields)) == (400, ["ttl_seconds"])
    assert client.world.dump() == before


def test_a_room_token_tells_a_client_its_room_and_what_it_may_do(client: Client) -> None:
    client.advance(0.5)
    answer = issued(client, ROOM, ttl_seconds=60)
    claims = jwt.decode(answer["token"], options={"verify_signature": False})
    now = client.world.clock.now() // SECOND
    assert claims["sub"] == f"caller-{answer['call_id']}"
    assert (claims["nbf"], claims["exp"]) == (now, now + 60)
    assert claims["video"] == {
        "room": answer["room_name"],
        "roomJoin": True,
        "canPublish": True,
        "canSubscribe": True,
        "canPublishData": True,
        "canPublishSources": ["microphone"],
    }


def test_a_calling_token_is_opaque_and_never_the_same(client: Client) -> None:
    tokens = {issued(client, CALLING)["token"] for _ in range(20)}
    assert len(tokens) == 20
    assert all(token.startswith("rvw_") and len(token) == 52 for token in tokens)


@EVERY_KIND
def test_no_token_is_ever_stored_in_clear(client: Client, kind: str) -> None:
    token = client.post(*ISSUING[kind], idempotency_key="a").data["token"]
    secret = token.rpartition(".")[2].removeprefix("rvw_")
    join(client, token)
    assert secret not in orjson.dumps(client.world.dump()).decode()
    assert secret not in orjson.dumps(client.emulator.dump()).decode()


@EVERY_KIND
def test_a_token_is_known_in_its_own_world_only(client: Client, kind: str) -> None:
    token = issued(client, kind)["token"]
    other = Client(client.emulator, "another-key")
    assert refusal(other, token)[:2] == (401, "unauthorized")
    assert join(client, token)["joined_at"] is not None


@EVERY_KIND
def test_a_token_still_joins_after_a_restart_and_only_once(client: Client, tmp_path: Path, kind: str) -> None:
    token = issued(client, kind)["token"]
    restored = with_scopes(client, tmp_path / "export.json", *SCOPES)
    join(restored, token)
    assert refusal(restored, token)[2] == "token.single_use"


@pytest.mark.parametrize("kind", [CALLING, ROOM])
def test_a_token_of_a_call_that_was_erased_is_unknown(client: Client, kind: str) -> None:
    token = issued(client, kind)["token"]
    client("DELETE", "/v1/phone-numbers/1001")
    assert refusal(client, token) == (401, "unauthorized", "token.unknown")


@pytest.mark.parametrize("token", ["", "rvw_", "rvw_" + "0" * 48, "eyJ", "a.b.c", KEY])
def test_what_is_no_token_joins_nothing(client: Client, token: str) -> None:
    issued(client, CALLING)
    issued(client, ROOM)
    assert refusal(client, token)[:2] == (401, "unauthorized")


def test_a_client_token_joins_nothing(client: Client) -> None:
    token = mint(client).data["token"]
    assert refusal(client, token)[:2] == (401, "unauthorized")
    assert refusal(client, token.removeprefix("rdc_"))[:2] == (401, "unauthorized")


@pytest.mark.parametrize("kind", [ROOM, WEB])
def test_a_forged_room_token_joins_nothing(client: Client, kind: str) -> None:
    token = issued(client, kind)["token"]
    assert refusal(client, forge(token).removeprefix("rdc_")) == (401, "unauthorized", "token.signature")
    assert refusal(client, unsigned(token).removeprefix("rdc_")) == (401, "unauthorized", "token.signature")
    assert join(client, token)["joined_at"] is not None
