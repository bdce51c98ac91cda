"""Requests and responses against the contract's schemas: a fast yes or no, and plain words for a no."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs
from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators

from revdesk_mock import wording
from revdesk_mock.clock import parse_iso
from revdesk_mock.errors import ApiError, ContractViolation
from revdesk_mock.messages import JSON, Reason
from revdesk_mock.spec import Operation, Spec

DOLLAR = re.compile(r"\\.|\[(?:\\.|[^\]])*\]|\$", re.DOTALL)
NUMBERS = frozenset({"integer", "number"})
SUMMED_UP = 3  # fields that the message itself repeats

Fields = dict[str, tuple[str, Reason]]
Fit = Callable[[JSON], JSON]


def _is_uuid(text: object) -> bool:
    return (
        not isinstance(text, str)
        or re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is not None
    )


def _is_email(text: object) -> bool:
    return not isinstance(text, str) or re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text) is not None


def _is_uri(text: object) -> bool:
    try:
        return not isinstance(text, str) or bool(urlsplit(text).scheme)
    except ValueError:
        return False


def _is_date_time(text: object) -> bool:
    try:
        return not isinstance(text, str) or parse_iso(text) is not None
    except ValueError:
        return False


# One meaning of each format, for the fast validator and for the one that explains.
FORMATS = {"uuid": _is_uuid, "email": _is_email, "uri": _is_uri, "date-time": _is_date_time}


def ecma(pattern: str) -> re.Pattern[str]:
    r"""Read a pattern as ECMA 262 has it: `\d` is ASCII, and `$` (unescaped, outside a class) is the very end."""
    return re.compile(DOLLAR.sub(lambda part: r"\Z" if part[0] == "$" else part[0], pattern), re.ASCII)


def _pattern(_: object, pattern: str, instance: object, __: object) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not ecma(pattern).search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, check in FORMATS.items():
        checker.checks(name)(check)
    return checker


Reference: Any = cast("Any", validators).extend(Draft202012Validator, {"pattern": _pattern})


class Schema:
    """One schema, compiled to decide, to explain, and to leave out what it does not declare."""

    def __init__(self, schema: JSON) -> None:
        self._decide = jsonschema_rs.Draft202012Validator(schema, validate_formats=True, formats=FORMATS)
        self.is_valid = self._decide.is_valid
        self._schema = schema
        self._explain: Any = None

    @cached_property
    def fit(self) -> Fit:
        """Make a value as the schema has it, without what that does not declare."""
        return _fitter(self._schema)

    def failures(self, instance: JSON) -> list[ValidationError]:
        """Return the failures of an invalid instance, one or more for each offending place."""
        if self._explain is None:
            self._explain = Reference(self._schema, format_checker=_checker())
        return sorted(self._explain.iter_errors(instance), key=lambda error: list(map(str, error.absolute_path)))


class Validation:
    """The contract's schemas, compiled when an operation is first asked for."""

    def __init__(self, spec: Spec, *, reject_unknown_fields: bool = False) -> None:
        self._spec = spec
        self._reject_unknown_fields = reject_unknown_fields
        self._schemas: dict[tuple[str, str], Schema] = {}
        self._error = Schema(_error_envelope(spec))

    def read_query(self, operation: Operation, raw: str) -> dict[str, JSON]:
        """Return a query's parameters, typed and with defaults; raises ApiError naming each bad one."""
        if not raw:
            if operation.required_query:
                self._refuse_query(operation, {}, {})
            return dict(operation.defaults)
        fields: Fields = {}
        values: dict[str, JSON] = {}
        for name, text in parse_qsl(raw, keep_blank_values=True):
            if name not in operation.query:
                known = ", ".join(operation.query) or "none"
                fields[name] = (
                    "is not a query parameter of this operation",
                    Reason("query.unknown", f"query {name}", f"one of: {known}", text),
                )
            elif name in values:
                fields[name] = ("is given more than once", Reason("query.repeated", f"query {name}", "once", text))
            else:
                values[name] = _typed(text, operation.query[name])
        self._refuse_query(operation, values, fields)
        return {**operation.defaults, **values}

    def _refuse_query(self, operation: Operation, values: dict[str, JSON], fields: Fields) -> None:
        schema = self._schema(operation, "query")
        if not schema.is_valid(values):
            fields = {**_explain(schema, values, "query"), **fields}
        if fields:
            raise _refusal(fields)

    def read_body(self, operation: Operation, body: JSON) -> dict[str, JSON]:
        """Return what the contract in use declares of a request body, with defaults.

        A field that it does not name is ignored: nobody has checked it. Raises ApiError (400) with one message for
        each offending field.
        """
        schema = self._schema(operation, "request")
        if not schema.is_valid(body):
            raise _refusal(_explain(schema, body, "body"))
        return {**operation.body_defaults, **schema.fit(body)}

    def fit_response(self, operation: Operation, status: int, body: JSON) -> JSON:
        """Return a body as the contract in use has it, without what this contract does not declare.

        Raises ContractViolation where even so the body does not fit.
        """
        if status not in operation.responses:
            raise ContractViolation(operation.id, "", f"the status {status} with this body is not declared")
        schema = self._schema(operation, str(status))
        if schema.is_valid(body):
            return body
        body = schema.fit(body)
        if not schema.is_valid(body):
            worst = schema.failures(body)[0]
            raise ContractViolation(operation.id, pointer(worst.absolute_path), worst.message)
        return body

    def check_error(self, operation: str, body: JSON) -> None:
        """Raise ContractViolation where an error body is not the contract's envelope."""
        if not self._error.is_valid(body):
            worst = self._error.failures(body)[0]
            raise ContractViolation(operation, pointer(worst.absolute_path), worst.message)

    def _schema(self, operation: Operation, part: str) -> Schema:
        found = self._schemas.get((operation.id, part))
        if found is None:
            found = self._schemas[operation.id, part] = Schema(self._raw_schema(operation, part))
        return found

    def _raw_schema(self, operation: Operation, part: str) -> JSON:
        if part == "query":
            return {"type": "object", "properties": operation.query, "required": sorted(operation.required_query)}
        if part == "request":
            return _closed(operation.request) if self._reject_unknown_fields else operation.request
        return _closed(operation.responses[int(part)])


