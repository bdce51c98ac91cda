"""Branded calling: from a draft by night to the carrier, and what becomes of it there."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import ApiError, Emulator
from revdesk_mock.clock import parse_iso
from revdesk_mock.resources import branded_calling
from revdesk_mock.settings import shipped
from revdesk_mock.spec import Spec
from revdesk_mock.vetting import REASON, Verdict
from tests.conftest import ORGANIZATION, UPTOWN, Answer, Client, emulator_with, registered, reopened

BRAND = "/v1/caller-trust/brand"
SUBMIT = f"{BRAND}/submit"
HARBOR = {"display_name": "Harbor Dental", "call_reason": "Your appointment"}
LOGO = "https://harbor-dental.example/logo.png"
UNTIL_NIGHT = 17 * 3600  # seconds from the fixture's clock, 09:00 UTC, to 02:00 UTC
VETTING = 60  # seconds


def register(client: Client, organization_id: str = ORGANIZATION, **fields: Any) -> str:
    """Give an organization the draft of a registration; return its id."""
    draft = {"status": "DRAFT", "carrier_enterprise_id": None, "loa_document_id": None}
    return str(registered(client, organization_id, **{**draft, **fields})["id"])


def save(client: Client, **body: Any) -> Answer:
    return client("PUT", BRAND, {**HARBOR, **body})


def set_logo(client: Client, url: str | None = LOGO) -> None:
    world, credential = client.emulator.admit(client.key)
    with world.store.transaction():
        branded_calling.edit(world, branded_calling.needed(world, credential), logo_url=url)


def drafted(client: Client, **body: Any) -> None:
    """Save a draft with everything that submitting it needs."""
    register(client)
    assert save(client, **body).status == 200
    set_logo(client)


def submitted(client: Client, **body: Any) -> None:
    drafted(client, **body)
    assert client.post(SUBMIT).status == 200


def look(client: Client) -> Any:
    return client.get(BRAND).data


def status(client: Client) -> Any:
    return look(client)["status"]


def refusal(client: Client, answer: Answer) -> tuple[int, str, list[str]]:
    """Return status, code and the rules that refused."""
    entry = client.emulator.journal.find(answer.headers["x-request-id"])
    assert entry is not None
    return answer.status, answer.code, [reason.rule for reason in entry.reasons]


# drafts


def test_without_a_brand_there_is_null(client: Client) -> None:
    assert (client.get(BRAND).status, look(client)) == (200, None)
    register(client)
    assert look(client) is None


def test_saving_makes_a_draft(client: Client) -> None:
    register(client)
    answer = save(client)
    assert answer.data == {"id": look(client)["id"], **HARBOR, "status": "DRAFT"}
    empty: dict[str, Any] = {"logo_url": None, "rejection_reasons": [], "submitted_at": None, "approved_at": None}
    assert look(client) == {**answer.data, **empty}


def test_a_brand_needs_a_registration_to_attach_to(client: Client) -> None:
    client.get("/v1/me")
    before = client.world.dump()
    assert refusal(client, save(client)) == (404, "not_found", ["enterprise.exists"])
    assert refusal(client, client.post(SUBMIT)) == (404, "not_found", ["enterprise.exists"])
    assert client.world.dump() == before


def test_saving_again_changes_the_same_brand_and_keeps_its_logo(client: Client) -> None:
    drafted(client)
    first = look(client)
    save(client, display_name="Harbor", call_reason="A reminder")
    assert look(client) == {**first, "display_name": "Harbor", "call_reason": "A reminder"}
    assert client.world.store.size("brands") == 1


@pytest.mark.parametrize(("field", "most"), [("display_name", 64), ("call_reason", 120)])
def test_texts_that_are_too_long_are_refused(client: Client, field: str, most: int) -> None:
    register(client)
    assert save(client, **{field: "x" * most}).status == 200
    answer = save(client, **{field: "x" * (most + 1)})
    assert (answer.status, list(answer.fields)) == (400, [field])
    assert look(client)[field] == "x" * most


def test_a_brand_goes_with_its_registration(client: Client) -> None:
    enterprise_id = register(client)
    save(client)
    world = client.world
    enterprise = world.store.get("enterprises", enterprise_id)
    assert enterprise is not None
    with world.store.transaction():
        world.store.update("enterprises", enterprise, status="DELETED")
    assert look(client) is None
    register(client)
    assert look(client) is None


# submitting


def test_submitting_needs_a_brand(client: Client) -> None:
    register(client)
    assert refusal(client, client.post(SUBMIT)) == (404, "not_found", ["brand.exists"])


@given(texts=st.fixed_dictionaries({name: st.sampled_from(["", " ", "Harbor"]) for name in HARBOR}), logo=st.booleans())
def test_submitting_names_all_that_is_missing_and_nothing_else(texts: dict[str, str], *, logo: bool) -> None:
    client = Client(emulator_with())
    register(client)
    save(client, **texts)
    set_logo(client, LOGO if logo else None)
    before = client.world.dump()
    missing = [name for name, text in texts.items() if not text.strip()] + ([] if logo else ["logo_url"])
    answer = client.post(SUBMIT)
    if missing:
        assert refusal(client, answer) == (400, "validation_error", ["brand.complete"] * len(missing))
        assert set(answer.fields) == set(missing)
        assert client.world.dump() == before
    else:
        assert answer.data["status"] == "PENDING_SUBMIT"


def test_a_submitted_brand_waits_for_the_night(client: Client) -> None:
    drafted(client)
    answer = client.post(SUBMIT)
    dated = {"status": "PENDING_SUBMIT", "submitted_at": "2026-01-05T09:00:00.000Z"}
    assert answer.data == {"id": look(client)["id"], **dated}
    client.advance(UNTIL_NIGHT - 0.001)
    assert status(client) == "PENDING_SUBMIT"
    client.advance(0.001)
    assert status(client) == "SUBMITTED"
    client.advance(VETTING - 0.001)
    assert status(client) == "SUBMITTED"
    client.advance(0.001)
    assert look(client) == {
        **HARBOR,
        **answer.data,
        "logo_url": LOGO,
        "status": "APPROVED",
        "rejection_reasons": [],
        "approved_at": "2026-01-06T02:01:00.000Z",
    }


@pytest.mark.parametrize(
    ("now", "night"),
    [
        ("2026-01-06T01:59:59.999Z", "2026-01-06T02:00:00.000Z"),
        ("2026-01-06T02:00:00.000Z", "2026-01-07T02:00:00.000Z"),
        ("2026-02-28T23:30:00.000Z", "2026-03-01T02:00:00.000Z"),
    ],
)
def test_the_push_is_at_two_in_the_morning_that_comes_next(client: Client, now: str, night: str) -> None:
    drafted(client)
    client.world.clock.set(parse_iso(now))
    client.post(SUBMIT)
    assert client.world.clock.next_due() == parse_iso(night)


def test_a_name_that_holds_the_magic_word_is_rejected(client: Client) -> None:
    submitted(client, display_name="Rejected Dental")
    client.advance(UNTIL_NIGHT + VETTING)
    shown = look(client)
    assert (shown["status"], shown["rejection_reasons"], shown["approved_at"]) == ("REJECTED", [REASON], None)


def test_on_an_undecided_name_the_carrier_never_decides_by_itself(client: Client) -> None:
    submitted(client, display_name="Undecided Dental")
    client.advance(UNTIL_NIGHT + 30 * 86_400)
    assert status(client) == "SUBMITTED"
    decide(client, Verdict("REJECTED", ["The logo is a trademark of somebody else."]))
    assert look(client)["rejection_reasons"] == ["The logo is a trademark of somebody else."]


def test_the_carrier_decides_what_it_has_and_only_once(client: Client) -> None:
    submitted(client)
    for seconds in (0, UNTIL_NIGHT + VETTING):
        client.advance(seconds)
        before = client.world.store.dump()
        with pytest.raises(ApiError, match="nothing to decide"):
            decide(client, Verdict("REJECTED", ["No."]))
        assert client.world.store.dump() == before


def decide(client: Client, verdict: Verdict) -> None:
    world, credential = client.emulator.admit(client.key)
    with world.store.transaction():
        branded_calling.decide(world, branded_calling.needed(world, credential), verdict)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "PENDING_SUBMIT"), (UNTIL_NIGHT, "SUBMITTED"), (UNTIL_NIGHT + VETTING, "APPROVED")],
    ids=str,
)
def test_submitting_again_changes_nothing(client: Client, seconds: float, expected: str) -> None:
    submitted(client)
    client.advance(seconds)
    before = look(client)
    assert before["status"] == expected
    again = client.post(SUBMIT)
    assert again.data == {field: before[field] for field in ("id", "status", "submitted_at")}
    assert look(client) == before


def test_a_rejected_brand_is_edited_before_it_is_submitted_again(client: Client) -> None:
    submitted(client, display_name="Rejected Dental")
    client.advance(UNTIL_NIGHT + VETTING)
    assert refusal(client, client.post(SUBMIT)) == (409, "conflict", ["brand.draft"])
    save(client)
    client.post(SUBMIT)
    client.advance(86_400)
    assert status(client) == "APPROVED"


# editing

MOMENTS = pytest.mark.parametrize(
    ("name", "seconds", "expected"),
    [
        ("Harbor", 0, "PENDING_SUBMIT"),
        ("Harbor", UNTIL_NIGHT, "SUBMITTED"),
        ("Harbor", UNTIL_NIGHT + VETTING, "APPROVED"),
        ("Rejected", UNTIL_NIGHT + VETTING, "REJECTED"),
    ],
    ids=["pending", "submitted", "approved", "rejected"],
)


@MOMENTS
@pytest.mark.parametrize("edit", [save, set_logo], ids=["save", "logo"])
def test_any_edit_makes_it_a_draft_again(client: Client, name: str, seconds: float, expected: str, edit: Any) -> None:
    submitted(client, display_name=name)
    client.advance(seconds)
    assert status(client) == expected
    edit(client)
    shown = look(client)
    gone = (shown["rejection_reasons"], shown["submitted_at"], shown["approved_at"])
    assert (shown["status"], gone) == ("DRAFT", ([], None, None))
    client.advance(7 * 86_400)
    assert look(client) == shown


def test_a_refused_edit_leaves_it_as_it_is(client: Client) -> None:
    submitted(client)
    before = client.world.dump()
    assert save(client, display_name="x" * 65).status == 400
    assert client.world.dump() == before


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"logo_url": ""},
        {"logo_url": "logo.png"},
        {"logo_url": "file:///logo.png"},
        {"logo_url": "https://"},
        {"logo_url": "https://a b"},
        {"logo_url": 1},
        {"logo_url": f"https://{'x' * 2002}"},
        {"logo_url": LOGO, "size": 1},
    ],
    ids=str,
)
def test_what_is_no_address_of_a_logo_is_refused(order: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        branded_calling.read_logo(order)
    assert (caught.value.status, caught.value.fields is not None) == (400, True)


@pytest.mark.parametrize("url", [LOGO, "http://localhost:5173/logo.svg", None])
def test_a_logo_is_an_address_on_the_web_or_none(url: str | None) -> None:
    assert branded_calling.read_logo({"logo_url": url}) == url


# whose it is


def test_a_sub_entity_reads_its_parents_brand_and_cannot_write_it(client: Client) -> None:
    drafted(client)
    uptown = client.with_key("sub_entity", team=UPTOWN)
    assert look(uptown) == look(client) is not None
    before = client.world.store.dump()
    assert (save(uptown).status, uptown.post(SUBMIT).status) == (404, 404)
    assert client.world.store.dump() == before


def test_with_a_registration_of_its_own_a_sub_entity_has_a_brand_of_its_own(client: Client) -> None:
    drafted(client)
    uptown = client.with_key("sub_entity", team=UPTOWN)
    register(client, UPTOWN)
    assert look(uptown) is None
    save(uptown, display_name="Harbor Uptown")
    assert look(uptown)["display_name"] == "Harbor Uptown"
    assert look(client)["display_name"] == "Harbor Dental"


def test_a_users_key_speaks_for_the_users_organization(client: Client) -> None:
    drafted(client)
    user = client.with_key("user")
    assert look(user) == look(client)
    save(user, display_name="Harbor")
    assert look(client)["display_name"] == "Harbor"


@pytest.mark.parametrize(("scope", "written"), [("brand:read", 403), ("brand:write", 200)])
def test_brands_have_a_scope_of_their_own(client: Client, scope: str, written: int) -> None:
    register(client)
    assert save(client.with_key(scopes=[scope])).status == written


# what else


def test_a_brand_on_its_way_survives_an_export(client: Client, tmp_path: Path) -> None:
    submitted(client)
    client.advance(3600)
    client = reopened(client, tmp_path)
    assert status(client) == "PENDING_SUBMIT"
    client.advance(UNTIL_NIGHT)
    assert status(client) == "APPROVED"


def test_a_repeated_write_with_the_same_key_is_one_edit(client: Client) -> None:
    register(client)
    first = client("PUT", BRAND, HARBOR, idempotency_key="a")
    set_logo(client)
    client.post(SUBMIT)
    again = client("PUT", BRAND, HARBOR, idempotency_key="a")
    assert (again.raw, status(client)) == (first.raw, "PENDING_SUBMIT")


TEXT, TEXTS = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
PERHAPS = {"type": ["string", "null"]}


def contract_with_reasons() -> Spec:
    """Return the contract as it has become since: several reasons, and who authorizes the brand."""
    document = orjson.loads(shipped("openapi.json").read_bytes())
    written = {"display_name": TEXT, "call_reasons": TEXTS, "authorizer_name": TEXT, "authorizer_email": TEXT}
    body = {"type": "object", "properties": written, "required": list(written)}
    more = {"id": TEXT, "status": TEXT, "logo_url": PERHAPS, "telnyx_status": PERHAPS, "submitted_at": PERHAPS}
    shown = {**written, **more, "authorizer_email_verified": {"type": "boolean"}}
    data = {"type": "object", "properties": shown, "required": list(shown)}
    answer = {"type": "object", "properties": {"data": data}, "required": ["data"]}
    saving = document["paths"][BRAND]["put"]
    saving["requestBody"]["content"]["application/json"]["schema"] = body
    for operation in (*document["paths"][BRAND].values(), document["paths"][SUBMIT]["post"]):
        operation["responses"]["200"]["content"]["application/json"]["schema"] = answer
    return Spec(document)


def test_a_contract_with_several_reasons_is_served_as_well(client: Client) -> None:
    client = Client(Emulator(client.emulator.settings, contract_with_reasons()))
    register(client)
    authorizer = {"authorizer_name": "Sam Rivera", "authorizer_email": "sam@harbor-dental.example"}
    body = {"display_name": "Harbor", "call_reasons": ["Your appointment", "A reminder"], **authorizer}
    draft = {**body, "status": "DRAFT", "telnyx_status": None, "authorizer_email_verified": True}
    assert client("PUT", BRAND, body).data == {
        **draft,
        "id": look(client)["id"],
        "logo_url": None,
        "submitted_at": None,
    }
    assert client.post(SUBMIT).status == 400
    set_logo(client)
    assert client.post(SUBMIT).data["status"] == "PENDING_SUBMIT"
    client.advance(UNTIL_NIGHT)
    assert (look(client)["status"], look(client)["telnyx_status"]) == ("SUBMITTED", "SUBMITTED")
    assert client("PUT", BRAND, {**body, "call_reasons": []}).data["call_reasons"] == []
    assert list(client.post(SUBMIT).fields) == ["call_reason"]
    assert client.emulator.pipeline.breaches == []
