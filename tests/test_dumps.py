"""Worlds are read from files that are checked whole, and a refusal names the file and the place."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from revdesk_mock import StartError, dumps
from revdesk_mock.settings import shipped
from tests.conftest import Client, emulator_with

ORGANIZATION = {
    "id": "6f1c2a9e-3b57-4c1d-9a84-0f5e7d2b6c31",
    "name": "Harbor Dental",
    "slug": "harbor-dental",
    "hipaa_enabled": False,
}
WORLD: dict[str, Any] = {"format": 1, "records": {"organizations": [ORGANIZATION]}}
KEY = {"sha256": "ab" * 32, "is_demo": False, "owner": "organization", "scopes": ["voice:read"]}


def with_organization(**changes: Any) -> dict[str, Any]:
    changed = {name: value for name, value in {**ORGANIZATION, **changes}.items() if value is not None}
    return {"format": 1, "records": {"organizations": [changed]}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "world.json"


def write(file: Path, content: Any) -> Path:
    file.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
    return file


def refusal(file: Path, content: Any) -> str:
    """Return what a fixture is refused with, without the file's name in front."""
    with pytest.raises(StartError) as caught:
        dumps.load(write(file, content))
    assert str(caught.value).startswith(str(file))
    return str(caught.value).removeprefix(str(file))


def export_refusal(file: Path, content: Any) -> str:
    with pytest.raises(StartError) as caught:
        next(dumps.load_export(write(file, content)))
    assert str(caught.value).startswith(str(file))
    return str(caught.value).removeprefix(str(file))


def export_of(*entries: Any) -> dict[str, Any]:
    return {"format": 1, "worlds": list(entries)}


# fixtures


@pytest.mark.parametrize("name", ["default", "empty"])
def test_the_shipped_fixtures_load(name: str) -> None:
    assert dumps.load(shipped(f"fixtures/{name}.json"))["records"]["organizations"] == [ORGANIZATION]


def test_a_fixture_is_handed_on_as_it_stands(file: Path) -> None:
    assert dumps.load(write(file, WORLD)) == WORLD


def test_a_world_from_a_fixture_opens_when_its_key_is_first_seen(file: Path) -> None:
    opened = {**WORLD, "opened_at": "2026-01-01T00:00:00Z"}
    assert dumps.load(write(file, opened)) == WORLD


def test_what_a_world_dumps_is_a_fixture(file: Path, client: Client) -> None:
    client.post("/v1/calls", {"phoneNumber": "+13125550100"})
    client.advance(5)
    dump = client.world.dump()
    loaded = dumps.load(write(file, dump))
    assert {**loaded, "opened_at": dump["opened_at"]} == dump


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"absent\.json: No such file or directory"):
        dumps.load(tmp_path / "absent.json")


def test_what_is_not_json_is_refused(file: Path) -> None:
    assert refusal(file, b"records:").startswith(" is not JSON: ")


DEFECTS: dict[str, tuple[Any, str, str]] = {
    "no object": ([], "/", "is not of type 'object'"),
    "no format": ({"records": {}}, "/", "'format' is a required property"),
    "another format": ({"format": 2, "records": {}}, "/format", "1 was expected"),
    "no records": ({"format": 1}, "/", "'records' is a required property"),
    "unknown entry": ({**WORLD, "extra": 1}, "/", "'extra' was unexpected"),
    "unknown collection": ({"format": 1, "records": {"cats": []}}, "/records", "'cats' was unexpected"),
    "clock of another form": ({**WORLD, "clock": "noon"}, "/clock", "is not a 'date-time'"),
    "clock without zone": ({**WORLD, "clock": "2026-01-05T09:00:00"}, "/clock", "is not a 'date-time'"),
    "negative dice": ({**WORLD, "dice": -1}, "/dice", "less than the minimum"),
    "field missing": (with_organization(slug=None), "/records/organizations/0", "'slug' is a required property"),
    "field unknown": (with_organization(vat="x"), "/records/organizations/0", "'vat' was unexpected"),
    "field of another type": (with_organization(name=7), "/records/organizations/0/name", "is not of type 'string'"),
    "id of another form": (with_organization(id="7"), "/records/organizations/0/id", "is not a 'uuid'"),
    "id twice": (
        {"format": 1, "records": {"organizations": [ORGANIZATION, {**ORGANIZATION, "name": "Other"}]}},
        "/records/organizations/1/id",
        f"'{ORGANIZATION['id']}' is given twice",
    ),
}