def pointer(path: Any) -> str:
    """Write a path of keys and positions as a JSON pointer."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def _error_envelope(spec: Spec) -> JSON:
    declared = spec.document.get("components", {}).get("schemas", {}).get("ErrorEnvelope")
    return declared or {"type": "object", "required": ["error"]}


def _typed(text: str, schema: Mapping[str, JSON]) -> JSON:
    """Read a query text as its schema's type; what cannot be read stays text and fails validation."""
    kinds = _kinds(schema)
    if kinds & NUMBERS and re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        return int(text)
    if "number" in kinds and re.fullmatch(r"-?\d{1,18}\.\d{1,18}", text, re.ASCII):
        return float(text)
    if "boolean" in kinds and text in {"true", "false"}:
        return text == "true"
    return text


def _explain(schema: Schema, instance: JSON, place: str) -> Fields:
    fields: Fields = {}
    for error in schema.failures(instance):
        for path, message, rule, expected, got in wording.describe(error):
            name = ".".join(map(str, path)) or place
            where = f"query {name}" if place == "query" else f"body {pointer(path) or '/'}"
            fields.setdefault(name, (message, Reason(f"schema.{rule}", where, expected, got)))
    return fields


def _refusal(fields: Fields) -> ApiError:
    summary = "; ".join(f"{name}: {message}" for name, (message, _) in list(fields.items())[:SUMMED_UP])
    more = f"; and {len(fields) - SUMMED_UP} more" if len(fields) > SUMMED_UP else ""
    return ApiError(
        "validation_error",
        f"{summary}{more}",
        *(reason for _, reason in fields.values()),
        fields={name: message for name, (message, _) in fields.items()},
    )


def _closed(schema: JSON) -> JSON:
    """Return a schema in which every object that lists its properties admits no others."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    # A property may be called "properties" or "type": only a schema has a type that is a word or a list of words.
    if schema.get("properties") and isinstance(schema.get("type"), str | list):
        closed.setdefault("additionalProperties", False)
    return closed


def _fitter(schema: Mapping[str, JSON]) -> Fit:
    """Return what makes a value as its schema has it.

    Properties that the schema lists no place for are left out. An id in digits becomes a number where the
    schema has one: contracts write the same id either way.
    """
    branches = list(_alternatives(schema))
    items: JSON = next((branch["items"] for branch in branches if branch.get("items")), None)
    maps = (branch.get("additionalProperties") for branch in branches)
    others: JSON = next((schema for schema in maps if isinstance(schema, dict)), None)
    fits = {name: _fitter(child) for branch in branches for name, child in branch.get("properties", {}).items()}
    fit_item = _as_it_is if items is None else _fitter(items)
    fit_other = _as_it_is if others is None else _fitter(others)
    kinds = set().union(*map(_kinds, branches))
    is_map, is_number = others is not None, "string" not in kinds and not kinds.isdisjoint(NUMBERS)

    def fit(value: JSON) -> JSON:
        if isinstance(value, dict) and (fits or is_map):
            return {key: fits.get(key, fit_other)(item) for key, item in value.items() if is_map or key in fits}
        if isinstance(value, list):
            return [fit_item(item) for item in value]
        if is_number and isinstance(value, str) and value.isascii() and value.isdigit():
            return int(value)
        return value

    return fit if fits or is_map or items is not None or is_number else _as_it_is


def _as_it_is(value: JSON) -> JSON:
    return value


def _kinds(schema: Mapping[str, JSON]) -> set[str]:
    """Return the types that a schema names."""
    declared = schema.get("type", [])
    return set(declared) if isinstance(declared, list) else {declared}


def _alternatives(schema: Mapping[str, JSON]) -> Iterator[Mapping[str, JSON]]:
    """Yield a schema and every alternative in it, however deep."""
    yield schema
    for branch in schema.get("anyOf", ()):
        yield from _alternatives(branch)
