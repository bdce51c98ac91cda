"""The judge of answers: `jsonschema` over openapi.json as it is written, and nothing of the emulator's own reading."""

from functools import cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from revdesk_mock.settings import shipped
from tests.conftest import Answer

# Statuses of requests that lead to no operation.
ASTRAY = {404, 405}
DOCUMENT: Any = orjson.loads(shipped("openapi.json").read_bytes())
ENVELOPE = "/components/schemas/ErrorEnvelope"
OPERATIONS = {
    node["operationId"]: (f"/paths/{path.replace('/', '~1')}/{method}", node)
    for path, item in DOCUMENT["paths"].items()
    for method, node in item.items()
}


@cache
def _validator(pointer: str) -> Draft202012Validator:
    registry: Registry[Any] = Registry().with_resource("urn:contract", DRAFT202012.create_resource(DOCUMENT))
    return Draft202012Validator({"$ref": f"urn:contract#{pointer}"}, registry=registry, format_checker=FormatChecker())


def check(answer: Answer, operation_id: str | None) -> None:
    """Assert that an answer is one that the contract declares for an operation, or (None) for a request gone astray."""
    pointer = ENVELOPE
    if operation_id is None:
        assert answer.status in ASTRAY, answer
    else:
        pointer, node = OPERATIONS[operation_id]
        declared = node["responses"].get(str(answer.status))
        assert declared is not None, f"{operation_id} does not declare {answer}"
        assert "headers" not in declared, "the contract declares headers now: check them here"
        pointer += f"/responses/{answer.status}/content/application~1json/schema"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    _validator(pointer).validate(answer.body)


def example_of(operation_id: str) -> dict[str, Any]:
    """Return the example of an operation's query and body, by the names of the fields."""
    _, node = OPERATIONS[operation_id]
    query = [parameter for parameter in node.get("parameters", ()) if parameter["in"] == "query"]
    body = node.get("requestBody", {}).get("content", {}).get("application/json", {})
    values = {parameter["name"]: parameter["example"] for parameter in query if "example" in parameter}
    return {**values, **body.get("example", {})}
