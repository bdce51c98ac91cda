"""Queries: typed values by name, as schemas see them, and the texts that stand for them in a URL."""

from collections.abc import Iterator, Mapping

import orjson

from revdesk_mock.messages import JSON
from revdesk_mock.spec import Operation
from revdesk_mock.testing.instances import Variant, broken
from revdesk_mock.testing.samples import SampleRequest
from revdesk_mock.testing.scalars import Strategy


def schema_of(operation: Operation) -> JSON:
    """Return the schema of an operation's query as an object of nothing but its parameters."""
    return {
        "type": "object",
        "properties": dict(operation.query),
        "required": sorted(operation.required_query),
        "additionalProperties": False,
    }


def written(query: Mapping[str, JSON]) -> dict[str, str]:
    """Write the values of a query as a URL has them."""
    return {name: _written(value) for name, value in query.items()}


def plain_request(operation: Operation) -> SampleRequest:
    """Return a request with nothing but what its query must have, at the defaults; for an operation without an id."""
    required = {name: value for name, value in operation.defaults.items() if name in operation.required_query}
    return SampleRequest(operation.id, operation.method, operation.path, written(required))


def broken_in(schema: JSON) -> Iterator[Variant]:
    """Yield the breaks that a query can have: it is an object always, and every value in it a text."""
    for part in broken(schema):
        if part.trait != "type":
            yield part
        elif part.path and schema["properties"][part.field].get("type") != "string":
            yield part._replace(instances=_without_texts(part.instances, part.field))


def _written(value: JSON) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _without_texts(queries: Strategy, name: str) -> Strategy:
    """Leave out the texts for a parameter, which may read like a value of its type."""
    return queries.filter(lambda query: not isinstance(query[name], str))
