"""What is new at a place of an answer is told where it was received, and nothing else is."""

from typing import Any

import pytest

from revdesk_mock.testing.shapes import Shape, changes

TEXT, WHOLE, NUMBER, NULL = {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "null"}


def thing(required: tuple[str, ...] = ("a",), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def listed(*choices: Any) -> dict[str, Any]:
    return {**TEXT, "enum": list(choices)}


def maybe(schema: Any) -> dict[str, Any]:
    return {"anyOf": [schema, NULL]}


@pytest.mark.parametrize(
    ("value", "old", "new", "expected"),
    [
        ("x", TEXT, TEXT, []),
        ("x", TEXT, WHOLE, [("", "was a string, and is an integer now")]),
        (1, WHOLE, NUMBER, [("", "may be a number now")]),
        (1, NUMBER, WHOLE, []),
        ("x", TEXT, maybe(TEXT), [("", "may be null now")]),
        (None, maybe(TEXT), maybe(WHOLE), [("", "was a string, and is an integer now")]),
        (None, maybe(TEXT), TEXT, [("", "cannot be null any more")]),
        ("x", TEXT, {}, [("", "may be null or true or false or a number or a list or an object now")]),
        ("x", {}, TEXT, []),
        ("a", listed("a", "b"), listed("a"), []),
        ("b", listed("a", "b"), listed("a"), [("", "cannot be 'b' any more")]),
        ("a", listed("a"), listed("a", "b"), [("", "may be 'b' now")]),
        ("a", maybe(listed("a")), maybe(TEXT), [("", "may be a value now that no list names")]),
        ("a", {"const": "a"}, {"const": "b"}, [("", "cannot be 'a' any more"), ("", "may be 'b' now")]),
        ("1", TEXT, {**TEXT, "maxLength": 0}, [("", "cannot be '1' any more")]),
        ({"a": 1}, thing(a=WHOLE), thing(a=WHOLE, b=TEXT), []),
        ({"a": 1}, thing(a=WHOLE), thing((), b=TEXT), [("/a", "is not declared any more")]),
        ({"a": 1}, thing(a=WHOLE), thing((), a=WHOLE), [("/a", "may be left out now")]),
        ({}, thing((), a=WHOLE), thing((), a=TEXT), []),
        ({"a": {"b": 1}}, thing(a=thing(("b",), b=WHOLE)), thing(a=maybe(thing(("b",), b=TEXT))),
         [("/a", "may be null now"), ("/a/b", "was an integer, and is a string now")]),
        ([1, 2], {"type": "array", "items": WHOLE}, {"type": "array", "items": TEXT},
         [("/*", "was an integer, and is a string now")] * 2),
        ({"x": 1}, {"type": "object", "additionalProperties": WHOLE}, {"type": "object", "additionalProperties": TEXT},
         [("/x", "was an integer, and is a string now")]),
        ({"x": 1}, {"type": "object"}, thing(a=WHOLE), [("/x", "is not declared any more")]),
        ({"x": 1}, thing(a=WHOLE), thing(a=TEXT), []),
    ],
)  # fmt: skip
def test_what_is_new_is_told_at_its_place(value: Any, old: Any, new: Any, expected: list[tuple[str, str]]) -> None:
    assert [(made.place, made.says) for made in changes(value, Shape(old), Shape(new))] == expected


def test_a_place_is_told_for_any_item_and_for_this_one() -> None:
    old, new = ({"type": "array", "items": thing(a=schema)} for schema in (WHOLE, TEXT))
    *_, last = changes([{"a": 1}, {"a": 2}], Shape(old), Shape(new))
    assert (last.place, last.pointer) == ("/*/a", "/1/a")
