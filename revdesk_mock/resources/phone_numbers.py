"""Phone numbers: search, buy, provision, update, CNAM, texting overrides, release."""

from revdesk_mock import cnam, inventory, monitoring, pages, provisioning
from revdesk_mock.clock import HOUR, iso, iso_or_none
from revdesk_mock.errors import ApiError, invalid, not_found
from revdesk_mock.exchange import Exchange, Reply, owned, page, visible
from revdesk_mock.messages import JSON, Reason, Record
from revdesk_mock.world import World

MOST_OFFERS = 50  # documented
OVERRIDE = ("auto_reply_enabled", "reply_delay_seconds", "default_prompt")


def search(world: World, exchange: Exchange) -> Reply:
    """Answer numbers for sale that this account does not have, always in the same order."""
    query = exchange.query
    limit = pages.size_of(query, MOST_OFFERS, MOST_OFFERS)
    offers = inventory.search(
        query["country"],
        query["number_type"],
        area_code=query.get("area_code"),
        contains=query.get("contains"),
        region=query.get("in_region"),
    )
    found: list[JSON] = []
    for offer in offers:
        if len(found) == limit:
            break
        if not world.store.find("phone_numbers", "phone_number", offer.phone_number):
            block = offer.block
            found.append(
                {
                    "phone_number": offer.phone_number,
                    "locality": block.locality,
                    "region": block.region,
                    "features": list(block.features),
                }
            )
    return Reply(found, {"page_size": len(found)})


def list_numbers(world: World, exchange: Exchange) -> Reply:
    """Answer one page, newest first."""
    numbers, meta = page(world, exchange, "phone_numbers")
    return Reply([_summary(world, exchange, number) for number in numbers], meta)


def show(world: World, exchange: Exchange) -> Reply:
    """Answer one number; before provisioning ends it reads `pending:...` and is not active."""
    number = _number(world, exchange)
    return Reply(
        {**_shared(world, exchange, number), "subscription_status": "active" if number["is_active"] else "pending"}
    )


def buy(world: World, exchange: Exchange) -> Reply:
    """Start provisioning: the record is there at once, with an agent wired to it; the number comes later."""
    offer = provisioning.choose(world, exchange.body.get("phone_number"), exchange.body.get("area_code"))
    number = provisioning.start(world, exchange.credential, offer, exchange.body.get("name"))
    path = f"/v1/phone-numbers/{number['id']}"
    data = {
        "phone_record_id": int(number["id"]),
        "workflow_run_id": number["workflow_run_id"],
        "status_url": exchange.base_url + path,
    }
    return Reply(data, location=path)


def activate(world: World, number: Record) -> None:
    """End provisioning: active, and with its real number, in one step; a US number is watched (documented)."""
    world.store.update("phone_numbers", number, is_active=True, shown_number=number["phone_number"], due_at=None)
    if number["iso_country"] == "US" and world.policies.enrol_on_purchase == "yes":
        monitoring.enrol(world, number)


def update(world: World, exchange: Exchange) -> Reply:
    """Change settings; a CNAM goes to the carrier at once and is pending until it has spread."""
    number, body = _number(world, exchange), exchange.body
    changes: dict[str, JSON] = {f: body[f] for f in ("name", "recording_enabled", "transcription_enabled") if f in body}
    if "agent_id" in body:
        changes["agent_id"] = _existing_agent(world, exchange)
    if "cnam_display_name" in body or "cnam_enabled" in body:
        changes |= _cnam_changes(world, number, body)
    number = world.store.update("phone_numbers", number, **changes)
    plain = ("cnam_display_name", "cnam_status", "name", "recording_enabled", "transcription_enabled")
    shown = {field: number[field] for field in plain}
    return Reply({"id": int(number["id"]), **shown, "agent_id": _agent_id(world, exchange, number)})


def release(world: World, exchange: Exchange) -> Reply:
    """Give the number back; its calls, their tokens, its texting override and its scores are erased with it."""
    number = _number(world, exchange)
    calls = {call["id"]: call for call in world.store.find("calls", "phone_number_id", number["id"])}  # in their order
    for token in world.store.all("tokens"):
        if token["call_id"] in calls:
            world.store.delete("tokens", token["id"])
    for call_id in calls:
        world.store.delete("calls", call_id)
    world.store.delete("sms_overrides", number["id"])
    monitoring.forget(world, number["phone_number"])
    world.store.delete("phone_numbers", number["id"])
    return Reply({"id": int(number["id"]), "deleted": True})


def check_cnam(world: World, exchange: Exchange) -> Reply:
    """Ask the carrier: a pending CNAM that has spread becomes APPROVED by this look (documented)."""
    number = _number(world, exchange)
    live_at = number["cnam_live_at"]
    is_live = live_at is not None and live_at <= world.clock.now()
    if is_live and number["cnam_status"] == cnam.PENDING:
        number = world.store.update("phone_numbers", number, cnam_status=cnam.APPROVED)
    live_status = "inactive" if live_at is None else "active" if is_live else "provisioning"
    return Reply(
        {
            "id": int(number["id"]),
            "phone_number": number["shown_number"],
            "cnam_display_name": number["cnam_display_name"],
            "cnam_status": number["cnam_status"],
            "live_status": live_status,
            "live_enabled": is_live,
            "live_display_name": number["cnam_display_name"] if is_live else None,
        }
    )


