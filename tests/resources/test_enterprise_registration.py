"""Enterprise registration: draft, submission, signatures, the carrier's verdict, and whose registration a key means."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import Emulator, Settings
from revdesk_mock.messages import Record
from tests.conftest import COMPANY, SIGNATURE, SIGNER, Answer, Client, emulator_with, reopened

PATH = "/v1/caller-trust/enterprise"
HALF_AN_HOUR = 1800
# Every write, as (method, rest of the path, body); PATCH is there by id only.
WRITES: dict[str, tuple[str, str, Any]] = {
    "edit": ("PATCH", "", {"dba": "Harbor"}),
    "submit": ("POST", "/submit", None),
    "sign": ("POST", "/sign-and-submit", SIGNATURE),
    "resign": ("POST", "/resign", SIGNATURE),
    "generate": ("POST", "/generate-loa", SIGNER),
    "delete": ("DELETE", "", None),
}


def write(client: Client, name: str, enterprise: str | None = None, **body: Any) -> Answer:
    """Ask for a write, of the key's own registration or by id; `body` replaces some of its fields."""
    method, rest, whole = WRITES[name]
    path = f"{PATH}{rest}" if enterprise is None else f"{PATH}/{enterprise}{rest}"
    return client(method, path, {**whole, **body} if body else whole)


def draft(client: Client, **body: Any) -> str:
    answer = client.post(PATH, {**COMPANY, **body})
    assert answer.status == 200, answer.raw
    return str(answer.data["id"])


def signed(client: Client, **body: Any) -> str:
    enterprise = draft(client, **body)
    assert write(client, "sign").status == 200
    return enterprise


def look(client: Client, enterprise: str | None = None) -> Any:
    return client.get(PATH if enterprise is None else f"{PATH}/{enterprise}").data


def record(client: Client, enterprise: str) -> Record:
    found = client.world.store.get("enterprises", enterprise)
    assert found is not None
    return found


def pending(client: Client) -> str:
    return signed(client)


def approved(client: Client) -> str:
    enterprise = signed(client)
    client.advance(60)
    return enterprise


def rejected(client: Client) -> str:
    enterprise = signed(client, legal_name="Rejected Dental LLC")
    client.advance(60)
    return enterprise


def deleted(client: Client) -> str:
    enterprise = approved(client)
    assert write(client, "delete").status == 200
    return enterprise


STATES = {
    "DRAFT": draft,
    "PENDING_VETTING": pending,
    "APPROVED": approved,
    "REJECTED": rejected,
    "DELETED": deleted,
}
SUBMITTED = pytest.mark.parametrize("state", ["PENDING_VETTING", "APPROVED", "REJECTED"])


def refusal(client: Client, name: str, enterprise: str | None = None, **body: Any) -> Answer:
    """Ask for a write in vain, leaving no trace."""
    client.get("/v1/me")
    before = client.world.dump()
    answer = write(client, name, enterprise, **body)
    assert answer.status >= 400
    assert client.world.dump() == before
    return answer


