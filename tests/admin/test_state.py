"""The admin API of a world's state over the wire: read, patched, restored, kept under names, forked, reset."""

import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import Emulator, Settings, World, dumps, state
from revdesk_mock.admin.desk import Desk
from revdesk_mock.admin.guard import Guard
from revdesk_mock.admin.state import StateAdmin
from revdesk_mock.errors import ApiError
from revdesk_mock.json_body import MAX_BYTES
from revdesk_mock.recordings import Recordings
from revdesk_mock.rtc.mixdown import render
from revdesk_mock.rtc.recorder import Recorder
from revdesk_mock.server import Server
from revdesk_mock.settings import shipped
from tests.commands.shell import ROOT
from tests.conftest import AGENT, MAIN, ORDINARY, SPEC, Client
from tests.test_app import Reply, ask

STATE, SNAPSHOTS = "/_revdesk/state", "/_revdesk/snapshots"
DIAL = {"from_number": MAIN, "to_number": ORDINARY}
ODD = st.none() | st.booleans() | st.sampled_from([0, 1, 10**18, "", "x", MAIN, [], {}, [[0, "ring"]], "completed"])
KEYS = (f"revdesk_state_{number}" for number in count())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="state", clock="frozen", rate_limit="off"), SPEC)) as running:
        yield running
    assert running.emulator.pipeline.breaches == []


class Tenant:
    """A world of its own on the server, asked over the wire with its key."""

    def __init__(self, server: Server, key: str) -> None:
        self.server = server
        self.key = key

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        return ask(self.server, method, path, body, Authorization=f"Bearer {self.key}", **headers)

    def state(self, path: str = "") -> Any:
        reply = self.ask("GET", STATE + path)
        assert reply.status == 200, reply.raw
        return reply.body

    def dial(self) -> str:
        return str(self.ask("POST", "/v1/calls/dial", DIAL).body["data"]["call_id"])

    def advance(self, seconds: float) -> None:
        assert self.ask("POST", "/_revdesk/clock", {"advance_seconds": seconds}).status == 200

    @property
    def world(self) -> World:
        return self.server.emulator.world(self.key)


@pytest.fixture
def tenant(server: Server) -> Tenant:
    return Tenant(server, next(KEYS))


# reading


def test_a_state_is_a_fixture(server: Server, tenant: Tenant) -> None:
    tenant.dial()
    dump = tenant.state()
    dumps.check(dump, "state")
    twin = ask(server, "POST", "/_revdesk/worlds", {"data": dump}).body
    assert Tenant(server, twin["key"]).state()["records"] == dump["records"]


def test_what_is_due_has_happened_in_what_is_read(tenant: Tenant) -> None:
    call = tenant.dial()
    tenant.advance(2)
    assert tenant.state(f"/calls/{call}")["status"] == "ringing"
    assert tenant.state("/calls")[-1] == tenant.state(f"/calls/{call}")


def test_a_collection_without_records_is_empty_and_one_that_is_none_is_not_found(tenant: Tenant) -> None:
    assert tenant.state("/documents") == []
    unknown = tenant.ask("GET", f"{STATE}/call")
    assert unknown.status == 404
    assert unknown.body["error"]["message"] == "There is no collection 'call'; did you mean 'calls'?"
    assert tenant.ask("GET", f"{STATE}/calls/none").status == 404


# patching


def test_a_patched_record_is_what_the_api_answers_from(tenant: Tenant) -> None:
    patched = tenant.ask("PATCH", f"{STATE}/agents/{AGENT}", {"name": "Nightly"})
    assert patched.body == tenant.state(f"/agents/{AGENT}")
    named = {agent["id"]: agent["name"] for agent in tenant.ask("GET", "/v1/agents").body["data"]}
    assert named[AGENT] == "Nightly"


def test_a_patched_number_is_found_by_what_it_is_now(tenant: Tenant) -> None:
    (number,) = [each for each in tenant.state("/phone_numbers") if each["phone_number"] == MAIN]
    tenant.ask("PATCH", f"{STATE}/phone_numbers/{number['id']}", {"is_active": False})
    assert tenant.ask("POST", "/v1/calls/dial", DIAL).status == 422


@pytest.mark.parametrize("fields", [{"record": True}, {"ended_at": 0}, {}])
def test_fields_of_any_name_and_none_are_set(tenant: Tenant, fields: dict[str, Any]) -> None:
    call = tenant.dial()
    before = tenant.state(f"/calls/{call}")
    assert tenant.ask("PATCH", f"{STATE}/calls/{call}", fields).body == {**before, **fields}


def test_what_becomes_due_by_a_patch_happens_at_once(tenant: Tenant) -> None:
    call = tenant.dial()
    due = tenant.ask("PATCH", f"{STATE}/calls/{call}", {"due_at": 0})
    assert due.body["status"] == "ringing"


