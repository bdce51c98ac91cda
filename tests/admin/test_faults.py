"""The admin API of faults over the wire: rules with their counters, recipes, and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.admin.desk import Desk
from revdesk_mock.admin.faults import FaultAdmin
from revdesk_mock.admin.guard import Guard
from revdesk_mock.faults.recipes import RECIPES
from revdesk_mock.recordings import Recordings
from revdesk_mock.rtc.mixdown import render
from revdesk_mock.rtc.recorder import Recorder
from revdesk_mock.server import Server
from tests.conftest import KEY, SPEC
from tests.test_app import Reply
from tests.test_app import ask as ask_plainly

FAULTS = "/_revdesk/faults"
RULE = {"on": "GET /v1/me", "do": {"status": 503}}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="test", clock="frozen"), SPEC)) as running:
        yield running


def ask(server: Server, method: str, path: str, body: Any = None, key: str = KEY) -> Reply:
    return ask_plainly(server, method, path, body, Authorization=f"Bearer {key}")


def test_a_rule_is_added_seen_at_work_and_removed(server: Server) -> None:
    added = ask(server, "POST", FAULTS, RULE)
    assert (added.status, added.body) == (
        201,
        {"id": "fault_1", "rule": RULE, "matched": 0, "fired": 0, "spent": False},
    )
    assert [ask(server, "GET", "/v1/me").status for _ in range(2)] == [503, 200]
    assert ask(server, "GET", FAULTS).body == [{**added.body, "matched": 2, "fired": 1, "spent": True}]
    assert [ask(server, "DELETE", f"{FAULTS}/fault_1").status for _ in range(2)] == [204, 404]
    assert ask(server, "GET", FAULTS).body == []


def test_all_rules_are_removed_at_once(server: Server) -> None:
    for _ in range(2):
        ask(server, "POST", FAULTS, RULE)
    assert ask(server, "DELETE", FAULTS).status == 204
    assert ask(server, "GET", "/v1/me").status == 200


def test_a_rule_is_of_one_world(server: Server) -> None:
    ask(server, "POST", FAULTS, RULE)
    assert ask(server, "GET", FAULTS, key="revdesk_another").body == []
    assert ask(server, "GET", "/v1/me", key="revdesk_another").status == 200
    [mine, _] = server.emulator.worlds()
    assert len(ask(server, "GET", f"{FAULTS}?world={mine.id}", key="revdesk_another").body) == 1


@pytest.mark.parametrize(
    ("rule", "field", "words"),
    [
        ({"on": "GET /v1/you", "do": "reset"}, "on", "leads to no operation"),
        ({"do": "rest"}, "do", "did you mean 'reset'?"),
        ({"do": "reset", "phase": "body"}, "phase", "makes no sense in body"),
        ({"what": "reset"}, "body", "has no 'what'"),
        ({}, "do", "it is missing"),
        ([RULE], "body", "must be a JSON object"),
    ],
)
def test_a_rule_that_can_never_do_anything_is_refused(server: Server, rule: Any, field: str, words: str) -> None:
    reply = ask(server, "POST", FAULTS, rule)
    assert (reply.status, reply.body["error"]["code"]) == (400, "validation_error")
    assert words in reply.body["error"]["fields"][field]
    assert ask(server, "GET", FAULTS).body == []


def test_recipes_are_listed_and_put_into_a_world(server: Server) -> None:
    listed = ask(server, "GET", "/_revdesk/recipes").body
    assert [recipe["name"] for recipe in listed] == list(RECIPES)
    for recipe in listed:
        added = ask(server, "POST", f"/_revdesk/recipes/{recipe['name']}")
        assert (added.status, [row["rule"] for row in added.body]) == (201, recipe["rules"])
    assert len(ask(server, "GET", FAULTS).body) == sum(len(recipe["rules"]) for recipe in listed)


def test_a_recipe_that_there_is_not_is_not_found(server: Server) -> None:
    assert ask(server, "POST", "/_revdesk/recipes/quiet-monday").status == 404


def test_every_route_is_documented() -> None:
    admin = Desk(Emulator(), Recordings(Recorder(), render), Guard(Settings()))
    page = (Path(__file__).parent.parent.parent / "docs/faults.md").read_text()
    for route in FaultAdmin(admin).routes():
        for method in (route.methods or set()) - {"HEAD"}:
            assert f"`{method} {route.path}`" in page
