"""Recorded exchanges: requests and their answers out of a HAR 1.2 file, such as `/_revdesk/requests.har`."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from revdesk_mock import json_file
from revdesk_mock.curl import KEY, curl_line
from revdesk_mock.errors import StartError
from revdesk_mock.journal import redact
from revdesk_mock.messages import JSON

REPEATED = ("content-type", "idempotency-key")  # headers that a line to try it again has
UNREADABLE = object()  # in place of a body that is not JSON


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; `name` is the request's id, or else its place in the file.

    `path` is percent-encoded; bodies are JSON, None where there is none, or `UNREADABLE`.
    """

    name: str
    method: str
    base_url: str
    path: str
    query: str
    headers: Mapping[str, str]
    text: str
    status: int
    answer: Any

    @property
    def body(self) -> Any:
        """The body of the request as JSON."""
        return _json(self.text)

    def curl(self) -> str:
        """Write the request as a shell line, without a secret in it."""
        target = redact(f"{self.path}{'?' + self.query if self.query else ''}")
        kept = {name: value for name, value in self.headers.items() if name in REPEATED}
        headers = {"Authorization": f"Bearer {KEY}", **kept}
        return curl_line(self.method, self.base_url, target, headers, redact(self.text))


def read(path: Path) -> list[Exchange]:
    """Read the exchanges of a HAR file, in its order; raises StartError that says where it is none."""
    document = json_file.read(path, f"journal {path}")
    log = document.get("log") if isinstance(document, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise StartError(f"journal {path} is no HAR file: it has no list at /log/entries")
    return [_exchange(path, number, entry) for number, entry in enumerate(entries)]


def _exchange(path: Path, number: int, entry: JSON) -> Exchange:
    try:
        request, response = entry["request"], entry["response"]
        url = urlsplit(request["url"])
        answered = _named(response.get("headers", []))
        return Exchange(
            name=entry.get("_request_id") or answered.get("x-request-id") or f"entry {number}",
            method=request["method"],
            base_url=f"{url.scheme}://{url.netloc.rpartition('@')[2]}",
            path=url.path,
            query=url.query,
            headers=_named(request.get("headers", [])),
            text=(request.get("postData") or {}).get("text") or "",
            status=int(response["status"]),
            answer=_json(_text(response.get("content") or {})),
        )
    except KeyError as error:
        raise StartError(f"journal {path} is no HAR file at /log/entries/{number}: it has no {error}") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise StartError(f"journal {path} is no HAR file at /log/entries/{number}: {error!r}") from error


def _named(headers: JSON) -> dict[str, str]:
    return {header["name"].lower(): header["value"] for header in headers}


def _text(content: Mapping[str, JSON]) -> str:
    text: str = content.get("text") or ""
    return b64decode(text).decode("utf-8", "replace") if content.get("encoding") == "base64" else text


def _json(text: str) -> Any:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return UNREADABLE
