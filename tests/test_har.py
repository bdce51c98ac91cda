"""The journal as an HTTP Archive: what HAR 1.2 asks for is there, times and sizes add up, and no secret is in it."""

from dataclasses import replace
from typing import Any

import jsonschema
import orjson
import pytest

from revdesk_mock import har
from revdesk_mock.clock import parse_iso
from revdesk_mock.journal import Entry
from tests.conftest import KEY, MAIN, ORDINARY, Client

BASE = "http://127.0.0.1:8473"
PAIRS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name", "value"],
        "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
    },
}


def strict(**properties: Any) -> dict[str, Any]:
    """Return a schema of an object with these fields, all of them, and custom ones that begin with an underscore."""
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer", "minimum": -1}, {"type": "number", "minimum": 0}
MESSAGE = {"httpVersion": TEXT, "cookies": PAIRS, "headers": PAIRS, "headersSize": WHOLE, "bodySize": WHOLE}
REQUEST = strict(method=TEXT, url={"type": "string", "pattern": "^https?://"}, queryString=PAIRS, **MESSAGE)
REQUEST["properties"]["postData"] = strict(mimeType=TEXT, text=TEXT)
CONTENT = strict(size=WHOLE, mimeType=TEXT, text=TEXT)
ENTRY = strict(
    startedDateTime={"type": "string", "format": "date-time"},
    time=NUMBER,
    request=REQUEST,
    response=strict(status=WHOLE, statusText=TEXT, content=CONTENT, redirectURL=TEXT, **MESSAGE),
    cache=strict(),
    timings=strict(send=NUMBER, wait=NUMBER, receive=NUMBER),
)
# What http://www.softwareishard.com/blog/har-12-spec/ demands of the parts that are written here.
HAR = strict(
    log=strict(
        version={"const": "1.2"}, creator=strict(name=TEXT, version=TEXT), entries={"type": "array", "items": ENTRY}
    )
)


@pytest.fixture
def entries(client: Client) -> list[Entry]:
    client.get("/v1/calls?limit=2&cursor=")
    client.post("/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY}, content_type="application/json")
    client.post("/v1/nowhere", b"plain \xff text")
    client("DELETE", "/v1/phone-numbers/none")
    return client.world.journal.entries()


def test_an_archive_is_what_har_asks_for(entries: list[Entry]) -> None:
    archive = orjson.loads(orjson.dumps(har.export(entries, BASE, "1.0")))
    jsonschema.Draft202012Validator(HAR, format_checker=jsonschema.FormatChecker()).validate(archive)
    assert archive["log"]["creator"] == {"name": "revdesk-mock", "version": "1.0"}
    assert len(archive["log"]["entries"]) == len(entries)


def test_an_entry_holds_the_request_and_its_answer(entries: list[Entry]) -> None:
    listing, dial, nowhere, _ = har.export(entries, BASE, "1.0")["log"]["entries"]
    assert listing["request"]["url"] == f"{BASE}/v1/calls?limit=2&cursor="
    assert listing["request"]["queryString"] == [{"name": "limit", "value": "2"}, {"name": "cursor", "value": ""}]
    assert dial["request"]["postData"]["mimeType"] == "application/json"
    assert orjson.loads(dial["request"]["postData"]["text"])["to_number"] == ORDINARY
    assert (dial["response"]["status"], dial["response"]["statusText"]) == (200, "OK")
    assert dial["response"]["content"]["mimeType"] == "application/json"
    assert "call_id" in dial["response"]["content"]["text"]
    assert dial["_operation"] == "v1_calls_dial_post"
    assert (nowhere["_code"], "_operation" in nowhere) == ("route_not_found", False)
    assert dial["request"]["bodySize"] == len(dial["request"]["postData"]["text"])


def test_an_entry_begins_when_the_request_came(entries: list[Entry]) -> None:
    slow = replace(entries[0], at=1_767_225_602_000, took=1.5, fault="before_commit: delay_ms 1500")
    [told] = har.export([slow], BASE, "1.0")["log"]["entries"]
    assert parse_iso(told["startedDateTime"]) == 1_767_225_600_500
    assert told["time"] == told["timings"]["wait"] == 1500
    assert told["_fault"] == slow.fault


def test_no_key_is_in_an_archive(entries: list[Entry]) -> None:
    archive = orjson.dumps(har.export(entries, BASE, "1.0")).decode()
    assert KEY not in archive
    assert "Bearer $REVDESK_API_KEY" in archive
