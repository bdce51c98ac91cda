"""A world as a test holds it: each part asks the admin API for what it says."""

from datetime import UTC, datetime, timedelta

import pytest

from revdesk_mock.testing.admin_client import AdminError
from revdesk_mock.testing.handle import RevDesk
from tests.conftest import MAIN, ORDINARY

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def dial(world: RevDesk) -> str:
    answer = world.client.post("/v1/calls/dial", json={"from_number": MAIN, "to_number": ORDINARY})
    return str(answer.json()["data"]["call_id"])


def test_the_clock_is_read_and_moved(world: RevDesk) -> None:
    assert (world.clock.now, world.clock.next_event) == (START, None)
    assert world.clock.advance(1.5) == START + timedelta(seconds=1.5)
    assert world.clock.advance(timedelta(minutes=1)) == START + timedelta(seconds=61.5)
    assert world.clock.set(START + timedelta(days=1)) == START + timedelta(days=1)
    assert world.clock.set("2026-02-01T00:00:00Z") == datetime(2026, 2, 1, tzinfo=UTC)
    standing = [world.clock.frozen]
    for turn in (world.clock.run, world.clock.freeze):
        turn()
        standing.append(world.clock.frozen)
    assert standing == [True, False, True]


def test_the_clock_goes_from_event_to_event(world: RevDesk) -> None:
    dial(world)
    assert world.clock.next_event == START + timedelta(seconds=1)
    went = [world.clock.to_next_event() - START for _ in ("ringing", "answered", "ended")]
    assert went == [timedelta(seconds=1), timedelta(seconds=4), timedelta(seconds=34)]
    with pytest.raises(AdminError, match="409"):
        world.clock.to_next_event()


def test_calls_are_driven_by_hand(world: RevDesk) -> None:
    call = dial(world)
    world.calls.ring(call)
    assert world.calls.get(call)["status"] == "ringing"
    world.calls.answer(call)
    world.calls.digits(call, "12#")
    world.calls.hang_up(call)
    assert world.calls.get(call)["status"] == "completed"
    for step, status in (("busy", "busy"), ("no_answer", "no_answer"), ("decline", "declined")):
        call = dial(world)
        world.calls.ring(call)
        getattr(world.calls, step)(call)
        assert world.calls.get(call)["status"] == status
    with pytest.raises(AdminError):
        world.calls.answer("call_nobody")


def test_records_are_read_and_changed_behind_the_api(world: RevDesk) -> None:
    number = world.numbers.list()[0]
    assert world.numbers.get(number["id"]) == number
    assert world.numbers.patch(number["id"], name="Hall")["name"] == "Hall"
    assert world.state["phone_numbers"].get(number["id"])["name"] == "Hall"
    with pytest.raises(AdminError):
        world.numbers.patch(number["id"], phone_number=1)


def test_a_world_is_kept_restored_forked_and_reset(world: RevDesk) -> None:
    empty = world.snapshot("as it was")
    dump = world.state.dump()
    dial(world)
    fork = world.fork()
    early = empty.fork()
    assert [len(one.calls.list()) for one in (world, fork, early)] == [4, 4, 3]
    assert len({world.key, fork.key, early.key}) == 3
    empty.restore()
    assert len(world.calls.list()) == 3
    dial(world)
    world.state.restore(dump)
    assert len(world.calls.list()) == 3
    dial(world)
    world.reset()
    assert (len(world.calls.list()), world.journal.count()) == (3, 0)
    empty.delete()
    with pytest.raises(AdminError):
        empty.restore()


def test_requests_are_found_counted_and_explained(world: RevDesk) -> None:
    dial(world)
    refused = world.client.post("/v1/calls/dial", json={"to_number": ORDINARY})
    [entry] = world.journal.requests(operation="v1_calls_dial_post", status=400)
    assert world.journal.explain(entry["request_id"])["code"] == "validation_error" == refused.json()["error"]["code"]
    assert world.journal.count(method="POST") == 2
    assert world.journal.count(body={"from_number": MAIN}) == 1
    [miss] = world.journal.near_misses(operation="v1_calls_dial_post", status=402, limit=1)
    assert miss["of"] == 2
    assert len(world.journal.har()["log"]["entries"]) == 2
    assert "v1/calls/dial" in world.timeline.text()
    assert "request" in {event["kind"] for event in world.timeline.events()}
    world.journal.clear()
    assert world.journal.count() == 0


def test_faults_are_put_in_and_taken_out(world: RevDesk) -> None:
    row = world.faults.add("GET /v1/me", do={"status": 503}, first=1)
    assert world.client.get("/v1/me").status_code == 503
    assert world.faults.rows()[0]["fired"] == 1
    world.faults.remove(row["id"])
    assert world.faults.rows() == []
    world.faults.recipe("429-storm")
    assert world.client.get("/v1/me").status_code == 429
    world.reset("faults")
    assert world.faults.rows() == []
    for wrong in (lambda: world.faults.add("GET /v1/me", do="resett"), lambda: world.faults.recipe("429 storm")):
        with pytest.raises(AdminError):
            wrong()
    world.faults.recipe("429-storm")
    world.faults.clear()
    assert world.client.get("/v1/me").is_success


def test_the_audit_finds_and_asserts(world: RevDesk) -> None:
    world.audit.clean()
    world.client.post("/v1/sub-entities", json={"name": "New", "nmae": 1})
    assert [finding["code"] for finding in world.audit.findings()] == ["unread_field"]
    assert "<testsuite" in world.audit.report("junit")
    with pytest.raises(AssertionError, match="nmae"):
        world.audit.clean()


def test_policies_are_settled(world: RevDesk) -> None:
    world.policies.set(foreign_id_status="403", daily_spend_cap_cents=None)
    values = {row["name"]: row["value"] for row in world.policies.list()}
    assert (values["foreign_id_status"], values["daily_spend_cap_cents"]) == ("403", "off")
    with pytest.raises(AdminError):
        world.policies.set(foreign_id_status="402")


def test_the_bill_and_the_coverage_are_those_of_the_world(world: RevDesk) -> None:
    dial(world)
    world.clock.advance(120)
    assert (world.bill["minutes"], sum(world.bill["calls"].values())) == (1, 1)
    assert world.coverage()["operations"]["hit"] == 1


def test_rooms_are_listed(world: RevDesk) -> None:
    assert world.rooms.list() == []
    with pytest.raises(AdminError):
        world.rooms.get("nowhere")
    with pytest.raises(AdminError):
        world.rooms.say("nowhere", "Hello.")
    with pytest.raises(AdminError):
        world.rooms.agent("nowhere", "tone", hz=440)


def test_it_does_not_show_its_key(world: RevDesk) -> None:
    assert repr(world) == f"<world {world.id} at {world.url}>"


def test_it_is_closed_once_and_takes_its_forks_along(world: RevDesk) -> None:
    fork = world.fork()
    fork.client.get("/v1/me")
    fork.close()
    fork.close()
    with pytest.raises(AdminError, match="404"):
        fork.about()
