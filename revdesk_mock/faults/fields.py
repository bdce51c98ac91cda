"""Fields of a request body by dotted name: whether a schema declares them, and whether a body holds them."""

from collections.abc import Iterator, Mapping

from revdesk_mock.messages import JSON
from revdesk_mock.validation import Schema

ANY = "*"  # as a value: whatever it is, as long as it is sent
Path = tuple[str, ...]
ANYTHING: Mapping[str, JSON] = {"type": ["object", "array", "string", "number", "boolean", "null"]}


def holds(sent: JSON, path: Path, value: JSON) -> bool:
    """Tell whether a body has a value at a path; of an object, the members that the value names."""
    for step in path:
        if isinstance(sent, list) and step.isdecimal() and int(step) < len(sent):
            sent = sent[int(step)]
        elif isinstance(sent, dict) and step in sent:
            sent = sent[step]
        else:
            return False
    return value == ANY or _contains(sent, value)


def _contains(sent: JSON, value: JSON) -> bool:
    if isinstance(value, dict) and isinstance(sent, dict):
        return all(name in sent and _contains(sent[name], wanted) for name, wanted in value.items())
    # In Python True is 1; in JSON it is not.
    return bool(sent == value) and isinstance(sent, bool) == isinstance(value, bool)


def declares(schema: JSON, path: Path) -> bool:
    """Tell whether a schema (None: no body) has a place for a path."""
    return any(_at(schema, path))


def admits(schema: JSON, path: Path, value: JSON) -> bool:
    """Tell whether a schema lets a value stand at a path; an object may name some of its members only."""
    return isinstance(value, dict) or any(Schema(found).is_valid(value) for found in _at(schema, path))


def names(schema: JSON) -> Iterator[str]:
    """Yield the fields that a schema declares, those of the first level."""
    for branch in _branches(schema):
        yield from branch.get("properties", {})


def _at(schema: JSON, path: Path) -> Iterator[JSON]:
    """Yield the schemas of what may stand at a path."""
    if not path:
        yield schema
        return
    for branch in _branches(schema):
        for child in _children(branch, path[0]):
            yield from _at(child, path[1:])


def _children(schema: Mapping[str, JSON], step: str) -> Iterator[JSON]:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", False)
    if step in properties:
        yield properties[step]
    elif others or ("object" in str(schema.get("type")) and not properties):
        yield others if isinstance(others, dict) else ANYTHING
    if step.isdecimal() and "items" in schema:
        yield schema["items"]


def _branches(schema: JSON) -> Iterator[Mapping[str, JSON]]:
    if schema is not None:
        yield schema
        for branch in schema.get("anyOf", ()):
            yield from _branches(branch)
