"""Which requests a rule means: by operation, method, path, headers and fields of the body."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import orjson

from revdesk_mock.errors import StartError
from revdesk_mock.faults import fields
from revdesk_mock.messages import JSON, Request
from revdesk_mock.settings import suggestion
from revdesk_mock.spec import METHODS, Operation, Spec

EVERYTHING = "*"
PARAMETER = re.compile(r"\{[^{}/]*\}")
SECRET = frozenset({"authorization", "cookie"})
MEMBERS: Mapping[str, str] = {
    "on": 'an operation in short: `"POST /v1/calls/dial"`, `"/v1/calls/*"`, an operation\'s id, or a list of these; '
    '`"*"`, all, where nothing is said',
    "operation": "an operation's id",
    "method": "a method",
    "path": "a path as the contract has it, as it is sent, or with `*` for any part of the contract's",
    "headers": 'headers by name, `"*"` for whatever value',
    "body": 'fields of the body by dotted name, `"*"` for whatever value; of an object, the members named',
}

Places = dict[str, frozenset[str]]  # operations, with the paths that are meant as they are sent; none: all


@dataclass(frozen=True, slots=True)
class Which:
    """The requests of some operations, with these headers and these fields in the body."""

    places: Mapping[str, frozenset[str]]
    headers: Mapping[str, str]
    body: Mapping[fields.Path, JSON]

    def fits(self, request: Request, operation: Operation) -> bool:
        """Tell whether a request for an operation is meant."""
        paths = self.places.get(operation.id)
        if paths is None or (paths and request.path not in paths):
            return False
        for name, value in self.headers.items():
            sent = request.headers.get(name)
            if sent is None or value not in {fields.ANY, sent}:
                return False
        return not self.body or self._fits_body(request.body)

    def _fits_body(self, raw: bytes | None) -> bool:
        try:
            sent = orjson.loads(raw or b"")
        except orjson.JSONDecodeError:
            return False
        return all(fields.holds(sent, path, value) for path, value in self.body.items())


def read(order: Mapping[str, JSON], spec: Spec) -> Which:
    """Read what a rule says of `MEMBERS`; raises StartError where no request of the contract can be meant."""
    places = _places(order, spec)
    body = _body(order.get("body", {}))
    if body:
        places = _declaring(places, body, spec)
    return Which(places, _headers(order.get("headers", {})), body)


def _places(order: Mapping[str, JSON], spec: Spec) -> Places:
    parts = {name: order[name] for name in ("operation", "method", "path") if name in order}
    for name, part in parts.items():
        if not isinstance(part, str):
            raise StartError(f"{name}: it takes a text, not {part!r:.40}")
    if "on" not in order:
        return _selected(parts, "path" if "path" in parts else "operation", spec)
    if parts:
        raise StartError(f"on: it says the same as {', '.join(parts)}; leave one of them out")
    on = order["on"]
    shorts = on if isinstance(on, list) else [on]
    if not shorts or not all(isinstance(short, str) for short in shorts):
        raise StartError(f'on: it takes an operation, such as "POST /v1/calls/dial", or a list, not {on!r:.40}')
    merged: Places = {}
    for short in shorts:
        for operation, paths in _selected(_parts(short), "on", spec).items():
            met = merged.get(operation)
            merged[operation] = paths if met is None else paths | met if paths and met else frozenset()
    return merged


def _parts(short: str) -> dict[str, str]:
    method, space, path = short.partition(" ")
    if space:
        return {"method": method, "path": path.strip()}
    return {} if short == EVERYTHING else {"path" if short.startswith("/") else "operation": short}


def _selected(parts: Mapping[str, str], member: str, spec: Spec) -> Places:
    """Return the operations of an id, a method and a path; `member` is whose fault it is if there are none."""
    found: Iterable[Operation] = spec.operations.values()
    operation, method, path = (parts.get(part) for part in ("operation", "method", "path"))
    if operation is not None:
        if operation not in spec.operations:
            raise StartError(f"{member}: no operation {operation!r:.80}{suggestion(operation, spec.operations)}")
        found = [spec.operations[operation]]
    if method is not None:
        if method.lower() not in METHODS:
            raise StartError(f"method: {method!r:.40} is none of {', '.join(METHODS).upper()}")
        found = [each for each in found if each.method == method.upper()]
    places = {each.id: frozenset[str]() for each in found} if path is None else _under(path, found, spec)
    if not places:
        raise StartError(f"{member}: {_named(parts)} leads to no operation of the contract{_near(path, method, spec)}")
    return places


def _under(path: str, operations: Iterable[Operation], spec: Spec) -> Places:
    """Return those of the operations that a path leads to."""
    if EVERYTHING in path:
        pattern = re.compile(re.escape(_bare(path)).replace(r"\*", ".*"))
        return {each.id: frozenset() for each in operations if pattern.fullmatch(_bare(each.path))}
    templates = {each.id: frozenset[str]() for each in operations if _bare(each.path) == _bare(path)}
    sent = {each.id: frozenset({path}) for each in operations if spec.match(each.method, path).operation is each}
    return templates or sent


def _bare(path: str) -> str:
    """Return a path without the names of its parameters, which nobody remembers."""
    return PARAMETER.sub("{}", path)


def _named(parts: Mapping[str, str]) -> str:
    return " ".join(parts[part] for part in ("operation", "method", "path") if part in parts)


def _near(path: str | None, method: str | None, spec: Spec) -> str:
    """Return what else may have been meant: other methods of the path, or a path that is spelt alike."""
    if path is None:
        return ""
    allowed = spec.match("", path).allowed or {
        e.method for e in spec.operations.values() if _bare(e.path) == _bare(path)
    }
    if allowed and method is not None:
        return f"; {', '.join(sorted(allowed))} does"
    known = {each.path for each in spec.operations.values()}
    return "".join(f"; did you mean {close!r}?" for close in get_close_matches(path, sorted(known), n=1))


def _headers(headers: JSON) -> dict[str, str]:
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise StartError('headers: it takes an object of texts, such as {"user-agent": "*"}')
    lower = {name.lower(): value for name, value in headers.items()}
    for name in lower.keys() & SECRET:
        raise StartError(f"headers: {name} is a secret; a rule is of one world, and holds for its keys")
    return lower


def _body(body: JSON) -> dict[fields.Path, JSON]:
    if not isinstance(body, dict):
        raise StartError('body: it takes an object, such as {"to_number": "+13125550100"}')
    return {tuple(name.split(".")): value for name, value in body.items()}


def _declaring(places: Places, body: Mapping[fields.Path, JSON], spec: Spec) -> Places:
    """Leave out operations that do not declare these fields; raises StartError where none is left."""
    schemas = {name: spec.operations[name].request for name in places}
    left = {name: schema for name, schema in schemas.items() if all(fields.declares(schema, path) for path in body)}
    if not left:
        raise StartError(f"body: {_missing(list(schemas.values()), body)}")
    for path, value in body.items():
        if value != fields.ANY and not any(fields.admits(schema, path, value) for schema in left.values()):
            raise StartError(f"body: {'.'.join(path)} can never be {value!r:.60}")
    return {name: places[name] for name in left}


def _missing(schemas: Sequence[JSON], body: Iterable[fields.Path]) -> str:
    names = {name: None for schema in schemas for name in fields.names(schema)}
    if not names:
        return "what the rule means takes no body"
    unknown = [".".join(path) for path in body if not any(fields.declares(each, path) for each in schemas)]
    if not unknown:
        return f"no operation has all of {', '.join(map('.'.join, body))}"
    return f"no operation that is meant has a field {unknown[0]!r:.80}{suggestion(unknown[0], names)}"
