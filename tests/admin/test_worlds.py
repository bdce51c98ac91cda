"""The admin API of worlds over the wire: opening, listing and forgetting them, their time and their policies."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import Emulator, Settings
from revdesk_mock.json_body import MAX_BYTES
from revdesk_mock.opening import FIELDS
from revdesk_mock.server import Server
from revdesk_mock.simulation.credentials import READING, SCOPES
from tests.conftest import KEY, MAIN, ORDINARY, SPEC
from tests.test_app import Reply, ask

WORLDS = "/_revdesk/worlds"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="worlds", clock="frozen", rate_limit="off"), SPEC)) as running:
        yield running
    assert running.emulator.pipeline.breaches == []


def opened(server: Server, order: Any = None) -> Any:
    reply = ask(server, "POST", WORLDS, order)
    assert reply.status == 201, reply.raw
    return reply.body


def as_key(world: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {world['key']}"}


def test_a_world_is_opened_with_a_key_of_its_own(server: Server) -> None:
    world = opened(server)
    assert ask(server, "GET", "/v1/me", **as_key(world)).status == 200
    shown = ask(server, "GET", f"{WORLDS}/{world['id']}").body
    assert shown == {**{name: value for name, value in world.items() if name != "key"}, "requests": 1}
    assert (shown["now"], shown["frozen"], shown["owner"]) == ("2026-01-05T09:00:00.000Z", True, "organization")
    assert (shown["scopes"], shown["is_demo"], shown["breaches"]) == (sorted(SCOPES), False, [])
    assert shown["records"]["phone_numbers"] == 2
    assert "policies_read" not in shown


def test_a_world_is_opened_as_it_is_ordered(server: Server) -> None:
    order = {
        "data": "empty",
        "seed": 7,
        "clock": "2026-03-01T00:00:00Z",
        "policy": {"wrong_method_status": 404},
        "scopes": ["calls:read"],
        "demo": True,
    }
    world = opened(server, order)
    assert world["key"].startswith("revdesk_demo_")
    assert (world["now"], world["scopes"], world["is_demo"]) == ("2026-03-01T00:00:00.000Z", ["calls:read"], True)
    assert "phone_numbers" not in world["records"]
    assert ask(server, "PATCH", "/v1/me", **as_key(world)).status == 404
    assert ask(server, "GET", "/v1/agents", **as_key(world)).status == 403


def test_a_world_starts_from_a_dump_that_is_sent(server: Server) -> None:
    world = server.emulator.world("revdesk_dumped")
    dumped = opened(server, {"data": json.loads(json.dumps(world.dump())), "key": "revdesk_from_a_dump"})
    assert dumped["records"] == world.store.sizes()
    assert ask(server, "GET", "/v1/me", Authorization="Bearer revdesk_from_a_dump").status == 200


def test_a_world_may_be_larger_than_a_request_of_the_api(server: Server) -> None:
    dump = json.dumps({"data": server.emulator.world("revdesk_large").dump()}).encode()
    assert ask(server, "POST", WORLDS, dump + b" " * 2 * MAX_BYTES).status == 201


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"key": KEY, "kind": "user"}, "key"),
        ({"key": "revdesk_revoked_key"}, "key"),
        ({"kind": "person"}, "kind"),
        ({"demo": "yes"}, "demo"),
        ({"scopes": ["calls:raed"]}, "scopes"),
        ({"data": "defualt"}, "data"),
        ({"data": {"format": 1, "records": {"calls": [{"id": 1}]}}}, "data"),
        ({"seed": 1.5}, "seed"),
        ({"clock": "soon"}, "clock"),
        ({"clock": []}, "clock"),
        ({"faults": ["lost-repyl"]}, "faults"),
        ({"policy": {"foreign_id_staus": "403"}}, "policy"),
        ({"policy": {"foreign_id_status": "418"}}, "policy"),
        ({"sead": 1}, "body"),
        ([], "body"),
    ],
    ids=str,
)
def test_an_order_that_makes_no_sense_is_refused_by_field_and_opens_nothing(
    server: Server, order: Any, field: str
) -> None:
    before = len(server.emulator.worlds())
    reply = ask(server, "POST", WORLDS, order)
    assert (reply.status, reply.body["error"]["code"]) == (400, "validation_error")
    assert reply.body["error"]["fields"].keys() == {field}
    assert len(server.emulator.worlds()) == before


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(FIELDS), anything, min_size=1, max_size=3))
def test_whatever_is_ordered_is_opened_or_refused(server: Server, order: Any) -> None:
    reply = ask(server, "POST", WORLDS, order)
    assert reply.status in {201, 400}
    if reply.status == 201:
        assert ask(server, "DELETE", f"{WORLDS}/{reply.body['id']}").status == 204


def test_a_key_has_one_world_until_that_is_forgotten(server: Server) -> None:
    order = {"key": "revdesk_once"}
    world = opened(server, order)
    ask(server, "POST", "/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY}, **as_key(world))
    assert ask(server, "POST", WORLDS, order).body["error"]["fields"].keys() == {"key"}
    one = f"{WORLDS}/{world['id']}"
    assert [ask(server, "DELETE", one).status, ask(server, "DELETE", one).status] == [204, 404]
    assert ask(server, "GET", one).status == 404
    assert opened(server, order)["records"] == world["records"]


def test_a_world_tells_which_of_its_faults_have_hit_nothing(server: Server) -> None:
    order = {"faults": [{"method": "GET", "do": {"status": 503}}, {"method": "DELETE", "do": {"status": 503}}]}
    world = opened(server, order)
    assert [fault["rule"]["method"] for fault in world["unused_faults"]] == ["GET", "DELETE"]
    assert ask(server, "GET", "/v1/me", **as_key(world)).status == 503
    [unused] = ask(server, "GET", f"{WORLDS}/{world['id']}").body["unused_faults"]
    assert unused["rule"]["method"] == "DELETE"


def test_every_world_is_listed(server: Server) -> None:
    world = opened(server)
    listed = ask(server, "GET", WORLDS).body
    assert [one["id"] for one in listed] == [one.id for one in server.emulator.worlds()]
    assert world["id"] in {one["id"] for one in listed}
    assert all("key" not in one for one in listed)


def test_a_key_for_reading_has_the_scopes_that_its_text_says(server: Server) -> None:
    assert opened(server, {"key": "revdesk_readonly_one"})["scopes"] == sorted(READING)


def test_a_world_tells_which_policies_were_read_where_that_was_ordered(server: Server) -> None:
    world = opened(server, {"watch_policies": True})
    one = f"{WORLDS}/{world['id']}"
    before = set(ask(server, "GET", one).body["policies_read"])
    ask(server, "GET", f"/_revdesk/policies?world={world['id']}")
    assert set(ask(server, "GET", one).body["policies_read"]) == before
    ask(server, "PATCH", f"/_revdesk/policies?world={world['id']}", {"wrong_method_status": "404"})
    assert ask(server, "PATCH", "/v1/me", **as_key(world)).status == 404
    assert "wrong_method_status" in ask(server, "GET", one).body["policies_read"]


def policies(reply: Reply) -> dict[str, str]:
    assert reply.status == 200, reply.raw
    return {policy["name"]: policy["value"] for policy in reply.body}


def test_policies_are_set_for_one_world(server: Server) -> None:
    world = opened(server)
    before = policies(ask(server, "GET", "/_revdesk/policies", **as_key(world)))
    changed = policies(ask(server, "PATCH", f"/_revdesk/policies?world={world['id']}", {"talk_seconds": 5}))
    assert changed == {**before, "talk_seconds": "5"}
    assert policies(ask(server, "GET", f"/_revdesk/policies?world={world['id']}")) == changed
    assert policies(ask(server, "GET", "/_revdesk/policies", **as_key(opened(server)))) == before


def test_policies_are_set_all_or_none(server: Server) -> None:
    world = opened(server)
    order = {"talk_seconds": 5, "spend_cap_staus": "402"}
    reply = ask(server, "PATCH", "/_revdesk/policies", order, **as_key(world))
    assert (reply.status, "did you mean 'spend_cap_status'?" in reply.body["error"]["message"]) == (400, True)
    assert policies(ask(server, "GET", "/_revdesk/policies", **as_key(world)))["talk_seconds"] == "30"


def test_time_moves_to_the_next_event_until_there_is_none(server: Server) -> None:
    world = opened(server)
    call = {"from_number": MAIN, "to_number": "+13125550102"}
    ask(server, "POST", "/v1/calls/dial", call, **as_key(world))
    clock = f"/_revdesk/clock?world={world['id']}"
    seen = [ask(server, "POST", clock, {"to_next_event": True}) for _ in range(3)]
    assert [reply.body.get("now") for reply in seen[:2]] == ["2026-01-05T09:00:01.000Z", "2026-01-05T09:00:02.000Z"]
    assert seen[1].body["next_event"] is None
    assert (seen[2].status, seen[2].body["error"]["code"]) == (409, "conflict")
    assert ask(server, "POST", clock, {"to_next_event": False}).status == 400


def test_a_world_that_there_is_not_is_404(server: Server) -> None:
    for path in ("clock", "policies"):
        assert ask(server, "GET", f"/_revdesk/{path}?world=nope").status == 404