FLAWED: dict[str, tuple[str, Any, str, str]] = {
    "wrong type": ("agents", {"name": 1}, "/name", "1 is not of type 'string'"),
    "not a choice": ("calls", {"status": "asleep"}, "/status", "'asleep' is not one of"),
    "unknown field": ("agents", {"nmae": "x"}, "/", "'nmae' was unexpected"),
    "a step with nothing planned": ("calls", {"due_at": 0}, "/plan", "[]"),
    "a plan of another kind": ("calls", {"plan": [[0, "dance"]]}, "/plan/0/1", "'dance' is not one of"),
    "another id": ("agents", {"id": "x"}, "id", "cannot be changed"),
    "deep": ("calls", {"legs": [{"role": "agent"}]}, "/legs/0", "required"),
    "one good field beside a bad one": ("agents", {"name": "x", "created_at": "now"}, "/created_at", "'now' is not"),
}


@pytest.mark.parametrize("case", FLAWED.values(), ids=FLAWED.keys())
def test_a_patch_that_no_record_can_take_is_refused_whole(tenant: Tenant, case: tuple[str, Any, str, str]) -> None:
    collection, fields, pointer, words = case
    before = tenant.state()
    record = before["records"][collection][0]["id"]
    refused = tenant.ask("PATCH", f"{STATE}/{collection}/{record}", fields)
    assert (refused.status, refused.body["error"]["code"]) == (400, "validation_error")
    assert words in refused.body["error"]["fields"][pointer]
    assert tenant.state() == before


@given(st.data())
def test_whatever_a_record_takes_leaves_the_api_answering(data: st.DataObject) -> None:
    client = Client(Emulator(Settings(seed="patched", clock="frozen", data=shipped("fixtures/registered.json")), SPEC))
    client.post("/v1/calls/dial", DIAL)
    collection = data.draw(st.sampled_from(sorted(client.world.store.dump())))
    record = data.draw(st.sampled_from(client.world.store.all(collection)))
    fields = data.draw(st.dictionaries(st.sampled_from(sorted(record)), ODD, min_size=1, max_size=3))
    with suppress(ApiError):
        state.patch(client.world, collection, record["id"], fields)
    client.advance(60)
    dumps.check(json.loads(json.dumps(client.world.dump())), "after")
    for operation in SPEC.operations.values():
        if operation.method == "GET" and "{" not in operation.path:
            assert client.get(operation.path).status < 500
    assert client.emulator.pipeline.breaches == []


def test_a_patch_that_is_no_object_or_for_nothing_is_refused(tenant: Tenant) -> None:
    assert tenant.ask("PATCH", f"{STATE}/agents/{AGENT}", b"[]").status == 400
    assert tenant.ask("PATCH", f"{STATE}/agents/none", {"name": "x"}).status == 404
    assert tenant.ask("PATCH", f"{STATE}/agent/{AGENT}", {"name": "x"}).status == 404


def test_python_patches_as_the_wire_does(client: Client) -> None:
    agent = state.patch(client.world, "agents", AGENT, {"name": "Nightly"})
    assert client.get(f"/v1/agents/{AGENT}").data["name"] == agent["name"] == "Nightly"
    with pytest.raises(ApiError, match="/name: 1 is not of type 'string'"):
        state.patch(client.world, "agents", AGENT, {"name": 1})


# restoring


def test_a_world_becomes_what_its_state_was(tenant: Tenant) -> None:
    call = tenant.dial()
    before = tenant.state()
    tenant.advance(60)
    tenant.dial()
    assert tenant.ask("PUT", STATE, before).status == 204
    assert tenant.state() == before
    tenant.advance(2)
    assert tenant.ask("GET", f"/v1/calls/{call}").body["data"]["status"] == "RINGING"


EMPTY: Any = {"format": 1, "records": {}}
NO_DUMPS: dict[str, tuple[Any, str]] = {
    "no records": ({"format": 1}, "/"),
    "another format": ({**EMPTY, "format": 2}, "/format"),
    "unknown collection": ({"format": 1, "records": {"call": []}}, "/records"),
    "record that is none": ({"format": 1, "records": {"calls": [{"id": "1"}]}}, "/records/calls/0"),
    "time that is none": ({**EMPTY, "clock": "yesterday"}, "/clock"),
    "time too late": ({**EMPTY, "clock": "9500-01-01T00:00:00Z"}, "/clock"),
    "opened too early": ({**EMPTY, "opened_at": "1900-01-01T00:00:00Z"}, "/opened_at"),
}


@pytest.mark.parametrize("case", NO_DUMPS.values(), ids=NO_DUMPS.keys())
def test_what_is_no_state_changes_nothing(tenant: Tenant, case: tuple[Any, str]) -> None:
    dump, pointer = case
    tenant.dial()
    before, due = tenant.state(), tenant.world.clock.next_due()
    refused = tenant.ask("PUT", STATE, dump)
    assert (refused.status, list(refused.body["error"]["fields"])) == (400, [pointer])
    assert tenant.state() == before
    assert tenant.world.clock.next_due() == due


