"""The journal as an HTTP Archive (HAR 1.2), which browsers' network panels and many other tools open."""

from collections.abc import Iterable, Mapping
from http.client import responses
from urllib.parse import parse_qsl

from revdesk_mock.clock import iso
from revdesk_mock.journal import Entry
from revdesk_mock.messages import JSON

JSON_TYPE = "application/json"
UNKNOWN = -1  # a size or time that was not measured, in HAR's words


def export(entries: Iterable[Entry], base_url: str, version: str) -> JSON:
    """Return requests as a HAR document; `version` is that of the emulator.

    What HAR has no place for is in fields that begin with an underscore, as it asks for.
    """
    creator = {"name": "revdesk-mock", "version": version}
    return {"log": {"version": "1.2", "creator": creator, "entries": [_entry(entry, base_url) for entry in entries]}}


def _entry(entry: Entry, base_url: str) -> JSON:
    milliseconds = round(entry.took * 1000, 3)
    own = {"request_id": entry.request_id, "world": entry.world, "operation": entry.operation, "code": entry.code}
    return {
        "startedDateTime": iso(entry.at - round(milliseconds)),
        "time": milliseconds,
        "request": _request(entry, base_url),
        "response": _response(entry),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        **{f"_{name}": value for name, value in {**own, "fault": entry.fault}.items() if value is not None},
    }


def _request(entry: Entry, base_url: str) -> JSON:
    request = {
        "method": entry.method,
        "url": f"{base_url}{entry.path}{'?' + entry.query if entry.query else ''}",
        "queryString": _pairs(parse_qsl(entry.query, keep_blank_values=True)),
        "headers": _pairs(entry.headers.items()),
        "bodySize": len(entry.body.encode()),
        **_unmeasured(),
    }
    if entry.body:
        request["postData"] = {"mimeType": entry.headers.get("content-type", ""), "text": entry.body}
    return request


def _response(entry: Entry) -> JSON:
    size = len(entry.answer.encode())
    return {
        "status": entry.status,
        "statusText": responses.get(entry.status, ""),
        "headers": _pairs(entry.answer_headers.items()),
        "content": {
            "size": size,
            "mimeType": entry.answer_headers.get("content-type", JSON_TYPE),
            "text": entry.answer,
        },
        "redirectURL": "",
        "bodySize": size,
        **_unmeasured(),
    }


def _unmeasured() -> Mapping[str, JSON]:
    return {"httpVersion": "HTTP/1.1", "cookies": [], "headersSize": UNKNOWN}


def _pairs(items: Iterable[tuple[str, str]]) -> list[JSON]:
    return [{"name": name, "value": value} for name, value in items]
