"""The admin API about itself: its OpenAPI document, and a page made of it."""

import shlex
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from revdesk_mock.admin.desk import Desk
from revdesk_mock.messages import JSON
from revdesk_mock.settings import shipped

FILE = "admin/openapi.json"
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h3 { margin: 2rem 0 0; border-top: 1px solid #8884; padding-top: 1rem }
pre { overflow-x: auto; padding: .5rem; background: #8882 }
td, th { text-align: left; vertical-align: top; padding-right: 1.5rem }
"""


class AdminOperation(NamedTuple):
    """One operation of the document."""

    method: str
    path: str
    tag: str
    summary: str
    about: Mapping[str, JSON]


class AdminDocs:
    """The routes."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return the routes for Starlette."""
        guarded = self._desk.guarded
        return [
            Route("/_revdesk/openapi.json", guarded(self._show_document, is_open=True)),
            Route("/_revdesk/docs", guarded(self._show_page, is_open=True)),
        ]

    async def _show_document(self, _: Request) -> Response:
        """Answer the OpenAPI document."""
        return Response(shipped(FILE).read_bytes(), media_type="application/json")

    async def _show_page(self, _: Request) -> Response:
        """Answer the document as a page."""
        return HTMLResponse(page(document()))


def document() -> dict[str, Any]:
    """Return the OpenAPI document of the admin API."""
    read: dict[str, Any] = orjson.loads(shipped(FILE).read_bytes())
    return read


def operations(read: Mapping[str, Any]) -> Iterator[AdminOperation]:
    """Yield the operations of the document, by tag in the order of its tags."""
    for tag in read["tags"]:
        for path, item in read["paths"].items():
            for method, about in item.items():
                if tag["name"] in about["tags"]:
                    yield AdminOperation(method.upper(), path, tag["name"], about["summary"], about)


def page(read: Mapping[str, Any]) -> str:
    """Return the document as HTML, complete in itself: no script, and nothing from elsewhere."""
    info = read["info"]
    found = list(operations(read))
    sections = (
        f"<h2>{escape(tag['name'])}</h2><p>{escape(tag['description'])}</p>"
        + "".join(_section(read, one) for one in found if one.tag == tag["name"])
        for tag in read["tags"]
    )
    contents = "".join(
        f'<li><a href="#{one.about["operationId"]}"><code>{one.method} {escape(one.path)}</code></a> '
        f"{escape(one.summary)}</li>"
        for one in found
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"<h1>{escape(info['title'])}</h1><p>{escape(info['summary'])}</p><p>{escape(info['description'])} "
        f'As an OpenAPI document: <a href="openapi.json">openapi.json</a>.</p>'
        f"<ul>{contents}</ul>{''.join(sections)}</html>"
    )


def _section(read: Mapping[str, Any], operation: AdminOperation) -> str:
    about = operation.about
    says = f"{about['summary']}. {about.get('description', '')}"
    answers = (
        (status, _resolved(read, answer)["description"], ", ".join(_resolved(read, answer).get("content", {})))
        for status, answer in about["responses"].items()
    )
    parameters = (
        (one["name"], one["in"], one["description"])
        for one in (_resolved(read, given) for given in about.get("parameters", ()))
    )
    return (
        f'<h3 id="{about["operationId"]}"><code>{operation.method} {escape(operation.path)}</code></h3>'
        f"<p>{escape(says)}</p><pre>{escape(_curl(operation))}</pre>"
        f"<table>{_rows(parameters)}{_rows(answers)}</table>"
    )


def _rows(rows: Iterator[tuple[str, ...]]) -> str:
    return "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)


def _resolved(read: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a node refers to, or itself."""
    if "$ref" not in node:
        return node
    _, _, kind, name = node["$ref"].split("/")
    found: Mapping[str, Any] = read["components"][kind][name]
    return found


def _curl(operation: AdminOperation) -> str:
    parts = ["curl"] if operation.method == "GET" else ["curl", "-X", operation.method]
    parts += ["-H", '"Authorization: Bearer $REVDESK_API_KEY"']
    body = operation.about.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    if body is not None:
        parts += ["-d", shlex.quote(orjson.dumps(body).decode())]
    return " ".join([*parts, f"$REVDESK_API_URL{operation.path}"])
