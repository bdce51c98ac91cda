"""What requests are filled with: queries and bodies that are valid, at one limit, or broken at one place."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from revdesk_mock.messages import JSON
from revdesk_mock.spec import Operation
from revdesk_mock.testing import queries
from revdesk_mock.testing.edges import edges
from revdesk_mock.testing.instances import Variant, broken, rebuilt, valid
from revdesk_mock.testing.samples import Trait
from revdesk_mock.testing.scalars import DRAWN, E164, E164_US, FICTIONAL, Strategy
from revdesk_mock.validation import Schema

ABSENT = object()  # in place of a body that is not sent


class Filling(NamedTuple):
    """The query and the body of a request, and what is special about one of them."""

    query: Mapping[str, JSON]
    body: Any
    trait: Trait | None = None


class Form(NamedTuple):
    """The schemas that a request for an operation is filled in by; None for no body."""

    query: JSON
    body: JSON | None
    body_required: bool

    def fields(self) -> dict[str, list[JSON]]:
        """Return the fields, at any depth, each with the examples that it takes."""
        found: dict[str, list[JSON]] = {}

        def note(name: str, schema: JSON) -> JSON:
            found.setdefault(name, []).extend(schema.get("examples", ()))
            return schema

        for schema in (self.query, self.body or {}):
            rebuilt(schema, note)
        return found


def form_of(operation: Operation, known: Mapping[str, Sequence[JSON]]) -> Form:
    """Return an operation's form: with harmless phone numbers, and values that fields with these names often have."""

    def prepared(name: str, schema: JSON) -> JSON:
        fitting = [value for value in known.get(name, ()) if Schema(schema).is_valid(value)]
        return {**schema, **({"examples": fitting} if fitting else {})}

    body = None if operation.request is None else harmless(rebuilt(operation.request, prepared))
    return Form(harmless(rebuilt(queries.schema_of(operation), prepared)), body, operation.body_required)


def harmless(schema: JSON) -> JSON:
    """Return a schema whose drawn phone numbers are fictional: whoever sends them may reach real phones."""
    return rebuilt(
        schema, lambda _, part: {**part, DRAWN: FICTIONAL} if part.get("pattern") in {E164, E164_US} else part
    )


def sound(form: Form) -> st.SearchStrategy[Filling]:
    """Return valid fillings."""
    return st.builds(Filling, _queries(form), _bodies(form), st.none())


def at_limits(form: Form) -> st.SearchStrategy[Filling]:
    """Return valid fillings at one limit; where a form has none, any valid ones."""
    made = [*_with_body(form, edges(form.body or {})), *_with_query(form, edges(form.query))]
    if form.body is not None and not form.body_required:
        made.append(st.builds(Filling, _queries(form), st.just(ABSENT), st.just(Trait("body", "", "left out"))))
    return st.one_of(made) if made else sound(form)


def faulty(form: Form) -> st.SearchStrategy[Filling]:
    """Return fillings that break the schemas at one place; raises ValueError for a form that has nothing to break."""
    # The contract does not say that a query has nothing but its parameters.
    misread = [part for part in queries.broken_in(form.query) if part.trait != "additionalProperties"]
    made = [*_with_body(form, broken(form.body or {})), *_with_query(form, misread)]
    if form.body is not None and form.body_required:
        made.append(st.builds(Filling, _queries(form), st.just(ABSENT), st.just(Trait("body", "", "required"))))
    if not made:
        raise ValueError("a request without query and body cannot be broken")
    return st.one_of(made)


def _queries(form: Form) -> Strategy:
    return valid(form.query)


def _bodies(form: Form) -> Strategy:
    if form.body is None:
        return st.just(ABSENT)
    made = valid(form.body)
    return made if form.body_required else st.just(ABSENT) | made


def _with_body(form: Form, variants: Iterable[Variant]) -> Iterator[st.SearchStrategy[Filling]]:
    for part in variants:
        yield st.builds(Filling, _queries(form), part.instances, st.just(Trait("body", part.field, part.trait)))


def _with_query(form: Form, variants: Iterable[Variant]) -> Iterator[st.SearchStrategy[Filling]]:
    for part in variants:
        yield st.builds(Filling, part.instances, _bodies(form), st.just(Trait("query", part.field, part.trait)))
