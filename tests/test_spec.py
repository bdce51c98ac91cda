"""A contract is read into operations or refused with the place, and paths are matched as OpenAPI has it."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import StartError
from revdesk_mock.settings import shipped
from revdesk_mock.spec import Spec
from tests.conftest import Client

SHIPPED = Spec.load(shipped("openapi.json"))


def content(schema: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def operation(operation_id: str, *parameters: Any, request: Any = None, responses: Any = None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": operation_id,
        "tags": ["Things"],
        "parameters": list(parameters),
        "responses": responses or {"200": content({"type": "object"})},
    }
    return made if request is None else {**made, "requestBody": {"required": True, **content(request)}}


def contract(paths: Any, **rest: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "Things", "version": "1"}, "paths": paths, **rest}


def with_request(schema: Any, **rest: Any) -> dict[str, Any]:
    return contract({"/things": {"post": operation("things_post", request=schema)}}, **rest)


def routes(*paths: str) -> Spec:
    return Spec(contract({path: {"get": operation(path)} for path in paths}))


def matched(spec: Spec, path: str, method: str = "GET") -> tuple[str, dict[str, str]] | None:
    match = spec.match(method, path)
    return None if match.operation is None else (match.operation.id, dict(match.parameters))


def refusal(path: Path, document: Any) -> str:
    """Write a contract file and return what it is refused with, without the path in front."""
    path.write_bytes(document if isinstance(document, bytes) else orjson.dumps(document))
    with pytest.raises(StartError) as caught:
        Spec.load(path)
    message = str(caught.value)
    assert message.startswith(f"contract {path}")
    return message.removeprefix(f"contract {path}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "contract.json"


# operations


def test_an_operation_holds_what_the_contract_says_of_it() -> None:
    found = SHIPPED.operations["v1_calls_get"]
    assert (found.method, found.path, found.tag, found.success) == ("GET", "/v1/calls", "Calls", 200)
    assert set(found.query) == {"limit", "cursor", "status"}
    assert (found.required_query, found.defaults) == (frozenset(), {"limit": 50})
    assert (found.request, found.body_required, found.body_defaults) == (None, False, {})


def test_an_operation_with_a_body_has_its_schema_and_defaults() -> None:
    found = SHIPPED.operations["v1_calls_dial_post"]
    assert found.request is not None
    assert found.request["required"] == ["from_number", "to_number"]
    assert found.body_required
    assert found.body_defaults == {"record": True, "amd": False}


def test_references_are_resolved_wherever_they_are() -> None:
    schemas = {"Id": {"type": "string"}, "Thing": {"type": "object", "properties": {"id": {"$ref": "#/x~1y/a%7E0 b"}}}}
    document = with_request(
        {"$ref": "#/components/schemas/Thing"},
        components={"schemas": schemas},
        **{"x/y": {"a~ b": {"$ref": "#/components/schemas/Id"}}},
    )
    assert Spec(document).operations["things_post"].request == {
        "type": "object",
        "properties": {"id": {"type": "string"}},
    }


def test_a_reference_may_be_used_many_times() -> None:
    leaf = {"$ref": "#/components/schemas/Id"}
    document = with_request(
        {"type": "object", "properties": {"a": leaf, "b": leaf}}, components={"schemas": {"Id": {"type": "string"}}}
    )
    request = Spec(document).operations["things_post"].request
    assert request is not None
    assert request["properties"]["a"] == request["properties"]["b"] == {"type": "string"}


def test_a_property_may_be_called_ref() -> None:
    schema = {"type": "object", "properties": {"$ref": {"type": "string"}}}
    assert Spec(with_request(schema)).operations["things_post"].request == schema


def test_a_reference_may_lead_through_a_list() -> None:
    parameter = {"name": "limit", "in": "query", "schema": {"type": "integer"}}
    document = contract(
        {
            "/a": {"get": operation("a", parameter)},
            "/b": {"get": operation("b", {"$ref": "#/paths/~1a/get/parameters/0"})},
        }
    )
    assert Spec(document).operations["b"].query == {"limit": {"type": "integer"}}


def test_query_parameters_may_be_required() -> None:
    parameter = {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}}
    found = Spec(contract({"/things": {"get": operation("things_get", parameter)}})).operations["things_get"]
    assert found.required_query == {"q"}


def test_the_parameters_of_a_path_hold_for_each_of_its_operations() -> None:
    parameter = {"name": "q", "in": "query", "schema": {"type": "string"}}
    item = {"parameters": [parameter], "get": operation("things_get"), "post": operation("things_post")}
    found = Spec(contract({"/things": item})).operations
    assert [set(operation.query) for operation in found.values()] == [{"q"}, {"q"}]


def test_only_query_parameters_are_in_the_query() -> None:
    parameters = [{"name": place, "in": place, "schema": {"type": "string"}} for place in ("header", "cookie", "query")]
    found = Spec(contract({"/things": {"get": operation("things_get", *parameters)}})).operations["things_get"]
    assert set(found.query) == {"query"}


@pytest.mark.parametrize(
    ("statuses", "success"),
    [(["201", "200"], 200), (["201", "400"], 201), (["202", "default"], 202), (["400"], 200)],
)
def test_the_lowest_2xx_is_success(statuses: list[str], success: int) -> None:
    responses = {status: content({"type": "object"}) for status in statuses}
    document = contract({"/things": {"get": operation("things_get", responses=responses)}})
    assert Spec(document).operations["things_get"].success == success


def test_a_contract_may_say_less_than_ours() -> None:
    document = {"paths": {"/things": {"get": {"operationId": "things_get", "responses": {"200": {"description": ""}}}}}}
    spec = Spec(document)
    found = spec.operations["things_get"]
    assert (spec.title, found.tag, dict(found.responses)) == ("", "", {})


def test_the_title_is_kept() -> None:
    assert SHIPPED.title == "RevDesk v1 API"


def test_keywords_that_only_describe_and_extensions_are_welcome() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A thing",
        "description": "Any thing",
        "examples": [{}],
        "deprecated": True,
        "x-internal": 1,
        "type": "object",
    }
    assert Spec(with_request(schema)).operations["things_post"].request == schema


# matching


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/calls", ("v1_calls_get", {})),
        ("/v1/calls/call_1", ("v1_calls_id_get", {"id": "call_1"})),
        ("/v1/phone-numbers/search", ("v1_phone_numbers_search_get", {})),
        ("/v1/phone-numbers/searching", ("v1_phone_numbers_id_get", {"id": "searching"})),
        ("/v1/usage/1001", ("v1_usage_phoneId_get", {"phoneId": "1001"})),
        (
            "/v1/caller-trust/reputation/numbers/%2B14155550100",
            ("v1_caller_trust_reputation_numbers_phone_get", {"phone": "+14155550100"}),
        ),
        ("/v1/calls/", None),
        ("/v1//calls", None),
        ("/v1/phone-numbers//cnam-status", None),
        ("/v1/calls/call_1/", None),
        ("/V1/calls", None),
        ("/v2/calls", None),
        ("/v1", None),
        ("/", None),
        ("", None),
    ],
)
def test_a_path_leads_to_its_operation(path: str, expected: tuple[str, dict[str, str]] | None) -> None:
    assert matched(SHIPPED, path) == expected


@given(st.text(min_size=1))
def test_every_segment_is_decoded_by_itself(text: str) -> None:
    encoded = "".join(f"%{byte:02X}" for byte in text.encode())
    assert matched(SHIPPED, f"/v1/calls/{encoded}") == ("v1_calls_id_get", {"id": text})


def test_an_encoded_slash_does_not_end_a_segment() -> None:
    assert matched(SHIPPED, "/v1/phone-numbers/a%2Fcnam-status") == ("v1_phone_numbers_id_get", {"id": "a/cnam-status"})


def test_a_plus_in_a_path_is_a_plus() -> None:
    assert matched(routes("/numbers/{number}"), "/numbers/+1") == ("/numbers/{number}", {"number": "+1"})


@pytest.mark.parametrize("order", [1, -1], ids=["parameter first", "literal first"])
@pytest.mark.parametrize(
    ("path", "templates", "expected"),
    [
        ("/things/mine", ("/things/{id}", "/things/mine"), "/things/mine"),
        ("/things/1/parts", ("/things/{id}/{kind}", "/things/{id}/parts"), "/things/{id}/parts"),
        ("/things/mine/1", ("/things/{id}/{part}", "/things/mine/{part}"), "/things/mine/{part}"),
        ("/things/mine/parts", ("/things/{id}/parts", "/things/mine/{part}"), "/things/mine/{part}"),
    ],
    ids=["whole path", "last segment", "middle segment", "leftmost wins"],
)
def test_a_literal_segment_wins_over_a_parameter_wherever_it_stands_in_the_contract(
    path: str, templates: tuple[str, ...], expected: str, order: int
) -> None:
    found = matched(routes(*templates[::order]), path)
    assert found is not None
    assert found[0] == expected


def test_templates_with_several_parameters_fill_each() -> None:
    assert matched(routes("/a/{x}/b/{y}"), "/a/1/b/2") == ("/a/{x}/b/{y}", {"x": "1", "y": "2"})


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/phone-numbers/1001", {"GET", "PATCH", "DELETE"}),
        ("/v1/phone-numbers", {"GET", "POST"}),
        ("/v1/caller-trust/brand", {"GET", "PUT"}),
        ("/v1/nowhere", set()),
    ],
)
def test_a_path_without_the_method_names_the_allowed_ones(path: str, allowed: set[str]) -> None:
    match = SHIPPED.match("TRACE", path)
    assert match.operation is None
    assert set(match.allowed) == allowed


def test_a_literal_path_hides_the_methods_of_a_template_it_fits() -> None:
    assert SHIPPED.match("DELETE", "/v1/phone-numbers/search").allowed == ("GET",)


def test_the_id_of_a_record_may_be_percent_encoded_over_the_api(client: Client) -> None:
    assert client.get("/v1/phone-numbers/%31001").data["id"] == 1001
    assert client.get("/v1/phone-numbers//").code == "route_not_found"


# contracts that are refused


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"contract .*absent\.json: No such file"):
        Spec.load(tmp_path / "absent.json")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="Is a directory"):
        Spec.load(tmp_path)


@pytest.mark.parametrize("text", [b"", b"openapi: 3.1.0", b"{", b"\xff"], ids=["empty", "YAML", "cut", "no UTF-8"])
def test_what_is_not_json_is_refused(file: Path, text: bytes) -> None:
    assert refusal(file, text).startswith(" is not JSON: ")


@pytest.mark.parametrize("document", [[], "text", None, {}, {"paths": []}, {"paths": None}])
def test_a_document_without_paths_is_refused(file: Path, document: Any) -> None:
    assert refusal(file, document) == " is no OpenAPI document: it has no paths"


NOT_OPENAPI: dict[str, Any] = {
    "no operationId": {"get": {"responses": {}}},
    "no responses": {"get": {"operationId": "x"}},
    "responses is a list": {"get": {"operationId": "x", "responses": []}},
    "parameter without place": {"get": operation("x", {"name": "q"})},
    "parameter without schema": {"get": operation("x", {"name": "q", "in": "query"})},
    "operation is a text": {"get": "x"},
    "path is null": None,
}


@pytest.mark.parametrize("item", NOT_OPENAPI.values(), ids=NOT_OPENAPI)
def test_a_document_of_another_shape_is_refused(file: Path, item: Any) -> None:
    assert refusal(file, contract({"/things": item})).startswith(" is no OpenAPI 3.1 document: ")


@pytest.mark.parametrize(
    ("schema", "pointer", "keyword"),
    [
        ({"oneOf": []}, "/", "oneOf"),
        ({"properties": {"id": {"multipleOf": 2}}}, "/properties/id", "multipleOf"),
        ({"properties": {"a/b": {"nullable": True}}}, "/properties/a~1b", "nullable"),
        ({"items": {"uniqueItems": True}}, "/items", "uniqueItems"),
        ({"additionalProperties": {"not": {}}}, "/additionalProperties", "not"),
        ({"anyOf": [{"type": "null"}, {"contains": {}}]}, "/anyOf/1", "contains"),
        ({"properties": {"id": {"type": "string", "format": "ipv4"}}}, "/properties/id", "format: ipv4"),
    ],
    ids=["root", "property", "escaped property", "items", "additionalProperties", "anyOf", "format"],
)
def test_a_constraint_that_nobody_would_check_is_refused_by_name_and_place(
    file: Path, schema: Any, pointer: str, keyword: str
) -> None:
    message = refusal(file, with_request(schema))
    assert message == f": things_post uses the keyword {keyword} at {pointer}, which validation does not implement"


@pytest.mark.parametrize(
    "paths",
    [
        {"get": operation("x", {"name": "q", "in": "query", "schema": {"readOnly": True}})},
        {"get": operation("x", responses={"200": content({"readOnly": True})})},
        {"get": operation("x", responses={"200": content({}), "404": content({"readOnly": True})})},
        {"post": operation("x", request={"readOnly": True})},
    ],
    ids=["query", "response", "error", "request"],
)
def test_every_schema_of_an_operation_is_looked_at(file: Path, paths: Any) -> None:
    assert "x uses the keyword readOnly at " in refusal(file, contract({"/things": paths}))


def test_a_reference_out_of_the_document_is_refused(file: Path) -> None:
    message = refusal(file, with_request({"$ref": "other.json#/Thing"}))
    assert message == ": the reference 'other.json#/Thing' leads out of the document"


@pytest.mark.parametrize("reference", ["#/components/schemas/Nobody", "#/paths/~1things/post/operationId/x", "#/"])
def test_a_reference_that_leads_nowhere_is_refused(file: Path, reference: str) -> None:
    assert refusal(file, with_request({"$ref": reference})) == f": the reference {reference!r} leads nowhere"


@pytest.mark.parametrize(
    "schemas",
    [
        {"A": {"properties": {"a": {"$ref": "#/components/schemas/A"}}}},
        {"A": {"items": {"$ref": "#/components/schemas/B"}}, "B": {"items": {"$ref": "#/components/schemas/A"}}},
        {"A": {"$ref": "#/components/schemas/A"}},
    ],
    ids=["itself", "by way of another", "at once"],
)
def test_a_reference_that_contains_itself_is_refused(file: Path, schemas: Any) -> None:
    document = with_request({"$ref": "#/components/schemas/A"}, components={"schemas": schemas})
    assert "contains itself, which is not implemented" in refusal(file, document)
