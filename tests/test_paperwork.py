"""Paperwork: which documents can be used, and that one which is linked to stays."""

from pathlib import Path

import pytest

from revdesk_mock import ApiError, paperwork
from revdesk_mock.messages import Record
from tests.conftest import Client, reopened

HALF_AN_HOUR = 1800
WHERE = "body /loa_document_id"
LETTER = b"%PDF-1.7\n"


def received(client: Client, content: bytes = LETTER) -> str:
    """Take a document in and return its id."""
    with client.world.store.transaction():
        return str(paperwork.receive(client.world, client.world.key, "letter.pdf", content, None)["id"])


def link(client: Client, document_id: str, by: str = "reputation") -> Record:
    with client.world.store.transaction():
        return paperwork.link(client.world, client.world.key, document_id, by, WHERE)


def refusal(client: Client, document_id: str) -> ApiError:
    """Ask for a document that cannot be used, and try to link to it, leaving no trace."""
    before = client.world.dump()
    with pytest.raises(ApiError) as caught:
        paperwork.usable(client.world, client.world.key, document_id, WHERE)
    with pytest.raises(ApiError) as unlinked:
        link(client, document_id)
    assert (unlinked.value.code, unlinked.value.reasons) == (caught.value.code, caught.value.reasons)
    assert client.world.dump() == before
    return caught.value


def is_there(client: Client, document_id: str) -> bool:
    return client.world.store.get("documents", document_id) is not None


def test_a_document_of_the_services_own_can_be_used_at_once_and_stays(client: Client) -> None:
    team = client.post("/v1/sub-entities", {"name": "Uptown"}).data["id"]
    with client.world.store.transaction():
        document = paperwork.file(client.world, team, "letter.pdf", LETTER, "enterprise")["id"]
    branch = client.emulator.admit(client.with_key("sub_entity", team=team).key)[1]
    for seconds in (0, HALF_AN_HOUR):
        client.advance(seconds)
        assert paperwork.usable(client.world, branch, document, WHERE)["linked_by"] == "enterprise"


def test_a_document_that_passed_its_scan_can_be_used(client: Client) -> None:
    document = received(client)
    client.advance(2)
    assert paperwork.usable(client.world, client.world.key, document, WHERE)["id"] == document


@pytest.mark.parametrize(
    ("content", "seconds", "found"),
    [(LETTER, 1.999, "PENDING"), (LETTER + paperwork.EICAR, 2, "INFECTED")],
    ids=["still scanned", "infected"],
)
def test_a_document_that_did_not_pass_is_a_conflict(client: Client, content: bytes, seconds: float, found: str) -> None:
    document = received(client, content)
    client.advance(seconds)
    error = refusal(client, document)
    assert (error.status, error.code) == (409, "conflict")
    assert [(reason.where, reason.got) for reason in error.reasons] == [(WHERE, found)]


def test_an_unknown_document_is_not_found(client: Client) -> None:
    error = refusal(client, "00000000-0000-4000-8000-000000000000")
    assert (error.status, error.code) == (404, "not_found")
    assert [reason.where for reason in error.reasons] == [WHERE]


def test_the_document_of_another_key_is_not_found(client: Client) -> None:
    theirs = received(Client(client.emulator, "revdesk_another"))
    assert refusal(client, theirs).code == "not_found"


def test_a_document_is_usable_until_it_lapses(client: Client) -> None:
    document = received(client)
    client.advance(HALF_AN_HOUR - 0.001)
    assert paperwork.usable(client.world, client.world.key, document, WHERE)["id"] == document
    client.advance(0.001)
    assert refusal(client, document).code == "not_found"


def test_an_infected_document_lapses_too(client: Client) -> None:
    document = received(client, LETTER + paperwork.EICAR)
    client.advance(HALF_AN_HOUR - 0.001)
    assert is_there(client, document)
    client.advance(0.001)
    assert not is_there(client, document)


def test_a_linked_document_stays_usable(client: Client) -> None:
    document = received(client)
    client.advance(2)
    linked = link(client, document)
    client.advance(365 * 24 * 3600)
    assert paperwork.usable(client.world, client.world.key, document, WHERE) == linked
    assert linked["linked_by"] == "reputation"


def test_a_link_in_the_last_instant_is_in_time(client: Client) -> None:
    document = received(client)
    client.advance(HALF_AN_HOUR - 0.001)
    link(client, document)
    client.advance(0.001)
    assert is_there(client, document)


def test_the_first_link_is_the_one_that_is_named(client: Client) -> None:
    document = received(client)
    client.advance(2)
    first = link(client, document)
    assert link(client, document, by="enterprise") == first


def test_a_link_that_is_rolled_back_lets_the_document_lapse(client: Client) -> None:
    document = received(client)
    client.advance(2)
    client.world.store.begin()
    paperwork.link(client.world, client.world.key, document, "reputation", WHERE)
    client.world.store.end(keep=False)
    client.advance(HALF_AN_HOUR)
    assert not is_there(client, document)


def test_a_dump_carries_the_link(client: Client, tmp_path: Path) -> None:
    document, other = received(client), received(client)
    client.advance(2)
    link(client, document)
    restored = reopened(client, tmp_path)
    restored.advance(HALF_AN_HOUR)
    assert [is_there(restored, each) for each in (document, other)] == [True, False]
