"""A request body is one strict JSON object, and every way in which it is not is told by its name."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import ApiError, Request
from revdesk_mock.json_body import MAX_BYTES, MAX_DEPTH, read_bytes, read_object
from revdesk_mock.messages import Reason
from revdesk_mock.settings import Policies
from tests.conftest import AGENT, Client, answer_of, emulator_with

TARGET = f"/v1/agents/{AGENT}"

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)
objects = st.dictionaries(st.text(), values)
layouts = st.fixed_dictionaries(
    {"ensure_ascii": st.booleans(), "indent": st.sampled_from([None, 1]), "separators": st.just((" , ", " : "))}
)


def refusal(body: bytes) -> ApiError:
    with pytest.raises(ApiError) as caught:
        read_object(body)
    return caught.value


def reason(body: bytes) -> Reason:
    (found,) = refusal(body).reasons
    return found


def whole_number(digits: str) -> float:
    """Read a number as any JSON library does that has whole numbers of 64 bits."""
    return int(digits) if -(2**63) <= int(digits) < 2**64 else float(digits)


def nested(levels: int) -> bytes:
    """Return an object of so many levels, itself counted."""
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


@given(objects, layouts)
def test_any_json_object_is_read_as_the_standard_library_reads_it(value: dict[str, Any], layout: Any) -> None:
    text = json.dumps(value, **layout)
    assert read_object(text.encode()) == json.loads(text) == value


@given(objects, st.binary(max_size=3), st.integers(0, 40))
def test_a_damaged_body_is_read_as_the_standard_library_reads_it_or_refused(
    value: dict[str, Any], noise: bytes, place: int
) -> None:
    body = json.dumps(value).encode()
    damaged = body[:place] + noise + body[place + 1 :]
    try:
        outcome: Any = read_object(damaged)
        expected: Any = json.loads(damaged, parse_int=whole_number)
    except ApiError as error:
        outcome = (error.status, error.code, set(error.fields or {}))
        expected = (400, "validation_error", {"body"})
    assert outcome == expected


@given(st.integers(-(10**300), 10**300))
def test_a_whole_number_past_64_bits_keeps_its_size(value: int) -> None:
    assert float(read_object(b'{"n":%d}' % value)["n"]) == float(value)


DEFECTS: dict[str, tuple[bytes, str, str]] = {
    "nothing": (b"", "json.required", "is required"),
    "blank": (b" \r\n\t", "json.required", "is required"),
    "list": (b"[]", "json.object", "must be a JSON object"),
    "text": (b'"a"', "json.object", "must be a JSON object"),
    "number": (b"1", "json.object", "must be a JSON object"),
    "null": (b"null", "json.object", "must be a JSON object"),
    "long text beyond ASCII": (('"' + "é" * 40 + '"').encode(), "json.object", "must be a JSON object"),
    "cut": (b'{"a":', "json.syntax", "is not valid JSON: Expecting value, line 1 column 6"),
    "second line": (b'{"a":1,\n "b" 2}', "json.syntax", "is not valid JSON: Expecting ':' delimiter, line 2 column 6"),
    "trailing comma": (b'{"a":1,}', "json.syntax", "is not valid JSON: "),
    "two documents": (b"{} {}", "json.syntax", "is not valid JSON: Extra data, line 1 column 4"),
    "single quotes": (b"{'a':1}", "json.syntax", "is not valid JSON: "),
    "comment": (b"{} // done", "json.syntax", "is not valid JSON: "),
    "form": (b"a=1&b=2", "json.syntax", "is not valid JSON: "),
    "leading zero": (b'{"a":01}', "json.syntax", "is not valid JSON: "),
    "control character": (b'{"a":"\n"}', "json.syntax", "is not valid JSON: "),
    "lone surrogate": (b'{"a":"\\ud800"}', "json.syntax", "is not valid JSON: "),
    "byte order mark": (b"\xef\xbb\xbf{}", "json.syntax", "is not valid JSON: "),
    "Latin-1": ('{"a":"é"}'.encode("latin-1"), "json.utf8", "is not UTF-8 (byte 6)"),
    "UTF-16": ("{}".encode("utf-16"), "json.utf8", "is not UTF-8 (byte 0)"),
    "NaN": (b'{"a":NaN}', "json.number", "holds NaN, which JSON does not have"),
    "Infinity": (b'{"a":[Infinity]}', "json.number", "holds Infinity, which JSON does not have"),
    "-Infinity": (b'{"a":-Infinity}', "json.number", "holds -Infinity, which JSON does not have"),
    "a level too many": (nested(MAX_DEPTH + 1), "json.depth", "is nested deeper than 64 levels"),
    "fifteen hundred levels": (nested(1500), "json.depth", "is nested deeper than 64 levels"),
    "a great many levels": (nested(200_000), "json.depth", "is nested deeper than 64 levels"),
    "levels without end": (b'{"a":' * 100_000, "json.depth", "is nested deeper than 64 levels"),
    "key twice": (b'{"a":1,"a":1}', "json.duplicate_key", "has the key 'a' twice"),
    "key twice, once escaped": (b'{"a":1,"\\u0061":2}', "json.duplicate_key", "has the key 'a' twice"),
}


@pytest.mark.parametrize(("body", "rule", "message"), DEFECTS.values(), ids=DEFECTS)
def test_a_bad_body_is_refused_by_the_name_of_its_defect(body: bytes, rule: str, message: str) -> None:
    error = refusal(body)
    assert (error.status, error.code) == (400, "validation_error")
    assert error.fields is not None
    assert error.fields["body"].startswith(message)
    assert error.message == f"The request body {error.fields['body']}."
    assert [(found.rule, found.where) for found in error.reasons] == [(rule, "body /")]


def test_a_number_of_too_many_digits_is_refused_in_words_about_the_body() -> None:
    error = refusal(b'{"a":' + b"1" * 5000 + b"}")
    assert error.status == 400
    assert "sys." not in error.message
    assert len(error.message) < 120


def test_a_number_that_no_double_holds_is_refused() -> None:
    assert refusal(b'{"a":1e400}').status == 400


def test_the_deepest_body_that_is_read_has_64_levels() -> None:
    assert read_object(nested(MAX_DEPTH)) is not None
    assert reason(nested(MAX_DEPTH + 1)).expected == "at most 64"


def test_the_reason_repeats_no_more_than_the_beginning_of_a_broken_body() -> None:
    assert reason(b"x" * 1000).got == "x" * 40


def wrapped(inner: str) -> st.SearchStrategy[str]:
    return st.sampled_from(
        [
            f'{{"a:b": {inner}}}',
            f'{{"x": ":", "y": {inner}, "z": {{":": 0}}}}',
            f'{{"x": [1, {{"k": ":::"}}, {inner}]}}',
        ]
    )


twice = st.sampled_from(['{"k":1,"k":2}', '{"k:":1,"j":":","k:":{}}', '{"":[],"":[]}', '{"k":1,"\\u006b":1}'])


@given(twice.flatmap(wrapped).flatmap(wrapped).flatmap(wrapped) | twice.flatmap(wrapped) | twice)
def test_a_key_given_twice_is_found_at_any_depth_among_any_colons(text: str) -> None:
    found = reason(text.encode())
    assert (found.rule, found.expected) == ("json.duplicate_key", "each key once")
    assert found.got in {"k", "k:", ""}


@given(st.text(), st.text(), scalars)
def test_the_same_key_in_two_objects_is_no_duplicate(outer: str, key: str, value: Any) -> None:
    body = {outer: [{key: value}, {key: {key: value}}]}
    assert read_object(json.dumps(body).encode()) == body


# the door


def test_the_bytes_of_a_body_are_handed_on() -> None:
    assert read_bytes(Request("POST", "/", body=b"{}"), Policies()) == b"{}"


@pytest.mark.parametrize("status", [400, 413])
def test_a_body_over_the_limit_is_refused_with_the_status_of_its_policy(status: int) -> None:
    client = Client(emulator_with(body_too_large_status=str(status)))
    request = client.request("PATCH", TARGET)
    tall = Request(request.method, request.path, request.query, request.headers, None)
    answer = answer_of(asyncio.run(client.emulator.handle(tall)))
    assert (answer.status, answer.code) == (status, "validation_error")
    assert answer.fields == {"body": f"is over {MAX_BYTES} bytes"}


@pytest.mark.parametrize(
    "content_type",
    [None, "application/json", "Application/JSON", "application/json; charset=utf-8", "application/json ;x"],
)
def test_a_body_may_be_sent_as_json(client: Client, content_type: str | None) -> None:
    assert client("PATCH", TARGET, {"name": "Desk"}, content_type=content_type).status == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", ""]
)
@pytest.mark.parametrize("status", [400, 415])
def test_a_body_sent_as_something_else_is_refused_with_the_status_of_its_policy(content_type: str, status: int) -> None:
    client = Client(emulator_with(wrong_content_type_status=str(status)))
    answer = client("PATCH", TARGET, {"name": "Desk"}, content_type=content_type)
    assert (answer.status, answer.code) == (status, "validation_error")
    assert answer.fields == {"body": "must be sent as application/json"}


def test_where_there_is_no_body_its_type_does_not_matter(client: Client) -> None:
    assert client.post(f"{TARGET}/web-call", content_type="text/plain").status == 200


def test_a_bad_body_is_refused_over_the_api_in_the_vendors_envelope(client: Client) -> None:
    answer = client("PATCH", TARGET, b'{"name":"a","name":"b"}')
    assert answer.status == 400
    assert answer.body == {
        "error": {
            "code": "validation_error",
            "message": "The request body has the key 'name' twice.",
            "fields": {"body": "has the key 'name' twice"},
        }
    }
