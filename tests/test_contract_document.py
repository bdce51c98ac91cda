"""The shipped openapi.json is a sound OpenAPI document and says what the vendor published."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from openapi_spec_validator import validate

from revdesk_mock.settings import shipped
from revdesk_mock.validation import Schema

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


# the examples and links that it gives beside what the vendor published


def examples() -> Iterator[tuple[str, Any, Any]]:
    """Yield (what it is an example of, example, schema) for each body and parameter that has one."""
    for _, _, operation in OPERATIONS:
        bodies = operation.get("requestBody", {}).get("content", {}).values()
        for holder in (*bodies, *operation.get("parameters", ())):
            if "example" in holder:
                yield f"{operation['operationId']}-{holder.get('name', 'body')}", holder["example"], holder["schema"]


def links() -> Iterator[tuple[str, Any, Any]]:
    """Yield (operation and name, link, schema of the answer that the link starts from) for each link."""
    for _, _, operation in OPERATIONS:
        for status, answer in operation["responses"].items():
            for name, link in answer.get("links", {}).items():
                schema = answer["content"]["application/json"]["schema"]
                yield f"{operation['operationId']}-{status}-{name}", link, schema


def is_held(schema: Any, pointer: str) -> bool:
    """Whether what has this schema may hold something at a JSON pointer."""
    first, _, rest = pointer.removeprefix("/").partition("/")
    inner = [
        branch["items"] if first.isdigit() and "items" in branch else branch.get("properties", {}).get(first)
        for branch in schema.get("anyOf", [schema])
    ]
    return any(schema is not None and (not rest or is_held(schema, rest)) for schema in inner)


EXAMPLES, LINKS = list(examples()), list(links())
every_example = pytest.mark.parametrize(
    ("example", "schema"), [rest for _, *rest in EXAMPLES], ids=[name for name, *_ in EXAMPLES]
)
every_link = pytest.mark.parametrize(("link", "schema"), [rest for _, *rest in LINKS], ids=[name for name, *_ in LINKS])


@every_example
def test_an_example_fits_its_schema(example: Any, schema: Any) -> None:
    assert Schema(schema).failures(example) == []


def test_every_body_has_an_example() -> None:
    with_body = [f"{operation['operationId']}-body" for _, _, operation in OPERATIONS if "requestBody" in operation]
    assert [name for name, *_ in EXAMPLES if name.endswith("-body")] == with_body


@every_link
def test_a_link_leads_to_an_operation_with_what_the_answer_holds(link: Any, schema: Any) -> None:
    (target,) = [operation for _, _, operation in OPERATIONS if operation["operationId"] == link["operationId"]]
    parameters, body = link.get("parameters", {}), link.get("requestBody", {})
    assert parameters.keys() == {given["name"] for given in target.get("parameters", ()) if given["in"] == "path"}
    if body:
        wanted = target["requestBody"]["content"]["application/json"]["schema"]
        assert set(wanted.get("required", ())) <= body.keys() <= wanted["properties"].keys()
    for value in (*parameters.values(), *body.values()):
        source, _, pointer = value.partition("#")
        assert not value.startswith("$") or (source == "$response.body" and is_held(schema, pointer)), value


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
