"""The shipped fixtures fit the contract: every read of their records succeeds, and a world gives them back."""

import re
from typing import Any

import orjson
import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.resources import HANDLERS
from revdesk_mock.settings import shipped
from revdesk_mock.spec import Operation, Spec
from tests.conftest import Client

FIXTURES = ("default", "empty")
READS = [
    operation
    for operation in Spec.load(shipped("openapi.json")).operations.values()
    if operation.method == "GET" and operation.id in HANDLERS
]
# Whose id a path parameter is, by the segment before it.
RECORDS = {
    "agents": "agents",
    "calls": "calls",
    "documents": "documents",
    "enterprise": "enterprises",
    "numbers": "monitored_numbers",
    "phone-numbers": "phone_numbers",
    "sub-entities": "sub_entities",
    "usage": "phone_numbers",
}
# In no fixture: what lapses when nothing uses it, and what one starts without.
NOT_SHIPPED = {"v1_caller_trust_documents_id_get", "v1_caller_trust_enterprise_id_get"}
PARAMETER = re.compile(r"([^/]+)/\{\w+\}")


def fixture(name: str) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads(shipped(f"fixtures/{name}.json").read_bytes())
    return content


def client_of(name: str) -> Client:
    return Client(Emulator(Settings(data=shipped(f"fixtures/{name}.json"), seed="test", clock="frozen")))


def paths(operation: Operation, records: dict[str, Any]) -> list[str]:
    """Return the operation's path, or one for each record that its parameter can stand for."""
    parameter = PARAMETER.search(operation.path)
    if parameter is None:
        return [operation.path]
    collection = RECORDS[parameter[1]]
    return [PARAMETER.sub(rf"\1/{record['id']}", operation.path) for record in records.get(collection, ())]


@pytest.mark.parametrize("name", FIXTURES)
@pytest.mark.parametrize("operation", READS, ids=lambda operation: operation.id)
def test_every_read_of_every_record_succeeds_within_the_contract(name: str, operation: Operation) -> None:
    client = client_of(name)
    answers = [(path, client.get(path).status) for path in paths(operation, fixture(name)["records"])]
    assert answers == [(path, 200) for path, _ in answers]
    assert client.emulator.pipeline.breaches == []


def test_the_default_fixture_has_a_record_for_every_read_of_what_it_ships() -> None:
    records = fixture("default")["records"]
    assert {operation.id for operation in READS if not paths(operation, records)} == NOT_SHIPPED


@pytest.mark.parametrize("operation", READS, ids=lambda operation: operation.id)
def test_a_read_changes_nothing(operation: Operation) -> None:
    client = client_of("default")
    before = client.world.dump()
    for path in paths(operation, fixture("default")["records"]):
        client.get(path)
    assert client.world.dump() == before


@pytest.mark.parametrize("name", FIXTURES)
def test_a_fresh_world_dumps_its_fixture(name: str) -> None:
    dump = client_of(name).world.dump()
    expected = fixture(name)
    assert expected.pop("$schema") == "world.schema.json"
    assert dump.pop("opened_at") == expected["clock"]
    assert dump == expected


@pytest.mark.parametrize("name", FIXTURES)
def test_nothing_is_due_in_a_fixture(name: str) -> None:
    world = client_of(name).world
    before = world.dump()
    world.run_due()
    assert world.clock.next_due() is None
    assert world.dump() == before


def test_the_records_of_the_default_fixture_know_one_another() -> None:
    records = fixture("default")["records"]
    ids = {collection: {record["id"] for record in rows} for collection, rows in records.items()}
    for number in records["phone_numbers"]:
        assert number["agent_id"] in ids["agents"]
    for record in (*records["phone_numbers"], *records["calls"]):
        assert record["organization_id"] in ids["organizations"]
        assert record["user_id"] in ids["users"]
    owners = {number["phone_number"]: number["organization_id"] for number in records["phone_numbers"]}
    for watched in records["monitored_numbers"]:
        assert watched["organization_id"] == owners[watched["id"]]
    for call in records["calls"]:
        assert call["phone_number_id"] in ids["phone_numbers"]
        assert call["agent_id"] in {None, *ids["agents"]}
        assert call["created_at"] <= call["started_at"] <= call["ended_at"]


@pytest.mark.parametrize("collection", ["agents", "phone_numbers", "calls"])
def test_the_records_of_the_default_fixture_are_in_the_order_of_creation(collection: str) -> None:
    created = [record["created_at"] for record in fixture("default")["records"][collection]]
    assert created == sorted(created)