def test_a_record_that_is_there_twice_is_refused_with_its_place(tenant: Tenant) -> None:
    dump = tenant.state()
    dump["records"]["agents"].append(dump["records"]["agents"][0])
    refused = tenant.ask("PUT", STATE, dump)
    assert "is given twice" in refused.body["error"]["fields"]["/records/agents/2/id"]


def test_a_large_world_is_restored(tenant: Tenant) -> None:
    dump = tenant.state()
    last = dump["records"]["calls"][-1]
    dump["records"]["calls"] = [{**last, "id": f"call-{number}"} for number in range(2000)]
    assert len(json.dumps(dump)) > MAX_BYTES
    assert tenant.ask("PUT", STATE, dump).status == 204
    assert len(tenant.state("/calls")) == 2000


def test_keys_minted_after_a_state_was_read_are_gone_with_it(tenant: Tenant) -> None:
    early = tenant.ask("POST", "/_revdesk/keys", {"owner": "organization"}).body["key"]
    before = tenant.state()
    late = tenant.ask("POST", "/_revdesk/keys", {"owner": "organization"}).body["key"]
    tenant.ask("PUT", STATE, before)
    emulator = tenant.server.emulator
    assert emulator.world(early) is tenant.world
    assert emulator.world(late) is not tenant.world, "a key that nobody knows opens a world"


def test_a_key_of_another_world_stays_there(server: Server, tenant: Tenant) -> None:
    minted = tenant.ask("POST", "/_revdesk/keys", {"owner": "organization"}).body["key"]
    other = Tenant(server, next(KEYS))
    assert other.ask("PUT", STATE, tenant.state()).status == 204
    assert server.emulator.world(minted) is tenant.world
    assert other.state()["records"].get("keys") is None


# snapshots


def test_a_world_goes_back_to_a_snapshot_as_often_as_one_likes(tenant: Tenant) -> None:
    call = tenant.dial()
    taken = tenant.ask("PUT", f"{SNAPSHOTS}/dialed")
    before = tenant.state()
    assert taken.body == {"name": "dialed", "clock": before["clock"], "records": tenant.world.store.sizes()}
    for _ in range(2):
        tenant.advance(60)
        assert tenant.state(f"/calls/{call}")["status"] == "completed"
        assert tenant.ask("POST", f"{SNAPSHOTS}/dialed/restore").body == taken.body
        assert tenant.state() == before


def test_snapshots_are_listed_replaced_and_forgotten(tenant: Tenant) -> None:
    for name in ("one", "two", "one"):
        tenant.ask("PUT", f"{SNAPSHOTS}/{name}")
        tenant.advance(1)
    listed = tenant.ask("GET", SNAPSHOTS).body
    assert [each["name"] for each in listed] == ["one", "two"]
    assert listed[0]["clock"] > listed[1]["clock"]
    assert tenant.ask("DELETE", f"{SNAPSHOTS}/one").status == 204
    assert [each["name"] for each in tenant.ask("GET", SNAPSHOTS).body] == ["two"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", f"{SNAPSHOTS}/none", None),
        ("POST", f"{SNAPSHOTS}/none/restore", None),
        ("POST", "/_revdesk/fork", {"snapshot": "none"}),
    ],
)
def test_a_snapshot_that_was_not_taken_is_not_found(tenant: Tenant, method: str, path: str, body: Any) -> None:
    refused = tenant.ask(method, path, body)
    assert (refused.status, refused.body["error"]["message"]) == (404, "No snapshot with the id 'none'.")


def test_a_name_has_an_end(tenant: Tenant) -> None:
    assert tenant.ask("PUT", f"{SNAPSHOTS}/{'x' * 100}").status == 200
    assert tenant.ask("PUT", f"{SNAPSHOTS}/{'x' * 101}").status == 400


# forks


def test_a_fork_has_a_key_of_its_own_and_goes_its_own_way(server: Server, tenant: Tenant) -> None:
    tenant.dial()
    opened = tenant.ask("POST", "/_revdesk/fork")
    fork = Tenant(server, opened.body["key"])
    assert opened.status == 201
    assert opened.body["id"] == fork.world.id != tenant.world.id
    assert fork.state()["records"] == tenant.state()["records"]
    before = tenant.state()
    fork.advance(60)
    fork.dial()
    assert tenant.state() == before


