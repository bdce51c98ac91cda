"""Branded calling: the name, reason and logo that phones show, from a draft to the carrier's verdict."""

import re
from collections.abc import Mapping

from revdesk_mock import registrations, vetting
from revdesk_mock.clock import DAY, HOUR, iso_or_none
from revdesk_mock.errors import ApiError, invalid
from revdesk_mock.exchange import Exchange, Reply
from revdesk_mock.messages import JSON, Reason, Record
from revdesk_mock.simulation.credentials import Credential
from revdesk_mock.vetting import APPROVED, REJECTED, Verdict
from revdesk_mock.world import World

DRAFT, PENDING_SUBMIT, SUBMITTED = "DRAFT", "PENDING_SUBMIT", "SUBMITTED"
AT_CARRIER = frozenset({SUBMITTED, APPROVED, REJECTED})
PUSH = 2 * HOUR  # after midnight UTC: brands go to the carrier by night (documented), at an hour that is chosen
NEEDED: Mapping[str, str] = {
    "display_name": "PUT /v1/caller-trust/brand",
    "call_reason": "PUT /v1/caller-trust/brand",
    "logo_url": "PUT /_revdesk/brand/logo",
}
WEB_ADDRESS = re.compile(r"https?://[^\s/]\S{0,2000}")


def show(world: World, exchange: Exchange) -> Reply:
    """Answer the brand of the registration that the key reads (for a sub-entity maybe the parent's), or null."""
    enterprise = registrations.shown(world, exchange.credential)
    brand = None if enterprise is None else _brand_of(world, enterprise)
    return Reply(None if brand is None else _shown(brand))


def save(world: World, exchange: Exchange) -> Reply:
    """Save the draft of the key's own registration, with the logo that it has; 404 without a registration (chosen)."""
    enterprise, body = registrations.needed(world, exchange.credential), exchange.body
    brand = _brand_of(world, enterprise) or _new(world, enterprise)
    # One contract has a reason, another a list of them and who authorizes the brand.
    reasons = [body["call_reason"]] if "call_reason" in body else body["call_reasons"]
    authorizer = {field: body.get(field) for field in ("authorizer_name", "authorizer_email")}
    return Reply(_shown(edit(world, brand, display_name=body["display_name"], call_reasons=reasons, **authorizer)))


def submit(world: World, exchange: Exchange) -> Reply:
    """Hand in a complete draft, which the next push takes to the carrier.

    Doing it again changes nothing, as with a hang-up, so that a retry is no harm (chosen). What was rejected is
    edited first (documented: by that it becomes a draft), or refused with 409.
    """
    brand = needed(world, exchange.credential)
    if brand["status"] == REJECTED:
        reason = Reason("brand.draft", "this brand", DRAFT, REJECTED)
        raise ApiError("conflict", "The brand was rejected; edit it before it is submitted again.", reason)
    if brand["status"] == DRAFT:
        _check_complete(brand)
        now = world.clock.now()
        dates = {"submitted_at": now, "updated_at": now, "due_at": _next_push(world)}
        brand = world.store.update("brands", brand, status=PENDING_SUBMIT, **dates)
    return Reply(_shown(brand))


def needed(world: World, credential: Credential) -> Record:
    """Return the brand of the key's own registration; raises ApiError (404) where there is none to act on."""
    brand = _brand_of(world, registrations.needed(world, credential))
    if brand is None:
        reason = Reason("brand.exists", "this registration", "a brand", "none")
        raise ApiError("not_found", "There is no brand yet; PUT /v1/caller-trust/brand starts one.", reason)
    return brand


def edit(world: World, brand: Record, **changes: JSON) -> Record:
    """Change a brand; whatever it was, it is a draft again (documented), and what the carrier said is gone."""
    dates = {"submitted_at": None, "approved_at": None, "updated_at": world.clock.now(), "due_at": None}
    return world.store.update("brands", brand, **changes, **dates, status=DRAFT, rejection_reasons=[])


def read_logo(order: JSON) -> str | None:
    """Read `{"logo_url": "https://..."}`, or null for no logo; raises ApiError (400) for anything else.

    The contract shows a logo and has no way to upload one. What shows it needs its address alone, so the
    image itself (documented: PNG, JPEG or WebP, square, at least 200 x 200) is not asked for.
    """
    match order:
        case {"logo_url": str() as url, **rest} if not rest and WEB_ADDRESS.fullmatch(url):
            return url
        case {"logo_url": None, **rest} if not rest:
            return None
    expected = '{"logo_url": "https://..."} or {"logo_url": null}'
    raise invalid("logo_url", f"send {expected}", rule="brand.logo", expected=expected, got=order)


def move_on(world: World, brand: Record) -> None:
    """Carry out what time brings: the push to the carrier, and then its verdict."""
    if brand["status"] == PENDING_SUBMIT:
        due_at = vetting.due_at(world, brand["display_name"])
        world.store.update("brands", brand, status=SUBMITTED, updated_at=world.clock.now(), due_at=due_at)
    else:
        decide(world, brand, vetting.verdict_on(brand["display_name"]))


def decide(world: World, brand: Record, verdict: Verdict) -> Record:
    """Let the carrier approve or reject a brand; raises ApiError (409) for one that it does not have to vet."""
    vetting.check_pending(brand["status"], SUBMITTED)
    now = world.clock.now()
    result = {"status": verdict.status, "rejection_reasons": verdict.reasons}
    approved_at = now if verdict.status == APPROVED else None
    return world.store.update("brands", brand, **result, approved_at=approved_at, updated_at=now, due_at=None)


def _brand_of(world: World, enterprise: Record) -> Record | None:
    for brand in world.store.find("brands", "enterprise_id", enterprise["id"]):
        return brand
    return None


def _new(world: World, enterprise: Record) -> Record:
    return {
        "id": world.dice.uuid(),
        "organization_id": enterprise["organization_id"],
        "enterprise_id": enterprise["id"],
        "logo_url": None,
        "created_at": world.clock.now(),
    }


def _check_complete(brand: Record) -> None:
    """Raise ApiError (400; chosen) that names each thing a brand still lacks (documented: name, reason and logo)."""
    shown = _shown(brand)
    missing = [field for field in NEEDED if not (shown[field] or "").strip()]
    if missing:
        reasons = [
            Reason("brand.complete", f"the brand's {field}", f"one set by {NEEDED[field]}", "") for field in missing
        ]
        fields = dict.fromkeys(missing, "is needed to submit the brand")
        raise ApiError("validation_error", f"The brand is not complete: {', '.join(missing)}.", *reasons, fields=fields)


def _next_push(world: World) -> int:
    now = world.clock.now()
    return now if world.policies.brand_push == "at_once" else (now - PUSH) // DAY * DAY + DAY + PUSH


def _shown(brand: Record) -> dict[str, JSON]:
    plain = ("id", "display_name", "call_reasons", "authorizer_name", "authorizer_email", "logo_url", "status")
    return {
        **{field: brand[field] for field in plain},
        "call_reason": next(iter(brand["call_reasons"]), ""),
        "authorizer_email_verified": brand["authorizer_email"] is not None,  # there is no operation to verify it
        "telnyx_status": brand["status"] if brand["status"] in AT_CARRIER else None,
        "rejection_reasons": brand["rejection_reasons"],
        "submitted_at": iso_or_none(brand["submitted_at"]),
        "approved_at": iso_or_none(brand["approved_at"]),
    }


HANDLERS = {
    "v1_caller_trust_brand_get": show,
    "v1_caller_trust_brand_put": save,
    "v1_caller_trust_brand_submit_post": submit,
}
STEPS = {"brands": move_on}
