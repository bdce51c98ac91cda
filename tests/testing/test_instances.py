"""The generator keeps its word: what it calls valid is valid, and what it calls broken is so where and how it says."""

from typing import Any

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from revdesk_mock import wording
from revdesk_mock.testing.instances import broken, valid, with_examples
from revdesk_mock.validation import Schema

TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
NAMED = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}
NULL = {"type": "null"}

# A schema, and every break that it has: dotted place and keyword.
SCHEMAS: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "anything": ({}, []),
    "an open kind": ({"minLength": 2, "minimum": 1}, [("", "minimum"), ("", "minLength")]),
    "null": (NULL, [("", "type")]),
    "boolean": ({"type": "boolean"}, [("", "type")]),
    "two kinds": ({"type": ["string", "null"], "maxLength": 3}, [("", "type"), ("", "maxLength")]),
    "integer": ({**WHOLE, "minimum": 1, "maximum": 50}, [("", "type"), ("", "minimum"), ("", "maximum")]),
    "number": ({"type": "number", "minimum": 0.5, "maximum": 1.5}, [("", "type"), ("", "minimum"), ("", "maximum")]),
    "text": ({**TEXT, "minLength": 1, "maxLength": 20_000}, [("", "type"), ("", "minLength"), ("", "maxLength")]),
    "no text": ({**TEXT, "maxLength": 0}, [("", "type"), ("", "maxLength")]),
    "digits": ({**TEXT, "pattern": r"^\d{3}$"}, [("", "type"), ("", "pattern")]),
    "phone number": ({**TEXT, "pattern": r"^\+[1-9]\d{1,14}$"}, [("", "type"), ("", "pattern")]),
    "pattern without ends": (
        {**TEXT, "pattern": "b", "maxLength": 9},
        [("", "type"), ("", "maxLength"), ("", "pattern")],
    ),
    "uuid": ({**TEXT, "format": "uuid"}, [("", "type"), ("", "format")]),
    "email": ({**TEXT, "format": "email", "pattern": r"^[a-z].*@"}, [("", "type"), ("", "pattern"), ("", "format")]),
    "uri": ({**TEXT, "format": "uri"}, [("", "type"), ("", "format")]),
    "date-time": ({**TEXT, "format": "date-time"}, [("", "type"), ("", "format")]),
    "enum": ({**TEXT, "enum": ["a", "A", "b"]}, [("", "type"), ("", "enum")]),
    "numbers of an enum": ({"enum": [1, 2.5, True, None]}, [("", "enum")]),
    "const": ({**TEXT, "const": "I agree"}, [("", "type"), ("", "const")]),
    "list": (
        {"type": "array", "items": NAMED, "minItems": 2, "maxItems": 200},
        [("", "type"), ("", "minItems"), ("", "maxItems"), ("0", "type"), ("0.name", "required"), ("0.name", "type")],
    ),
    "empty list": ({"type": "array", "items": TEXT, "maxItems": 0}, [("", "type"), ("", "maxItems")]),
    "list of anything": ({"type": "array"}, [("", "type")]),
    "object": (
        {"type": "object", "properties": {"a": WHOLE, "b": NAMED, "c": {}}, "required": ["a", "d"]},
        [
            *(("", "type"), ("a", "required"), ("d", "required")),
            *(("a", "type"), ("b", "type"), ("b.name", "required"), ("b.name", "type")),
        ],
    ),
    "closed object": (
        {"type": "object", "properties": {"a": WHOLE}, "additionalProperties": False},
        [("", "type"), ("unlisted", "additionalProperties"), ("a", "type")],
    ),
    "map": ({"type": "object", "additionalProperties": WHOLE}, [("", "type"), ("unlisted", "type")]),
    "text or null": ({"anyOf": [{**TEXT, "maxLength": 9}, NULL]}, [("", "type"), ("", "maxLength")]),
    "object or null": ({"anyOf": [NAMED, NULL]}, [("", "type"), ("name", "required"), ("name", "type")]),
    "alternatives beside a type": ({**NAMED, "anyOf": [{"minLength": 1}, {}]}, [("", "type")]),
    "one word": ({"const": None}, []),
    "alternatives of a kind": ({"anyOf": [{**TEXT, "maxLength": 3}, {**TEXT, "minLength": 9}]}, [("", "type")]),
    "alternatives in alternatives": (
        {"anyOf": [{"anyOf": [NAMED, WHOLE]}, NULL]},
        [("", "type"), ("name", "required"), ("name", "type")],
    ),
}
every_schema = pytest.mark.parametrize("name", SCHEMAS)


@every_schema
def test_the_breaks_of_a_schema_are_known_beforehand(name: str) -> None:
    schema, breaks = SCHEMAS[name]
    assert [(part.field, part.trait) for part in broken(schema)] == breaks


@every_schema
@settings(max_examples=settings().max_examples // 3)
@given(data=st.data())
def test_a_valid_instance_is_valid(name: str, data: st.DataObject) -> None:
    schema, _ = SCHEMAS[name]
    instance = data.draw(valid(schema))
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(instance)
    assert Schema(schema).failures(instance) == []


@every_schema
@settings(max_examples=settings().max_examples // 3)
@given(data=st.data())
def test_a_broken_instance_is_broken_at_its_place_alone(name: str, data: st.DataObject) -> None:
    schema, _ = SCHEMAS[name]
    for part in broken(schema):
        failures = Schema(schema).failures(data.draw(part.instances))
        places = {path for failure in failures for path, *_ in wording.describe(failure)}
        assert places == {part.path}, part.trait
        assert part.trait in {rule for failure in failures for _, _, rule, *_ in wording.describe(failure)}


@pytest.mark.parametrize(
    ("schema", "instance"),
    [
        ({**WHOLE, "minimum": 1, "maximum": 50}, 1),
        ({**WHOLE, "minimum": 1, "maximum": 50}, 50),
        ({**TEXT, "minLength": 2, "maxLength": 300}, "00"),
        ({**TEXT, "minLength": 2, "maxLength": 300}, "0" * 300),
        ({"type": "array", "items": NULL, "minItems": 1, "maxItems": 200}, [None]),
        ({"type": "array", "items": NULL, "minItems": 1, "maxItems": 200}, [None] * 200),
        ({**TEXT, "examples": ["Harbor Dental"]}, "Harbor Dental"),
    ],
)
def test_valid_instances_reach_the_bounds_and_the_examples(schema: Any, instance: Any) -> None:
    assert find(valid(schema), lambda made: made == instance) == instance


def test_examples_are_given_to_properties_by_name_at_any_depth() -> None:
    leg = {"type": "object", "properties": {"to": TEXT, "properties": {"type": "object", "properties": {"to": TEXT}}}}
    schema = {
        "type": "object",
        "properties": {"legs": {"type": "array", "items": {"anyOf": [leg, NULL]}}, "to": WHOLE},
        "additionalProperties": leg,
    }
    told = {**TEXT, "examples": ["+13125550100"]}
    expected_leg = {
        "type": "object",
        "properties": {"to": told, "properties": {"type": "object", "properties": {"to": told}}},
    }
    assert with_examples(schema, {"to": ["+13125550100"], "from": ["x"]}) == {
        "type": "object",
        "properties": {
            "legs": {"type": "array", "items": {"anyOf": [expected_leg, NULL]}},
            "to": {**WHOLE, "examples": ["+13125550100"]},
        },
        "additionalProperties": expected_leg,
    }
    assert schema["properties"] == {"legs": {"type": "array", "items": {"anyOf": [leg, NULL]}}, "to": WHOLE}
