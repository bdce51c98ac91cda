"""What came in, what went out and why, without a secret in it; and the explanation of one request."""

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import orjson

from revdesk_mock.clock import iso, iso_or_none
from revdesk_mock.curl import KEY, curl_line
from revdesk_mock.messages import JSON, Reason, Request, Response

SIZE = 1000  # requests that are remembered
KEPT = 65_536  # bytes of a body that are remembered
SECRET = re.compile(r"(revdesk_|rv_|rvw_|rdc_)[A-Za-z0-9_.\-]{4,}|eyJ[A-Za-z0-9_\-]{4,}(?:\.[A-Za-z0-9_\-]*){0,2}")
REPEATED_HEADERS = ("content-type", "idempotency-key", "x-revdesk-mock")
LOSS = re.compile(r"\b(reset|empty|stall|cut|malformed|truncated|wrong_content_type)\b")  # faults without an answer
TELLING = frozenset({"location", "x-revdesk-mock-explain"})  # those that hold something of the request


def redact(text: str, bearer: str = "") -> str:
    """Return a text with every key and token in it masked."""
    if bearer and bearer in text:
        text = text.replace(bearer, "****")
    # Most texts hold no mark; five looks take a fifth of one search.
    if not ("revdesk_" in text or "rv_" in text or "rvw_" in text or "rdc_" in text or "eyJ" in text):
        return text
    return SECRET.sub(lambda found: f"{found[1] or ''}****", text)


def redact_reasons(reasons: Sequence[Reason], bearer: str) -> tuple[Reason, ...]:
    """Return reasons as they may be kept: without secrets in what was got or where."""
    return tuple(
        replace(reason, where=redact(reason.where, bearer), got=redact(reason.got, bearer)) for reason in reasons
    )


@dataclass(slots=True)
class Entry:
    """One request and its answer, without a secret in either.

    `at` is when it was answered, in the wall's Unix milliseconds, `world_at` in the world's (None without a world);
    `took` is seconds. Bodies are cut at `KEPT` bytes. `operation` is None where it led to none, `api_key_id` where no
    key was admitted. `fault` says what failed on order.
    """

    request_id: str
    at: int
    world_at: int | None
    took: float
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str
    world: str | None
    api_key_id: str | None
    operation: str | None
    status: int
    code: str | None
    message: str | None
    reasons: tuple[Reason, ...]
    answer_headers: dict[str, str]
    answer: str
    fault: str | None = None

    @property
    def replayed(self) -> bool:
        """Whether it was answered with what its idempotency key stands for."""
        return "idempotency-replay" in self.answer_headers

    @property
    def succeeded(self) -> bool:
        """Whether it was answered as done, be the answer lost or not."""
        return 200 <= self.status < 400

    @property
    def is_lost(self) -> bool:
        """Whether, on order, its answer did not reach the client whole."""
        return self.fault is not None and LOSS.search(self.fault) is not None

    @property
    def idempotency_key(self) -> str:
        """The idempotency key that was sent, or nothing."""
        return self.headers.get("idempotency-key", "")


class Journal:
    """The last requests, of a world or of them all, by id. Listeners hear of each that was answered."""

    def __init__(self, *listeners: Callable[[Entry], None], size: int = SIZE) -> None:
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._size = size
        self._listeners = [*listeners]

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """Remember a request; the oldest gives way."""
        self._entries[entry.request_id] = entry
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)
        for listener in self._listeners:
            listener(entry)

    def on_entry(self, listener: Callable[[Entry], None]) -> None:
        """Call a function with every request that is answered from now on."""
        self._listeners.append(listener)

    def find(self, request_id: str) -> Entry | None:
        """Return a remembered request, or None."""
        return self._entries.get(request_id)

    def entries(self) -> list[Entry]:
        """Return the requests that are remembered, in the order of their answers."""
        return list(self._entries.values())

    def clear(self) -> None:
        """Forget every request."""
        self._entries.clear()


def describe_request(request: Request, bearer: str) -> tuple[str, str, dict[str, str], str]:
    """Return path, query, headers and body of a request as they may be kept: without secrets."""
    headers = {name: redact(request.headers[name], bearer) for name in REPEATED_HEADERS if name in request.headers}
    authorization = request.headers.get("authorization")
    if authorization is not None:
        scheme = authorization.partition(" ")[0]
        headers["authorization"] = f"Bearer {KEY}" if scheme.lower() == "bearer" else "****"
    return redact(request.path, bearer), redact(request.query, bearer), headers, _kept(request.body or b"", bearer)


def describe_response(response: Response, bearer: str) -> tuple[dict[str, str], str]:
    """Return headers and body of an answer as they may be kept: without secrets."""
    headers = {
        name: redact(value, bearer) if name in TELLING else value
        for name, value in response.headers
        if name != "x-request-id" and value != "application/json"  # which say nothing more
    }
    return headers, _kept(response.body, bearer)


def _kept(body: bytes, bearer: str) -> str:
    text = redact(body[:KEPT].decode("utf-8", "replace"), bearer)
    return text if len(body) <= KEPT else f"{text}... ({len(body)} bytes)"


def summary(entry: Entry) -> tuple[str, dict[str, JSON]]:
    """Return a request in one line for people, and what programs want to know of it at a glance."""
    refused = f" {entry.code}: {entry.message}" if entry.code else ""
    notes = (" (replay)" if entry.replayed else "") + (f" (fault: {entry.fault})" if entry.fault else "")
    says = f"{entry.method} {entry.path} {entry.status}{notes}{refused}"
    about = ("request_id", "operation", "status", "code", "fault")
    return says, {name: getattr(entry, name) for name in about}


def describe(entry: Entry) -> dict[str, JSON]:
    """Return a request and its answer as JSON: instants in ISO 8601, `took_ms`, bodies parsed where they are JSON."""
    return {
        "request_id": entry.request_id,
        "at": iso(entry.at),
        "world_at": iso_or_none(entry.world_at),
        "took_ms": round(entry.took * 1000, 3),
        "world": entry.world,
        "api_key_id": entry.api_key_id,
        "operation": entry.operation,
        "method": entry.method,
        "path": entry.path,
        "query": entry.query,
        "headers": entry.headers,
        "body": parsed(entry.body),
        "status": entry.status,
        "code": entry.code,
        "message": entry.message,
        "reasons": [asdict(reason) for reason in entry.reasons],
        "answer_headers": entry.answer_headers,
        "answer": parsed(entry.answer),
        "replayed": entry.replayed,
        "fault": entry.fault,
    }


def parsed(body: str) -> JSON:
    """Return a body that was kept as JSON, or as the text that it is; None for none."""
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return body


def explain(entry: Entry, base_url: str) -> JSON:
    """Tell why a request was answered as it was: rule, where, expected, got, and a line to try it again."""
    told = describe(entry)
    about = ("request_id", "at", "operation", "status", "code", "message", "reasons")
    request = f"{entry.method} {entry.path}{'?' + entry.query if entry.query else ''}"
    return {**{name: told[name] for name in about}, "request": request, "curl": curl(entry, base_url)}


def curl(entry: Entry, base_url: str) -> str:
    """Write a request as a shell line; its key is the variable REVDESK_API_KEY."""
    target = f"{entry.path}{'?' + entry.query if entry.query else ''}"
    return curl_line(entry.method, base_url, target, entry.headers, entry.body)
