"""Findings about what bodies say: fields that nothing reads, and numbers that may be somebody's."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from revdesk_mock.audit.finding import Finding
from revdesk_mock.e164 import is_fictional
from revdesk_mock.journal import Entry, parsed
from revdesk_mock.messages import JSON
from revdesk_mock.spec import Spec

NO_BODY: Mapping[str, JSON] = {"properties": {}}
# The fields of bodies by which somebody's phone rings or gets a text.
RINGS: Mapping[str, tuple[str, ...]] = {
    "/v1/calls": ("phoneNumber",),
    "/v1/calls/dial": ("to_number", "connect_number"),
    "/v1/webrtc-token": ("to_number",),
    "/v1/room-token": ("to_number",),
    "/v1/sms/send": ("to",),
    "/v1/caller-ids": ("phone_number",),
}


class Field(NamedTuple):
    """A field of an operation's body; dots lead inwards, and `[]` into each of a list."""

    operation: str
    name: str


def unread(entries: Iterable[Entry], spec: Spec) -> Iterator[Finding]:
    """Find fields that the contract does not name, in requests that were taken."""
    found: dict[Field, list[Entry]] = {}
    for entry in entries:
        operation = spec.operations.get(entry.operation or "")
        if operation is not None and entry.succeeded:
            for name in dict.fromkeys(_undeclared(parsed(entry.body), operation.request or NO_BODY, "")):
                found.setdefault(Field(operation.id, name), []).append(entry)
    for field, where in found.items():
        operation = spec.operations[field.operation]
        yield Finding(
            "unread_field",
            f"{operation.method} {operation.path} does not know the field {field.name}: nothing reads it. "
            "Leave it out, or look for its right name.",
            tuple(where),
        )


def _undeclared(value: JSON, schema: JSON, name: str) -> Iterator[str]:
    """Yield the names of fields that no part of a schema declares."""
    choices = list(_choices(schema))
    if isinstance(value, list):
        items = {"anyOf": [choice["items"] for choice in choices if "items" in choice]}
        for item in value:
            yield from _undeclared(item, items, f"{name}[]")
    if not isinstance(value, dict) or not any("properties" in choice for choice in choices):
        return  # what the contract leaves open is kept as it is
    if any(choice.get("additionalProperties") for choice in choices):
        return
    for key, inner in value.items():
        declared = [properties[key] for choice in choices if key in (properties := choice.get("properties", {}))]
        inner_name = f"{name}.{key}" if name else key
        if declared:
            yield from _undeclared(inner, {"anyOf": declared}, inner_name)
        else:
            yield inner_name


def _choices(schema: JSON) -> Iterator[JSON]:
    """Yield a schema and all that it may be instead."""
    yield schema
    for choice in schema.get("anyOf", ()):
        yield from _choices(choice)


def real_numbers(entries: Iterable[Entry]) -> Iterator[Finding]:
    """Find numbers outside the fictional ranges that calls, texts or codes were sent to."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        body = parsed(entry.body)
        if entry.method != "POST" or not entry.succeeded or entry.replayed or not isinstance(body, dict):
            continue
        for name in RINGS.get(entry.path, ()):
            number = body.get(name)
            if isinstance(number, str) and not is_fictional(number):
                found.setdefault(number, []).append(entry)
    for number, where in found.items():
        yield Finding(
            "real_number",
            f"{number} may be somebody's phone, and is called or texted by this. Use a number that is reserved for "
            "fiction: +1 NXX 555 0100 to 0199.",
            tuple(where),
        )
