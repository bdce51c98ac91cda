"""A world can be forked, restored, reset, settled otherwise and forgotten, and tells what happens in it."""

import asyncio
from typing import Any

import pytest

from revdesk_mock import Emulator, Policies, opening
from revdesk_mock.clock import iso, wall
from revdesk_mock.settings import WatchedPolicies
from revdesk_mock.timeline import CLOCK, RECORD, REQUEST, Event
from tests.conftest import KEY, MAIN, ORDINARY, Client

DIAL = {"from_number": MAIN, "to_number": ORDINARY}


def records_of(client: Client) -> Any:
    return client.world.dump()["records"]


def told(client: Client, kind: str) -> list[str]:
    return [event.says for event in client.world.timeline.events() if event.kind == kind]


# forks


def test_a_fork_begins_as_its_original_is_and_goes_its_own_way(emulator: Emulator, client: Client) -> None:
    client.post("/v1/calls/dial", DIAL)
    client.advance(2)
    world, key = emulator.fork(client.world)
    fork = Client(emulator, key)
    assert fork.world is world
    assert records_of(fork) == records_of(client)
    assert world.clock.now() == client.world.clock.now()
    before = records_of(client)
    fork.advance(60)
    fork.post("/v1/phone-numbers", {})
    assert records_of(client) == before
    assert fork.get("/v1/calls?limit=1").data[0]["status"] == "COMPLETED"


def test_forks_of_a_fork_draw_ids_of_their_own(emulator: Emulator, client: Client) -> None:
    _, one = emulator.fork(client.world)
    _, two = emulator.fork(client.world)
    _, three = emulator.fork(emulator.world(one))
    ids = [Client(emulator, key).post("/v1/calls/dial", DIAL).data["call_id"] for key in (KEY, one, two, three)]
    assert len(set(ids)) == 4


def test_a_fork_has_the_policies_and_the_kind_of_its_original(emulator: Emulator) -> None:
    client = Client(emulator, "revdesk_demo_1")
    client.world.settle(Policies(foreign_id_status="403"))
    world, key = emulator.fork(client.world)
    assert world.key.is_demo
    assert key.startswith("revdesk_demo_")
    assert Client(emulator, key).get("/v1/calls/none").status == 403


def test_a_fork_notes_for_itself_which_policies_are_read(emulator: Emulator) -> None:
    original = emulator.open(opening.read({"watch_policies": True}, emulator.settings))
    fork, key = emulator.fork(original)
    Client(emulator, key).get("/v1/calls/none")
    assert isinstance(original.policies, WatchedPolicies)
    assert isinstance(fork.policies, WatchedPolicies)
    assert "foreign_id_status" in fork.policies.read
    assert "foreign_id_status" not in original.policies.read


def test_minted_keys_stay_with_the_original(emulator: Emulator, client: Client) -> None:
    client.with_key()
    world, _ = emulator.fork(client.world)
    assert list(world.keys) == [world.key.id]


# restoring


def test_a_world_becomes_what_it_was(client: Client) -> None:
    client.post("/v1/calls/dial", DIAL)
    client.advance(2)
    taken, at = client.world.dump(), client.world.clock.now()
    first = client.post("/v1/calls/dial", DIAL).data["call_id"]
    client.advance(100)
    client.world.restore(taken)
    assert client.world.dump() == taken
    assert client.world.clock.now() == at
    assert client.post("/v1/calls/dial", DIAL).data["call_id"] == first, "dice are part of it"


def test_what_was_to_happen_happens_once_after_a_restore(client: Client) -> None:
    client.post("/v1/calls/dial", DIAL)
    taken = client.world.dump()
    client.advance(2)
    client.world.restore(taken)
    client.advance(600)
    assert client.get("/v1/calls?limit=1").data[0]["duration_seconds"] == 30
    assert client.world.clock.next_due() is None
    assert client.world.guardrails.channels_in_use() == 0


def test_kept_answers_and_rate_windows_do_not_outlive_a_restore(client: Client) -> None:
    taken = client.world.dump()
    client.post("/v1/calls/dial", DIAL, idempotency_key="k")
    spent = client.get("/v1/me").headers["x-ratelimit-remaining"]
    client.world.restore(taken)
    again = client.post("/v1/calls/dial", DIAL, idempotency_key="k")
    assert "idempotency-replay" not in again.headers
    assert int(again.headers["x-ratelimit-remaining"]) > int(spent)


def test_a_dump_that_is_none_changes_nothing(client: Client) -> None:
    client.post("/v1/calls/dial", DIAL)
    before, due = client.world.dump(), client.world.clock.next_due()
    broken = {**before, "records": {**before["records"], "phone_numbers": [{"id": "1"}]}}
    with pytest.raises(KeyError):
        client.world.restore(broken)
    assert client.world.dump() == before
    assert client.world.clock.next_due() == due
    assert told(client, RECORD)[-1].endswith("created: queued")


