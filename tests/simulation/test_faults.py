"""The rules of a world: their order, their counters, what nobody used, and what a reset brings back."""

from typing import Any

import pytest

from revdesk_mock import Emulator, Settings, StartError, opening
from tests.conftest import MAIN, ORDINARY, SPEC, Client

DIAL = "POST /v1/calls/dial"
ALWAYS = {"do": {"status": 503}, "every": 1}


def statuses(client: Client, count: int, target: str = "/v1/me") -> list[int]:
    return [client.get(target).status for _ in range(count)]


def counters(client: Client) -> list[tuple[int, int, bool]]:
    return [(row["matched"], row["fired"], row["spent"]) for row in client.world.faults.rows()]


@pytest.mark.parametrize(
    ("when", "answers", "row"),
    [
        ({}, [503, 200, 200, 200], (4, 1, True)),
        ({"first": 2}, [503, 503, 200, 200], (4, 2, True)),
        ({"nth": 3}, [200, 200, 503, 200], (4, 1, True)),
        ({"nth": 5}, [200, 200, 200, 200], (4, 0, False)),
        ({"every": 2}, [200, 503, 200, 503], (4, 2, False)),
    ],
    ids=str,
)
def test_a_rule_counts_what_it_means_and_hits_what_it_says(client: Client, when: Any, answers: Any, row: Any) -> None:
    client.world.faults.add([{"on": "GET /v1/me", "do": {"status": 503}, **when}])
    client.get("/v1/calls")
    assert statuses(client, 4) == answers
    assert counters(client) == [row]


def test_rules_are_told_as_they_were_written(client: Client) -> None:
    rule = {"on": DIAL, "do": "reset"}
    ids = client.world.faults.add([rule, "lost-reply"])
    assert ids == ["fault_1", "fault_2"]
    first, second = client.world.faults.rows()
    assert first == {"id": "fault_1", "rule": rule, "matched": 0, "fired": 0, "spent": False}
    assert second["rule"] == {"method": "POST", "do": "reset", "phase": "after_commit"}


def test_of_a_list_with_a_bad_rule_none_is_added(client: Client) -> None:
    with pytest.raises(StartError, match=r"^2: do"):
        client.world.faults.add([ALWAYS, {"do": "rest"}])
    assert client.world.faults.rows() == []
    assert client.get("/v1/me").status == 200
    assert client.world.faults.add([ALWAYS]) == ["fault_1"]


def test_the_first_rule_that_ends_a_request_is_the_last_that_is_asked(client: Client) -> None:
    client.world.faults.add([{"do": {"status": 500}, "nth": 2}, ALWAYS])
    assert statuses(client, 3) == [503, 500, 503]
    assert counters(client) == [(3, 1, True), (2, 2, False)]


def test_a_wait_goes_on_to_the_next_rule(client: Client) -> None:
    client.world.faults.add([{"do": {"delay_ms": 0}, "every": 1}, {"do": {"delay_ms": 0}}, ALWAYS])
    assert client.get("/v1/me").status == 503
    [entry] = client.world.journal.entries()
    assert entry.fault == "before_commit: delay_ms 0; before_commit: delay_ms 0; before_commit: status 503"


