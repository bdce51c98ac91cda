"""Edges of a JSON schema: instances that it admits, each with one place at a limit, and the place is named."""

from collections.abc import Callable, Iterator, Mapping

from hypothesis import strategies as st

from revdesk_mock.messages import JSON
from revdesk_mock.testing import scalars
from revdesk_mock.testing.instances import (
    UNLISTED,
    Variant,
    assembled,
    branches,
    fields_of,
    inside,
    kinds_of,
    others_of,
    same,
    valid,
)
from revdesk_mock.testing.scalars import LONG, Named

MANY = 250  # items where a schema sets no limit: more than any page that can be asked for
NEW_WORD = "SOMETHING_NEW"  # in a text of which no schema lists the words


def edges(schema: JSON) -> Iterator[Variant]:
    """Yield one entry for each place of a schema and each limit there that an instance can be at."""
    if "anyOf" in schema:
        for branch in branches(schema):
            yield from edges(branch)
    elif choices := scalars.choices(schema):
        for choice in choices:
            yield Variant((), f"the choice {choice!r}", st.just(choice))
    else:
        for kind in kinds_of(schema):
            for trait, made in LIMITS[kind](schema) if kind in LIMITS else ():
                yield Variant((), trait, made)
        yield from _sparse(schema) if "object" in kinds_of(schema) else ()
        yield from inside(schema, edges)


def _nulls(_: JSON) -> Iterator[Named]:
    yield "null", st.none()


def _numbers(schema: JSON) -> Iterator[Named]:
    low, high = scalars.bounds(schema)
    yield "the least", st.just(low)
    yield "the greatest", st.just(high)


def _texts(schema: JSON) -> Iterator[Named]:
    if "format" in schema or "pattern" in schema:
        return
    low = schema.get("minLength", 0)
    high = schema.get("maxLength", max(low, LONG))
    yield "the shortest", scalars.text_of(low)
    yield "the longest", scalars.text_of(high)
    if low <= len(NEW_WORD) <= high:
        yield "a new word", st.just(NEW_WORD)


def _lists(schema: JSON) -> Iterator[Named]:
    items = valid(schema.get("items", {}))
    yield "the fewest", same(items, schema.get("minItems", 0))
    yield "the most", same(items, schema.get("maxItems", MANY))


def _sparse(schema: JSON) -> Iterator[Variant]:
    """Yield objects without each property that may be absent, and with one that is not listed."""
    fields, required = fields_of(schema), schema.get("required", ())
    for name in fields:
        if name not in required:
            yield Variant((name,), "left out", assembled(schema, fields, required, absent=name))
    if schema.get("additionalProperties", True) is not False:
        with_one = {**fields, UNLISTED: others_of(schema)}
        yield Variant((UNLISTED,), "not listed", assembled(schema, with_one, {*required, UNLISTED}))


LIMITS: Mapping[str, Callable[[JSON], Iterator[Named]]] = {
    "null": _nulls,
    "integer": _numbers,
    "number": _numbers,
    "string": _texts,
    "array": _lists,
}
