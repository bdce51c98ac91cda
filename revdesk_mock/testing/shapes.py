"""Shapes: what schemas let a client expect at a place, and what changes there from one schema to another."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from revdesk_mock import wording
from revdesk_mock.messages import JSON
from revdesk_mock.validation import Schema, pointer

KINDS = ("null", "boolean", "integer", "number", "string", "array", "object")
ITEM = "*"  # in a place, for any position of a list

Place = tuple[str, ...]


class Change(NamedTuple):
    """What a client meets otherwise: at which place (`*` for any item), where in this value, and what is new."""

    place: str
    pointer: str
    says: str


class Shape:
    """The alternatives of a schema, taken together."""

    def __init__(self, *schemas: JSON) -> None:
        self._branches = [branch for schema in schemas for branch in _flat(schema)]
        self._fields: dict[str, Shape | None] = {}

    @cached_property
    def kinds(self) -> frozenset[str]:
        """Tell the kinds of values that there may be."""
        return frozenset(kind for branch in self._branches for kind in _kinds(branch))

    @cached_property
    def choices(self) -> Sequence[JSON] | None:
        """Tell the values that are listed, null aside; None where other ones may come too."""
        lists = [_choices(branch) for branch in self._branches if branch.get("type") != "null"]
        return None if None in lists else [choice for listed in lists for choice in listed or ()]

    @cached_property
    def items(self) -> "Shape":
        """Tell the shape of the items of a list."""
        return Shape(*(branch.get("items", {}) for branch in self._branches if "array" in _kinds(branch)))

    @cached_property
    def admits(self) -> Callable[[JSON], bool]:
        """Tell whether this very value may come."""
        return Schema({"anyOf": self._branches}).is_valid

    def field(self, name: str) -> "Shape | None":
        """Return the shape of a property; None where none of this name is declared."""
        if name not in self._fields:
            listed = [branch["properties"][name] for branch in self._branches if name in branch.get("properties", {})]
            found = listed or [others for branch in self._branches for others in _others(branch)]
            self._fields[name] = Shape(*found) if found else None
        return self._fields[name]

    def requires(self, name: str) -> bool:
        """Tell whether a property is always there."""
        objects = [branch for branch in self._branches if "object" in _kinds(branch)]
        return all(name in branch.get("required", ()) for branch in objects)


def changes(value: JSON, old: Shape, new: Shape | None, path: tuple[str | int, ...] = ()) -> Iterator[Change]:
    """Yield what a client that was answered this value meets otherwise by a new schema, down to each field of it."""
    if new is None:
        yield _change(path, "is not declared any more")
        return
    yield from (_change(path, says) for says in _news(value, old, new))
    if isinstance(value, dict):
        for name, part in value.items():
            before, after = old.field(name), new.field(name)
            if before is not None:
                yield from changes(part, before, after, (*path, name))
                if after is not None and old.requires(name) and not new.requires(name):
                    yield _change((*path, name), "may be left out now")
    elif isinstance(value, list):
        for position, part in enumerate(value):
            yield from changes(part, old.items, new.items, (*path, position))


def _news(value: JSON, old: Shape, new: Shape) -> Iterator[str]:
    """Yield what is new at a place itself."""
    gone, come = old.kinds - new.kinds, new.kinds - old.kinds
    if gone and come - {"null"}:
        yield f"was {_listed(gone)}, and is {_listed(come)} now"
    elif come:
        yield f"may be {_listed(come)} now"
    elif not isinstance(value, dict | list) and not new.admits(value):
        yield f"cannot be {wording.show(value)} any more"
    if old.choices and new.choices is None:
        yield "may be a value now that no list names"
    elif old.choices and new.choices:
        fresh = [wording.show(choice) for choice in new.choices if choice not in old.choices]
        if fresh:
            yield f"may be {', '.join(fresh)} now"


def _change(path: tuple[str | int, ...], says: str) -> Change:
    return Change(pointer([ITEM if isinstance(step, int) else step for step in path]), pointer(path), says)


def _listed(kinds: frozenset[str]) -> str:
    told = kinds - {"integer"} if "number" in kinds else kinds
    return " or ".join(wording.TYPES[kind] for kind in KINDS if kind in told)


def _flat(schema: JSON) -> Iterator[JSON]:
    """Yield the alternatives of a schema, however deep, each with what stands beside them."""
    beside = {keyword: value for keyword, value in schema.items() if keyword not in {"anyOf", "$schema"}}
    if "anyOf" not in schema:
        yield beside
    for branch in schema.get("anyOf", ()):
        yield from _flat({**beside, **branch})


def _kinds(branch: JSON) -> frozenset[str]:
    declared = branch.get("type", KINDS)
    kinds = frozenset([declared] if isinstance(declared, str) else declared)
    return kinds | {"integer"} if "number" in kinds else kinds


def _choices(branch: JSON) -> Sequence[JSON] | None:
    return branch.get("enum") or ([branch["const"]] if "const" in branch else None)


def _others(branch: JSON) -> Iterator[JSON]:
    """Yield the schema of properties that are not listed; none where they are not spoken of."""
    others = branch.get("additionalProperties")
    if isinstance(others, dict):
        yield others
    elif "object" in _kinds(branch) and not branch.get("properties") and others is not False:
        yield {}
