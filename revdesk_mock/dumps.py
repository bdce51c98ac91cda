"""Worlds as files: fixtures and exports, checked against their own schema before anything is opened."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import orjson

from revdesk_mock import json_file
from revdesk_mock.clock import EPOCH, check_instant, parse_iso
from revdesk_mock.errors import StartError
from revdesk_mock.messages import JSON, Record
from revdesk_mock.settings import shipped
from revdesk_mock.simulation.credentials import ORGANIZATION, USER
from revdesk_mock.validation import Schema, pointer

FORMAT = 1


def load(path: Path) -> JSON:
    """Read a world's dump as the state that new worlds start from; raises StartError naming what is wrong."""
    return check_fixture(json_file.read(path), path)


def check_fixture(dump: JSON, source: Path | str) -> JSON:
    """Return a dump as the state that new worlds start from; raises StartError naming what is wrong in its source."""
    check(dump, source)
    # A world that starts from a fixture opens when its key is first seen. Other keys belong to the one world in
    # which they were minted, and many start from a fixture.
    records = {name: rows for name, rows in dump["records"].items() if name != "keys"}
    return {**{name: value for name, value in dump.items() if name != "opened_at"}, "records": records}


class Flaw(NamedTuple):
    """The first place where JSON is not what it should be, as a pointer, and what is wrong there."""

    pointer: str
    message: str


def collections() -> list[str]:
    """Return the names of the collections that a world has."""
    return list(_document()["properties"]["records"]["properties"])


def flaw_of(dump: JSON) -> Flaw | None:
    """Return what is wrong with a dump, or None."""
    return _flaw_of(dump, _world_schema())


def flaw_of_record(collection: str, record: Record) -> Flaw | None:
    """Return what is wrong with a record of a collection that there is, or None."""
    flaw = flaw_of({"format": FORMAT, "records": {collection: [record]}})
    return flaw and Flaw(flaw.pointer.removeprefix(f"/records/{collection}/0"), flaw.message)


def check(dump: JSON, source: Path | str) -> None:
    """Raise StartError naming the first place where a dump is none."""
    _check(dump, _world_schema(), source, "")


def load_export(path: Path) -> Iterator[tuple[JSON, JSON]]:
    """Yield (key, dump) for each world of an export; raises StartError before the first where one is wrong."""
    export = json_file.read(path)
    worlds = export.get("worlds") if isinstance(export, dict) else None
    if not isinstance(worlds, list) or export.get("format") != FORMAT:
        raise StartError(f"{path} is no export of this version: it needs format {FORMAT} and worlds")
    schema = _world_schema()
    owners: set[str] = set()
    for number, entry in enumerate(worlds):
        if not isinstance(entry, dict) or not _is_key(entry.get("key")):
            raise StartError(f"{path}: /worlds/{number}/key must hold sha256, is_demo, owner and scopes")
        _check(entry.get("world"), schema, path, f"/worlds/{number}/world")
        if entry["key"]["sha256"] in owners:
            raise StartError(f"{path}: /worlds/{number}/key/sha256 owns another world already")
        owners.add(entry["key"]["sha256"])
    yield from ((entry["key"], entry["world"]) for entry in worlds)


def _is_key(key: JSON) -> bool:
    return (
        isinstance(key, dict)
        and isinstance(key.get("sha256"), str)
        and isinstance(key.get("is_demo"), bool)
        and key.get("owner") in {ORGANIZATION, USER}
        and isinstance(key.get("scopes"), list)
        and all(isinstance(scope, str) for scope in key["scopes"])
    )


@cache
def _world_schema() -> Schema:
    return Schema(_document())


def _document() -> JSON:
    return orjson.loads(shipped("fixtures/world.schema.json").read_bytes())


def _check(dump: JSON, schema: Schema, source: Path | str, place: str) -> None:
    flaw = _flaw_of(dump, schema)
    if flaw is not None:
        raise StartError(f"{source}: {place + flaw.pointer or '/'}: {flaw.message}")


def _flaw_of(dump: JSON, schema: Schema) -> Flaw | None:
    if not schema.is_valid(dump):
        worst = schema.failures(dump)[0]
        return Flaw(pointer(worst.absolute_path), worst.message)
    for name in ("clock", "opened_at"):
        try:
            check_instant(parse_iso(dump[name]) if name in dump else EPOCH)
        except ValueError as error:
            return Flaw(f"/{name}", f"{dump[name]!r}: {error}")
    for collection, records in dump["records"].items():
        seen: set[str] = set()
        for number, record in enumerate(records):
            if record["id"] in seen:
                return Flaw(f"/records/{collection}/{number}/id", f"{record['id']!r} is given twice")
            seen.add(record["id"])
    return None
