"""Hypothesis strategies over the contract: requests for a server, answers for a client, phone numbers, calls."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Literal, TypeVar
from urllib.parse import quote

import orjson
from hypothesis import strategies as st

from revdesk_mock.clock import DAY, HOUR, SECOND, iso, parse_iso
from revdesk_mock.ids import Dice
from revdesk_mock.messages import JSON
from revdesk_mock.settings import shipped, suggestion
from revdesk_mock.simulation.call_flow import (
    BUSY,
    CANCELED,
    COMPLETED,
    DECLINED,
    IN_PROGRESS,
    NO_ANSWER,
    QUEUED,
    RINGING,
    UNREACHABLE,
    VOICEMAIL,
)
from revdesk_mock.spec import Operation, Spec
from revdesk_mock.testing import fillings, queries
from revdesk_mock.testing.edges import edges
from revdesk_mock.testing.fillings import ABSENT, Filling
from revdesk_mock.testing.instances import valid
from revdesk_mock.testing.samples import RequestKind, SampleRequest, SampleResponse, Trait
from revdesk_mock.testing.scalars import DRAWN, E164, FICTIONAL, Strategy

ResponseKind = Literal["valid", "unexpected"]
Way = TypeVar("Way")

TALKED = (COMPLETED, VOICEMAIL)
ENDINGS = (*TALKED, BUSY, NO_ANSWER, DECLINED, UNREACHABLE, CANCELED)
SINCE = parse_iso("2026-01-01T00:00:00Z")


def requests(
    operation: str,
    *,
    kind: RequestKind = "valid",
    path: Mapping[str, str | st.SearchStrategy[str]] | None = None,
    examples: Mapping[str, Sequence[JSON]] | None = None,
    spec: Spec | None = None,
) -> st.SearchStrategy[SampleRequest]:
    """Return requests for an operation, named by its id or as `POST /v1/calls/dial`, by the contract or another `spec`.

    Those of the kind `boundary` are valid, and at one limit of the contract; those of the kind `invalid` break it at
    one place. `path` holds the parameters of the path, as texts or strategies; what it does not name looks like an id.
    `examples` are values that the fields with these names often have, in place of those of the contract's own examples.
    Every phone number is fictional. Raises ValueError for an unknown name, and where nothing can be broken.
    """
    contract = spec or contract_of_the_product()
    found = operation_of(contract, operation)
    node = _node(contract, found)
    filled = _filled(contract, found, kind) if examples is None else _filled_with(contract, found, kind, examples)
    repeatable = st.just(False) if found.method == "GET" else st.booleans()
    paths = _paths(found, node, path or {})
    return st.builds(_request, st.just(found), st.just(kind), paths, filled, repeatable)


def responses(
    operation: str, status: int | None = None, *, kind: ResponseKind = "valid", spec: Spec | None = None
) -> st.SearchStrategy[SampleResponse]:
    """Return answers of an operation with a status (None: that of its success), as a client has to be ready for.

    Those of the kind `unexpected` are legal too, and have one trait that a client may not think of: an optional field
    left out, null, a word that no schema lists, an additional property, an empty text or page, a huge one.
    Raises ValueError for a name or a status that the contract does not have.
    """
    found = operation_of(spec or contract_of_the_product(), operation)
    status = found.success if status is None else status
    if status not in found.responses:
        raise ValueError(
            f"{found.id} does not declare the status {status}; it declares {', '.join(map(str, found.responses))}"
        )
    answer = _way(kind, {"valid": _expected, "unexpected": _unexpected})
    return st.builds(_response, st.just(found.id), st.just(status), answer(fillings.harmless(found.responses[status])))


def phone_numbers(*, fictional: bool = True) -> st.SearchStrategy[str]:
    """Return phone numbers in E.164 form; unless they may be any, US ones that can never ring a person."""
    return valid({"type": "string", "pattern": E164, **({DRAWN: FICTIONAL} if fictional else {})})


@st.composite
def calls(draw: st.DrawFn) -> dict[str, JSON]:
    """Return calls as `GET /v1/calls/{id}` shows them: queued, ringing, in progress or ended, and consistent."""
    status = draw(st.sampled_from([QUEUED, RINGING, IN_PROGRESS, *ENDINGS]))
    ended, talked = status in ENDINGS, status in TALKED
    started_at = draw(st.integers(SINCE, SINCE + 365 * DAY))
    rang, seconds = draw(st.integers(0, 60 * SECOND)), draw(st.integers(1, 4 * HOUR // SECOND)) if talked else 0
    call_id = draw(_like("call_"))
    recorded = talked and draw(st.booleans())
    return {
        "id": call_id,
        "status": status.upper(),
        "direction": draw(st.sampled_from(["outbound", "inbound"])),
        "from_number": draw(phone_numbers()),
        "to_number": draw(phone_numbers()),
        "started_at": None if status == QUEUED else iso(started_at),
        "ended_at": iso(started_at + rang + seconds * SECOND) if ended else None,
        "duration_seconds": seconds if ended else None,
        "phone_number_id": draw(st.none() | st.integers(1, 10**6)),
        "organization_id": draw(_like("")),
        "user_id": draw(st.none() | _like("")),
        "has_recording": recorded,
        "recording_url": f"https://recordings.example/{call_id}.wav" if recorded else None,
        "has_transcript": talked and draw(st.booleans()),
    }


def operation_of(spec: Spec, name: str) -> Operation:
    """Find an operation by its id, or by method and path; raises ValueError with a likely spelling."""
    named = {**{f"{made.method} {made.path}": made for made in spec.operations.values()}, **spec.operations}
    if name not in named:
        raise ValueError(f"unknown operation {name!r}{suggestion(name, named)}")
    return named[name]


@cache
def contract_of_the_product() -> Spec:
    """Return the contract that ships with the product."""
    return Spec.load(shipped("openapi.json"))


@lru_cache(maxsize=512)  # to build these costs more than to draw from them, and state machines do so at every step
def _filled(contract: Spec, operation: Operation, kind: RequestKind) -> st.SearchStrategy[Filling]:
    return _filled_with(contract, operation, kind, {})


def _filled_with(
    contract: Spec, operation: Operation, kind: RequestKind, examples: Mapping[str, Sequence[JSON]]
) -> st.SearchStrategy[Filling]:
    form = fillings.form_of(operation, {**_examples(_node(contract, operation)), **examples})
    _check_examples(operation, examples, form.fields())
    fill = _way(kind, {"valid": fillings.sound, "boundary": fillings.at_limits, "invalid": fillings.faulty})
    try:
        return fill(form)
    except ValueError as error:
        raise ValueError(f"{operation.id}: {error}") from error


def _node(contract: Spec, operation: Operation) -> JSON:
    return contract.document["paths"][operation.path][operation.method.lower()]


def _way(kind: str, ways: Mapping[str, Way]) -> Way:
    if kind not in ways:
        raise ValueError(f"kind cannot be {kind!r}{suggestion(kind, ways)}; it is one of {', '.join(ways)}")
    return ways[kind]


def _check_examples(
    operation: Operation, examples: Mapping[str, Sequence[JSON]], fields: Mapping[str, Sequence[JSON]]
) -> None:
    for name, values in examples.items():
        if name not in fields:
            raise ValueError(f"{operation.id} has no field {name!r} to give examples for{suggestion(name, fields)}")
        for value in values:
            if value not in fields[name]:
                raise ValueError(f"the field {name!r} of {operation.id} cannot be {value!r}, by the contract")


def _examples(node: JSON) -> dict[str, list[JSON]]:
    """Return the contract's own examples for an operation's query and body, by the names of the fields."""
    body = node.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example", {})
    query = {
        parameter["name"]: parameter["example"]
        for parameter in node.get("parameters", ())
        if parameter["in"] == "query" and "example" in parameter
    }
    return {name: [value] for name, value in {**query, **body}.items()}


def _paths(
    operation: Operation, node: JSON, given: Mapping[str, str | st.SearchStrategy[str]]
) -> st.SearchStrategy[str]:
    """Return the operation's path, filled in with what is given, and else with what looks like an id."""
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    for name in given.keys() - names:
        likely = suggestion(name, dict.fromkeys(names))
        raise ValueError(f"the path {operation.path} has no parameter {name!r}{likely}")
    shown = {p["name"]: p["example"] for p in node.get("parameters", ()) if p["in"] == "path" and "example" in p}
    values = {name: given.get(name, _like(shown.get(name, ""))) for name in names}
    drawn = {name: st.just(value) if isinstance(value, str) else value for name, value in values.items()}
    return st.fixed_dictionaries(drawn).map(lambda values: _filled_in(operation.path, values))