def test_running_time_never_goes_back_behind_the_wall(client: Client) -> None:
    taken = client.world.dump()
    client.world.run()
    client.world.set_time(wall() + 86_400_000)
    client.world.restore(taken)
    assert abs(client.world.clock.now() - wall()) < 10_000


def test_a_reset_world_is_as_it_was_opened(client: Client) -> None:
    opened = client.world.dump()
    client.post("/v1/calls/dial", DIAL)
    client.world.settle(Policies(foreign_id_status="403"))
    client.world.run()
    client.world.reset()
    assert client.world.dump() == opened
    assert client.world.journal.entries() == []
    assert client.world.timeline.events() == []
    assert client.get("/v1/calls/none").status == 404


# policies that change


@pytest.mark.parametrize(("policy", "choice"), [("unverified_caller_id_status", "403"), ("destination_status", "422")])
def test_policies_change_while_a_world_lives(client: Client, policy: str, choice: str) -> None:
    stranger = {"from_number": "+15005550006", "to_number": ORDINARY}
    asked = stranger if policy.startswith("unverified") else {**DIAL, "to_number": "+13125550190"}
    usual = client.post("/v1/calls/dial", asked).status
    client.world.settle(client.world.policies.changed({policy: choice}))
    assert (usual, client.post("/v1/calls/dial", asked).status) == (422 if asked is stranger else 403, int(choice))


def test_a_call_talks_as_long_as_the_policy_says_now(client: Client) -> None:
    client.world.settle(client.world.policies.changed({"talk_seconds": 5}))
    client.post("/v1/calls/dial", DIAL)
    client.advance(100)
    assert client.get("/v1/calls?limit=1").data[0]["duration_seconds"] == 5


def test_a_rate_window_moves_as_the_policy_says_now(client: Client) -> None:
    client.get("/v1/me")
    client.world.settle(client.world.policies.changed({"rate_limit_window": "sliding"}))
    assert client.get("/v1/me").headers["x-ratelimit-remaining"] == "599"


# worlds that end


def test_a_forgotten_world_lets_go_of_its_keys(emulator: Emulator, client: Client) -> None:
    other = client.with_key()
    world = client.world
    emulator.discard(world)
    assert emulator.worlds() == []
    assert emulator.find_world(world.id) is None
    assert other.get("/v1/me").status == 200, "a key that nobody knows opens a world"
    assert client.world is not world


def test_who_waits_in_a_forgotten_world_waits_no_longer(emulator: Emulator, client: Client) -> None:
    async def wait() -> int:
        control = '{"delay_ms": 60000}'
        waiting = asyncio.ensure_future(client.send("GET", "/v1/me", x_revdesk_mock=control))
        await asyncio.wait([waiting], timeout=0)
        emulator.discard(client.world)
        return (await waiting).status

    assert asyncio.run(wait()) == 200


# what is told


def test_a_timeline_tells_requests_records_and_moves_of_the_clock_in_order(client: Client) -> None:
    client.post("/v1/calls/dial", DIAL)
    client.advance(1)
    call = client.world.store.all("calls")[-1]["id"]
    said = [(event.kind, event.says) for event in client.world.timeline.events()]
    assert said == [
        (RECORD, f"calls {call} created: queued"),
        (REQUEST, "POST /v1/calls/dial 200"),
        (CLOCK, f"time is {iso(client.world.clock.now())}"),
        (RECORD, f"calls {call} changed: ringing"),
    ]


def test_a_refusal_is_told_with_its_code(client: Client) -> None:
    client.get("/v1/calls/none")
    (event,) = client.world.timeline.events()
    assert event.says == "GET /v1/calls/none 404 not_found: No call with the id 'none'."
    assert event.detail["status"] == 404


def test_a_replay_is_told_as_one(client: Client) -> None:
    for _ in range(2):
        client.post("/v1/calls/dial", DIAL, idempotency_key="k")
    assert told(client, REQUEST) == ["POST /v1/calls/dial 200", "POST /v1/calls/dial 200 (replay)"]


def test_an_emulator_tells_of_every_world_and_of_who_came_into_none(emulator: Emulator) -> None:
    events: list[Event] = []
    stop = emulator.on_event(events.append)
    Client(emulator, "revdesk_one").get("/v1/me")
    Client(emulator, "revdesk_revoked").get("/v1/me")
    stop()
    Client(emulator, "revdesk_two").get("/v1/me")
    assert [(event.world != "", event.says.partition(":")[0]) for event in events] == [
        (True, "GET /v1/me 200"),
        (False, "GET /v1/me 401 unauthorized"),
    ]


def test_time_goes_to_the_next_event(client: Client) -> None:
    assert not client.world.advance_to_next_event()
    client.post("/v1/calls/dial", DIAL)
    statuses = []
    while client.world.advance_to_next_event():
        statuses.append(client.world.store.all("calls")[-1]["status"])
    assert statuses == ["ringing", "in_progress", "completed"]
