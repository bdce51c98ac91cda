"""Requests and answers are held against the contract, and the two validators mean the same by it."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import ApiError
from revdesk_mock.errors import ContractViolation
from revdesk_mock.settings import shipped
from revdesk_mock.spec import Spec
from revdesk_mock.testing.instances import ANYTHING, Variant, broken, valid
from revdesk_mock.validation import Schema, Validation, pointer
from tests.conftest import AGENT, MAIN, ORDINARY, Client, emulator_with

SHIPPED = Spec.load(shipped("openapi.json"))
SEARCH = "/v1/phone-numbers/search"
TEXT = {"type": "string"}


def content(schema: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def contract(*parameters: Any, request: Any = None, responses: Any = None) -> Spec:
    """Return a contract of one operation, `things`."""
    operation: dict[str, Any] = {
        "operationId": "things",
        "parameters": list(parameters),
        "responses": {"200": content(responses or {"type": "object"})},
    }
    if request is not None:
        operation["requestBody"] = content(request)
    return Spec({"openapi": "3.1.0", "paths": {"/things": {"post": operation}}})


def query(name: str, schema: Any, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema}


def read_query(spec: Spec, raw: str) -> dict[str, Any]:
    return Validation(spec).read_query(spec.operations["things"], raw)


def refusal(act: Callable[[], object]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        act()
    assert caught.value.status == 400
    return caught.value


def query_refusal(spec: Spec, raw: str) -> ApiError:
    return refusal(lambda: read_query(spec, raw))


def body_refusal(request: Any, body: Any) -> ApiError:
    spec = contract(request=request)
    return refusal(lambda: Validation(spec).read_body(spec.operations["things"], body))


def fitted(schema: Any, body: Any) -> Any:
    spec = contract(responses=schema)
    return Validation(spec).fit_response(spec.operations["things"], 200, body)


def violation(schema: Any, body: Any) -> ContractViolation:
    with pytest.raises(ContractViolation) as caught:
        fitted(schema, body)
    return caught.value


# queries


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        ({"type": "integer"}, "7", 7),
        ({"type": "integer"}, "-7", -7),
        ({"type": "integer"}, "007", 7),
        ({"type": "number"}, "7", 7),
        ({"type": "number"}, "-7.25", -7.25),
        ({"type": "boolean"}, "true", True),
        ({"type": "boolean"}, "false", False),
        ({"type": ["integer", "null"]}, "7", 7),
        (TEXT, "7", "7"),
        (TEXT, "true", "true"),
        (TEXT, "", ""),
        (TEXT, "a+b%20c%2B", "a b c+"),
        (TEXT, "%C3%A9", "é"),
        ({"enum": ["true", "false"]}, "true", "true"),
    ],
)
def test_a_query_text_is_read_as_its_type(schema: Any, text: str, expected: Any) -> None:
    value = read_query(contract(query("q", schema)), f"q={text}")["q"]
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("schema", "text", "message"),
    [
        ({"type": "integer"}, "seven", "must be an integer"),
        ({"type": "integer"}, "", "must be an integer"),
        ({"type": "integer"}, "7.5", "must be an integer"),
        ({"type": "integer"}, "+7", "must be an integer"),
        ({"type": "integer"}, "٣", "must be an integer"),
        ({"type": "integer"}, "9" * 5000, "must be an integer"),
        ({"type": "number"}, "1e3", "must be a number"),
        ({"type": "number"}, "NaN", "must be a number"),
        ({"type": "boolean"}, "True", "must be true or false"),
        ({"type": "boolean"}, "1", "must be true or false"),
    ],
)
def test_a_query_text_that_is_none_of_its_type_is_refused(schema: Any, text: str, message: str) -> None:
    assert query_refusal(contract(query("q", schema)), f"q={text}").fields == {"q": message}


LIMITED = contract(query("limit", {"type": "integer", "maximum": 100, "default": 50}), query("q", TEXT, required=True))


def test_defaults_stand_in_for_what_is_not_given() -> None:
    assert read_query(LIMITED, "q=a") == {"q": "a", "limit": 50}
    assert read_query(LIMITED, "q=a&limit=5") == {"q": "a", "limit": 5}
    assert read_query(contract(query("limit", {"type": "integer", "default": 50})), "") == {"limit": 50}


@pytest.mark.parametrize("raw", ["", "limit=5", "&"])
def test_a_required_parameter_is_missed(raw: str) -> None:
    error = query_refusal(LIMITED, raw)
    assert error.fields == {"q": "is required"}
    assert [reason.rule for reason in error.reasons] == ["schema.required"]


def test_an_unknown_parameter_is_refused_with_the_known_ones() -> None:
    error = query_refusal(LIMITED, "q=a&limits=5")
    assert error.fields == {"limits": "is not a query parameter of this operation"}
    (reason,) = error.reasons
    assert (reason.rule, reason.where) == ("query.unknown", "query limits")
    assert (reason.expected, reason.got) == ("one of: limit, q", "5")


def test_where_there_are_no_parameters_the_reason_says_so() -> None:
    (reason,) = query_refusal(contract(), "x=1").reasons
    assert reason.expected == "one of: none"


@pytest.mark.parametrize("raw", ["q=a&q=b", "q=a&q=a", "q=a&q=b&q=c"])
def test_a_repeated_parameter_is_refused(raw: str) -> None:
    error = query_refusal(LIMITED, raw)
    assert error.fields == {"q": "is given more than once"}
    assert [reason.rule for reason in error.reasons] == ["query.repeated"]


def test_all_that_is_wrong_with_a_query_is_told_at_once() -> None:
    error = query_refusal(LIMITED, "limit=500&x=1")
    assert error.fields == {
        "limit": "must be at most 100",
        "q": "is required",
        "x": "is not a query parameter of this operation",
    }


def test_a_bad_parameter_is_placed_in_the_query_like_an_unknown_one() -> None:
    wheres = {reason.where for reason in query_refusal(LIMITED, "q=a&limit=500&x=1").reasons}
    assert wheres == {"query limit", "query x"}


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        ("limit=0", {"limit": "must be at least 1"}),
        ("limit=51", {"limit": "must be at most 50"}),
        ("limit=many", {"limit": "must be an integer"}),
        ("country=USA", {"country": "must have at most 2 characters"}),
        ("number_type=pager", {"number_type": "must be one of local, tollFree, mobile, national"}),
        ("page=2", {"page": "is not a query parameter of this operation"}),
    ],
)
def test_a_bad_query_is_refused_over_the_api(client: Client, raw: str, fields: dict[str, str]) -> None:
    answer = client.get(f"{SEARCH}?{raw}")
    assert (answer.status, answer.code, answer.fields) == (400, "validation_error", fields)


def test_the_contracts_defaults_hold_over_the_api(client: Client) -> None:
    assert client.get(SEARCH).body == client.get(f"{SEARCH}?country=US&number_type=local&limit=50").body


# bodies

LEG = {"type": "object", "properties": {"number": TEXT, "ring/wait": {"type": "integer"}}, "required": ["number"]}
BODY = {"type": "object", "properties": {"legs": {"type": "array", "items": LEG}, "name": {**TEXT, "minLength": 2}}}


def test_a_bad_field_is_named_by_its_dotted_path_and_placed_by_its_pointer() -> None:
    error = body_refusal(BODY, {"legs": [{"number": "1"}, {"number": 2, "ring/wait": "long"}]})
    assert error.fields == {"legs.1.number": "must be a string", "legs.1.ring/wait": "must be an integer"}
    assert [(reason.rule, reason.where) for reason in error.reasons] == [
        ("schema.type", "body /legs/1/number"),
        ("schema.type", "body /legs/1/ring~1wait"),
    ]


def test_a_missing_field_is_named_where_it_should_be() -> None:
    error = body_refusal(BODY, {"legs": [{}]})
    assert error.fields == {"legs.0.number": "is required"}
    assert error.reasons[0].where == "body /legs/0/number"


def test_each_field_has_one_message() -> None:
    error = body_refusal({"properties": {"id": {"minLength": 5, "pattern": "^x", "format": "uuid"}}}, {"id": "a"})
    assert error.fields is not None
    assert list(error.fields) == ["id"]
    assert len(error.reasons) == 1


def test_a_body_that_is_itself_at_fault_is_called_body() -> None:
    error = body_refusal({"type": "object", "anyOf": [{"type": "null"}, {"type": "array"}]}, {})
    assert error.fields == {"body": "must be null or a list"}
    assert error.reasons[0].where == "body /"


def test_the_message_sums_up_three_fields_and_counts_the_rest() -> None:
    error = body_refusal({"required": list("abcde")}, {})
    assert error.message == "a: is required; b: is required; c: is required; and 2 more"
    assert error.fields is not None
    assert list(error.fields) == list("abcde")
    assert len(error.reasons) == 5


def test_the_message_of_three_fields_counts_nothing() -> None:
    assert body_refusal({"required": list("abc")}, {}).message.endswith("c: is required")


def test_of_a_body_that_fits_what_the_contract_names_is_handed_on_at_any_depth() -> None:
    spec = contract(request=BODY)
    body = {"legs": [{"number": "1", "more": [2]}], "name": "ab", "more": 1}
    assert Validation(spec).read_body(spec.operations["things"], body) == {"legs": [{"number": "1"}], "name": "ab"}


def test_a_body_is_read_with_the_contracts_defaults() -> None:
    given_fields = {"from_number": MAIN, "to_number": ORDINARY, "amd": True}
    read = Validation(SHIPPED).read_body(SHIPPED.operations["v1_calls_dial_post"], given_fields)
    assert read == {**given_fields, "record": True}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"from_number": "is required", "to_number": "is required"}),
        (
            {"from_number": MAIN, "to_number": "3125550100"},
            {"to_number": "must be a phone number in E.164 form, like +14155550100"},
        ),
        ({"from_number": MAIN, "to_number": ORDINARY, "record": "yes"}, {"record": "must be true or false"}),
        ({"from_number": MAIN, "to_number": None}, {"to_number": "must be a string"}),
    ],
)
def test_a_bad_body_is_refused_over_the_api(client: Client, body: Any, fields: dict[str, str]) -> None:
    answer = client.post("/v1/calls/dial", body)
    assert (answer.status, answer.code, answer.fields) == (400, "validation_error", fields)


def test_unknown_fields_are_let_be_by_default(client: Client) -> None:
    assert client("PATCH", f"/v1/agents/{AGENT}", {"name": "Desk", "mood": "good"}).status == 200


def test_unknown_fields_are_refused_where_that_is_the_policy() -> None:
    client = Client(emulator_with(unknown_body_fields="reject"))
    answer = client("PATCH", f"/v1/agents/{AGENT}", {"name": "Desk", "mood": "good"})
    assert (answer.status, answer.fields) == (400, {"mood": "is not a field of this operation"})


@pytest.mark.parametrize("kind", ["object", ["object", "null"]], ids=str)
def test_where_unknown_fields_are_refused_they_are_so_at_any_depth(kind: Any) -> None:
    leg = {"type": kind, "properties": {"number": TEXT}}
    spec = contract(request={"type": "object", "properties": {"legs": {"type": "array", "items": leg}}})
    validation = Validation(spec, reject_unknown_fields=True)
    error = refusal(lambda: validation.read_body(spec.operations["things"], {"legs": [{"x": 1}]}))
    assert error.fields == {"legs.0.x": "is not a field of this operation"}


# formats and patterns, one meaning for both validators

FORMATS: dict[str, tuple[list[str], list[str]]] = {
    "uuid": (
        [
            "a1b6e0c4-52d8-4e7f-8c93-17f4d0e6b2a5",
            "A1B6E0C4-52D8-4E7F-8C93-17F4D0E6B2A5",
            "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
        ],
        [
            "",
            "a1b6e0c452d84e7f8c9317f4d0e6b2a5",
            "{a1b6e0c4-52d8-4e7f-8c93-17f4d0e6b2a5}",
            "g1b6e0c4-52d8-4e7f-8c93-17f4d0e6b2a5",
        ],
    ),
    "email": (
        ["sam@example.com", "a.b+c@d.example"],
        ["", "sam", "sam@", "@example.com", "a b@example.com", "a@b@c.example"],
    ),
    "uri": (
        ["https://example.com/a?b#c", "mailto:sam@example.com", "urn:x:y"],
        ["", "example.com", "/path", "http://[", "http://[::1", "//example.com"],
    ),
    "date-time": (
        ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123Z"],
        ["", "2026-01-31", "2026-01-31T12:00:00", "2026-02-30T12:00:00Z", "12:00:00Z", "yesterday"],
    ),
}


def verdicts(schema: Any, instance: Any) -> tuple[bool, bool]:
    made = Schema(schema)
    return made.is_valid(instance), made.failures(instance) == []


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, (good, _) in FORMATS.items() for text in good], ids=str
)
def test_a_text_of_a_format_is_valid(name: str, text: str) -> None:
    assert verdicts({"format": name}, text) == (True, True)


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, (_, bad) in FORMATS.items() for text in bad], ids=str
)
def test_a_text_not_of_a_format_is_invalid(name: str, text: str) -> None:
    assert verdicts({"format": name}, text) == (False, False)
    assert verdicts({"format": name}, text + "\n") == (False, False)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_says_nothing_of_what_is_no_text(name: str) -> None:
    assert verdicts({"format": name}, 7) == (True, True)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"^\d{3}$", "415", True),
        (r"^\d{3}$", "٤١٥", False),
        (r"^\d{3}$", "415\n", False),
        (r"^[$]\d$", "$1", True),
        (r"^[$]\d$", "1", False),
        (r"^\$\d$", "$1", True),
        (r"b", "abc", True),
        (r"^a\\$", "a\\", True),
        (r"^a\\$", "a\\\n", False),
    ],
)
def test_a_pattern_means_what_ecma_262_says(pattern: str, text: str, expected: bool) -> None:  # noqa: FBT001 - a table cell
    assert verdicts({"pattern": pattern}, text) == (expected, expected)


@pytest.mark.parametrize(
    ("schema", "instance", "expected"),
    [
        ({"type": "integer"}, 1.0, True),
        ({"type": "integer"}, True, False),
        ({"type": "number"}, False, False),
        ({"const": True}, 1, False),
        ({"const": 1}, 1.0, True),
        ({"enum": [0]}, False, False),
        ({"maxLength": 1}, "😀", True),
        ({"minLength": 2}, "é", False),
        ({"items": {}}, [1, None, {}], True),
    ],
)
def test_the_corners_of_json_schema_are_the_same_for_both(schema: Any, instance: Any, expected: bool) -> None:  # noqa: FBT001 - a table cell
    assert verdicts(schema, instance) == (expected, expected)


@pytest.mark.parametrize(
    ("path", "written"), [((), ""), (("a", 0, "b"), "/a/0/b"), (("a/b", "c~d"), "/a~1b/c~0d"), (("",), "/")]
)
def test_a_path_is_written_as_a_json_pointer(path: tuple[str | int, ...], written: str) -> None:
    assert pointer(path) == written


# answers

DETAIL = {
    "type": "object",
    "properties": {
        "id": TEXT,
        "owner": {"anyOf": [{"type": "object", "properties": {"name": TEXT}, "required": ["name"]}, {"type": "null"}]},
        "legs": {"type": "array", "items": {"type": "object", "properties": {"number": TEXT}}},
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        "anything": {},
        "list": {"type": "array", "items": {}},
        "maybe": {
            "anyOf": [{"type": "array", "items": {"type": "object", "properties": {"a": TEXT}}}, {"type": "null"}]
        },
    },
    "required": ["id"],
}
FITTING = {
    "id": "1",
    "owner": {"name": "Sam"},
    "legs": [{"number": "+1"}, {}],
    "counts": {"BUSY": 1},
    "anything": {"x": [{}]},
    "list": [1, {"y": 2}],
    "maybe": [{"a": "b"}],
}


def test_an_answer_that_fits_is_handed_on_as_it_is() -> None:
    assert fitted(DETAIL, FITTING) is FITTING


def test_what_the_contract_does_not_declare_is_left_out_at_any_depth() -> None:
    body = {
        **FITTING,
        "new": 1,
        "owner": {"name": "Sam", "new": {}},
        "legs": [{"number": "+1", "new": []}, {"new": None}],
        "maybe": [{"a": "b", "new": 0}],
    }
    assert fitted(DETAIL, body) == FITTING


def test_null_where_it_is_declared_stays() -> None:
    body = {"id": "1", "owner": None, "maybe": None, "new": 1}
    assert fitted(DETAIL, body) == {"id": "1", "owner": None, "maybe": None}


@pytest.mark.parametrize("kind", ["object", ["object", "null"]], ids=str)
def test_every_object_that_lists_its_properties_is_closed(kind: Any) -> None:
    schema = {"type": "object", "properties": {"owner": {"type": kind, "properties": {"name": TEXT}}}}
    assert fitted(schema, {"owner": {"name": "Sam", "new": 1}}) == {"owner": {"name": "Sam"}}


def test_a_map_with_some_named_entries_keeps_the_others() -> None:
    counts = {"type": "object", "properties": {"all": TEXT}, "additionalProperties": {"type": "integer"}}
    schema = {"type": "object", "properties": {"counts": counts}}
    assert fitted(schema, {"counts": {"all": "x", "BUSY": 1}, "new": 1}) == {"counts": {"all": "x", "BUSY": 1}}


@pytest.mark.parametrize(
    ("declared", "value", "shown"),
    [
        ({"type": "number"}, "1001", 1001),
        ({"type": ["number", "null"]}, "1001", 1001),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "1001", 1001),
        ({"anyOf": [{"type": "integer"}, TEXT]}, "1001", "1001"),
        ({"type": ["number", "string"]}, "1001", "1001"),
        (TEXT, "1001", "1001"),
        ({}, "1001", "1001"),
    ],
)
def test_an_id_in_digits_is_a_number_where_the_contract_has_no_text(declared: Any, value: str, shown: Any) -> None:
    schema = {"type": "object", "properties": {"id": declared}}
    assert fitted(schema, {"id": value, "new": 1}) == {"id": shown}


@pytest.mark.parametrize("text", ["", "10.5", "-1", "+1001", "pending:1", "100٣"])
def test_a_text_that_is_no_id_in_digits_stays_a_breach_where_a_number_should_be(text: str) -> None:
    schema = {"type": "object", "properties": {"id": {"type": "number"}}}
    assert violation(schema, {"id": text}).pointer == "/id"


def test_alternatives_inside_alternatives_are_looked_through() -> None:
    inner = {"type": "object", "properties": {"a": TEXT}}
    schema = {"type": "object", "properties": {"x": {"anyOf": [{"anyOf": [inner, TEXT]}, {"type": "null"}]}}}
    assert fitted(schema, {"x": {"a": "b", "new": 1}}) == {"x": {"a": "b"}}


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, ""),
        ({"id": 7}, "/id"),
        ({"id": 7, "new": 1}, "/id"),
        ({"id": "1", "legs": [{}, {"number": None}]}, "/legs/1/number"),
        ({"id": "1", "counts": {"BUSY": "many"}}, "/counts/BUSY"),
        ([], ""),
    ],
    ids=str,
)
def test_an_answer_that_does_not_fit_even_so_is_a_breach_with_its_place(body: Any, at: str) -> None:
    found = violation(DETAIL, body)
    assert (found.operation, found.pointer) == ("things", at)


def test_a_status_that_is_not_declared_is_a_breach() -> None:
    spec = contract()
    with pytest.raises(ContractViolation, match="the status 201 with this body is not declared"):
        Validation(spec).fit_response(spec.operations["things"], 201, {})


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "conflict", "message": "No."}},
        {"error": {"code": "conflict", "message": "No.", "fields": {"a": "is bad"}, "doc_url": "https://example.com"}},
    ],
)
def test_an_error_in_the_envelope_passes(body: Any) -> None:
    Validation(SHIPPED).check_error("v1_me_get", body)


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"error": {"code": "conflict"}}, "/error"),
        ({"error": {"code": 7, "message": "No."}}, "/error/code"),
        ({"error": {"code": "conflict", "message": "No.", "fields": {"a": 1}}}, "/error/fields/a"),
        ({"error": {"code": "conflict", "message": "No.", "doc_url": "nowhere"}}, "/error/doc_url"),
        ({"error": "No."}, "/error"),
    ],
)
def test_an_error_out_of_the_envelope_is_a_breach(body: Any, at: str) -> None:
    with pytest.raises(ContractViolation) as caught:
        Validation(SHIPPED).check_error("v1_me_get", body)
    assert (caught.value.operation, caught.value.pointer) == ("v1_me_get", at)


def test_a_contract_without_an_envelope_still_has_errors_as_objects() -> None:
    validation = Validation(contract())
    validation.check_error("things", {"error": "No."})
    with pytest.raises(ContractViolation):
        validation.check_error("things", {})


# the two validators agree on the whole contract

OPEN, STRICT = Validation(SHIPPED), Validation(SHIPPED, reject_unknown_fields=True)
PARTS = {
    f"{part} of {operation.id}": (validation, operation, part.partition(",")[0])
    for operation in SHIPPED.operations.values()
    for part, validation, is_there in (
        ("request", OPEN, operation.request is not None),
        ("request, closed", STRICT, operation.request is not None),
        ("query", OPEN, operation.query),
        (str(operation.success), OPEN, True),
    )
    if is_there
}
# What readers of a schema are likely to disagree about.
JUNK: list[Any] = [
    *(1.0, 0.5, 100, 101, 301, 3601, 10**15),
    *("true", "é", "😀", "\n", *("é" * length for length in (3, 11, 16, 65, 121, 256, 1001, 2001, 20001))),
    *("+14155550100", "+14155550100\n", "+1415555010٣", "+0123", "٤١٥", "415\n", "14155550100"),
    *(
        "A1B6E0C4-52D8-4E7F-8C93-17F4D0E6B2A5",
        "a1b6e0c4-52d8-9e7f-8c93-17f4d0e6b2a5",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ),
    *(
        "2026-02-30T12:00:00Z",
        "2026-01-31T12:00:00+02:00",
        "2026-01-31T12:00Z",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00:00z",
    ),
    *(".sam@example.com", "s..m@example.com", "sam@example", "sam@exa_mple.com", "sam@example.com\n", "é@example.com"),
    *([None], [[]], {"data": None}, {"": 1}),
]
junk = st.sampled_from(JUNK) | ANYTHING


@cache
def compiled(part: str) -> tuple[Schema, st.SearchStrategy[Any], dict[str, Variant]]:
    """Return a schema of the contract with its valid instances and all that can break it, by words for it."""
    validation, operation, name = PARTS[part]
    raw = validation._raw_schema(operation, name)
    return (
        validation._schema(operation, name),
        valid(raw),
        {f"{fault.trait} of {fault.field}": fault for fault in broken(raw)},
    )


Place = tuple[dict[Any, Any] | list[Any], Any]


def places(value: Any) -> list[Place]:
    """Return every place inside a value as (container, key)."""
    if isinstance(value, dict):
        keys: list[Any] = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    else:
        return []
    return [place for key in keys for place in ((value, key), *places(value[key]))]


def damaged(data: st.DataObject, instance: Any) -> Any:
    """Replace, remove or add something somewhere in an instance: what comes of it may be valid or not."""
    fresh = data.draw(junk)
    instance = deepcopy(instance)
    found = places(instance)
    if not found:
        return fresh
    container, key = data.draw(st.sampled_from(found))
    match data.draw(st.sampled_from(["replace", "replace", "remove", "add"])):
        case "replace":
            container[key] = fresh
        case "remove":
            del container[key]
        case _ if isinstance(container, dict):
            container[data.draw(st.sampled_from(["extra", "", "id"]))] = fresh
        case _:
            container.append(fresh)
    return instance


@pytest.mark.parametrize("part", PARTS)
@hypothesis.settings(max_examples=max(5, hypothesis.settings().max_examples // 4))
@given(data=st.data())
def test_both_validators_agree_on_every_schema_of_the_contract(part: str, data: st.DataObject) -> None:
    schema, sound, faults = compiled(part)
    instance = data.draw(sound)
    assert (schema.is_valid(instance), schema.failures(instance)) == (True, [])
    faulty = data.draw(faults[data.draw(st.sampled_from(list(faults)))].instances)
    assert not schema.is_valid(faulty)
    assert schema.failures(faulty)
    for _ in range(data.draw(st.integers(1, 2))):
        instance = damaged(data, instance)
    assert schema.is_valid(instance) == (schema.failures(instance) == [])