def show_override(world: World, exchange: Exchange) -> Reply:
    """Answer the number's own auto-reply settings; without an override all three are null."""
    return Reply(_override(world, _number(world, exchange)))


def update_override(world: World, exchange: Exchange) -> Reply:
    """Create or change the override; what was never given stays null and is inherited."""
    number = _number(world, exchange)
    changes = {field: exchange.body[field] for field in OVERRIDE if field in exchange.body}
    override = world.store.get("sms_overrides", number["id"])
    if override is None:
        override = world.store.insert("sms_overrides", {"id": number["id"], **dict.fromkeys(OVERRIDE)})
    world.store.update("sms_overrides", override, **changes)
    return Reply(_override(world, number))


def _number(world: World, exchange: Exchange) -> Record:
    return owned(world, exchange.credential, "phone_numbers", exchange.path["id"], "phone number")


def _existing_agent(world: World, exchange: Exchange) -> str:
    agent_id: str = exchange.body["agent_id"]
    if visible(world, exchange.credential, "agents", agent_id.lower()) is None:
        raise not_found("agent", agent_id, "body /agent_id")
    return agent_id.lower()


def _agent_id(world: World, exchange: Exchange, number: Record) -> str | None:
    """Return the agent that a number is wired to; None where that is not the key's to see."""
    agent = visible(world, exchange.credential, "agents", number["agent_id"])
    return None if agent is None else str(agent["id"])


def _cnam_changes(world: World, number: Record, body: dict[str, JSON]) -> dict[str, JSON]:
    """Work out a CNAM change: US local and active numbers only; an empty name or `cnam_enabled` false ends it."""
    cnam.check(body.get("cnam_display_name", ""))
    name = body.get("cnam_display_name", number["cnam_display_name"])
    field = "cnam_display_name" if "cnam_display_name" in body else "cnam_enabled"
    if not body.get("cnam_enabled", True) or (not name and not body.get("cnam_enabled")):
        return {"cnam_display_name": name or None, "cnam_status": cnam.NONE, "cnam_live_at": None}
    if not inventory.is_us_local(number["phone_number"]):
        message, expected = "can only be set on US local numbers", "a US local number"
        raise invalid(field, message, rule="cnam.us_local", expected=expected, got=number["phone_number"])
    if not name:
        raise invalid(field, "needs a cnam_display_name", rule="cnam.name", expected="a name to show", got=name)
    if not number["is_active"]:
        reason = Reason("cnam.active", f"body /{field}", "an active number", "one that is being provisioned")
        raise ApiError("conflict", "CNAM can be set once the number is active.", reason)
    if name == number["cnam_display_name"] and number["cnam_status"] != cnam.NONE:
        return {}
    live_at = world.clock.now() + world.policies.cnam_propagation_hours * HOUR
    return {"cnam_display_name": name, "cnam_status": cnam.PENDING, "cnam_live_at": live_at}


def _shared(world: World, exchange: Exchange, number: Record) -> dict[str, JSON]:
    plain = ("name", "organization_id", "user_id", "provider", "is_active", "iso_country")
    return {
        **{field: number[field] for field in plain},
        "id": int(number["id"]),
        "phone_number": number["shown_number"],
        "agent_id": _agent_id(world, exchange, number),
        "reputation_enrolled_at": iso_or_none(monitoring.enrolled_at(world, number)),
        "created_at": iso(number["created_at"]),
    }


def _summary(world: World, exchange: Exchange, number: Record) -> dict[str, JSON]:
    return {
        **_shared(world, exchange, number),
        "cnam_display_name": number["cnam_display_name"],
        "cnam_status": number["cnam_status"],
        "texting_enabled": number["texting_status"] == "approved",
        "texting_status": number["texting_status"],
    }


def _override(world: World, number: Record) -> dict[str, JSON]:
    override = world.store.get("sms_overrides", number["id"])
    shown = {field: override and override[field] for field in OVERRIDE}
    return {"phone_number_id": int(number["id"]), "has_override": override is not None, **shown}


HANDLERS = {
    "v1_phone_numbers_get": list_numbers,
    "v1_phone_numbers_post": buy,
    "v1_phone_numbers_id_get": show,
    "v1_phone_numbers_id_delete": release,
    "v1_phone_numbers_id_patch": update,
    "v1_phone_numbers_search_get": search,
    "v1_phone_numbers_id_cnam_status_get": check_cnam,
    "v1_phone_numbers_id_sms_config_get": show_override,
    "v1_phone_numbers_id_sms_config_patch": update_override,
}
STEPS = {"phone_numbers": activate}