def test_a_request_that_does_not_come_as_far_is_not_counted(client: Client) -> None:
    client.world.faults.add([{"on": DIAL, "do": "reset", "phase": "after_commit"}])
    assert client.post("/v1/calls/dial", {}).status == 400
    assert client.post("/v1/calls/dial", {"from_number": MAIN, "to_number": "+13125550190"}).status == 403
    assert counters(client) == [(0, 0, False)]
    client.post("/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY})
    assert counters(client) == [(1, 1, True)]


def test_rules_are_removed_one_or_all(client: Client) -> None:
    faults = client.world.faults
    one, two, _ = faults.add([ALWAYS, {"do": "reset"}, {"do": "empty"}])
    assert faults.remove(two)
    assert not faults.remove(two)
    assert [row["id"] for row in faults.rows()] == [one, "fault_3"]
    faults.clear()
    assert (faults.rows(), bool(faults)) == ([], False)
    assert client.get("/v1/me").status == 200
    assert faults.add([ALWAYS]) == ["fault_4"], "no id means two rules"


def test_what_hit_nothing_is_told_but_for_chance(client: Client) -> None:
    client.world.faults.add([ALWAYS, {"on": DIAL, "do": "reset"}, {"do": "empty", "probability": 0.5}, "lost-reply"])
    client.get("/v1/me")
    assert [row["id"] for row in client.world.faults.unused()] == ["fault_2", "fault_4"]


def test_a_world_starts_with_the_faults_of_the_emulator_and_its_own() -> None:
    settings = Settings(seed="test", clock="frozen", faults=({"do": "reset", "nth": 99}, "lost-reply"))
    emulator = Emulator(settings, SPEC)
    world = emulator.open(opening.read({"key": "revdesk_one", "faults": [{"do": "empty", "nth": 99}]}, settings))
    assert [row["rule"]["do"] for row in world.faults.rows()] == ["reset", "reset", "empty"]
    assert [row["rule"]["do"] for row in world.faults.unused()] == ["empty"], "the emulator's are for all, used or not"
    assert len(Client(emulator, "revdesk_two").world.faults.rows()) == 2
    fork, _ = emulator.fork(world)
    assert len(fork.faults.rows()) == 2


def test_a_reset_brings_back_the_faults_that_a_world_was_opened_with() -> None:
    settings = Settings(seed="test", clock="frozen", faults=({"do": {"status": 500}},))
    emulator = Emulator(settings, SPEC)
    emulator.open(opening.read({"key": "revdesk_one", "faults": [{"do": {"status": 503}}]}, settings))
    client = Client(emulator, "revdesk_one")
    before = client.world.faults.rows()
    assert statuses(client, 3) == [500, 503, 200]
    client.world.faults.add([ALWAYS])
    client.world.reset()
    assert client.world.faults.rows() == before
    assert statuses(client, 3) == [500, 503, 200]
    client.world.faults.clear()
    client.world.reset()
    assert client.world.faults.rows() == before


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ([{"do": "rest"}], r"^faults: do: there is no 'rest'"),
        (["lost-reply", {"do": "reset", "nth": 0}], r"^faults: 2: nth"),
        ("lost-reply", r"^faults: it takes a list"),
        ({"do": "reset"}, r"^faults: it takes a list"),
    ],
)
def test_a_world_with_a_bad_fault_is_not_opened(emulator: Emulator, faults: Any, words: str) -> None:
    with pytest.raises(StartError, match=words):
        emulator.open(opening.read({"faults": faults}, emulator.settings))
    assert emulator.worlds() == []


def test_an_emulator_with_a_bad_fault_does_not_start() -> None:
    with pytest.raises(StartError, match=r"^faults: on: POST /v1/call leads to no operation"):
        Emulator(Settings(faults=({"on": "POST /v1/call", "do": "reset"},)), SPEC)


def hit(seed: str, *others: Any) -> list[int]:
    client = Client(Emulator(Settings(seed=seed, clock="frozen", rate_limit="off"), SPEC))
    client.world.faults.add([{"on": "GET /v1/me", "do": {"status": 503}, "probability": 0.3}, *others])
    return statuses(client, 60)


def test_chance_follows_from_the_seed_whatever_else_is_ordered() -> None:
    assert hit("7") == hit("7") == hit("7", {"on": "GET /v1/me", "do": {"delay_ms": {"uniform": [0, 0]}}, "every": 1})
    assert 503 in hit("7")
    assert hit("7") != hit("8")


def test_dice_of_faults_move_no_id(emulator: Emulator) -> None:
    def bought(client: Client) -> bytes:
        return client.post("/v1/phone-numbers", {}).raw

    peaceful = bought(Client(Emulator(emulator.settings, SPEC)))
    client = Client(emulator)
    client.world.faults.add([{"do": {"status": 503}, "probability": 1e-9}, {"do": {"delay_ms": {"uniform": [0, 0]}}}])
    assert bought(client) == peaceful


def storm_headers(answer: Any) -> dict[str, str]:
    return {name: answer.headers[name] for name in ("retry-after", "x-ratelimit-remaining", "x-ratelimit-reset")}


def test_a_storm_refuses_until_its_end_and_tells_when_that_is(client: Client) -> None:
    client.world.faults.add([{"on": "GET /v1/me", "do": {"rate_limit": {"seconds": 30}}, "nth": 2}])
    end = client.world.clock.now() + 30_000
    assert client.get("/v1/me").status == 200
    stormed = client.get("/v1/me")
    assert (stormed.status, stormed.code) == (429, "rate_limited")
    assert storm_headers(stormed) == {
        "retry-after": "30",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(end),
    }
    assert stormed.headers["ratelimit"] == '"default";r=0;t=30'
    client.advance(12.5)
    assert client.get("/v1/calls").status == 200, "the rule is about another operation"
    assert client.get("/v1/me").headers["retry-after"] == "18"
    assert counters(client) == [(3, 2, False)]
    client.advance(17.5)
    assert statuses(client, 2) == [200, 200]
    assert counters(client) == [(5, 2, True)]


def test_a_storm_takes_nothing_of_the_real_limit(client: Client) -> None:
    client.world.faults.add(["429-storm"])
    assert statuses(client, 3) == [429, 429, 429]
    client.advance(30)
    assert client.get("/v1/me").headers["x-ratelimit-remaining"] == "599"