def outcome(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.code


def sub_entity(client: Client, name: str = "Uptown") -> tuple[str, Client]:
    """Open a sub-entity and return its id and a client with its key."""
    team = str(client.post("/v1/sub-entities", {"name": name}).data["id"])
    return team, client.with_key("sub_entity", team=team)


# the draft


def test_where_nothing_is_registered_the_answer_is_null(client: Client) -> None:
    answer = client.get(PATH)
    assert (answer.status, answer.data) == (200, None)


def test_a_draft_is_shown_without_anything_of_the_carrier(client: Client) -> None:
    answer = client.post(PATH, COMPANY)
    plain = {"legal_name": "Harbor Dental LLC", "dba": "Harbor Dental", "role_type": "ENTERPRISE", "status": "DRAFT"}
    assert answer.data == {"id": answer.data["id"], **plain}
    nothing: Record = {
        "carrier_enterprise_id": None,
        "rejection_reasons": [],
        "synced_at": None,
        "loa_document_id": None,
    }
    assert look(client) == {**answer.data, **nothing, "read_only": False}
    assert look(client, answer.data["id"]) == {**look(client), "created_at": "2026-01-05T09:00:00.000Z"}


def test_a_second_draft_replaces_the_first_and_keeps_its_id(client: Client) -> None:
    first = draft(client)
    client.advance(60)
    assert draft(client, legal_name="Harbor Dental Group Inc", dba="Group") == first
    shown = look(client, first)
    assert (shown["legal_name"], shown["created_at"]) == ("Harbor Dental Group Inc", "2026-01-05T09:00:00.000Z")
    assert client.world.store.size("enterprises") == 1


def test_the_country_is_the_united_states_unless_said_otherwise(client: Client) -> None:
    assert record(client, draft(client))["country_code"] == "US"
    assert record(client, draft(client, country_code="CA"))["country_code"] == "CA"


@pytest.mark.parametrize("field", ["legal_name", "fein", "organization_contact", "billing_address"])
def test_a_draft_needs_the_whole_profile(client: Client, field: str) -> None:
    answer = client.post(PATH, {name: value for name, value in COMPANY.items() if name != field})
    assert (answer.status, list(answer.fields)) == (400, [field])
    assert look(client) is None


@SUBMITTED
def test_what_was_submitted_is_no_draft_to_write_over(client: Client, state: str) -> None:
    STATES[state](client)
    before = client.world.dump()
    assert outcome(client.post(PATH, COMPANY)) == (409, "conflict")
    assert client.world.dump() == before


def test_an_edit_changes_the_fields_it_names(client: Client) -> None:
    enterprise = draft(client)
    before = record(client, enterprise)
    client.advance(60)
    answer = write(client, "edit", enterprise)
    assert answer.data["dba"] == "Harbor"
    assert record(client, enterprise) == {**before, "dba": "Harbor", "updated_at": before["updated_at"] + 60_000}


@pytest.mark.parametrize("state", ["PENDING_VETTING", "APPROVED", "REJECTED", "DELETED"])
@pytest.mark.parametrize("name", ["edit", "submit", "sign"])
def test_only_a_draft_is_edited_and_submitted(client: Client, name: str, state: str) -> None:
    assert outcome(refusal(client, name, STATES[state](client))) == (409, "conflict")


@pytest.mark.parametrize("name", ["submit", "sign", "resign", "generate", "delete"])
def test_there_is_nothing_to_write_where_nothing_is_registered(client: Client, name: str) -> None:
    assert outcome(refusal(client, name)) == (404, "not_found")


@pytest.mark.parametrize("name", WRITES)
def test_an_id_that_does_not_exist_is_not_found(client: Client, name: str) -> None:
    draft(client)
    assert outcome(refusal(client, name, "00000000-0000-4000-8000-000000000000")) == (404, "not_found")


# submitting


def test_a_submission_makes_the_carriers_record_and_nothing_else(client: Client) -> None:
    enterprise = draft(client)
    answer = write(client, "submit")
    assert (answer.data["status"], bool(answer.data["carrier_enterprise_id"])) == ("DRAFT", True)
    shown = look(client)
    assert (shown["synced_at"], shown["loa_document_id"]) == ("2026-01-05T09:00:00.000Z", None)
    client.advance(3600)
    assert look(client, enterprise)["status"] == "DRAFT"
    assert client.world.store.size("reputations") == client.world.store.size("documents") == 0


def test_a_draft_that_was_edited_can_be_submitted_again(client: Client) -> None:
    enterprise = draft(client)
    first = write(client, "submit").data
    client.advance(60)
    write(client, "edit", enterprise)
    assert write(client, "submit").data == {**first, "dba": "Harbor"}
    assert look(client)["synced_at"] == "2026-01-05T09:01:00.000Z"


# signing


def test_a_signature_sends_everything_to_the_carrier(client: Client) -> None:
    enterprise = draft(client)
    data = write(client, "sign").data
    assert (data["id"], data["status"], data["rejection_reasons"]) == (enterprise, "PENDING_VETTING", [])
    assert data["carrier_enterprise_id"]
    assert data["synced_at"] == "2026-01-05T09:00:00.000Z"
    expected: tuple[Any, ...] = ("PENDING", "daily", [], None)
    fields = ("status", "check_frequency", "rejection_reasons", "last_synced_at")
    assert data["reputation"] == dict(zip(fields, expected, strict=True))
    letter = client.get(f"/v1/caller-trust/documents/{data['loa_document_id']}").data
    assert (letter["filename"], letter["status"]) == ("letter-of-authorization.pdf", "AVAILABLE")


def test_a_signature_keeps_the_carriers_record_of_a_submission(client: Client) -> None:
    draft(client)
    submitted = write(client, "submit").data["carrier_enterprise_id"]
    assert write(client, "sign").data["carrier_enterprise_id"] == submitted


@pytest.mark.parametrize(
    ("name", "status"), [("Harbor Dental LLC", "APPROVED"), ("Rejected Dental LLC", "PENDING")], ids=str
)
def test_reputation_that_was_enabled_before_the_signature_stays(client: Client, name: str, status: str) -> None:
    draft(client, legal_name=name)
    write(client, "submit")
    upload = {"file_base64": "JVBERi0xLjcK", "filename": "letter.pdf"}
    letter = client.post("/v1/caller-trust/documents", upload).data["document_id"]
    client.advance(2)
    enabled = client.post("/v1/caller-trust/reputation", {"loa_document_id": letter, "check_frequency": "monthly"})
    assert enabled.data["status"] == "PENDING"
    client.advance(60)
    settings = write(client, "sign").data["reputation"]
    assert settings["status"] == status
    assert settings["check_frequency"] == ("monthly" if status == "APPROVED" else "daily")


def test_the_letter_stays(client: Client) -> None:
    signed(client)
    client.advance(2 * HALF_AN_HOUR)
    assert client.get(f"/v1/caller-trust/documents/{look(client)['loa_document_id']}").status == 200


def test_the_signature_is_kept_with_its_consent(client: Client) -> None:
    enterprise = signed(client)
    [signature] = record(client, enterprise)["signatures"]
    consent = {"consent_acknowledged_at": "2026-01-05T09:00:00Z", "signed_at": client.world.clock.now()}
    assert signature == {**SIGNER, **consent, "loa_document_id": look(client)["loa_document_id"]}


@pytest.mark.parametrize("name", ["sign", "resign"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("confirm_carrier_commit", "i understand this submits to the carrier"),
        ("consent_acknowledged_at", "2026-01-05T10:00:00+01:00"),
        ("consent_acknowledged_at", "2026-02-30T10:00:00Z"),
        ("consent_acknowledged_at", "2026-01-05T09:05:00.001Z"),
        ("signer_full_name", "S"),
        ("signer_title", ""),
        ("signer_email", "sam@harbor"),
    ],
)
def test_a_signature_that_does_not_hold_is_refused(client: Client, name: str, field: str, value: str) -> None:
    (draft if name == "sign" else pending)(client)
    answer = refusal(client, name, **{field: value})
    assert (answer.status, list(answer.fields)) == (400, [field])


def test_a_consent_of_the_future_tells_the_time_of_the_world(client: Client) -> None:
    draft(client)
    answer = refusal(client, "sign", consent_acknowledged_at="2026-01-06T00:00:00Z")
    assert answer.fields == {
        "consent_acknowledged_at": "must not be in the future; the clock says 2026-01-05T09:00:00.000Z"
    }


@pytest.mark.parametrize("consent", ["2026-01-05T09:05:00Z", "2026-01-05T09:00Z", "2019-12-31T23:59:59.999999Z"])
def test_a_clients_clock_may_be_a_little_ahead(client: Client, consent: str) -> None:
    draft(client)
    assert write(client, "sign", consent_acknowledged_at=consent).status == 200


# the verdict


def test_the_carrier_approves_after_a_minute(client: Client) -> None:
    signed(client)
    client.advance(59.999)
    assert look(client)["status"] == "PENDING_VETTING"
    client.advance(0.001)
    shown = look(client)
    assert (shown["status"], shown["rejection_reasons"]) == ("APPROVED", [])
    assert shown["synced_at"] == "2026-01-05T09:01:00.000Z"


def test_the_carrier_rejects_a_name_with_the_magic_word(client: Client) -> None:
    rejected(client)
    shown = look(client)
    assert shown["status"] == "REJECTED"
    assert shown["rejection_reasons"] == ["The name could not be matched with the public record."]


def test_the_carrier_leaves_a_name_with_the_other_magic_word_undecided(client: Client) -> None:
    signed(client, legal_name="Undecided Dental LLC")
    client.advance(1e6)
    assert look(client)["status"] == "PENDING_VETTING"


@pytest.mark.parametrize("name", ["Harbor Dental LLC", "Rejected Dental LLC"])
def test_reputation_gets_its_verdict_at_the_same_time(client: Client, name: str) -> None:
    signed(client, legal_name=name)
    client.advance(60)
    settings = write(client, "resign").data["reputation"]
    assert settings["status"] == ("APPROVED" if name.startswith("Harbor") else "REJECTED")
    assert settings["last_synced_at"] == "2026-01-05T09:01:00.000Z"


@pytest.mark.parametrize("seconds", [0, 30])
def test_a_dump_carries_the_vetting_on(client: Client, tmp_path: Path, seconds: int) -> None:
    signed(client)
    client.advance(seconds)
    restored = reopened(client, tmp_path)
    assert look(restored) == look(client)
    restored.advance(60 - seconds)
    assert look(restored)["status"] == "APPROVED"


# signing again


@SUBMITTED
def test_signing_again_replaces_the_letter_and_returns_to_vetting(client: Client, state: str) -> None:
    enterprise = STATES[state](client)
    before = record(client, enterprise)
    data = write(client, "resign", signer_full_name="Zoë Łuczak").data
    assert (data["status"], data["rejection_reasons"]) == ("PENDING_VETTING", [])
    assert data["carrier_enterprise_id"] == before["carrier_enterprise_id"]
    assert data["loa_document_id"] != before["loa_document_id"]
    first, second = record(client, enterprise)["signatures"]
    assert [first] == before["signatures"]
    assert (second["signer_full_name"], second["loa_document_id"]) == ("Zoë Łuczak", data["loa_document_id"])
    assert client.get(f"/v1/caller-trust/documents/{before['loa_document_id']}").status == 200


def test_signing_again_starts_the_vetting_anew(client: Client) -> None:
    signed(client)
    client.advance(59)
    write(client, "resign")
    client.advance(59)
    assert look(client)["status"] == "PENDING_VETTING"
    client.advance(1)
    assert look(client)["status"] == "APPROVED"


def test_a_draft_is_not_signed_again(client: Client) -> None:
    draft(client)
    write(client, "submit")
    assert outcome(refusal(client, "resign")) == (409, "conflict")


# the letter to sign by hand


def test_a_letter_is_rendered_once_the_carrier_knows_the_company(client: Client) -> None:
    draft(client)
    assert outcome(refusal(client, "generate")) == (409, "conflict")
    write(client, "submit")
    before = client.world.dump()
    data = write(client, "generate").data
    assert b64decode(data["pdf_base64"]).startswith(b"%PDF-")
    assert data["filename"] == "letter-of-authorization.pdf"
    assert client.world.dump() == before


# deleting


def test_a_draft_that_the_carrier_never_saw_is_removed(client: Client) -> None:
    enterprise = draft(client)
    assert write(client, "delete").data == {"id": enterprise, "deleted": True}
    assert look(client) is None
    assert client.get(f"{PATH}/{enterprise}").status == 404


def test_a_draft_that_the_carrier_knows_is_kept_as_deleted(client: Client) -> None:
    enterprise = draft(client)
    write(client, "submit")
    write(client, "delete")
    assert (look(client), look(client, enterprise)["status"]) == (None, "DELETED")


@SUBMITTED
def test_what_is_torn_down_is_kept_as_deleted_without_its_reputation(client: Client, state: str) -> None:
    enterprise = STATES[state](client)
    assert write(client, "delete").data == {"id": enterprise, "deleted": True}
    assert look(client) is None
    client.advance(3600)
    assert look(client, enterprise)["status"] == "DELETED"
    assert client.world.store.size("reputations") == 0


@pytest.mark.parametrize("name", WRITES)
def test_what_is_deleted_is_written_no_more(client: Client, name: str) -> None:
    assert outcome(refusal(client, name, deleted(client))) == (409, "conflict")


def test_after_a_deletion_one_can_register_again(client: Client) -> None:
    old = deleted(client)
    new = draft(client)
    assert new != old
    assert (look(client)["id"], look(client, old)["status"]) == (new, "DELETED")


# by id, and whose


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", ["submit", "sign", "resign", "generate", "delete"])
def test_a_write_by_id_does_what_the_one_without_does(name: str, state: str) -> None:
    clients = [Client(emulator_with()) for _ in range(2)]
    [enterprise, _] = [STATES[state](client) for client in clients]
    answers = [write(client, name, by) for client, by in zip(clients, (enterprise, None), strict=True)]
    if state != "DELETED":  # which is found by its id alone
        assert answers[0].body == answers[1].body
    assert clients[0].world.dump() == clients[1].world.dump()


def test_a_sub_entity_reads_the_parents_registration(client: Client) -> None:
    enterprise = approved(client)
    _, branch = sub_entity(client)
    assert look(branch) == {**look(client), "read_only": True}
    assert look(branch, enterprise) == {**look(client, enterprise), "read_only": True}


@pytest.mark.parametrize("name", WRITES)
def test_a_sub_entity_does_not_write_the_parents_registration(client: Client, name: str) -> None:
    enterprise = draft(client)
    _, branch = sub_entity(client)
    assert outcome(refusal(branch, name, enterprise)) == (403, "forbidden")
    if name != "edit":
        assert outcome(refusal(branch, name)) == (404, "not_found")


def test_a_sub_entitys_own_registration_comes_before_the_parents(client: Client) -> None:
    parents = approved(client)
    _, branch = sub_entity(client)
    own = draft(branch, legal_name="Uptown Dental LLC")
    assert (look(branch)["id"], look(branch)["read_only"]) == (own, False)
    assert branch.get(f"{PATH}/{parents}").status == 404
    assert look(client)["id"] == parents
    write(branch, "delete")
    assert look(branch)["id"] == parents


def test_the_umbrella_reaches_a_sub_entitys_registration_by_its_id(client: Client) -> None:
    _, branch = sub_entity(client)
    own = draft(branch)
    letter = write(client, "sign", own).data["loa_document_id"]
    assert look(client) is None
    assert (look(client, own)["read_only"], look(branch)["status"]) == (False, "PENDING_VETTING")
    assert branch.get(f"/v1/caller-trust/documents/{letter}").status == 200


@pytest.mark.parametrize("name", WRITES)
def test_a_sub_entity_does_not_find_its_siblings(client: Client, name: str) -> None:
    own = draft(sub_entity(client)[1])
    sibling = sub_entity(client, "Downtown")[1]
    assert outcome(refusal(sibling, name, own)) == (404, "not_found")
    assert (look(sibling), sibling.get(f"{PATH}/{own}").status) == (None, 404)


def test_a_users_key_speaks_for_the_users_organization(client: Client) -> None:
    user = client.with_key("user")
    enterprise = signed(user)
    assert (look(client)["id"], look(client)["read_only"]) == (enterprise, False)
    assert client.get(f"/v1/caller-trust/documents/{look(client)['loa_document_id']}").status == 200


def test_without_an_organization_there_is_nothing_to_register(tmp_path: Path) -> None:
    fixture = tmp_path / "bare.json"
    fixture.write_text('{"format": 1, "records": {}}')
    bare = Client(Emulator(Settings(data=fixture, seed="test", clock="frozen")))
    assert look(bare) is None
    assert outcome(bare.post(PATH, COMPANY)) == (409, "conflict")


@pytest.mark.parametrize(("scope", "statuses"), [("caller_trust:read", (200, 403)), ("caller_trust:write", (403, 200))])
def test_registrations_need_the_scopes_of_caller_trust(client: Client, scope: str, statuses: tuple[int, int]) -> None:
    draft(client)
    limited = client.with_key(scopes=[scope])
    assert (limited.get(PATH).status, write(limited, "submit").status) == statuses


# whatever is asked in whatever order

STEPS = st.lists(st.sampled_from(["draft", "minute", *WRITES]), max_size=12)


@given(STEPS, st.sampled_from(["Harbor Dental LLC", "Rejected Dental LLC", "Undecided Dental LLC"]))
def test_a_registration_is_whole_after_any_sequence_of_requests(steps: list[str], legal_name: str) -> None:
    client = Client(emulator_with())
    enterprise = draft(client, legal_name=legal_name)
    for step in steps:
        if step == "minute":
            client.advance(60)
            continue
        before = client.world.dump()
        whole = {**COMPANY, "legal_name": legal_name}
        answer = client.post(PATH, whole) if step == "draft" else write(client, step, enterprise)
        assert (answer.status >= 400) <= (client.world.dump() == before)
        for found in client.world.store.all("enterprises"):
            letters = [signature["loa_document_id"] for signature in found["signatures"]]
            assert found["loa_document_id"] == (letters[-1] if letters else None)
            assert all(client.world.store.get("documents", letter) for letter in letters)
            assert (found["status"] == "DRAFT") <= (not letters)
            assert found["carrier_enterprise_id"] or not letters
            decides_itself = not legal_name.startswith("Undecided")
            assert (found["due_at"] is not None) == (found["status"] == "PENDING_VETTING" and decides_itself)
    assert client.emulator.pipeline.breaches == []
