"""The edges of a schema are known, and what stands at them is valid."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from revdesk_mock.testing.edges import MANY, NEW_WORD, edges
from tests.testing.test_instances import NAMED, NULL, SCHEMAS, TEXT, WHOLE

SHORT, LONG, WORD = ("", "the shortest"), ("", "the longest"), ("", "a new word")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, []),
        ({"type": "boolean"}, []),
        (TEXT, [SHORT, LONG, WORD]),
        ({**TEXT, "maxLength": 9}, [SHORT, LONG]),
        ({**TEXT, "pattern": "^a$"}, []),
        ({**WHOLE, "minimum": 1}, [("", "the least"), ("", "the greatest")]),
        ({"enum": ["a", 1]}, [("", "the choice 'a'"), ("", "the choice 1")]),
        ({"anyOf": [{"const": "a"}, NULL]}, [("", "the choice 'a'"), ("", "null")]),
        (
            {"type": "array", "items": {"const": 1}},
            [("", "the fewest"), ("", "the most"), ("0", "the choice 1")],
        ),
        (
            {"type": "object", "properties": {"a": NULL, "b": NULL}, "required": ["a"]},
            [("b", "left out"), ("unlisted", "not listed"), ("a", "null"), ("b", "null")],
        ),
        ({**NAMED, "additionalProperties": False, "properties": {"name": {"type": "boolean"}}}, []),
    ],
)
def test_the_edges_of_a_schema_are_known_beforehand(schema: Any, expected: list[tuple[str, str]]) -> None:
    assert [(part.field, part.trait) for part in edges(schema)] == expected


@pytest.mark.parametrize("name", SCHEMAS)
@settings(max_examples=settings().max_examples // 3)
@given(data=st.data())
def test_an_instance_at_an_edge_is_valid(name: str, data: st.DataObject) -> None:
    schema, _ = SCHEMAS[name]
    for part in edges(schema):
        instance = data.draw(part.instances)
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(instance)


AT: dict[str, tuple[Any, Any]] = {
    "the shortest": ({**TEXT, "minLength": 2}, lambda text: len(text) == 2),
    "the longest": ({**TEXT, "maxLength": 50}, lambda text: len(text) == 50),
    "a new word": (TEXT, lambda text: text == NEW_WORD),
    "the least": ({**WHOLE, "minimum": 3}, lambda number: number == 3),
    "the greatest": ({"type": "number", "maximum": 1.5}, lambda number: number == 1.5),
    "the fewest": ({"type": "array", "items": TEXT}, lambda items: items == []),
    "the most": ({"type": "array", "items": TEXT}, lambda items: len(items) == MANY),
    "left out": ({"type": "object", "properties": {"a": TEXT}}, lambda made: "a" not in made),
    "not listed": ({"type": "object"}, lambda made: "unlisted" in made),
    "null": ({"anyOf": [TEXT, NULL]}, lambda value: value is None),
}


@pytest.mark.parametrize("trait", AT)
@given(data=st.data())
def test_an_instance_is_at_the_edge_that_is_named(trait: str, data: st.DataObject) -> None:
    schema, holds = AT[trait]
    part = next(part for part in edges(schema) if part.trait == trait)
    assert holds(data.draw(part.instances))