def test_a_fork_shares_its_records_and_has_counted_what_its_original_has(server: Server, tenant: Tenant) -> None:
    for _ in range(3):
        tenant.dial()
        tenant.advance(20)
    original = tenant.world
    fork = Tenant(server, tenant.ask("POST", "/_revdesk/fork", {}).body["key"]).world
    call = original.store.all("calls")[-1]
    assert fork.store.get("calls", call["id"]) is call
    assert fork.store.find("phone_numbers", "phone_number", MAIN) == original.store.find(
        "phone_numbers", "phone_number", MAIN
    )
    assert fork.clock.next_due() == original.clock.next_due()
    assert fork.guardrails.counters() == original.guardrails.counters()
    for world in (fork, original):
        world.advance(600)
    assert fork.guardrails.counters() == original.guardrails.counters()
    assert fork.guardrails.channels_in_use() == 0


def test_a_snapshot_is_forked_as_it_was(server: Server, tenant: Tenant) -> None:
    tenant.ask("POST", "/_revdesk/keys", {"owner": "organization"})
    call = tenant.dial()
    tenant.ask("PUT", f"{SNAPSHOTS}/dialed")
    tenant.advance(60)
    one, two = (
        Tenant(server, tenant.ask("POST", "/_revdesk/fork", {"snapshot": "dialed"}).body["key"]) for _ in range(2)
    )
    assert one.state(f"/calls/{call}")["status"] == "queued"
    one.advance(60)
    assert two.state(f"/calls/{call}")["status"] == "queued"
    assert one.state("/keys") == []
    assert one.dial() != two.dial()
    one.ask("POST", "/_revdesk/reset")
    assert one.state(f"/calls/{call}")["status"] == "queued", "where it began"


@pytest.mark.parametrize("order", [{"snapshto": "x"}, {"snapshot": 1}, b"[]"])
def test_an_order_for_a_fork_that_makes_no_sense_opens_nothing(server: Server, tenant: Tenant, order: Any) -> None:
    tenant.dial()
    worlds = len(server.emulator.worlds())
    assert tenant.ask("POST", "/_revdesk/fork", order).status == 400
    assert len(server.emulator.worlds()) == worlds


# reset


@pytest.mark.parametrize("order", [None, {}, {"scope": "all"}])
def test_a_world_becomes_what_it_was_when_it_was_opened(tenant: Tenant, order: Any) -> None:
    opened = tenant.state()
    tenant.dial()
    assert tenant.ask("POST", "/_revdesk/reset", order).status == 204
    assert tenant.state() == opened
    assert tenant.world.journal.entries() == []


def test_the_journal_is_forgotten_alone(tenant: Tenant) -> None:
    tenant.dial()
    before = tenant.state()
    tenant.ask("POST", "/_revdesk/reset", {"scope": "journal"})
    assert (tenant.world.journal.entries(), tenant.world.timeline.events()) == ([], [])
    assert tenant.state() == before


def test_faults_are_reset_alone(tenant: Tenant) -> None:
    tenant.dial()
    before = tenant.state()
    assert tenant.ask("POST", "/_revdesk/faults", {"operation": "v1_me_get", "do": {"status": 500}}).status == 201
    tenant.ask("POST", "/_revdesk/reset", {"scope": "faults"})
    assert tenant.ask("GET", "/_revdesk/faults").body == []
    assert tenant.state() == before
    assert tenant.world.journal.entries() != []


@pytest.mark.parametrize("order", [{"scope": "jurnal"}, {"scope": None}, {"what": "all"}])
def test_a_reset_of_what_there_is_not_resets_nothing(tenant: Tenant, order: Any) -> None:
    tenant.dial()
    before = tenant.state()
    assert tenant.ask("POST", "/_revdesk/reset", order).status == 400
    assert tenant.state() == before


# which world, for whom, and where it is told


def test_every_route_is_documented(server: Server) -> None:
    emulator = server.emulator
    admin = Desk(emulator, Recordings(Recorder(), render), Guard(emulator.settings))
    page = (ROOT / "docs/admin.md").read_text()
    for route in StateAdmin(emulator, admin).routes():
        assert all(f"`{method} {route.path}`" in page for method in (route.methods or set()) - {"HEAD"})


def test_a_world_is_named_by_its_id_as_well(server: Server, tenant: Tenant) -> None:
    tenant.dial()
    other = Tenant(server, next(KEYS))
    assert other.ask("GET", f"{STATE}?world={tenant.world.id}").body == tenant.state()
    assert other.ask("PUT", f"{SNAPSHOTS}/there?world={tenant.world.id}").status == 200
    assert list(tenant.world.snapshots) == ["there"]
    assert other.world.snapshots == {}
    assert other.ask("POST", "/_revdesk/reset?world=none").status == 404


@pytest.mark.parametrize("path", [STATE, f"{STATE}/calls", f"{STATE}/calls/1", SNAPSHOTS])
def test_other_sites_read_no_state(tenant: Tenant, path: str) -> None:
    assert tenant.ask("GET", path, Origin="https://elsewhere.example").status == 403
