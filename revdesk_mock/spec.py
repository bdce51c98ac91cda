"""The contract: openapi.json read into operations, and the match from method and path to one of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from revdesk_mock import json_file
from revdesk_mock.errors import StartError
from revdesk_mock.messages import JSON

METHODS = ("get", "post", "put", "patch", "delete")

# Keywords that validation acts on, and those that only describe. Any other is refused at start:
# a constraint that nobody checks would be a promise that nobody keeps.
ASSERTED = frozenset(
    "type properties required additionalProperties items anyOf enum const pattern format "
    "minLength maxLength minimum maximum minItems maxItems".split()
)
DESCRIPTIVE = frozenset("$schema title description default example examples deprecated".split())
FORMATS = frozenset({"uuid", "email", "date-time", "uri"})


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of the contract.

    `query` maps parameter names to schemas; `request` is the body's schema (None: no body);
    `responses` maps statuses to body schemas; `success` is the lowest 2xx status.
    """

    id: str
    method: str
    path: str
    tag: str
    query: Mapping[str, JSON]
    required_query: frozenset[str]
    defaults: Mapping[str, JSON]
    request: JSON | None
    body_required: bool
    body_defaults: Mapping[str, JSON]
    responses: Mapping[int, JSON]
    success: int


@dataclass(frozen=True, slots=True)
class Match:
    """Where a method and a path lead: the operation with its path parameters, or what else is allowed."""

    operation: Operation | None
    parameters: Mapping[str, str]
    allowed: tuple[str, ...]


class Spec:
    """The operations of one contract document, and the way from a request line to them."""

    def __init__(self, document: JSON) -> None:
        self.document = _resolve(document, document, ())
        self.title = str(self.document.get("info", {}).get("title", ""))
        self.operations: dict[str, Operation] = {}
        self._exact: dict[str, dict[str, Operation]] = {}
        self._matches: dict[tuple[str, str], Match] = {}
        self._templates: dict[int, list[tuple[list[str], dict[str, Operation]]]] = {}
        for path, item in self.document["paths"].items():
            shared = item.get("parameters", [])
            here = {m.upper(): _operation(path, m, item[m], shared) for m in METHODS if m in item}
            self.operations |= {operation.id: operation for operation in here.values()}
            if "{" in path:
                segments = path.split("/")
                self._templates.setdefault(len(segments), []).append((segments, here))
            else:
                self._exact[path] = here
                for method, operation in here.items():
                    self._matches[method, path] = Match(operation, {}, tuple(here))

        for templates in self._templates.values():  # a literal segment wins, the leftmost first
            templates.sort(key=lambda template: [segment.startswith("{") for segment in template[0]])

    @classmethod
    def load(cls, path: Path) -> "Spec":
        """Read a contract file; raises StartError where it cannot be served as it stands."""
        document = json_file.read(path, f"contract {path}")
        if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
            raise StartError(f"contract {path} is no OpenAPI document: it has no paths")
        try:
            return cls(document)
        except StartError as error:
            raise StartError(f"contract {path}: {error}") from error
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise StartError(f"contract {path} is no OpenAPI 3.1 document: {error!r}") from error

    def match(self, method: str, path: str) -> Match:
        """Find the operation of a method and a raw path; a literal segment wins over a parameter."""
        found = self._matches.get((method, path))
        if found is not None:
            return found
        here = self._exact.get(path)
        parameters: dict[str, str] = {}
        if here is None:
            here, parameters = self._match_template(path)
        return Match(here.get(method), parameters, tuple(here))

    def _match_template(self, path: str) -> tuple[dict[str, Operation], dict[str, str]]:
        segments = path.split("/")
        for template, operations in self._templates.get(len(segments), ()):
            parameters = {}
            for expected, got in zip(template, segments, strict=True):
                if expected.startswith("{"):
                    parameters[expected[1:-1]] = got
                elif expected != got:
                    break
            else:
                if all(parameters.values()):
                    return operations, {name: unquote(value) for name, value in parameters.items()}
        return {}, {}


def _resolve(node: JSON, document: JSON, trail: tuple[str, ...]) -> JSON:
    """Return the document with every local `$ref` replaced by what it points to."""
    if isinstance(node, list):
        return [_resolve(item, document, trail) for item in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return {key: _resolve(value, document, trail) for key, value in node.items()}
    if not reference.startswith("#/"):
        raise StartError(f"the reference {reference!r} leads out of the document")
    if reference in trail:
        raise StartError(f"the reference {reference!r} contains itself, which is not implemented")
    target = document
    for part in reference[2:].split("/"):
        key = unquote(part).replace("~1", "/").replace("~0", "~")
        if isinstance(target, list) and key.isdigit() and int(key) < len(target):
            target = target[int(key)]
        elif isinstance(target, dict) and key in target:
            target = target[key]
        else:
            raise StartError(f"the reference {reference!r} leads nowhere")
    return _resolve(target, document, (*trail, reference))


def _operation(path: str, method: str, node: JSON, shared: JSON) -> Operation:
    name = node["operationId"]
    # An operation's own parameter wins over one of the same name for the whole path.
    parameters = {(p["in"], p["name"]): p for p in (*shared, *node.get("parameters", ()))}
    query = [parameter for (place, _), parameter in parameters.items() if place == "query"]
    body = node.get("requestBody", {})
    request = _json_schema(body)
    responses = {
        int(status): schema
        for status, response in node["responses"].items()
        if status.isdigit() and (schema := _json_schema(response)) is not None
    }
    schemas = [*(parameter["schema"] for parameter in query), *responses.values()]
    for schema in [*schemas, *([request] if request else [])]:
        for pointer, keyword in _unimplemented(schema, ""):
            raise StartError(
                f"{name} uses the keyword {keyword} at {pointer or '/'}, which validation does not implement"
            )
    return Operation(
        id=name,
        method=method.upper(),
        path=path,
        tag=(node.get("tags") or [""])[0],
        query={parameter["name"]: parameter["schema"] for parameter in query},
        required_query=frozenset(parameter["name"] for parameter in query if parameter.get("required")),
        defaults={p["name"]: p["schema"]["default"] for p in query if "default" in p["schema"]},
        request=request,
        body_required=bool(body.get("required")),
        body_defaults={
            field: schema["default"]
            for field, schema in (request or {}).get("properties", {}).items()
            if "default" in schema
        },
        responses=responses,
        success=min((status for status in responses if 200 <= status < 300), default=200),
    )


def _json_schema(node: JSON) -> Any:
    return node.get("content", {}).get("application/json", {}).get("schema")


def _unimplemented(schema: JSON, pointer: str) -> Iterator[tuple[str, str]]:
    """Yield (pointer, keyword) for what a schema says and validation would not check."""
    for keyword, value in schema.items():
        here = f"{pointer}/{keyword}"
        if keyword == "properties":
            for name, child in value.items():
                yield from _unimplemented(child, f"{here}/{name.replace('~', '~0').replace('/', '~1')}")
        elif keyword == "anyOf":
            for number, child in enumerate(value):
                yield from _unimplemented(child, f"{here}/{number}")
        elif keyword in {"items", "additionalProperties"} and isinstance(value, dict):
            yield from _unimplemented(value, here)
        elif keyword == "format" and value not in FORMATS:
            yield pointer, f"format: {value}"
        elif keyword not in ASSERTED and keyword not in DESCRIPTIVE and not keyword.startswith("x-"):
            yield pointer, keyword
