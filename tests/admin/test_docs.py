"""The admin API's own OpenAPI document: sound, as the routes are, and kept by what they answer."""

import re
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from typing import Any, NamedTuple

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from starlette.routing import Route

from revdesk_mock import Emulator, Settings, journal_query, opening, timeline
from revdesk_mock.admin import docs as admin_docs
from revdesk_mock.admin.state import RESETS
from revdesk_mock.app import App
from revdesk_mock.server import Server
from tests.conftest import KEY, MAIN, ORDINARY, SPEC
from tests.test_app import Reply, ask

DOCUMENT = admin_docs.document()
OPERATIONS = list(admin_docs.operations(DOCUMENT))
PAIR = {"from_number": MAIN, "to_number": ORDINARY}
every_operation = pytest.mark.parametrize(
    "operation", OPERATIONS, ids=[f"{operation.method} {operation.path}" for operation in OPERATIONS]
)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="docs", clock="frozen", rate_limit="off"), SPEC)) as running:
        yield running


def failures(schema: Any, value: Any) -> list[str]:
    """Return what is wrong with a value by a schema of the document."""
    whole = {**schema, "components": DOCUMENT["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_document_and_routes_are_the_same() -> None:
    served = {
        (method, route.path)
        for route in App(Emulator(Settings(), SPEC))._own.routes
        if isinstance(route, Route) and route.path.startswith("/_revdesk")
        for method in (route.methods or set()) - {"HEAD"}
    }
    documented = {(operation.method, operation.path) for operation in OPERATIONS}
    assert (served - documented, documented - served) == (set(), set())


def test_every_operation_has_one_of_the_tags_and_a_name_of_its_own() -> None:
    in_paths = sum(len(item) for item in DOCUMENT["paths"].values())
    assert in_paths == len(OPERATIONS) == len({operation.about["operationId"] for operation in OPERATIONS})


@every_operation
def test_path_parameters_are_those_of_the_path(operation: admin_docs.AdminOperation) -> None:
    declared = [given["name"] for given in operation.about.get("parameters", ()) if given.get("in") == "path"]
    assert declared == re.findall(r"\{(\w+)\}", operation.path)


@every_operation
def test_a_body_has_an_example_that_fits_its_schema(operation: admin_docs.AdminOperation) -> None:
    body = operation.about.get("requestBody")
    if body is not None:
        content = body["content"]["application/json"]
        assert "example" in content or "$ref" in content["schema"]
        assert not failures(content["schema"], content.get("example", {"format": 1, "records": {}}))


def test_what_can_be_chosen_is_what_the_code_knows() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert set(schemas["WorldOrder"]["properties"]) == set(opening.FIELDS)
    assert set(schemas["WorldOrder"]["properties"]["data"]["anyOf"][0]["enum"]) == set(opening.FIXTURES)
    assert set(schemas["Event"]["properties"]["kind"]["enum"]) == set(timeline.KINDS)
    filters = DOCUMENT["paths"]["/_revdesk/requests"]["get"]["parameters"]
    assert {given["name"] for given in filters if "name" in given} == set(journal_query.FILTERS)
    scopes = DOCUMENT["paths"]["/_revdesk/reset"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(scopes["properties"]["scope"]["enum"]) == set(RESETS)


# what the routes answer


class Scene(NamedTuple):
    """What there is to ask about: ids of a world, a call, a token and a refused request, and the world's dump."""

    world: str
    call: str
    token: str
    request: str
    dump: Any


Steps = Iterator[tuple[str, str, Any]]  # method and path as documented, path or query that is asked, body


def of_worlds(scene: Scene) -> Steps:
    own = f"?world={scene.world}"
    yield "GET /_revdesk/worlds", "", None
    yield "POST /_revdesk/worlds", "", {"watch_policies": True}
    yield "GET /_revdesk/worlds/{world}", f"/_revdesk/worlds/{scene.world}", None
    yield "GET /_revdesk/clock", own, None
    yield "POST /_revdesk/clock", "", {"advance_seconds": 60}
    yield "POST /_revdesk/clock", own, {"frozen": True}
    yield "GET /_revdesk/policies", "", None
    yield "PATCH /_revdesk/policies", own, {"talk_seconds": 20}
    yield "POST /_revdesk/reset", "", {"scope": "journal"}
    yield "DELETE /_revdesk/worlds/{world}", f"/_revdesk/worlds/{scene.world}", None


def of_state(scene: Scene) -> Steps:
    record, snapshot = f"/_revdesk/state/calls/{scene.call}", "/_revdesk/snapshots/before"
    yield "PUT /_revdesk/snapshots/{name}", snapshot, None
    yield "GET /_revdesk/snapshots", "", None
    yield "GET /_revdesk/state", "", None
    yield "PUT /_revdesk/state", "", scene.dump
    yield "GET /_revdesk/state/{collection}", "/_revdesk/state/calls", None
    yield "GET /_revdesk/state/{collection}/{id}", record, None
    yield "PATCH /_revdesk/state/{collection}/{id}", record, {"name": "Ann"}
    yield "POST /_revdesk/fork", "", None
    yield "POST /_revdesk/fork", "", {"snapshot": "before"}
    yield "POST /_revdesk/snapshots/{name}/restore", f"{snapshot}/restore", None
    yield "DELETE /_revdesk/snapshots/{name}", snapshot, None


def of_calls(scene: Scene) -> Steps:
    call, recorded = f"/_revdesk/calls/{scene.call}", f"/_revdesk/worlds/{scene.world}/calls/{scene.call}"
    yield "GET /_revdesk/tokens", "", None
    yield "DELETE /_revdesk/tokens/{token}", f"/_revdesk/tokens/{scene.token}", None
    yield "GET /_revdesk/tokens", f"?world={scene.world}", None
    yield "POST /_revdesk/calls/{call}/ring", f"{call}/ring", None
    yield "POST /_revdesk/calls/{call}/answer", f"{call}/answer", None
    yield "POST /_revdesk/calls/{call}/digits", f"{call}/digits", {"digits": "1"}
    yield "POST /_revdesk/calls/{call}/guests", f"{call}/guests", {"identity": "ann"}
    yield "POST /_revdesk/calls/{call}/hang-up", f"{call}/hang-up", None
    yield "GET /_revdesk/worlds/{world}/calls/{call}/recording.wav", f"{recorded}/recording.wav", None
    yield "GET /_revdesk/worlds/{world}/calls/{call}/recording.ogg", f"{recorded}/recording.ogg", None
    yield "GET /_revdesk/magic-numbers", "", None
    yield "GET /_revdesk/prices", "", None
    yield "GET /_revdesk/rooms", "", None
    yield "POST /_revdesk/keys", "", {"owner": "user"}


def of_faults(scene: Scene) -> Steps:
    yield "POST /_revdesk/faults", "", {"method": "POST", "do": "reset"}
    yield "POST /_revdesk/recipes/{name}", "/_revdesk/recipes/lost-reply", None
    yield "GET /_revdesk/faults", "", None
    yield "GET /_revdesk/recipes", "", None
    yield "GET /_revdesk/worlds/{world}", f"/_revdesk/worlds/{scene.world}", None
    yield "DELETE /_revdesk/faults/{id}", "/_revdesk/faults/fault_1", None
    yield "DELETE /_revdesk/faults", "", None


def of_the_journal(scene: Scene) -> Steps:
    for what in ("requests", "requests/count", "requests.har", "timeline", "audit", "coverage", "bill"):
        yield f"GET /_revdesk/{what}", "", None
    for what in ("timeline", "audit", "coverage", "bill"):
        yield f"GET /_revdesk/{what}", "?format=text", None
    yield "GET /_revdesk/audit", "?format=junit", None
    yield "GET /_revdesk/requests/near-misses", "?path=/v1/calls/dail", None
    yield "GET /_revdesk/explain/{request_id}", f"/_revdesk/explain/{scene.request}", None


def of_the_emulator(_: Scene) -> Steps:
    for what in ("health", "metrics", "openapi.json", "docs"):
        yield f"GET /_revdesk/{what}", "", None


def check(reply: Reply, about: Mapping[str, Any]) -> None:
    """Compare an answer with what the document says of the operation."""
    answer = about["responses"][str(reply.status)]
    content = answer.get("content", {})
    if not content:
        assert reply.raw == b""
        return
    media_type = reply.headers["content-type"].partition(";")[0]
    assert media_type in content
    if media_type == "application/json":
        assert failures(content[media_type]["schema"], reply.body) == []


@pytest.mark.parametrize("steps", [of_worlds, of_state, of_calls, of_faults, of_the_journal, of_the_emulator])
def test_what_is_answered_is_as_documented(server: Server, steps: Callable[[Scene], Steps]) -> None:
    by_name = {f"{operation.method} {operation.path}": operation.about for operation in OPERATIONS}
    call = ask(server, "POST", "/v1/calls/dial", PAIR).body["data"]["call_id"]
    ask(server, "POST", "/v1/room-token", PAIR)
    refused = ask(server, "POST", "/v1/calls/dial", {})
    world = server.emulator.world(KEY)
    [token] = world.store.all("tokens")
    for name, path, body in steps(Scene(world.id, call, token["id"], refused.headers["x-request-id"], world.dump())):
        method, _, template = name.partition(" ")
        target = path if path.startswith("/") else template + path
        check(ask(server, method, target, body), by_name[name])


@pytest.mark.parametrize("path", ["/_revdesk/worlds/nope", "/_revdesk/clock?world=nope", "/_revdesk/tokens"])
def test_a_refusal_is_as_documented(server: Server, path: str) -> None:
    reply = ask(server, "GET", path, Authorization="none")
    assert reply.status in {401, 404}
    assert failures({"$ref": "#/components/schemas/ErrorEnvelope"}, reply.body) == []


def test_events_are_as_documented(server: Server) -> None:
    ask(server, "POST", "/v1/calls/dial", PAIR)
    ask(server, "POST", "/_revdesk/clock", {"advance_seconds": 5})
    events = server.emulator.world(KEY).timeline.events()
    assert {event.kind for event in events} >= {"request", "record", "clock"}
    schema = {"$ref": "#/components/schemas/Event"}
    assert [failures(schema, timeline.describe(event)) for event in events] == [[]] * len(events)


# the page


class Page(HTMLParser):
    """What a page loads, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.targets: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids |= {given["id"] or ""} if "id" in given else set()
        self.targets |= {given["href"] or ""} if "href" in given else set()
        if tag in {"script", "link", "img", "iframe"} or "src" in given:
            self.loaded.append(tag)


def test_the_page_shows_every_operation_and_loads_nothing(server: Server) -> None:
    reply = ask(server, "GET", "/_revdesk/docs")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    shown = Page(reply.raw.decode())
    assert shown.loaded == []
    assert shown.ids == {operation.about["operationId"] for operation in OPERATIONS}
    assert shown.targets == {f"#{anchor}" for anchor in shown.ids} | {"openapi.json"}


def test_the_page_escapes_what_it_shows() -> None:
    tag = {"name": "a<b", "description": "<i>"}
    about = {"tags": ["a<b"], "summary": "<script>", "operationId": "x", "responses": {"200": {"description": "<b>"}}}
    info = {"title": "<t>", "summary": "<s>", "description": "<d>"}
    text = admin_docs.page({"info": info, "tags": [tag], "paths": {"/<p>": {"get": about}}})
    assert Page(text).loaded == []
    assert not re.search(r"<(script|i|b|t|s|d)>", text)
