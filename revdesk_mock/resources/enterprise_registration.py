"""Enterprise registration: a company's own brand, from its draft and the signed LOA to the carrier's verdict."""

from base64 import b64encode

from revdesk_mock import monitoring, paperwork, registrations, vetting
from revdesk_mock.clock import MINUTE, iso, iso_or_none, parse_iso
from revdesk_mock.errors import ApiError, invalid, not_found
from revdesk_mock.exchange import Exchange, Reply, owned
from revdesk_mock.messages import JSON, Reason, Record
from revdesk_mock.registrations import APPROVED, DELETED, DRAFT, PENDING_VETTING, REJECTED
from revdesk_mock.vetting import Verdict
from revdesk_mock.world import World

ROLE = "ENTERPRISE"  # chosen: the contract has a text here, and the docs name no role
SKEW = 5 * MINUTE  # chosen: by so much a client's clock may be ahead of the world's
LINKED_BY = "enterprise"
PROFILE = (
    "legal_name dba organization_type country_code website fein industry jurisdiction_of_incorporation "
    "number_of_employees organization_legal_type organization_contact billing_contact organization_address "
    "billing_address"
).split()
SIGNATURE = ("signer_full_name", "signer_email", "signer_title", "consent_acknowledged_at")


def show(world: World, exchange: Exchange) -> Reply:
    """Answer a registration; without an id, null where there is none (documented)."""
    record = _addressed(world, exchange)
    return Reply(None if record is None else _shown(world, exchange, record))


def save_draft(world: World, exchange: Exchange) -> Reply:
    """Write the draft, anew or over the one that there is; the carrier hears nothing of it (documented)."""
    owner = registrations.organization_id(world, exchange.credential)
    if owner is None:
        raise _conflict("There is no organization to register.", "this account", "an organization", "none")
    record = registrations.own(world, exchange.credential)
    if record is None:
        record = _new(world, owner)
    else:
        _check_draft(record)
    return _answer(world, exchange, _write(world, record, **_profile(exchange)))


def edit_draft(world: World, exchange: Exchange) -> Reply:
    """Change some fields of a draft (documented: of nothing else)."""
    return _answer(world, exchange, _write(world, _draft(world, exchange), **_profile(exchange)))


def submit(world: World, exchange: Exchange) -> Reply:
    """Create the carrier's record; no LOA and no reputation (documented), and the status that policy says.

    A draft that was edited since can be submitted again, and keeps its `carrier_enterprise_id` (chosen: nothing
    else would carry the edit to the carrier).
    """
    record = _with_carrier(world, _draft(world, exchange))
    status = world.policies.submitted_enterprise_status
    due_at = None if status == DRAFT else vetting.due_at(world, record["legal_name"])
    return _answer(world, exchange, _write(world, record, status=status, due_at=due_at))


def sign_and_submit(world: World, exchange: Exchange) -> Reply:
    """Sign the LOA of a draft, send all of it to the carrier, and enable reputation (documented).

    Reputation that was enabled after a submission stays as it is, unless it was rejected (chosen, as when it is
    enabled again).
    """
    record = _signed(world, exchange, _draft(world, exchange))
    settings = monitoring.settings_of(world, record)
    if settings is None or settings["status"] == REJECTED:
        monitoring.enable(world, record, frequency=None, loa_document_id=record["loa_document_id"])
    return _answer(world, exchange, record)


def sign_again(world: World, exchange: Exchange) -> Reply:
    """Replace the LOA and return to vetting; the signatures before are kept (documented), reputation is let be."""
    record = _needed(world, exchange)
    if record["status"] == DRAFT:
        expected = f"{PENDING_VETTING}, {APPROVED} or {REJECTED}"
        raise _conflict("A draft has no LOA to replace; use sign-and-submit.", "this registration", expected, DRAFT)
    return _answer(world, exchange, _signed(world, exchange, record))


def render_loa(world: World, exchange: Exchange) -> Reply:
    """Answer the LOA with an empty signature line, for a pen; only once the carrier knows the company (documented)."""
    from revdesk_mock import loa

    record = _needed(world, exchange)
    registrations.check_at_carrier(record)
    letter = loa.render(record, exchange.body, world.clock.now(), signed=False)
    return Reply({"pdf_base64": b64encode(letter).decode(), "filename": loa.FILENAME})


def delete(world: World, exchange: Exchange) -> Reply:
    """Remove a draft that the carrier never saw; tear anything else down with its reputation, and keep it as DELETED.

    Both documented; that its brand goes with it is inferred.
    """
    record = _needed(world, exchange)
    if record["carrier_enterprise_id"] is None:
        world.store.delete("enterprises", record["id"])
    else:
        monitoring.tear_down(world, record)
        _write(world, record, status=DELETED, due_at=None)
    for brand in world.store.find("brands", "enterprise_id", record["id"]):
        world.store.delete("brands", brand["id"])
    return Reply({"id": record["id"], "deleted": True})


def decide(world: World, record: Record, verdict: Verdict) -> Record:
    """Let the carrier approve or reject a registration; raises ApiError (409) where it is not being vetted."""
    vetting.check_pending(record["status"], PENDING_VETTING)
    told = {"status": verdict.status, "rejection_reasons": verdict.reasons, "synced_at": world.clock.now()}
    return _write(world, record, **told, due_at=None)


def be_decided(world: World, record: Record) -> None:
    """Carry out what time brings: the verdict that the legal name earns."""
    decide(world, record, vetting.verdict_on(record["legal_name"]))