def _filled_in(path: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return path


def _like(example: str) -> Strategy:
    """Return ids of the form that an example has: a phone number, a number, a word with digits, or else a UUID."""
    if example.startswith("+"):
        return phone_numbers()
    if example.isdigit():
        return st.integers(1, 10**9).map(str)
    word, underscore, _ = example.partition("_")
    if underscore:
        return st.integers(0, 16**20 - 1).map(lambda number: f"{word}_{number:020x}")
    return st.uuids(version=4).map(str)


def _request(
    operation: Operation,
    kind: RequestKind,
    path: str,
    filling: Filling,
    repeatable: bool,  # noqa: FBT001 drawn
) -> SampleRequest:
    query = queries.written(filling.query)
    sent = filling.body is not ABSENT
    made = SampleRequest(
        operation.id,
        operation.method,
        path,
        query,
        {"Content-Type": "application/json"} if sent else {},
        orjson.dumps(filling.body) if sent else b"",
        kind,
        filling.trait,
    )
    if not repeatable:
        return made
    # The key is that of this very request: drawn again it is a repetition, and another one is no conflict with it.
    key = Dice(f"{made.method} {made.target} {made.body.decode()}").uuid()
    return replace(made, headers={**made.headers, "Idempotency-Key": key})


def _expected(schema: JSON) -> Strategy:
    return st.tuples(valid(schema), st.none())


def _unexpected(schema: JSON) -> Strategy:
    found = [st.tuples(part.instances, st.just(Trait("body", part.field, part.trait))) for part in edges(schema)]
    return st.one_of(found) if found else _expected(schema)


def _response(operation: str, status: int, drawn: tuple[JSON, Trait | None]) -> SampleResponse:
    body, trait = drawn
    return SampleResponse(operation, status, orjson.dumps(body), trait)
