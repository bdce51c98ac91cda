"""Reading a request body as strict JSON: one object, UTF-8, no duplicate keys, no NaN, not too deep."""

import json
from typing import NoReturn

import orjson

from revdesk_mock.errors import ApiError
from revdesk_mock.messages import JSON, Reason, Request
from revdesk_mock.settings import Policies

MAX_BYTES = 1_048_576
MAX_DEPTH = 64


def read_bytes(request: Request, policies: Policies) -> bytes:
    """Return the body's bytes; raises ApiError (400 or 413 by policy) where they were too many to read."""
    if request.body is not None:
        return request.body
    raise too_large(int(policies.body_too_large_status))


def too_large(status: int = 400, limit: int = MAX_BYTES) -> ApiError:
    """Build the refusal of a body over the limit."""
    return _refusal(f"is over {limit} bytes", "body.size", f"at most {limit} bytes", "more", status=status)


def check_content_type(request: Request, policies: Policies) -> None:
    """Raise ApiError (400 or 415 by policy) for a body that says it is something else than JSON."""
    sent = request.headers.get("content-type", "application/json")
    if request.body and sent.partition(";")[0].strip().lower() != "application/json":
        status = int(policies.wrong_content_type_status)
        raise _refusal(
            "must be sent as application/json",
            "body.content_type",
            "application/json",
            sent,
            status=status,
            where="header Content-Type",
        )


def read_object(body: bytes) -> dict[str, JSON]:
    """Parse a body that must be one JSON object; raises ApiError (400) that says what is wrong with it."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _refusal(*_diagnose(body, str(error))) from error
    if not isinstance(value, dict):
        raise _refusal("must be a JSON object", "json.object", "an object", body.decode()[:40])
    keys, depth = _measure(value, 1)
    if depth > MAX_DEPTH:
        raise _refusal(f"is nested deeper than {MAX_DEPTH} levels", "json.depth", f"at most {MAX_DEPTH}", str(depth))
    # Every key has its colon. As many colons as keys: nothing was given twice. More: look closely.
    if body.count(b":") != keys:
        _refuse_duplicates(body)
    return value


def _measure(value: dict[str, JSON] | list[JSON], depth: int) -> tuple[int, int]:
    """Count keys and levels; stops descending once it is too deep."""
    keys, children = (len(value), list(value.values())) if isinstance(value, dict) else (0, value)
    deepest = depth
    if depth <= MAX_DEPTH:
        for child in children:
            if isinstance(child, dict | list):
                more, below = _measure(child, depth + 1)
                keys += more
                deepest = max(deepest, below)
    return keys, deepest


def _refuse_duplicates(body: bytes) -> None:
    def check(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _refusal(f"has the key {name!r} twice", "json.duplicate_key", "each key once", name)
            seen.add(name)
        return dict(pairs)

    json.loads(body, object_pairs_hook=check)


def _diagnose(body: bytes, detail: str) -> tuple[str, str, str, str]:
    """Tell the ways apart in which a body is no JSON: (message, rule, expected, got)."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        return f"is not UTF-8 (byte {error.start})", "json.utf8", "UTF-8", repr(body[error.start : error.start + 4])
    if not text.strip():
        return "is required", "json.required", "a JSON object", "nothing"

    def refuse(constant: str) -> NoReturn:
        raise ValueError(constant)

    too_deep = f"is nested deeper than {MAX_DEPTH} levels", "json.depth", f"at most {MAX_DEPTH}", "more"
    try:
        value = json.loads(text, parse_constant=refuse, parse_int=float)
        if isinstance(value, dict | list) and _measure(value, 1)[1] > MAX_DEPTH:
            return too_deep
    except json.JSONDecodeError as error:
        detail = f"{error.msg}, line {error.lineno} column {error.colno}"
    except RecursionError:
        return too_deep
    except ValueError as error:
        return f"holds {error}, which JSON does not have", "json.number", "finite numbers", str(error)
    return f"is not valid JSON: {detail}", "json.syntax", "JSON", text[:40]


def _refusal(
    message: str, rule: str, expected: str, got: str, *, status: int | None = None, where: str = "body /"
) -> ApiError:
    reason = Reason(rule, where, expected, got)
    return ApiError("validation_error", f"The request body {message}.", reason, status=status, fields={"body": message})
