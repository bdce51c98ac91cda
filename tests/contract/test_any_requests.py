"""Whatever is sent, valid, broken or garbage: no answer is a failure of ours, and the world stays sound."""

import asyncio
from dataclasses import replace
from functools import cache
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from revdesk_mock import Request
from revdesk_mock.settings import shipped
from revdesk_mock.testing.instances import ANYTHING
from revdesk_mock.testing.scalars import TEXT
from revdesk_mock.validation import Schema
from tests.conftest import Client, answer_of
from tests.contract import judge
from tests.contract.account import KINDS, emulator, kind_of, opened, record_of
from tests.contract.asks import OPERATIONS, Ask, asks, faults

LIVES = 5 * settings().max_examples
REQUESTS = 5  # in each life
WORLD = Schema(orjson.loads(shipped("fixtures/world.schema.json").read_bytes()))

SEGMENTS = st.sampled_from(["v1", "calls", "%00", "%ff", "%2F", "..", ""]) | TEXT
PATHS = st.sampled_from([operation.path for operation in OPERATIONS.values()])
BEARERS = st.sampled_from(
    ["", "Bearer", "Bearer a b", "Basic eDp5", "Bearer rdc_e30.e30.e30", "Bearer revdesk_expired"]
)
HEADERS = {
    "authorization": BEARERS | TEXT,
    "content-type": st.sampled_from(["text/plain", "application/json; charset=latin-1", ";"]) | TEXT,
    "host": TEXT,
    "idempotency-key": st.sampled_from(["", "1", "k" * 256]) | TEXT,
    "x-request-id": TEXT,
    "x-revdesk-mock": st.sampled_from(["", "[]", "{}", '{"delay_ms": -1}', '{"delay_ms": 0}']) | TEXT,
}
DEEP = b'{"a":' * 99 + b"1" + b"}" * 99
LONG = orjson.dumps("é" * 99)
BODIES = st.sampled_from([None, b"", LONG, DEEP, b"[" * 99, b'{"a":1,"a":2}', b'{"a":NaN}', b'{"a":"\\ud800"}'])
GARBAGE: dict[str, st.SearchStrategy[Any]] = {
    "method": st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "get", ""]) | TEXT,
    "path": PATHS | st.lists(SEGMENTS, max_size=4).map(lambda segments: "/" + "/".join(segments)),
    "query": st.sampled_from(["limit=", "limit=1&limit=2", "cursor=%ff", "&&==", f"limit={10**19}"]) | TEXT,
    "headers": st.fixed_dictionaries({}, optional=HEADERS),
    "body": BODIES | ANYTHING.map(orjson.dumps) | st.binary(max_size=40),
}
BROKEN = [fault.asks for fault in faults().values()]


def request_of(ask: Ask, key: str = "") -> Request:
    return Client(emulator()).request(ask.method, ask.target, ask.body, idempotency_key=key)


def spoiled(request: Request, part: str, garbage: Any) -> Request:
    """Put garbage in the place of one part of a request; headers are added to its own."""
    changed: dict[str, Any] = {part: {**request.headers, **garbage} if part == "headers" else garbage}
    return replace(request, **changed)


@cache
def lives(kind: str | None) -> st.SearchStrategy[list[Request]]:
    """Return requests to send one after another to an account that has a record of a kind."""
    near = [
        name
        for name, operation in OPERATIONS.items()
        if "{" not in operation.path or record_of(kind_of(name)) == record_of(kind)
    ]
    sound = st.builds(request_of, st.sampled_from(near).flatmap(asks), st.sampled_from(["", "", "", "one"]))
    faulty = st.builds(request_of, st.sampled_from(BROKEN).flatmap(lambda made: made))
    damaged = [st.builds(spoiled, sound, st.just(part), made) for part, made in GARBAGE.items()]
    anything = st.builds(Request, **GARBAGE)
    return st.lists(sound | faulty | st.one_of(*damaged) | anything, min_size=REQUESTS, max_size=REQUESTS)


@settings(max_examples=LIVES)
@given(data=st.data())
def test_no_request_fails_and_every_life_leaves_a_sound_world(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([None, *KINDS]))
    client = opened(kind)
    for request in data.draw(lives(kind)):
        answer = answer_of(asyncio.run(client.emulator.handle(request)))
        assert answer.status < 500, answer
        operation = client.emulator.spec.match(request.method, request.path).operation
        judge.check(answer, operation.id if operation else None)
        client.advance(data.draw(st.sampled_from([0, 0, 1, 30, 3600])))
    assert WORLD.failures(client.world.dump()) == []
