"""Schema failures are told in plain words: what a field must be, where, and what came instead."""

from typing import Any

import pytest

from revdesk_mock.validation import Schema
from revdesk_mock.wording import LISTED, SHOWN, Description, describe, show

E164 = r"^\+[1-9]\d{1,14}$"
TEXT = {"type": "string"}


def told(schema: Any, instance: Any) -> list[Description]:
    return [description for error in Schema(schema).failures(instance) for description in describe(error)]


def message(schema: Any, instance: Any) -> str:
    """Return the one message for an instance that is itself at fault."""
    ((path, text, *_),) = told(schema, instance)
    assert path == ()
    return text


MESSAGES: dict[str, tuple[Any, Any, str]] = {
    "string": ({"type": "string"}, 1, "must be a string"),
    "integer": ({"type": "integer"}, 1.5, "must be an integer"),
    "number": ({"type": "number"}, "1", "must be a number"),
    "boolean": ({"type": "boolean"}, 1, "must be true or false"),
    "object": ({"type": "object"}, [], "must be an object"),
    "array": ({"type": "array"}, {}, "must be a list"),
    "null": ({"type": "null"}, 0, "must be null"),
    "either type": ({"type": ["string", "null"]}, 1, "must be a string or null"),
    "enum": ({"enum": ["a", "b"]}, "c", "must be one of a, b"),
    "enum of booleans": ({"enum": [True, None]}, "c", "must be one of true, null"),
    "text const": ({"const": "I agree"}, "no", "must be exactly 'I agree'"),
    "true const": ({"const": True}, False, "must be exactly true"),
    "uuid": ({"format": "uuid"}, "x", "must be a UUID"),
    "email": ({"format": "email"}, "x", "must be an e-mail address"),
    "uri": ({"format": "uri"}, "x", "must be a URI"),
    "date-time": ({"format": "date-time"}, "x", "must be a UTC date and time like 2026-01-31T12:00:00Z"),
    "E.164": ({"pattern": E164}, "x", "must be a phone number in E.164 form, like +14155550100"),
    "US E.164": ({"pattern": r"^\+1\d{10}$"}, "x", "must be a US phone number in E.164 form, like +14155550100"),
    "area code": ({"pattern": r"^\d{3}$"}, "x", "must be three digits, like 415"),
    "pattern": ({"pattern": "^a+$"}, "x", "must match ^a+$"),
    "minimum": ({"minimum": 1}, 0, "must be at least 1"),
    "maximum": ({"maximum": 100}, 101, "must be at most 100"),
    "empty text": ({"minLength": 1}, "", "must not be empty"),
    "empty list": ({"minItems": 1}, [], "must not be empty"),
    "short text": ({"minLength": 2}, "a", "must have at least 2 characters"),
    "long text": ({"maxLength": 2}, "abc", "must have at most 2 characters"),
    "text of one": ({"maxLength": 1}, "abc", "must have at most 1 character"),
    "short list": ({"minItems": 2}, [1], "must have at least 2 items"),
    "long list": ({"maxItems": 1}, [1, 2], "must have at most 1 item"),
}


@pytest.mark.parametrize(("schema", "instance", "expected"), MESSAGES.values(), ids=MESSAGES)
def test_a_failure_is_told_in_words(schema: Any, instance: Any, expected: str) -> None:
    assert message(schema, instance) == expected


def test_a_format_with_a_long_pattern_is_told_by_the_format() -> None:
    schema = {"type": "string", "format": "email", "pattern": "^[a-z]+@[a-z]+[.][a-z]+$"}
    assert {text for _, text, *_ in told(schema, "x")} == {"must be an e-mail address"}


def test_a_long_list_of_choices_is_cut() -> None:
    text = message({"enum": [str(number) for number in range(LISTED + 3)]}, "x")
    assert text.endswith("11 and 3 more")


def test_the_description_says_rule_expectation_and_what_came() -> None:
    assert told({"properties": {"to": {"pattern": E164}}}, {"to": "415"}) == [
        (
            ("to",),
            "must be a phone number in E.164 form, like +14155550100",
            "pattern",
            "be a phone number in E.164 form, like +14155550100",
            "'415'",
        )
    ]


def test_each_missing_field_is_told_at_its_own_place() -> None:
    schema = {"properties": {"leg": {"type": "object", "required": ["a", "b"]}}}
    assert set(told(schema, {"leg": {}})) == {
        (("leg", name), "is required", "required", "a value", "nothing") for name in ("a", "b")
    }


def test_a_field_that_is_there_is_not_missed() -> None:
    assert [path for path, *_ in told({"required": ["a", "b"]}, {"a": 1})] == [("b",)]


def test_each_unknown_field_is_told_at_its_own_place_with_the_known_ones() -> None:
    schema = {"properties": {"a": TEXT, "b": TEXT}, "additionalProperties": False}
    assert told(schema, {"a": "", "x": 1, "y": None}) == [
        (("x",), "is not a field of this operation", "additionalProperties", "one of: a, b", "1"),
        (("y",), "is not a field of this operation", "additionalProperties", "one of: a, b", "null"),
    ]


def test_a_value_that_a_map_does_not_admit_is_told_at_its_key() -> None:
    ((path, text, *_),) = told({"additionalProperties": TEXT}, {"a": "", "b": 1})
    assert (path, text) == (("b",), "must be a string")


def test_a_place_in_a_list_is_a_number() -> None:
    ((path, *_),) = told({"items": TEXT}, ["a", 1])
    assert path == (1,)


OR_NULL = {"anyOf": [{"type": "string", "maxLength": 2}, {"type": "null"}]}


def test_of_alternatives_the_one_of_the_right_type_is_told() -> None:
    assert message(OR_NULL, "abc") == "must have at most 2 characters"


def test_where_no_alternative_has_the_type_all_types_are_told() -> None:
    assert told(OR_NULL, 7) == [((), "must be a string or null", "type", "be a string or null", "7")]


def test_alternatives_without_a_type_are_told_as_something_else() -> None:
    assert (
        message({"anyOf": [{"type": "null"}, {"type": ["string", "number"]}]}, True) == "must be null or something else"
    )


def test_a_failure_deep_in_an_alternative_is_told_at_its_place() -> None:
    schema = {
        "properties": {
            "agent": {"anyOf": [{"type": "object", "properties": {"id": TEXT}, "required": ["id"]}, {"type": "null"}]}
        }
    }
    assert [(path, text) for path, text, *_ in told(schema, {"agent": {"id": 1}})] == [
        (("agent", "id"), "must be a string")
    ]
    assert [(path, text) for path, text, *_ in told(schema, {"agent": {}})] == [(("agent", "id"), "is required")]


def test_the_second_alternative_is_told_where_that_has_the_type() -> None:
    schema = {"anyOf": [{"type": "null"}, {"type": "array", "items": TEXT}]}
    assert [(path, text) for path, text, *_ in told(schema, [1])] == [((0,), "must be a string")]


@pytest.mark.parametrize(
    ("value", "shown"),
    [("a", "'a'"), (1, "1"), (1.5, "1.5"), (None, "null"), (True, "true"), ([], "[]"), ("é", "'é'")],
    ids=str,
)
def test_a_value_is_shown_as_people_who_write_json_read_it(value: Any, shown: str) -> None:
    assert show(value).replace('"', "'") == shown


def test_a_long_value_is_cut() -> None:
    assert len(show("a" * 1000)) == SHOWN + len("...")
    assert len(show("a" * 10)) == 12
