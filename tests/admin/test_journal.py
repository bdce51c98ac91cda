"""The admin API of what came in, over the wire: each route is the function that Python calls."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.admin.desk import Desk
from revdesk_mock.admin.guard import Guard
from revdesk_mock.admin.journal import JournalAdmin
from revdesk_mock.audit import RULES
from revdesk_mock.journal_query import FILTERS
from revdesk_mock.recordings import Recordings
from revdesk_mock.rtc.mixdown import render
from revdesk_mock.rtc.recorder import Recorder
from revdesk_mock.server import Server
from tests.conftest import KEY, MAIN, ORDINARY, SPEC
from tests.test_app import Reply, ask

PAGE = (Path(__file__).parent.parent.parent / "docs/journal.md").read_text()
DIAL = {"from_number": MAIN, "to_number": ORDINARY}
OTHER = {"Authorization": "Bearer revdesk_other"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="journal", clock="frozen"), SPEC)) as running:
        ask(running, "POST", "/v1/calls/dial", DIAL, Content_Type="application/json")
        ask(running, "POST", "/v1/calls/dial", {**DIAL, "to_number": "12"}, Content_Type="application/json")
        ask(running, "GET", "/v1/me", **OTHER)
        yield running
        assert running.emulator.pipeline.breaches == []


def look(server: Server, path: str, **headers: str) -> Any:
    reply = ask(server, "GET", f"/_revdesk/{path}", **headers)
    assert reply.status == 200, reply.raw
    return reply.body


def anonymous(server: Server, path: str) -> Reply:
    """Ask without a key: nothing that `ask` would send."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request("GET", f"/_revdesk/{path}")
        return Reply(connection.getresponse())
    finally:
        connection.close()


def test_requests_are_those_of_the_worlds_key(server: Server) -> None:
    assert [one["status"] for one in look(server, "requests")] == [200, 400]
    assert [one["path"] for one in look(server, "requests", **OTHER)] == ["/v1/me"]
    assert look(server, "requests?operation=v1_calls_dial_post&status=4xx")[0]["body"]["to_number"] == "12"


def test_a_world_is_named_by_its_id_too_and_no_name_is_all_of_them(server: Server) -> None:
    world = look(server, "requests", **OTHER)[0]["world"]
    assert [one["path"] for one in anonymous(server, f"requests?world={world}").body] == ["/v1/me"]
    assert len(anonymous(server, "requests").body) == 3
    assert anonymous(server, "requests?world=none").status == 404


def test_requests_are_counted(server: Server) -> None:
    assert look(server, "requests/count?status=400") == {"count": 1}
    assert look(server, f"requests/count?body=to_number=%2B{ORDINARY[1:]}") == {"count": 1}
    assert look(server, "requests/count?method=DELETE") == {"count": 0}


def test_the_closest_requests_are_told(server: Server) -> None:
    [closest, _] = look(server, "requests/near-misses?status=200&body=to_number=12")
    assert (closest["matched"], closest["of"]) == (1, 2)
    assert ask(server, "GET", "/_revdesk/requests/near-misses").status == 400


def test_requests_are_exported_as_an_archive(server: Server) -> None:
    archive = look(server, "requests.har?status=200")["log"]
    assert [one["request"]["url"] for one in archive["entries"]] == [f"{server.url}/v1/calls/dial"]
    assert KEY not in str(archive)


def test_the_timeline_is_told_as_data_and_as_a_table(server: Server) -> None:
    events = look(server, "timeline")
    assert {"record", "request"} <= {event["kind"] for event in events}
    assert [event["number"] for event in events] == sorted(event["number"] for event in events)
    table = ask(server, "GET", "/_revdesk/timeline?format=text")
    assert table.headers["content-type"].startswith("text/plain")
    assert b"request  POST /v1/calls/dial 200\n" in table.raw
    assert anonymous(server, "timeline").status == 401


def test_the_audit_comes_in_three_forms(server: Server) -> None:
    key = {"Authorization": "Bearer revdesk_guilty"}
    for _ in range(2):
        ask(server, "POST", "/v1/calls/dial", {**DIAL, "to_number": "12"}, Content_Type="application/json", **key)
    [finding] = look(server, "audit", **key)
    assert (finding["code"], len(finding["requests"])) == ("refusal_retried", 2)
    assert f"{server.url}/v1/calls/dial" in finding["requests"][0]["curl"]
    text = ask(server, "GET", "/_revdesk/audit?format=text", **key)
    assert text.raw.startswith(b"The audit found 1 thing.\n")
    suite = ask(server, "GET", "/_revdesk/audit?format=junit", **key)
    assert suite.headers["content-type"].startswith("application/xml")
    assert fromstring(suite.raw).get("failures") == "1"  # noqa: S314 our own
    assert look(server, "audit") == []
    assert len(anonymous(server, "audit").body) == 1


def test_coverage_is_of_a_world_or_of_all(server: Server) -> None:
    assert look(server, "coverage", **OTHER)["operations"]["hit"] == 1
    assert anonymous(server, "coverage").body["operations"]["hit"] == 2
    text = ask(server, "GET", "/_revdesk/coverage?format=text", **OTHER)
    assert b"GET /v1/me\n  met    200 x1\n" in text.raw


def test_the_bill_is_of_a_world_or_of_all(server: Server) -> None:
    assert look(server, "bill")["calls"] == {"bridge": 1}
    assert look(server, "bill", **OTHER)["calls"] == {}
    assert anonymous(server, "bill").body["calls"] == {"bridge": 1}
    assert ask(server, "GET", "/_revdesk/bill?format=text").raw.startswith(b"1 call (1 bridge), ")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("requests?oparation=x", "did you mean 'operation'"),
        ("requests/count?status=abc", "such as 409"),
        ("requests.har?since=yesterday", "an instant such as"),
        ("audit?format=junti", "did you mean 'junit'"),
        ("coverage?fromat=text", "did you mean 'format'"),
        ("timeline?format=xml", "one of json, text"),
        ("bill?limit=3", "is no parameter here"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(server: Server, path: str, told: str) -> None:
    reply = ask(server, "GET", f"/_revdesk/{path}")
    assert (reply.status, reply.body["error"]["code"]) == (400, "validation_error")
    assert told in reply.body["error"]["message"]


def test_the_page_has_every_route_filter_and_finding() -> None:
    emulator = Emulator(Settings(), SPEC)
    admin = Desk(emulator, Recordings(Recorder(), render), Guard(emulator.settings))
    for route in JournalAdmin(emulator, admin).routes():
        assert f"`GET {route.path}`" in PAGE
    for name in (*FILTERS, *RULES):
        assert f"| `{name}` |" in PAGE
