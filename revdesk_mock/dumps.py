"""Worlds as files: fixtures and exports, checked against their own schema before anything is opened."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import orjson

from revdesk_mock.errors import StartError
from revdesk_mock.messages import JSON
from revdesk_mock.settings import shipped
from revdesk_mock.simulation.credentials import ORGANIZATION, USER
from revdesk_mock.validation import Schema, pointer

FORMAT = 1


def load(path: Path) -> JSON:
    """Read a world's dump as the state that new worlds start from; raises StartError naming what is wrong."""
    return check_fixture(_read(path), path)


def check_fixture(dump: JSON, source: Path | str) -> JSON:
    """Return a dump as the state that new worlds start from; raises StartError naming what is wrong in its source."""
    check(dump, source)
    # A world that starts from a fixture opens when its key is first seen. Other keys belong to the one world in
    # which they were minted, and many start from a fixture.
    records = {name: rows for name, rows in dump["records"].items() if name != "keys"}
    return {**{name: value for name, value in dump.items() if name != "opened_at"}, "records": records}


def check(dump: JSON, source: Path | str) -> None:
    """Raise StartError naming the first place where a dump is none."""
    _check(dump, _world_schema(), source, "")


def load_export(path: Path) -> Iterator[tuple[JSON, JSON]]:
    """Yield (key, dump) for each world of an export; raises StartError before the first where one is wrong."""
    export = _read(path)
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


def _read(path: Path) -> JSON:
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        raise StartError(f"{path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise StartError(f"{path} is not JSON: {error}") from error


@cache
def _world_schema() -> Schema:
    return Schema(orjson.loads(shipped("fixtures/world.schema.json").read_bytes()))


def _check(dump: JSON, schema: Schema, path: Path | str, place: str) -> None:
    if not schema.is_valid(dump):
        worst = schema.failures(dump)[0]
        raise StartError(f"{path}: {place + pointer(worst.absolute_path) or '/'}: {worst.message}")
    for collection, records in dump["records"].items():
        seen: set[str] = set()
        for number, record in enumerate(records):
            if record["id"] in seen:
                raise StartError(f"{path}: {place}/records/{collection}/{number}/id: {record['id']!r} is given twice")
            seen.add(record["id"])
