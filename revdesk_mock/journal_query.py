"""Questions to the journal: which requests meet some conditions, and which come closest to it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import orjson

from revdesk_mock.clock import parse_iso
from revdesk_mock.errors import STATUS, ApiError, invalid
from revdesk_mock.journal import Entry, describe, parsed
from revdesk_mock.messages import JSON
from revdesk_mock.settings import suggestion
from revdesk_mock.spec import METHODS, Spec

MISSES = 3  # near misses that are told where no limit is given
COMPARED = 200  # characters of a text that are compared with what was expected
STATUSES = re.compile(r"[1-5](?:\d\d|xx)(?:,[1-5](?:\d\d|xx))*")


class Condition(NamedTuple):
    """One thing that a request is expected to have: `got` tells what it has, if any, and `holds` whether that does."""

    field: str
    expected: str
    got: Callable[[Entry], str | None]
    holds: Callable[[str], bool]

    def judge(self, entry: Entry) -> "Verdict":
        """Tell whether a request meets it."""
        got = self.got(entry)
        return Verdict(self.field, got is not None and self.holds(got), self.expected, got)


class Query(NamedTuple):
    """What is looked for: among `entries`, those that meet all conditions, and of these the newest `limit`."""

    entries: Sequence[Entry]
    conditions: Sequence[Condition]
    limit: int | None = None


class Verdict(NamedTuple):
    """How one condition fared with one request; `got` is None for what that has not."""

    field: str
    matched: bool
    expected: str
    got: str | None


class Miss(NamedTuple):
    """A request that does not meet every condition, and how each fared."""

    entry: Entry
    verdicts: Sequence[Verdict]


FILTERS: Mapping[str, str] = {
    "operation": "the operation's id, as in the contract",
    "status": "statuses and classes of them: `409`, `4xx`, `400,409`",
    "code": "the error code of a refusal",
    "method": "the method",
    "path": "the path; here and in values of bodies `*` stands for any text: `/v1/calls/*`",
    "body": "`field=value`; dots lead inwards: `to_numbers.0=*55`; may be given several times",
    "since": "what came after a request id, or from an ISO 8601 instant of the world's time on",
    "until": "what came up to a request id, or up to an instant, itself included",
    "limit": "so many, the newest",
}


def read(filters: Iterable[tuple[str, str]], entries: Sequence[Entry], spec: Spec) -> Query:
    """Read filters by name (see `FILTERS`) over requests of a journal; raises ApiError (400) for what is none."""
    conditions: list[Condition] = []
    limit = None
    for name, text in filters:
        if name in {"since", "until"}:
            entries = _cut(name, text, entries)
        elif name == "limit":
            limit = _limit(text)
        elif name == "body":
            conditions.append(_body(text))
        elif name in READERS:
            conditions.append(READERS[name](text, spec))
        else:
            expected = f"one of {', '.join(FILTERS)}"
            message = f"is no filter{suggestion(name, FILTERS)}; there are {', '.join(FILTERS)}"
            raise invalid(name, message, where="query", rule="journal.filter", expected=expected, got=name)
    return Query(entries, conditions, limit)


def select(query: Query) -> list[Entry]:
    """Return the requests that meet every condition, oldest first."""
    met = [entry for entry in query.entries if all(one.judge(entry).matched for one in query.conditions)]
    return met if query.limit is None else met[-query.limit :]


def near_misses(query: Query) -> list[Miss]:
    """Return the requests that fail a condition, the closest first, and of equals the newest.

    Raises ApiError (400) where there is no condition.
    """
    if not query.conditions:
        message = f"needs to know what was expected: {', '.join(READERS)} or body"
        raise invalid("query", message, where="query", rule="journal.filter", expected="a filter", got="none")
    misses = [Miss(entry, [one.judge(entry) for one in query.conditions]) for entry in reversed(query.entries)]
    misses = [miss for miss in misses if not all(verdict.matched for verdict in miss.verdicts)]
    misses.sort(key=lambda miss: -sum(map(_closeness, miss.verdicts)))
    return misses[: query.limit or MISSES]


def describe_miss(miss: Miss) -> dict[str, JSON]:
    """Return a near miss as JSON: the request, and a verdict for each field that was looked for."""
    return {
        "request": describe(miss.entry),
        "matched": sum(verdict.matched for verdict in miss.verdicts),
        "of": len(miss.verdicts),
        "verdicts": [verdict._asdict() for verdict in miss.verdicts],
    }


def _closeness(verdict: Verdict) -> float:
    """Return how near a request came to a condition: 1 where it meets it, and less than a half where it does not."""
    if verdict.matched:
        return 1
    if verdict.got is None:
        return 0
    return SequenceMatcher(None, verdict.expected[:COMPARED], verdict.got[:COMPARED], autojunk=False).ratio() * 0.49


def _cut(name: str, text: str, entries: Sequence[Entry]) -> Sequence[Entry]:
    """Leave out what came before or after a request or an instant."""
    place = next((place for place, entry in enumerate(entries, 1) if entry.request_id == text), None)
    if place is not None:
        return entries[place:] if name == "since" else entries[:place]
    try:
        instant = parse_iso(text)
    except ValueError:
        raise _unusable(
            name, text, "the id of a remembered request, or an instant such as 2026-01-31T12:00:00Z"
        ) from None
    if name == "since":
        return [entry for entry in entries if _time_of(entry) >= instant]
    return [entry for entry in entries if _time_of(entry) <= instant]


def _time_of(entry: Entry) -> int:
    return entry.at if entry.world_at is None else entry.world_at


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise _unusable("limit", text, "a whole number from 1")
    return int(text)


def _operation(text: str, spec: Spec) -> Condition:
    _known("operation", text, spec.operations)
    return Condition("operation", text, lambda entry: entry.operation, text.__eq__)


def _code(text: str, _: Spec) -> Condition:
    _known("code", text, STATUS)
    return Condition("code", text, lambda entry: entry.code, text.__eq__)


def _method(text: str, _: Spec) -> Condition:
    _known("method", text.lower(), dict.fromkeys(METHODS))
    return Condition("method", text.upper(), lambda entry: entry.method, text.upper().__eq__)


def _status(text: str, _: Spec) -> Condition:
    if not STATUSES.fullmatch(text):
        raise _unusable("status", text, "statuses or classes of them, such as 409, 4xx or 400,409")
    pattern = re.compile(text.replace("xx", r"\d\d").replace(",", "|"))
    return Condition("status", text, lambda entry: str(entry.status), lambda got: bool(pattern.fullmatch(got)))


def _path(text: str, _: Spec) -> Condition:
    if not text.startswith(("/", "*")):
        raise _unusable("path", text, "a path, such as /v1/calls/*")
    return Condition("path", text, lambda entry: entry.path, _glob(text))


def _body(text: str) -> Condition:
    field, equals, value = text.partition("=")
    if not (field and equals):
        raise _unusable("body", text, "field=value, such as to_number=+13125550100")
    return Condition(f"body.{field}", value, lambda entry: _value_at(parsed(entry.body), field), _glob(value))


READERS: Mapping[str, Callable[[str, Spec], Condition]] = {
    "operation": _operation,
    "status": _status,
    "code": _code,
    "method": _method,
    "path": _path,
}


def _glob(text: str) -> Callable[[str], bool]:
    pattern = re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)
    return lambda got: bool(pattern.fullmatch(got))


def _value_at(node: JSON, field: str) -> str | None:
    """Return the value at a dotted name as text, a string as it is, anything else as JSON; None where there is none."""
    for part in field.split("."):
        if isinstance(node, dict) and part in node:
            node = node[part]
        elif isinstance(node, list) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        else:
            return None
    return node if isinstance(node, str) else orjson.dumps(node).decode()


def _known(name: str, text: str, known: Mapping[str, JSON]) -> None:
    if text not in known:
        hint = suggestion(text, known)
        raise _unusable(name, text, f"one that there is{hint}")


def _unusable(name: str, text: str, expected: str) -> ApiError:
    message = f"{text!r:.80} cannot be looked for; give {expected}"
    return invalid(name, message, where=f"query {name}", rule="journal.filter", expected=expected, got=text)
