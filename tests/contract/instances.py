"""Instances of a JSON schema: strategies for valid ones, and for ones that are broken at one place, which is named.

A schema is plain data: it has the keywords that a contract may use, and no `$ref` (`Spec` replaces them).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from revdesk_mock.messages import JSON
from revdesk_mock.spec import ASSERTED
from tests.contract import scalars
from tests.contract.scalars import FRACTION, INTEGER, TEXT, Miss, Strategy

FEW = 3  # items, or properties that are not listed
UNLISTED = "unlisted"  # the name of a property that a schema does not list
ANYTHING: Strategy = st.recursive(
    st.none() | st.booleans() | INTEGER | FRACTION | TEXT,
    lambda inner: st.lists(inner, max_size=FEW) | st.dictionaries(TEXT, inner, max_size=FEW),
    max_leaves=FEW,
)
OF_KIND: Mapping[str, Strategy] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "integer": INTEGER,
    "number": FRACTION,
    "string": TEXT,
    "array": st.lists(ANYTHING, max_size=FEW),
    "object": st.dictionaries(TEXT, ANYTHING, max_size=FEW),
}
UNNAMED = [kind for kind in OF_KIND if kind != "integer"]  # a number may be a whole one


class Broken(NamedTuple):
    """Instances that break one keyword of a schema at one place, and are sound everywhere else.

    `path` leads to the place by names and positions; a property that is missing or not listed is a place too.
    """

    path: tuple[str | int, ...]
    keyword: str
    instances: Strategy

    @property
    def field(self) -> str:
        """The dotted name of the place; empty for the whole instance."""
        return ".".join(map(str, self.path))

    def below(self, step: str | int, instances: Strategy) -> "Broken":
        """Return the same break as seen from one level up, in these instances."""
        return Broken((step, *self.path), self.keyword, instances)


def valid(schema: JSON) -> Strategy:
    """Return the instances that a schema admits; its `examples`, where it has any, are often among them."""
    if "anyOf" in schema:
        made = st.one_of(*map(valid, _branches(schema)))
    elif choices := scalars.choices(schema):
        made = st.sampled_from(choices)
    elif kinds := _kinds(schema):
        made = st.one_of(*(MAKERS[kind](schema) if kind in MAKERS else OF_KIND[kind] for kind in kinds))
    else:
        made = ANYTHING
    return st.sampled_from(schema["examples"]) | made if "examples" in schema else made


def broken(schema: JSON) -> Iterator[Broken]:
    """Yield one entry for each place of a schema and each keyword there that an instance can break by itself."""
    admitted = _admitted(schema)
    if wrong := [made for kind, made in OF_KIND.items() if kind not in admitted]:
        yield Broken((), "type", st.one_of(*wrong))
    if "anyOf" in schema:
        branches = _branches(schema)
        for branch in branches:
            others = [_admitted(other) for other in branches if other is not branch]
            if _admitted(branch).isdisjoint(set().union(*others)):  # or else another one may admit it
                yield from (part for part in broken(branch) if part.path or part.keyword != "type")
        return
    for keyword, made in _misses(schema):
        yield Broken((), keyword, made)
    if not scalars.choices(schema):
        for kind in _kinds(schema):
            yield from INNER[kind](schema) if kind in INNER else ()


def with_examples(schema: JSON, known: Mapping[str, Sequence[JSON]]) -> JSON:
    """Return a schema in which each property with one of these names, at any depth, has these `examples`."""
    changed = dict(schema)
    for name, child in schema.get("properties", {}).items():
        examples = {"examples": known[name]} if name in known else {}
        changed["properties"] = {**changed["properties"], name: {**with_examples(child, known), **examples}}
    if "anyOf" in schema:
        changed["anyOf"] = [with_examples(branch, known) for branch in schema["anyOf"]]
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            changed[keyword] = with_examples(schema[keyword], known)
    return changed


def _branches(schema: JSON) -> list[JSON]:
    """Return the alternatives of a schema, each with what the schema says beside them."""
    beside = {keyword: value for keyword, value in schema.items() if keyword not in {"anyOf", "examples"}}
    return [{**beside, **branch} for branch in schema["anyOf"]]


def _kinds(schema: JSON) -> Sequence[str]:
    """Return the kinds that a schema speaks of; none where it admits anything."""
    declared = schema.get("type", UNNAMED if ASSERTED & schema.keys() else [])
    return [declared] if isinstance(declared, str) else declared


def _admitted(schema: JSON) -> set[str]:
    """Return every kind of which a schema could admit an instance."""
    if "anyOf" in schema:
        return set().union(*map(_admitted, _branches(schema)))
    kinds = set(_kinds(schema) or OF_KIND)
    return kinds | {"integer"} if "number" in kinds else kinds


def _misses(schema: JSON) -> Iterator[Miss]:
    """Yield the ways in which an instance of the right kind can break a schema as a whole."""
    if scalars.choices(schema):
        yield from scalars.missed_choices(schema)
        return
    for kind in _kinds(schema):
        yield from MISSES[kind](schema) if kind in MISSES else ()


# objects


def _objects(schema: JSON) -> Strategy:
    return _assembled(schema, _fields(schema), schema.get("required", ()))


def _fields(schema: JSON) -> dict[str, Strategy]:
    """Return the properties that a schema lists or requires."""
    required = dict.fromkeys(schema.get("required", ()), _others(schema))
    return {**required, **{name: valid(child) for name, child in schema.get("properties", {}).items()}}


def _others(schema: JSON) -> Strategy:
    others = schema.get("additionalProperties", True)
    return valid(others) if isinstance(others, dict) else ANYTHING


def _assembled(
    schema: JSON, fields: Mapping[str, Strategy], present: Collection[str], absent: str | None = None
) -> Strategy:
    """Return objects of these fields: some are there in any case, and one is not."""
    listed = st.fixed_dictionaries(
        {name: field for name, field in fields.items() if name in present and name != absent},
        optional={name: field for name, field in fields.items() if name not in present and name != absent},
    )
    if schema.get("additionalProperties", True) is False:
        return listed
    names = TEXT.filter(lambda name: name not in fields)
    unlisted = st.dictionaries(names, _others(schema), max_size=1 if fields else FEW)
    return st.builds(lambda some, rest: {**some, **rest}, listed, unlisted)


def _broken_properties(schema: JSON) -> Iterator[Broken]:
    fields, required = _fields(schema), schema.get("required", ())
    for name in required:
        yield Broken((name,), "required", _assembled(schema, fields, required, absent=name))
    children, others = dict(schema.get("properties", {})), schema.get("additionalProperties", True)
    if others is False:
        with_one = {**fields, UNLISTED: ANYTHING}
        yield Broken((UNLISTED,), "additionalProperties", _assembled(schema, with_one, {*required, UNLISTED}))
    elif isinstance(others, dict):
        children[UNLISTED] = others
    for name, child in children.items():
        for part in broken(child):
            yield part.below(name, _assembled(schema, {**fields, name: part.instances}, {*required, name}))


# lists


def _lists(schema: JSON) -> Strategy:
    low, high = schema.get("minItems", 0), schema.get("maxItems")
    items = valid(schema.get("items", {}))
    few = st.lists(items, min_size=low, max_size=low + FEW if high is None else min(low + FEW, high))
    return few if high is None else few | _same(items, high)


def _missed_lists(schema: JSON) -> Iterator[Miss]:
    items = valid(schema.get("items", {}))
    if schema.get("minItems"):
        yield "minItems", _same(items, schema["minItems"] - 1)
    if "maxItems" in schema:
        yield "maxItems", _same(items, schema["maxItems"] + 1)


def _same(items: Strategy, count: int) -> Strategy:
    """Return lists that hold one item many times: a long list costs no more than a short one."""
    return items.map(lambda item: [item] * count)


def _broken_items(schema: JSON) -> Iterator[Broken]:
    """Yield the breaks of a list's first item."""
    items, beside = schema.get("items", {}), max(schema.get("minItems", 0) - 1, 0)
    sound = st.lists(valid(items), min_size=beside, max_size=beside)
    if schema.get("maxItems") != 0:
        for part in broken(items):
            yield part.below(0, st.builds(lambda bad, rest: [bad, *rest], part.instances, sound))


MAKERS: Mapping[str, Callable[[JSON], Strategy]] = {
    "integer": scalars.integers,
    "number": scalars.numbers,
    "string": scalars.texts,
    "array": _lists,
    "object": _objects,
}
MISSES: Mapping[str, Callable[[JSON], Iterator[Miss]]] = {
    "integer": scalars.missed_numbers,
    "number": scalars.missed_numbers,
    "string": scalars.missed_texts,
    "array": _missed_lists,
}
INNER: Mapping[str, Callable[[JSON], Iterator[Broken]]] = {"array": _broken_items, "object": _broken_properties}
