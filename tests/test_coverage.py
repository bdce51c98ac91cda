"""Coverage of the consumer: what a client met and never met, summed up beyond the journal and the worlds."""

from dataclasses import replace
from typing import Any

import pytest

from revdesk_mock import Emulator, coverage
from revdesk_mock.coverage import Cell, Coverage, Figure, Hit, cells, describe, figures, text
from revdesk_mock.journal import SIZE
from tests.conftest import MAIN, ORDINARY, SPEC, Client

DIAL = {"from_number": MAIN, "to_number": ORDINARY}
OPERATION = "v1_calls_dial_post"


def dial(client: Client, **changes: Any) -> int:
    return client.post("/v1/calls/dial", {**DIAL, **changes}, content_type="application/json").status


def row(client: Client) -> dict[tuple[int, str | None], Cell]:
    found = cells(client.world.coverage, SPEC.operations[OPERATION])
    return {(cell.status, cell.code): cell for cell in found}


def test_what_was_met_is_counted_by_operation_status_and_code(client: Client) -> None:
    assert [dial(client), dial(client), dial(client, to_number="12"), dial(client, from_number=ORDINARY)] == [
        200,
        200,
        400,
        422,
    ]
    met = {key: cell.hits for key, cell in row(client).items() if cell.hits}
    assert met == {(200, None): 2, (400, "validation_error"): 1, (422, "caller_id_not_verified"): 1}


def test_what_was_never_met_is_listed_by_the_codes_that_the_operation_may_answer(client: Client) -> None:
    dial(client)
    never = {key for key, cell in row(client).items() if not cell.hits}
    assert {
        (409, "idempotency_conflict"),
        (409, "carrier_rejected"),
        (429, "rate_limited"),
        (401, "unauthorized"),
    } <= never
    assert not {code for _, code in never} & coverage.ASTRAY
    listing = {cell.code for cell in cells(Coverage(), SPEC.operations["v1_calls_get"])}
    assert not listing & {"idempotency_conflict", "carrier_rejected"}


def test_what_the_contract_does_not_declare_is_counted_beside_it(client: Client) -> None:
    dial(client)
    [entry] = client.world.journal.entries()
    met = coverage.of([replace(entry, status=503, code="unavailable")])
    assert cells(met, SPEC.operations[OPERATION])[-1] == Cell(503, "unavailable", 1, declared=False)
    assert figures(met, SPEC)["statuses"].hit == 0


def test_a_lost_answer_was_not_met(client: Client) -> None:
    dial(client)
    [entry] = client.world.journal.entries()
    lost = coverage.of([replace(entry, fault="after_commit: reset")])
    assert figures(lost, SPEC)["operations"].hit == 1
    assert figures(lost, SPEC)["statuses"].hit == 0
    assert next(one for one in describe(lost, SPEC)["rows"] if one["operation"] == OPERATION)["lost"] == 1
    assert "met    lost x1" in text(lost, SPEC)


def test_the_figures_are_shares_of_what_the_contract_declares(client: Client) -> None:
    dial(client)
    dial(client, to_number="12")
    client.get("/v1/me")
    client.get("/v1/nowhere")
    found = figures(client.world.coverage, SPEC)
    declared = sum(len(operation.responses) for operation in SPEC.operations.values())
    assert found["operations"] == Figure(len(SPEC.operations), 2)
    assert found["statuses"] == Figure(declared, 3)
    assert found["codes"].hit == 3
    assert found["codes"].declared > declared
    assert describe(client.world.coverage, SPEC)["astray"] == 1


@pytest.mark.parametrize(("figure", "percent"), [((8, 8), 100.0), ((3, 2), 66.6), ((63, 0), 0.0), ((0, 0), 100.0)])
def test_a_share_is_never_rounded_up(figure: tuple[int, int], percent: float) -> None:
    assert Figure(*figure).percent == percent


def test_all_that_is_declared_can_be_met() -> None:
    every = {
        Hit(operation.id, cell.status, cell.code): 1
        for operation in SPEC.operations.values()
        for cell in cells(Coverage(), operation)
    }
    assert {figure.percent for figure in figures(Coverage(every), SPEC).values()} == {100.0}
    assert "never asked" not in text(Coverage(every), SPEC)


def test_it_outlives_the_journal_the_world_and_a_reset(emulator: Emulator, client: Client) -> None:
    for _ in range(SIZE + 5):
        client.emulator.world(client.key).journal.add(_entry_of(client))
    met = client.world.coverage.hits.total()
    assert met == SIZE + 6
    client.world.reset()
    assert client.world.coverage.hits.total() == met
    other = Client(emulator, "revdesk_other")
    dial(other)
    emulator.discard(other.world)
    assert emulator.coverage.hits[Hit(OPERATION, 200, None)] == 1


def _entry_of(client: Client) -> Any:
    entries = client.world.journal.entries()
    if not entries:
        client.get("/v1/me")
    entry = client.world.journal.entries()[-1]
    return replace(entry, request_id=f"{entry.request_id}x")


def test_a_refused_key_counts_for_the_emulator(emulator: Emulator) -> None:
    Client(emulator, "revdesk_revoked_1").get("/v1/me")
    assert emulator.coverage.hits == {Hit("v1_me_get", 401, "unauthorized"): 1}


def test_coverages_add_up(client: Client) -> None:
    dial(client)
    once = coverage.of(client.world.journal.entries())
    assert (once + once).hits == {Hit(OPERATION, 200, None): 2}
    assert once.hits.total() == 1


def test_the_text_tells_what_was_met_what_never_and_what_was_not_asked(client: Client) -> None:
    dial(client)
    dial(client, to_number="12")
    told = text(client.world.coverage, SPEC)
    assert told.splitlines()[0] == "operations    1 of   63    1.5 %"
    assert "POST /v1/calls/dial\n  met    200 x1, 400 validation_error x1\n  never  401 unauthorized" in told
    assert "never asked\n  GET /v1/me\n" in told
    assert "POST /v1/calls/dial" not in told.partition("never asked")[2]
