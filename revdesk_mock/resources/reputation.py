"""Reputation: the settings of an own brand, and the scores of the numbers that are watched."""

from revdesk_mock import monitoring, paperwork, registrations, vetting
from revdesk_mock.clock import DAY, SECOND
from revdesk_mock.errors import ApiError
from revdesk_mock.exchange import Exchange, Reply, owned, page
from revdesk_mock.messages import JSON, Reason, Record
from revdesk_mock.simulation import guardrails
from revdesk_mock.simulation.credentials import Credential
from revdesk_mock.simulation.guardrails import Attempt
from revdesk_mock.vetting import Verdict
from revdesk_mock.world import World

# The enterprise of a number under the shared umbrella, in lists: they have no null there. Chosen; a number that is
# shown alone has null (inferred: it may).
UMBRELLA = "00000000-0000-4000-8000-000000000001"
COUNTRY = "US"

# settings


def show_settings(world: World, exchange: Exchange) -> Reply:
    """Answer the settings of one's own brand, or for a sub-entity without a registration the parent's; else null."""
    registration = registrations.shown(world, exchange.credential)
    settings = None if registration is None else monitoring.settings_of(world, registration)
    return Reply(None if settings is None else _settings(settings))


def enable(world: World, exchange: Exchange) -> Reply:
    """Ask the carrier to watch the brand's own numbers; a rejection is replaced by a fresh PENDING (documented).

    What is PENDING or APPROVED is answered as it is, whatever the body says (chosen): a frequency is changed by PATCH.
    """
    registration = registrations.needed_at_carrier(world, exchange.credential)
    settings = monitoring.settings_of(world, registration)
    if settings is None or settings["status"] == vetting.REJECTED:
        letter = _letter(world, exchange, registration)
        frequency = exchange.body.get("check_frequency")
        settings = monitoring.enable(world, registration, frequency=frequency, loa_document_id=letter)
    return Reply(_settings(settings))


def update(world: World, exchange: Exchange) -> Reply:
    """Change the frequency; only while APPROVED (documented)."""
    settings = _approved(world, registrations.needed(world, exchange.credential))
    return Reply(_settings(monitoring.change(world, settings, check_frequency=exchange.body["check_frequency"])))


def disable(world: World, exchange: Exchange) -> Reply:
    """Leave monitoring with every number of the organization; only while APPROVED (documented)."""
    registration = registrations.needed(world, exchange.credential)
    _approved(world, registration)
    monitoring.tear_down(world, registration)
    return Reply({"enterprise_id": registration["id"], "disabled": True})


def needed(world: World, credential: Credential) -> Record:
    """Return the settings of the key's own registration; raises ApiError (404) where there are none to act on."""
    settings = monitoring.settings_of(world, registrations.needed(world, credential))
    if settings is None:
        reason = Reason("reputation.exists", "this registration", "reputation settings", "none")
        raise ApiError("not_found", "Reputation is not enabled; POST /v1/caller-trust/reputation enables it.", reason)
    return settings


def decide(world: World, settings: Record, verdict: Verdict) -> Record:
    """Let the carrier decide about settings that are PENDING; raises ApiError (409) for others."""
    vetting.check_pending(settings["status"], vetting.PENDING)
    changes = {"status": verdict.status, "rejection_reasons": verdict.reasons}
    return monitoring.change(world, settings, **changes, due_at=None)


def hear(world: World, settings: Record) -> None:
    """Carry out what time brings: the carrier's verdict on the registration's legal name."""
    registration = world.store.get("enterprises", settings["id"])
    decide(world, settings, vetting.verdict_on(registration["legal_name"] if registration else ""))


def _letter(world: World, exchange: Exchange, registration: Record) -> str:
    """Return the LOA's document: the one in the body, or the registration's own.

    Raises ApiError: 404 for one that is unknown or has lapsed (inferred: it is gone), 409 for one that did not pass its
    scan (chosen), and 409 where there is none (the status is chosen).
    """
    asked: str | None = exchange.body.get("loa_document_id")
    if asked is not None:
        letter = paperwork.link(world, exchange.credential, asked, "reputation", "body /loa_document_id")
        return str(letter["id"])
    if registration["loa_document_id"] is None:
        reason = Reason("reputation.loa", "body /loa_document_id", "a signed LOA, here or on the registration", "none")
        raise ApiError("conflict", "No LOA is on file; upload one and name it in loa_document_id.", reason)
    return str(registration["loa_document_id"])


def _approved(world: World, registration: Record) -> Record:
    """Return a registration's settings; raises ApiError (409; the status is chosen) unless they are APPROVED."""
    settings = monitoring.settings_of(world, registration)
    if settings is None or settings["status"] != vetting.APPROVED:
        status = "not enabled" if settings is None else settings["status"]
        reason = Reason("reputation.approved", "this registration", f"reputation that is {vetting.APPROVED}", status)
        raise ApiError("conflict", f"Reputation monitoring under the own brand is {status}.", reason)
    return settings