@pytest.mark.parametrize(("content", "pointer", "message"), DEFECTS.values(), ids=DEFECTS)
def test_a_defect_of_a_fixture_is_named_with_its_place(file: Path, content: Any, pointer: str, message: str) -> None:
    told = refusal(file, content)
    assert told.startswith(f": {pointer}: ")
    assert message in told


def test_an_unknown_field_is_refused_in_every_collection(file: Path) -> None:
    fixture = orjson.loads(shipped("fixtures/default.json").read_bytes())
    for collection, records in fixture["records"].items():
        broken = {**fixture, "records": {**fixture["records"], collection: [{**records[0], "surprise": 1}]}}
        assert refusal(file, broken).startswith(f": /records/{collection}/0: ")


# exports


def test_an_export_is_read_world_by_world(file: Path) -> None:
    other = {**KEY, "sha256": "cd" * 32}
    export = export_of({"key": KEY, "world": WORLD}, {"key": other, "world": WORLD})
    assert list(dumps.load_export(write(file, export))) == [(KEY, WORLD), (other, WORLD)]


def test_what_an_emulator_dumps_is_an_export(file: Path) -> None:
    client = Client(emulator_with())
    client.get("/v1/me")
    Client(client.emulator, "revdesk_demo_0123456789abcdef").get("/v1/me")
    dump = client.emulator.dump()
    assert [{"key": key, "world": world} for key, world in dumps.load_export(write(file, dump))] == dump["worlds"]


def test_an_export_without_worlds_is_empty(file: Path) -> None:
    assert list(dumps.load_export(write(file, export_of()))) == []


def test_a_missing_or_broken_export_is_refused(file: Path) -> None:
    with pytest.raises(StartError, match="No such file"):
        next(dumps.load_export(file))
    assert export_refusal(file, b"").startswith(" is not JSON: ")


@pytest.mark.parametrize(
    "content",
    [[], None, {}, {"worlds": []}, {"format": 1}, {"format": 2, "worlds": []}, {"format": 1, "worlds": {}}, WORLD],
)
def test_what_is_no_export_of_this_version_is_refused(file: Path, content: Any) -> None:
    assert export_refusal(file, content) == " is no export of this version: it needs format 1 and worlds"


BAD_KEYS: dict[str, Any] = {
    "entry is a list": [],
    "no key": {"world": WORLD},
    "key is a text": {"key": "x", "world": WORLD},
    "no sha256": {"key": {"is_demo": False, "owner": "organization", "scopes": []}, "world": WORLD},
    "sha256 is a number": {"key": {**KEY, "sha256": 7}, "world": WORLD},
    "is_demo is a text": {"key": {**KEY, "is_demo": "no"}, "world": WORLD},
    "no scopes": {"key": {"sha256": "x", "is_demo": False, "owner": "user"}, "world": WORLD},
    "no owner": {"key": {"sha256": "x", "is_demo": False, "scopes": []}, "world": WORLD},
    "owner is a sub-entity": {"key": {**KEY, "owner": "sub_entity"}, "world": WORLD},
    "a scope is an object": {"key": {**KEY, "scopes": [{}]}, "world": WORLD},
}


@pytest.mark.parametrize("entry", BAD_KEYS.values(), ids=BAD_KEYS)
def test_a_world_without_a_proper_key_is_refused_at_its_place(file: Path, entry: Any) -> None:
    told = export_refusal(file, export_of({"key": KEY, "world": WORLD}, entry))
    assert told == ": /worlds/1/key must hold sha256, is_demo, owner and scopes"


@pytest.mark.parametrize(
    ("world", "place"),
    [
        (None, "/worlds/0/world"),
        ({"format": 1}, "/worlds/0/world"),
        (with_organization(name=7), "/worlds/0/world/records/organizations/0/name"),
        ({"format": 1, "records": {"organizations": [ORGANIZATION] * 2}}, "/worlds/0/world/records/organizations/1/id"),
    ],
    ids=["none", "no records", "a field", "an id twice"],
)
def test_a_defect_in_a_world_of_an_export_is_named_with_its_place(file: Path, world: Any, place: str) -> None:
    assert export_refusal(file, export_of({"key": KEY, "world": world})).startswith(f": {place}: ")


def test_a_key_cannot_own_two_worlds(file: Path) -> None:
    entry = {"key": KEY, "world": WORLD}
    assert "/worlds/1/key" in export_refusal(file, export_of(entry, entry))


def test_nothing_of_an_export_is_opened_where_a_later_world_is_wrong(file: Path) -> None:
    emulator = emulator_with()
    write(file, export_of({"key": KEY, "world": WORLD}, {"key": KEY, "world": None}))
    with pytest.raises(StartError):
        emulator.restore(file)
    assert emulator.worlds() == []