def _addressed(world: World, exchange: Exchange) -> Record | None:
    """Return the registration that the path names, or (without an id) the one that the key reads.

    A sub-entity finds the parent's under its id, too, where it reads that (inferred); raises ApiError (404)
    for other ids.
    """
    record = registrations.shown(world, exchange.credential)
    record_id = exchange.path.get("id")
    if record_id is None or (record is not None and record["id"] == record_id):
        return record
    record = owned(world, exchange.credential, "enterprises", record_id, "registration")
    if record["status"] == DELETED and world.policies.deleted_enterprise == "not_found":
        raise not_found("registration", record_id, "path /id")
    return record


def _needed(world: World, exchange: Exchange) -> Record:
    """Return the registration to write; raises ApiError (404; 403 for the parent's; 409 once it is deleted)."""
    record = _addressed(world, exchange) if "id" in exchange.path else None
    if record is None:
        return registrations.needed(world, exchange.credential)
    if registrations.is_read_only(record, exchange.credential):
        reason = Reason("enterprise.own", "path /id", "a registration of this sub-entity", "the parent organization's")
        raise ApiError("forbidden", "The parent organization's registration is only read with this key.", reason)
    if record["status"] == DELETED:
        raise _conflict("The registration is deleted.", "this registration", "one that is not deleted", DELETED)
    return record


def _draft(world: World, exchange: Exchange) -> Record:
    record = _needed(world, exchange)
    _check_draft(record)
    return record


def _check_draft(record: Record) -> None:
    if record["status"] != DRAFT:
        message = f"Only a draft can be edited and submitted; the status is {record['status']}."
        raise _conflict(message, "this registration", DRAFT, record["status"])


def _conflict(message: str, where: str, expected: str, got: str) -> ApiError:
    return ApiError("conflict", message, Reason("enterprise.state", where, expected, got))


def _signed(world: World, exchange: Exchange, record: Record) -> Record:
    """Render the LOA, signed, file it, and send it to the carrier, whose verdict is pending from now on."""
    from revdesk_mock import loa

    _check_consent(world, exchange.body["consent_acknowledged_at"])
    record, now = _with_carrier(world, record), world.clock.now()
    signature = {field: exchange.body[field] for field in SIGNATURE}
    letter = loa.render(record, signature, now, signed=True)
    document = paperwork.file(world, record["organization_id"], loa.FILENAME, letter, LINKED_BY)
    signature |= {"signed_at": now, "loa_document_id": document["id"]}
    return _write(
        world,
        record,
        status=PENDING_VETTING,
        rejection_reasons=[],
        loa_document_id=document["id"],
        signatures=[*record["signatures"], signature],
        due_at=vetting.due_at(world, record["legal_name"]),
    )


def _check_consent(world: World, text: str) -> None:
    """Raise ApiError (400) for a consent that was given in the future of the world (chosen; by policy it is not)."""
    now = world.clock.now()
    if world.policies.future_consent == "reject" and parse_iso(text) > now + SKEW:
        message = f"must not be in the future; the clock says {iso(now)}"
        expected = f"at most {iso(now + SKEW)}"
        raise invalid("consent_acknowledged_at", message, rule="enterprise.consent", expected=expected, got=text)


def _with_carrier(world: World, record: Record) -> Record:
    """Return a registration as the carrier has it from now on, still to be written."""
    known = record["carrier_enterprise_id"] or world.dice.uuid()
    return {**record, "carrier_enterprise_id": known, "synced_at": world.clock.now()}


def _write(world: World, record: Record, **changes: JSON) -> Record:
    return world.store.update("enterprises", record, **changes, updated_at=world.clock.now())


def _profile(exchange: Exchange) -> dict[str, JSON]:
    return {field: exchange.body[field] for field in PROFILE if field in exchange.body}


def _new(world: World, owner: str) -> Record:
    """Return a draft without a profile, still to be written."""
    return {
        "id": world.dice.uuid(),
        "organization_id": owner,
        "carrier_enterprise_id": None,
        "status": DRAFT,
        "role_type": ROLE,
        "rejection_reasons": [],
        "synced_at": None,
        "loa_document_id": None,
        "signatures": [],
        "created_at": world.clock.now(),
        "due_at": None,
    }


def _answer(world: World, exchange: Exchange, record: Record) -> Reply:
    return Reply(_shown(world, exchange, record))


def _shown(world: World, exchange: Exchange, record: Record) -> dict[str, JSON]:
    """Return all that any operation shows of a registration; each leaves out what it does not declare."""
    plain = "id carrier_enterprise_id legal_name dba role_type status rejection_reasons loa_document_id".split()
    settings = monitoring.settings_of(world, record)
    return {
        **{field: record[field] for field in plain},
        "synced_at": iso_or_none(record["synced_at"]),
        "created_at": iso(record["created_at"]),
        "read_only": registrations.is_read_only(record, exchange.credential),
        "reputation": None if settings is None else monitoring.shown(settings),
    }


HANDLERS = {
    "v1_caller_trust_enterprise_get": show,
    "v1_caller_trust_enterprise_post": save_draft,
    "v1_caller_trust_enterprise_delete": delete,
    "v1_caller_trust_enterprise_submit_post": submit,
    "v1_caller_trust_enterprise_sign_and_submit_post": sign_and_submit,
    "v1_caller_trust_enterprise_resign_post": sign_again,
    "v1_caller_trust_enterprise_generate_loa_post": render_loa,
    "v1_caller_trust_enterprise_id_get": show,
    "v1_caller_trust_enterprise_id_delete": delete,
    "v1_caller_trust_enterprise_id_patch": edit_draft,
    "v1_caller_trust_enterprise_id_submit_post": submit,
    "v1_caller_trust_enterprise_id_sign_and_submit_post": sign_and_submit,
    "v1_caller_trust_enterprise_id_resign_post": sign_again,
    "v1_caller_trust_enterprise_id_generate_loa_post": render_loa,
}
STEPS = {"enterprises": be_decided}
