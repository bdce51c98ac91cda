"""Requests for the operations of the contract: valid ones, and ones with a single fault, which is named."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from hypothesis import strategies as st

from revdesk_mock.ids import encode_cursor
from revdesk_mock.testing import queries
from revdesk_mock.testing.instances import broken, valid, with_examples
from tests.conftest import SPEC, Answer, Client
from tests.contract import judge
from tests.contract.account import NOBODY, kind_of, opened, record_of

OPERATIONS = SPEC.operations
CURSORS = [encode_cursor(2)]
every_operation = pytest.mark.parametrize("name", OPERATIONS)


class Ask(NamedTuple):
    """One request for an operation, in an account that has a record of a kind."""

    operation: str
    kind: str | None
    path: str
    query: Mapping[str, Any] = {}
    body: Any = None

    @property
    def method(self) -> str:
        return OPERATIONS[self.operation].method

    @property
    def target(self) -> str:
        return f"{self.path}?{urlencode(queries.written(self.query))}"

    def client(self) -> Client:
        """Return a client in a fresh world."""
        return opened(self.kind)

    def send(self, client: Client, **headers: str | None) -> Answer:
        """Send it, and assert that the answer is one that the contract declares."""
        answer = client(self.method, self.target, self.body, **headers)
        judge.check(answer, self.operation)
        return answer


class Fault(NamedTuple):
    """Requests for an operation that are refused because of one field."""

    field: str
    asks: st.SearchStrategy[Ask]


def place(name: str) -> Ask:
    """Return an operation's request without query and body: for a record that is there, where it takes an id."""
    kind = kind_of(name)
    start, parameter, rest = OPERATIONS[name].path.partition("{")
    return Ask(name, kind, start + record_of(kind) + rest.partition("}")[2] if parameter else start)


def places(name: str) -> list[Ask]:
    """Return an operation's requests without query and body: often with a record of its kind, and without one."""
    start, parameter, rest = OPERATIONS[name].path.partition("{")
    nowhere = Ask(name, None, start + NOBODY + rest.partition("}")[2] if parameter else start)
    return [place(name), place(name), place(name), nowhere]


@cache
def asks(name: str) -> st.SearchStrategy[Ask]:
    """Return valid requests for an operation; many values are those of the contract's own example."""
    request = OPERATIONS[name].request
    known = {field: [value] for field, value in judge.example_of(name).items()}
    query = valid(with_examples(queries.schema_of(OPERATIONS[name]), {**known, "cursor": CURSORS}))
    body = st.none() if request is None else valid(with_examples(request, known))
    return st.sampled_from(places(name)).flatmap(
        lambda ask: st.builds(Ask, st.just(name), st.just(ask.kind), st.just(ask.path), query, body)
    )


def faults() -> dict[str, Fault]:
    """Return every single fault that a request for an operation can have by its schemas, by words for it."""
    found: dict[str, Fault] = {}
    for name, operation in OPERATIONS.items():
        where = place(name)
        for part in broken(operation.request or {}):
            made = st.builds(where._replace, body=part.instances)
            found[f"{name}: {part.trait} of body {part.field}"] = Fault(part.field or "body", made)
        for part in queries.broken_in(queries.schema_of(operation)):
            made = st.builds(where._replace, query=part.instances)
            found[f"{name}: {part.trait} of query {part.field}"] = Fault(part.field, made)
    return found
