"""One emulator, many worlds: a key opens its own, and worlds leave and come back whole."""

from pathlib import Path

import orjson
import pytest

from revdesk_mock import ApiError, Emulator, Settings, StartError
from revdesk_mock.emulator import export
from tests.conftest import AGENT, MAIN, ORDINARY, Client, reopened

BY_ID = [
    ("GET", "/v1/phone-numbers/{number}"),
    ("PATCH", "/v1/phone-numbers/{number}"),
    ("DELETE", "/v1/phone-numbers/{number}"),
    ("GET", "/v1/usage/{number}"),
    ("GET", "/v1/calls/{call}"),
    ("POST", "/v1/calls/{call}/hangup"),
]


def frozen(**settings: object) -> Emulator:
    return Emulator(Settings(clock="frozen", **settings))  # type: ignore[arg-type] # the tests' own words


@pytest.mark.parametrize(("method", "path"), BY_ID, ids=[f"{method} {path}" for method, path in BY_ID])
def test_the_records_of_one_key_do_not_exist_for_another(emulator: Emulator, method: str, path: str) -> None:
    mine, other = Client(emulator, "revdesk_one"), Client(emulator, "revdesk_two")
    number = mine.post("/v1/phone-numbers", {}).data["phone_record_id"]
    call = mine.post("/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY}).data["call_id"]
    target = path.format(number=number, call=call)
    body = {"name": "x"} if method == "PATCH" else None
    before = mine.world.store.dump()
    assert other(method, target, body).status == 404
    assert mine.world.store.dump() == before
    assert mine(method, target, body).status == 200


def test_the_same_seed_makes_the_same_ids_and_tokens() -> None:
    def answers(emulator: Emulator) -> list[bytes]:
        client = Client(emulator)
        return [
            client.get("/v1/me").raw,
            client.post("/v1/phone-numbers", {}).raw,
            client.post("/v1/room-token", {"from_number": MAIN, "to_number": ORDINARY}).raw,
            client.post("/v1/client-tokens", {"from_numbers": [MAIN]}).raw,
        ]

    assert answers(frozen(seed="7")) == answers(frozen(seed="7"))
    assert answers(frozen(seed="7")) != answers(frozen(seed="8"))
    assert answers(frozen()) != answers(frozen())


def test_worlds_of_one_seed_differ(emulator: Emulator) -> None:
    one, two = (Client(emulator, key).post("/v1/phone-numbers", {}).raw for key in ("revdesk_one", "revdesk_two"))
    assert one != two


def test_only_the_given_keys_come_in() -> None:
    emulator = frozen(api_keys=("revdesk_mine", "revdesk_also"))
    assert Client(emulator, "revdesk_mine").get("/v1/me").status == 200
    assert Client(emulator, "revdesk_also").get("/v1/me").status == 200
    assert Client(emulator, "revdesk_other").get("/v1/me").status == 401
    assert len(emulator.worlds()) == 2


def test_a_refused_key_opens_no_world(emulator: Emulator) -> None:
    with pytest.raises(ApiError, match="revoked"):
        emulator.world("revdesk_revoked_1")
    assert emulator.worlds() == []


def test_an_export_brings_every_world_back(emulator: Emulator, tmp_path: Path) -> None:
    one, demo = Client(emulator, "revdesk_one"), Client(emulator, "revdesk_demo_1")
    call = one.post("/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY}).data["call_id"]
    one.advance(2)
    demo("PATCH", f"/v1/agents/{AGENT}", {"name": "Mine"})
    file = tmp_path / "worlds.json"
    export(emulator, file)
    back = frozen(seed="test")
    back.restore(file)
    assert back.dump() == emulator.dump()
    one, demo = Client(back, "revdesk_one"), Client(back, "revdesk_demo_1")
    assert one.get(f"/v1/calls/{call}").data["status"] == "RINGING"
    one.advance(60)
    assert one.get(f"/v1/calls/{call}").data["status"] == "COMPLETED"
    assert demo.get(f"/v1/agents/{AGENT}").data["name"] == "Mine"
    assert demo.get("/v1/me").data["is_demo"] is True


def test_a_restored_world_repeats_no_id(emulator: Emulator, tmp_path: Path) -> None:
    client = Client(emulator)
    first = client.post("/v1/room-token", {"from_number": MAIN, "to_number": ORDINARY}).data
    second = reopened(client, tmp_path).post("/v1/room-token", {"from_number": MAIN, "to_number": ORDINARY}).data
    assert first["call_id"] != second["call_id"]
    assert first["token"] != second["token"]


def test_a_client_token_survives_an_export_under_the_same_seed(emulator: Emulator, tmp_path: Path) -> None:
    client = Client(emulator)
    token = client.post("/v1/client-tokens", {"from_numbers": [MAIN]}).data["token"]
    back = reopened(client, tmp_path).emulator
    assert Client(back, token).get("/v1/me").data["scopes"] == ["voice:webrtc"]


def test_an_export_holds_no_key_and_no_token(emulator: Emulator, tmp_path: Path) -> None:
    client = Client(emulator)
    tokens = [
        client.post("/v1/webrtc-token", {"from_number": MAIN, "to_number": ORDINARY}, idempotency_key="k").data[
            "token"
        ],
        client.post("/v1/room-token", {"from_number": MAIN, "to_number": ORDINARY}).data["token"],
        client.post("/v1/client-tokens", {"from_numbers": [MAIN]}).data["token"],
    ]
    file = tmp_path / "worlds.json"
    export(emulator, file)
    written = file.read_text()
    assert client.key not in written
    assert not [token for token in tokens if token in written]


def test_an_export_is_written_whole_or_not_at_all(emulator: Emulator, tmp_path: Path) -> None:
    Client(emulator).get("/v1/me")
    with pytest.raises(StartError, match="nowhere"):
        export(emulator, tmp_path / "nowhere" / "worlds.json")
    export(emulator, tmp_path / "worlds.json")
    assert [path.name for path in tmp_path.iterdir()] == ["worlds.json"]


def test_a_broken_export_opens_nothing(emulator: Emulator, tmp_path: Path) -> None:
    Client(emulator, "revdesk_one").get("/v1/me")
    Client(emulator, "revdesk_two").get("/v1/me")
    dump = orjson.loads(orjson.dumps(emulator.dump()))
    dump["worlds"][1]["world"]["records"]["agents"][0]["enabled"] = "yes"
    file = tmp_path / "worlds.json"
    file.write_bytes(orjson.dumps(dump))
    back = frozen(seed="test")
    with pytest.raises(StartError, match="/worlds/1/world/records/agents/0/enabled"):
        back.restore(file)
    assert back.worlds() == []


def test_time_in_a_restored_world_never_runs_back(emulator: Emulator, tmp_path: Path) -> None:
    client = Client(emulator)
    client.advance(3650 * 86_400)
    ahead = client.world.clock.now()
    file = tmp_path / "worlds.json"
    export(emulator, file)
    back = Emulator(Settings(seed="test"))
    back.restore(file)
    assert Client(back).world.clock.now() >= ahead
