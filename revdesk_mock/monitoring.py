"""Monitoring: the reputation settings of a registration, and which numbers are watched."""

from revdesk_mock import vetting
from revdesk_mock.clock import iso_or_none
from revdesk_mock.messages import JSON, Record
from revdesk_mock.world import World

DEFAULT_FREQUENCY = "daily"  # chosen


def enable(world: World, enterprise: Record, *, frequency: str | None, loa_document_id: str) -> Record:
    """Ask the carrier to watch a registration's numbers: PENDING until it decides, whatever was there before.

    The record's id is the registration's: there is one of them for each.
    """
    return world.store.insert(
        "reputations",
        {
            "id": enterprise["id"],
            "organization_id": enterprise["organization_id"],
            "status": vetting.PENDING,
            "check_frequency": frequency or DEFAULT_FREQUENCY,
            "rejection_reasons": [],
            "loa_document_id": loa_document_id,
            "last_synced_at": None,
            "due_at": vetting.due_at(world, enterprise["legal_name"]),
        },
    )


def tear_down(world: World, enterprise: Record) -> None:
    """Remove a registration's reputation settings, if there are any; its numbers are watched no longer."""
    world.store.delete("reputations", enterprise["id"])


def settings_of(world: World, enterprise: Record) -> Record | None:
    """Return the reputation settings of a registration, or None."""
    return world.store.get("reputations", enterprise["id"])


def shown(settings: Record) -> dict[str, JSON]:
    """Return settings as every answer has them."""
    shown = ("status", "check_frequency", "rejection_reasons")
    return {**{field: settings[field] for field in shown}, "last_synced_at": iso_or_none(settings["last_synced_at"])}