def _settings(settings: Record) -> dict[str, JSON]:
    return {"enterprise_id": settings["id"], **monitoring.shown(settings)}


# numbers


def list_numbers(world: World, exchange: Exchange) -> Reply:
    """Answer one page of the watched numbers, the last enrolled first."""
    found, meta = page(world, exchange, "monitored_numbers")
    shown = [_shown(world, watched) for watched in found]
    return Reply([{**number, "enterprise_id": number["enterprise_id"] or UMBRELLA} for number in shown], meta)


def enrol(world: World, exchange: Exchange) -> Reply:
    """Watch all of these numbers, or none where one is not an own active US number.

    `enrolled` counts all that are asked for and watched now, new or not: enrolling again gets the same answer (chosen).
    """
    asked = list(dict.fromkeys(exchange.body["phone_numbers"]))
    for number in _owned(world, exchange):
        monitoring.enrol(world, number)
    return Reply({"enrolled": len(asked), "phone_numbers": asked})


def show_number(world: World, exchange: Exchange) -> Reply:
    """Answer one number as last refreshed; `fresh=true` refreshes it now, at a price."""
    watched = _watched(world, exchange)
    if exchange.query.get("fresh") == "true":
        _check_query(world, watched)
        watched = monitoring.query(world, watched)
    return Reply(_shown(world, watched))


def disenrol(world: World, exchange: Exchange) -> Reply:
    """Watch a number no longer; what is not enrolled is not found (chosen)."""
    watched = _watched(world, exchange)
    monitoring.forget(world, watched["id"])
    return Reply({"phone_number": watched["id"], "disenrolled": True})


def _watched(world: World, exchange: Exchange) -> Record:
    return owned(world, exchange.credential, "monitored_numbers", exchange.path["phone"], "monitored number")


def _owned(world: World, exchange: Exchange) -> list[Record]:
    """Return the records of the numbers asked for; raises one ApiError that names each that cannot be enrolled.

    404 for those that are not own active numbers, as for every id in a body that this key does not have; 400 for
    those of another country (documented: US numbers only).
    """
    sees, asked = exchange.credential.sees, exchange.body["phone_numbers"]
    found: dict[str, Record] = {}
    for number in asked:
        for record in world.store.find("phone_numbers", "phone_number", number):
            if record["is_active"] and sees(record):
                found[number] = record
    strangers = [place for place, number in enumerate(asked) if number not in found]
    if strangers:
        raise _refused("not_found", "is not an active number of this account", "reputation.owned", asked, strangers)
    abroad = [place for place, number in enumerate(asked) if found[number]["iso_country"] != COUNTRY]
    if abroad:
        raise _refused("validation_error", "is not a US number", "reputation.us", asked, abroad)
    return list(found.values())


def _refused(code: str, why: str, rule: str, asked: list[str], places: list[int]) -> ApiError:
    expected = "an active US number of this account"
    reasons = [Reason(rule, f"body /phone_numbers/{place}", expected, asked[place]) for place in places]
    fields = {f"phone_numbers.{place}": why for place in places}
    return ApiError(code, f"{asked[places[0]]} {why}.", *reasons, fields=fields)


def _check_query(world: World, watched: Record) -> None:
    """Raise ApiError: 429 after the day's one live query (documented; the day is UTC, chosen), 403 at the spend cap."""
    now, queried_at = world.clock.now(), watched["queried_at"]
    if queried_at is not None and queried_at // DAY == now // DAY:
        wait = -((now % DAY - DAY) // SECOND)
        raise ApiError(
            "rate_limited",
            f"{watched['id']} had its live query of today; the next is possible in {wait} s.",
            Reason("reputation.fresh", "query fresh", "one live query for each number and UTC day", "one more"),
            headers=[("retry-after", str(wait))],
        )
    number = watched["id"]
    world.guardrails.check_capacity(Attempt(number, number, channels=0, cost=guardrails.LIVE_QUERY))


def _shown(world: World, watched: Record) -> dict[str, JSON]:
    brand = monitoring.brand_of(world, watched)
    return {
        "phone_number": watched["id"],
        "enterprise_id": brand and brand["id"],
        **monitoring.assessment(world, watched),
    }


HANDLERS = {
    "v1_caller_trust_reputation_get": show_settings,
    "v1_caller_trust_reputation_post": enable,
    "v1_caller_trust_reputation_delete": disable,
    "v1_caller_trust_reputation_patch": update,
    "v1_caller_trust_reputation_numbers_get": list_numbers,
    "v1_caller_trust_reputation_numbers_post": enrol,
    "v1_caller_trust_reputation_numbers_phone_get": show_number,
    "v1_caller_trust_reputation_numbers_phone_delete": disenrol,
}
STEPS = {"reputations": hear}
