"""Plain words for schema failures: what a field must be, for people who read an error message."""

import json
from collections.abc import Iterator

from jsonschema import ValidationError

from revdesk_mock.messages import JSON

Path = tuple[str | int, ...]
Description = tuple[Path, str, str, str, str]  # path, message, rule, expected, got

SHOWN = 80  # characters of an offending value that are repeated
LISTED = 12  # choices of an enum that are repeated

TYPES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
FORMATS = {
    "uuid": "a UUID",
    "email": "an e-mail address",
    "uri": "a URI",
    "date-time": "a UTC date and time like 2026-01-31T12:00:00Z",
}
PATTERNS = {
    r"^\+[1-9]\d{1,14}$": "a phone number in E.164 form, like +14155550100",
    r"^\+1\d{10}$": "a US phone number in E.164 form, like +14155550100",
    r"^\d{3}$": "three digits, like 415",
}


def describe(error: ValidationError) -> Iterator[Description]:
    """Yield one description for each place that a failure is about."""
    path: Path = tuple(error.absolute_path)
    rule = str(error.validator)
    got: JSON = error.instance
    value: JSON = error.validator_value
    schema: JSON = error.schema
    if rule == "required":
        for name in value:
            if name not in got:
                yield (*path, name), "is required", rule, "a value", "nothing"
    elif rule == "additionalProperties":
        known = schema.get("properties", {})
        for name in got:
            if name not in known:
                yield (
                    (*path, name),
                    "is not a field of this operation",
                    rule,
                    f"one of: {', '.join(known)}",
                    show(got[name]),
                )
    elif rule == "anyOf":
        yield from _describe_any(error, path)
    else:
        expected = _expected(rule, value, schema)
        yield path, f"must {expected}", rule, expected, show(got)


def _describe_any(error: ValidationError, path: Path) -> Iterator[Description]:
    """Describe the one alternative that has the right type, or else the types that would do."""
    for branch in error.context:
        fitting = [e for e in error.context if e.schema_path[0] == branch.schema_path[0]]
        if all(e.validator != "type" or len(e.relative_path) for e in fitting):
            for failure in fitting:
                yield from describe(failure)
            return
    alternatives: JSON = error.validator_value
    kinds = [TYPES.get(str(branch.get("type")), "something else") for branch in alternatives]
    expected = f"be {' or '.join(kinds)}"
    yield path, f"must {expected}", "type", expected, show(error.instance)


def _expected(rule: str, value: JSON, schema: JSON) -> str:
    match rule:
        case "type":
            kinds = value if isinstance(value, list) else [value]
            return f"be {' or '.join(TYPES[kind] for kind in kinds)}"
        case "enum":
            listed = ", ".join(choice if isinstance(choice, str) else show(choice) for choice in value[:LISTED])
            return f"be one of {listed}{f' and {len(value) - LISTED} more' if len(value) > LISTED else ''}"
        case "const":
            return f"be exactly {show(value)}"
        case "format":
            return f"be {FORMATS[value]}"
        case "pattern":
            known = PATTERNS.get(value) or FORMATS.get(schema.get("format", ""))
            return f"be {known}" if known else f"match {value}"
        case "minimum" | "maximum":
            return f"be {'at least' if rule == 'minimum' else 'at most'} {value}"
        case _:
            return _size(rule, value)


def _size(rule: str, value: int) -> str:
    unit = "character" if rule.endswith("Length") else "item"
    if rule in {"minLength", "minItems"} and value == 1:
        return "not be empty"
    bound = "at least" if rule.startswith("min") else "at most"
    return f"have {bound} {value} {unit}{'' if value == 1 else 's'}"


def show(value: JSON) -> str:
    """Write a value as people read it, cut to a line."""
    # As JSON has it, but for the quotes of a text, which read better single inside a JSON message.
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
