"""Instances of a JSON schema: strategies for valid ones, and for ones that are broken at one place, which is named.

A schema is plain data: it has the keywords that a contract may use, and no `$ref` (`Spec` replaces them).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from revdesk_mock.messages import JSON
from revdesk_mock.spec import ASSERTED
from revdesk_mock.testing import scalars
from revdesk_mock.testing.scalars import FRACTION, INTEGER, TEXT, Named, Strategy

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


class Variant(NamedTuple):
    """Instances that are special in one respect at one place, and sound everywhere else.

    `path` leads to the place by names and positions; a property that is missing or not listed is a place too.
    `trait` says what is special: of a broken instance the keyword that it breaks.
    """

    path: tuple[str | int, ...]
    trait: str
    instances: Strategy

    @property
    def field(self) -> str:
        """The dotted name of the place; empty for the whole instance."""
        return ".".join(map(str, self.path))

    def below(self, step: str | int, instances: Strategy) -> "Variant":
        """Return the same variant as seen from one level up, in these instances."""
        return Variant((step, *self.path), self.trait, instances)


Walk = Callable[[JSON], Iterator[Variant]]


def valid(schema: JSON) -> Strategy:
    """Return the instances that a schema admits; its `examples`, where it has any, are often among them."""
    if "anyOf" in schema:
        made = st.one_of(*map(valid, branches(schema)))
    elif choices := scalars.choices(schema):
        made = st.sampled_from(choices)
    elif kinds := kinds_of(schema):
        made = st.one_of(*(MAKERS[kind](schema) if kind in MAKERS else OF_KIND[kind] for kind in kinds))
    else:
        made = ANYTHING
    return st.sampled_from(schema["examples"]) | made if "examples" in schema else made


def broken(schema: JSON) -> Iterator[Variant]:
    """Yield one entry for each place of a schema and each keyword there that an instance can break by itself."""
    admitted = _admitted(schema)
    if wrong := [made for kind, made in OF_KIND.items() if kind not in admitted]:
        yield Variant((), "type", st.one_of(*wrong))
    if "anyOf" in schema:
        alternatives = branches(schema)
        for branch in alternatives:
            others = [_admitted(other) for other in alternatives if other is not branch]
            if _admitted(branch).isdisjoint(set().union(*others)):  # or else another one may admit it
                yield from (part for part in broken(branch) if part.path or part.trait != "type")
        return
    for keyword, made in _misses(schema):
        yield Variant((), keyword, made)
    if not scalars.choices(schema):
        yield from _broken_properties(schema) if "object" in kinds_of(schema) else ()
        yield from inside(schema, broken)


def inside(schema: JSON, walk: Walk) -> Iterator[Variant]:
    """Yield the variants that a walk finds in the properties and in the first item of otherwise sound instances."""
    for kind in kinds_of(schema):
        yield from INNER[kind](schema, walk) if kind in INNER else ()


def with_examples(schema: JSON, known: Mapping[str, Sequence[JSON]]) -> JSON:
    """Return a schema in which each property with one of these names, at any depth, has these `examples`."""
    return rebuilt(schema, lambda name, part: {**part, "examples": known[name]} if name in known else part)


def rebuilt(schema: JSON, change: Callable[[str, JSON], JSON], name: str = "") -> JSON:
    """Return a schema with every schema in it changed, at any depth; that of a property comes with its name."""
    made = dict(schema)
    if "properties" in schema:
        made["properties"] = {name: rebuilt(part, change, name) for name, part in schema["properties"].items()}
    if "anyOf" in schema:
        made["anyOf"] = [rebuilt(branch, change) for branch in schema["anyOf"]]
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            made[keyword] = rebuilt(schema[keyword], change)
    return change(name, made)


def branches(schema: JSON) -> list[JSON]:
    """Return the alternatives of a schema, each with what the schema says beside them."""
    beside = {keyword: value for keyword, value in schema.items() if keyword not in {"anyOf", "examples"}}
    return [{**beside, **branch} for branch in schema["anyOf"]]


def kinds_of(schema: JSON) -> Sequence[str]:
    """Return the kinds that a schema speaks of; none where it admits anything."""
    declared = schema.get("type", UNNAMED if ASSERTED & schema.keys() else [])
    return [declared] if isinstance(declared, str) else declared


def _admitted(schema: JSON) -> set[str]:
    """Return every kind of which a schema could admit an instance."""
    if "anyOf" in schema:
        return set().union(*map(_admitted, branches(schema)))
    kinds = set(kinds_of(schema) or OF_KIND)
    return kinds | {"integer"} if "number" in kinds else kinds


def _misses(schema: JSON) -> Iterator[Named]:
    """Yield the ways in which an instance of the right kind can break a schema as a whole."""
    if scalars.choices(schema):
        yield from scalars.missed_choices(schema)
        return
    for kind in kinds_of(schema):
        yield from MISSES[kind](schema) if kind in MISSES else ()


# objects


def _objects(schema: JSON) -> Strategy:
    return assembled(schema, fields_of(schema), schema.get("required", ()))


def fields_of(schema: JSON) -> dict[str, Strategy]:
    """Return the properties that a schema lists or requires."""
    required = dict.fromkeys(schema.get("required", ()), others_of(schema))
    return {**required, **{name: valid(child) for name, child in schema.get("properties", {}).items()}}


def others_of(schema: JSON) -> Strategy:
    """Return what a property may be that a schema does not list."""
    others = schema.get("additionalProperties", True)
    return valid(others) if isinstance(others, dict) else ANYTHING


def assembled(
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
    unlisted = st.dictionaries(names, others_of(schema), max_size=1 if fields else FEW)
    return st.builds(lambda some, rest: {**some, **rest}, listed, unlisted)


def _broken_properties(schema: JSON) -> Iterator[Variant]:
    """Yield the breaks of an object that lacks a property, or has one too many."""
    fields, required = fields_of(schema), schema.get("required", ())
    for name in required:
        yield Variant((name,), "required", assembled(schema, fields, required, absent=name))
    if schema.get("additionalProperties", True) is False:
        with_one = {**fields, UNLISTED: ANYTHING}
        yield Variant((UNLISTED,), "additionalProperties", assembled(schema, with_one, {*required, UNLISTED}))


def _properties(schema: JSON, walk: Walk) -> Iterator[Variant]:
    """Yield the variants of each property, and of one that is not listed where such have a schema."""
    fields, required, others = fields_of(schema), schema.get("required", ()), schema.get("additionalProperties")
    unlisted = {UNLISTED: others} if isinstance(others, dict) else {}
    for name, child in {**schema.get("properties", {}), **unlisted}.items():
        for part in walk(child):
            yield part.below(name, assembled(schema, {**fields, name: part.instances}, {*required, name}))


# lists


def _lists(schema: JSON) -> Strategy:
    low, high = schema.get("minItems", 0), schema.get("maxItems")
    items = valid(schema.get("items", {}))
    few = st.lists(items, min_size=low, max_size=low + FEW if high is None else min(low + FEW, high))
    return few if high is None else few | same(items, high)


def _missed_lists(schema: JSON) -> Iterator[Named]:
    items = valid(schema.get("items", {}))
    if schema.get("minItems"):
        yield "minItems", same(items, schema["minItems"] - 1)
    if "maxItems" in schema:
        yield "maxItems", same(items, schema["maxItems"] + 1)


def same(items: Strategy, count: int) -> Strategy:
    """Return lists that hold one item many times: a long list costs no more than a short one."""
    return items.map(lambda item: [item] * count)


def _first_item(schema: JSON, walk: Walk) -> Iterator[Variant]:
    """Yield the variants of a list's first item."""
    items, beside = schema.get("items", {}), max(schema.get("minItems", 0) - 1, 0)
    sound = st.lists(valid(items), min_size=beside, max_size=beside)
    if schema.get("maxItems") != 0:
        for part in walk(items):
            yield part.below(0, st.builds(lambda one, rest: [one, *rest], part.instances, sound))


MAKERS: Mapping[str, Callable[[JSON], Strategy]] = {
    "integer": scalars.integers,
    "number": scalars.numbers,
    "string": scalars.texts,
    "array": _lists,
    "object": _objects,
}
MISSES: Mapping[str, Callable[[JSON], Iterator[Named]]] = {
    "integer": scalars.missed_numbers,
    "number": scalars.missed_numbers,
    "string": scalars.missed_texts,
    "array": _missed_lists,
}
INNER: Mapping[str, Callable[[JSON, Walk], Iterator[Variant]]] = {"array": _first_item, "object": _properties}
