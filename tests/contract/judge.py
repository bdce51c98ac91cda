"""The judge of answers: `jsonschema` over openapi.json as it is written, and nothing of the emulator's own reading."""

from functools import cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from revdesk_mock.resources import HANDLERS
from revdesk_mock.settings import shipped
from tests.conftest import Answer

# Statuses of requests that lead to no operation.
ASTRAY = {404, 405}


def emulated(document: Any) -> Any:
    """Leave out the operations that have no handler yet."""
    paths = {
        path: {method: node for method, node in item.items() if node["operationId"] in HANDLERS}
        for path, item in document["paths"].items()
    }
    return {**document, "paths": {path: item for path, item in paths.items() if item}}


DOCUMENT: Any = emulated(orjson.loads(shipped("openapi.json").read_bytes()))
ENVELOPE = "/components/schemas/ErrorEnvelope"
WHERE = {
    node["operationId"]: f"/paths/{path.replace('/', '~1')}/{method}/responses"
    for path, item in DOCUMENT["paths"].items()
    for method, node in item.items()
}
DECLARED = {node["operationId"]: node["responses"] for item in DOCUMENT["paths"].values() for node in item.values()}


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
        declared = DECLARED[operation_id].get(str(answer.status))
        assert declared is not None, f"{operation_id} does not declare {answer}"
        assert "headers" not in declared, "the contract declares headers now: check them here"
        pointer = f"{WHERE[operation_id]}/{answer.status}/content/application~1json/schema"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    _validator(pointer).validate(answer.body)
