"""Buying a number: which one it will be, its record, and the agent that is wired to it."""

from revdesk_mock import cnam, inventory
from revdesk_mock.clock import SECOND
from revdesk_mock.errors import ApiError
from revdesk_mock.inventory import Offer
from revdesk_mock.messages import Reason, Record
from revdesk_mock.simulation.credentials import Credential
from revdesk_mock.world import World

PROVIDER = "mock"
GREETING = "Hello, this is the RevDesk test agent. How can I help you?"


def choose(world: World, wanted: str | None, area_code: str | None) -> Offer:
    """Pick the number to buy: the one asked for, or the first for sale (in the area code).

    Raises ApiError (409) where there is none: not in the inventory, or bought already.
    """
    if wanted is None:
        offers = inventory.search("US", inventory.LOCAL, area_code=area_code)
    else:
        offer = inventory.find(wanted)
        offers = iter([offer] if offer and area_code in {None, offer.block.area_code} else [])
    for offer in offers:
        if not world.store.find("phone_numbers", "phone_number", offer.phone_number):
            return offer
    asked = wanted or (f"area code {area_code}" if area_code else "the United States")
    where = "body /phone_number" if wanted else "body /area_code"
    raise ApiError(
        "conflict",
        f"No number is for sale for {asked}; GET /v1/phone-numbers/search lists those that are.",
        Reason("inventory", where, "a number for sale that this account does not have", asked),
    )


def start(world: World, credential: Credential, offer: Offer, name: str | None) -> Record:
    """Write the number's record, pending until its time on the clock, with an agent of its own (documented)."""
    run = f"wf_{world.dice.hex(20)}"
    number = {
        "id": _free_id(world),
        "phone_number": offer.phone_number,
        "shown_number": f"pending:{run}",
        "workflow_run_id": run,
        "name": name,
        **world.owners(credential),
        "provider": PROVIDER,
        "is_active": False,
        "iso_country": offer.block.country,
        "cnam_display_name": None,
        "cnam_status": cnam.NONE,
        "cnam_live_at": None,
        "recording_enabled": True,
        "transcription_enabled": True,
        "agent_id": _wire_agent(world, credential, name or offer.phone_number)["id"],
        "texting_status": "not_registered",
        "created_at": world.clock.now(),
        "due_at": world.clock.now() + world.policies.provisioning_seconds * SECOND,
    }
    return world.store.insert("phone_numbers", number)


def _wire_agent(world: World, credential: Credential, name: str) -> Record:
    organization = world.organization_of(credential)
    agent = {
        "id": world.dice.uuid(),
        "organization_id": organization and organization["id"],
        "name": f"Agent for {name}"[:120],
        "enabled": True,
        "agent_type": "both",
        "greeting": GREETING,
        "language": "en",
        "voice_id": "en-us",
        "business_name": organization and organization["name"],
        "business_description": None,
        "system_prompt": None,
        "created_at": world.clock.now(),
        "updated_at": world.clock.now(),
    }
    return world.store.insert("agents", agent)


def _free_id(world: World) -> str:
    """Draw a record id; the contract has whole numbers."""
    while world.store.get("phone_numbers", drawn := str(world.dice.integer(100_000, 999_999_999))) is not None:
        pass
    return drawn
