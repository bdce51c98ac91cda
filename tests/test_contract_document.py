"""The shipped openapi.json is a sound OpenAPI document and says what the vendor published."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from openapi_spec_validator import validate

from revdesk_mock.settings import shipped

DOCUMENT: dict[str, Any] = orjson.loads(shipped("openapi.json").read_bytes())
# What the vendor published of one operation and of the document around it, without its prose.
FACTS: dict[str, Any] = orjson.loads((Path(__file__).parent / "facts" / "web_call.json").read_bytes())
OPERATIONS = [
    (method, path, operation) for path, item in DOCUMENT["paths"].items() for method, operation in item.items()
]
every_operation = pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[operation["operationId"] for _, _, operation in OPERATIONS]
)
WEB_CALL = "/v1/agents/{id}/web-call"
ENVELOPE = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorEnvelope"}}}


def keys(node: Any) -> Iterator[str]:
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from keys(child)
    if isinstance(node, dict):
        yield from node


def without_prose(node: Any) -> Any:
    """Leave out summaries and descriptions, but no property of that name: what is prose is a text."""
    if isinstance(node, dict):
        return {
            key: without_prose(value)
            for key, value in node.items()
            if key not in {"summary", "description"} or not isinstance(value, str)
        }
    return list(map(without_prose, node)) if isinstance(node, list) else node


def headers(operation: Any) -> dict[str, bool]:
    """Return the names of an operation's header parameters, each with whether it is required."""
    found = [parameter for parameter in operation.get("parameters", ()) if parameter["in"] == "header"]
    return {parameter["name"]: parameter.get("required", False) for parameter in found}


# the document by itself


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_the_document_has_so_many_operations_paths_and_tags() -> None:
    assert (len(OPERATIONS), len(DOCUMENT["paths"]), len(DOCUMENT["tags"])) == (63, 43, 13)


def test_path_items_hold_methods_alone() -> None:
    assert {method for method, _, _ in OPERATIONS} <= {"get", "post", "put", "patch", "delete"}


def test_nothing_in_the_document_is_an_extension() -> None:
    assert [key for key in keys(DOCUMENT) if key.startswith("x-")] == []


def test_operation_ids_are_given_once() -> None:
    assert len({operation["operationId"] for _, _, operation in OPERATIONS}) == len(OPERATIONS)


@every_operation
def test_an_operation_id_follows_from_path_and_method(method: str, path: str, operation: Any) -> None:
    assert operation["operationId"] == "_".join([*re.findall(r"[A-Za-z0-9]+", path), method])


@every_operation
def test_an_operation_has_one_of_the_tags(method: str, path: str, operation: Any) -> None:
    tags = [tag["name"] for tag in DOCUMENT["tags"]]
    assert len(operation["tags"]) == 1, f"{method} {path}"
    assert operation["tags"][0] in tags


@every_operation
def test_path_parameters_are_those_of_the_path(method: str, path: str, operation: Any) -> None:
    declared = [parameter for parameter in operation.get("parameters", ()) if parameter["in"] == "path"]
    assert [parameter["name"] for parameter in declared] == re.findall(r"\{(\w+)\}", path), method
    assert all(parameter["required"] for parameter in declared)


@every_operation
def test_an_error_is_answered_in_the_envelope(method: str, path: str, operation: Any) -> None:
    errors = {status: answer for status, answer in operation["responses"].items() if not status.startswith("2")}
    assert {"400", "401", "403", "404", "409", "429"} <= set(errors), f"{method} {path}"
    assert all(answer["content"] == ENVELOPE for answer in errors.values())


@every_operation
def test_success_is_answered_as_json_with_data(method: str, path: str, operation: Any) -> None:
    (success,) = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    schema = success["content"]["application/json"]["schema"]
    assert "data" in schema["required"], f"{method} {path}"


@every_operation
def test_a_write_takes_an_idempotency_key_and_a_read_does_not(method: str, path: str, operation: Any) -> None:
    expected = {} if method == "get" else {"Idempotency-Key": False}
    assert headers(operation) == expected, path


@every_operation
def test_a_read_has_no_body(method: str, path: str, operation: Any) -> None:
    assert "requestBody" not in operation or method in {"post", "put", "patch"}, path


# against what the vendor published


@pytest.mark.parametrize("section", ["servers", "security", "tags"])
def test_the_document_is_framed_as_published(section: str) -> None:
    assert without_prose(DOCUMENT[section]) == FACTS[section]


@pytest.mark.parametrize(
    ("kind", "name"),
    [("schemas", "ErrorEnvelope"), ("securitySchemes", "bearerAuth")],
    ids=["ErrorEnvelope", "bearerAuth"],
)
def test_a_shared_component_is_as_published(kind: str, name: str) -> None:
    assert without_prose(DOCUMENT["components"][kind][name]) == FACTS["components"][kind][name]


@pytest.mark.parametrize("aspect", ["tags", "operationId", "parameters", "responses"])
def test_an_agents_web_call_is_as_published(aspect: str) -> None:
    assert without_prose(DOCUMENT["paths"][WEB_CALL]["post"][aspect]) == FACTS["paths"][WEB_CALL]["post"][aspect]


def test_an_agents_web_call_says_nothing_beyond_what_is_published() -> None:
    assert without_prose(DOCUMENT["paths"][WEB_CALL]) == FACTS["paths"][WEB_CALL]


def test_a_property_called_description_is_no_prose() -> None:
    schema = {"description": "A thing.", "properties": {"description": {"type": "string", "description": "Its text."}}}
    assert without_prose(schema) == {"properties": {"description": {"type": "string"}}}
