"""Monitoring: the reputation settings of a registration, and the numbers that are watched."""

from collections.abc import Iterator
from contextlib import contextmanager

from revdesk_mock import vetting
from revdesk_mock.clock import iso_or_none
from revdesk_mock.messages import JSON, Record
from revdesk_mock.simulation import scores
from revdesk_mock.world import World

# the settings of a registration


def enable(world: World, enterprise: Record, *, frequency: str | None, loa_document_id: str) -> Record:
    """Ask the carrier to watch a registration's numbers: PENDING until it decides, whatever was there before.

    The record's id is the registration's: there is one of them for each. Without a frequency it is the one
    that the shared umbrella has (chosen).
    """
    settings = {
        "id": enterprise["id"],
        "organization_id": enterprise["organization_id"],
        "status": vetting.PENDING,
        "check_frequency": frequency or world.policies.score_refresh,
        "rejection_reasons": [],
        "loa_document_id": loa_document_id,
        "last_synced_at": None,
        "due_at": vetting.due_at(world, enterprise["legal_name"]),
    }
    with _rescheduling(world):
        return world.store.insert("reputations", settings)


def change(world: World, settings: Record, **changes: JSON) -> Record:
    """Change settings together with the carrier."""
    with _rescheduling(world):
        return world.store.update("reputations", settings, **changes, last_synced_at=world.clock.now())


def tear_down(world: World, enterprise: Record) -> None:
    """Remove a registration's reputation settings, if there are any.

    The organization's numbers are watched no longer (documented) where they were watched under its own brand;
    those of its sub-entities return to the shared umbrella (inferred).
    """
    settings = settings_of(world, enterprise)
    if settings is None:
        return
    if settings["status"] == vetting.APPROVED:
        for watched in world.store.all("monitored_numbers"):
            if watched["organization_id"] == settings["organization_id"]:
                forget(world, watched["id"])
    with _rescheduling(world):
        world.store.delete("reputations", settings["id"])


def settings_of(world: World, enterprise: Record) -> Record | None:
    """Return the reputation settings of a registration, or None."""
    return world.store.get("reputations", enterprise["id"])


def shown(settings: Record) -> dict[str, JSON]:
    """Return settings as every answer has them."""
    shown = ("status", "check_frequency", "rejection_reasons")
    return {**{field: settings[field] for field in shown}, "last_synced_at": iso_or_none(settings["last_synced_at"])}


# watched numbers


def enrol(world: World, number: Record) -> None:
    """Watch a phone number from now on; one that is watched already stays as it is (documented).

    `refreshed_at` holds what the present schedule does not tell: a live query, or the last refresh under an
    earlier schedule; `scheduled_from` is when the present one began. All other refreshes follow from them.
    """
    if world.store.get("monitored_numbers", number["phone_number"]) is not None:
        return
    now = world.clock.now()
    world.store.insert(
        "monitored_numbers",
        {
            "id": number["phone_number"],
            "organization_id": number["organization_id"],
            "enrolled_at": now,
            "scheduled_from": now,
            "refreshed_at": None,
            "queried_at": None,
        },
    )


def forget(world: World, phone_number: str) -> None:
    """Watch a number no longer, if it was; all that was known of it is gone (documented)."""
    world.store.delete("monitored_numbers", phone_number)


def query(world: World, watched: Record) -> Record:
    """Ask the carrier about a number now, whatever the schedule says."""
    now = world.clock.now()
    return world.store.update("monitored_numbers", watched, queried_at=now, refreshed_at=now)


def enrolled_at(world: World, number: Record) -> int | None:
    """Return since when a phone number has been watched, or None."""
    watched = world.store.get("monitored_numbers", number["phone_number"])
    return None if watched is None else int(watched["enrolled_at"])


def brand_of(world: World, watched: Record) -> Record | None:
    """Return the approved settings that a number is watched under, or None for the shared umbrella.

    Documented: those of its own organization, or else its parent's.
    """
    owners = [watched["organization_id"]]
    if owners[0] is not None and world.organization is not None:
        owners.append(world.organization["id"])
    for owner in owners:
        for settings in world.store.find("reputations", "organization_id", owner):
            if settings["status"] == vetting.APPROVED:
                return settings
    return None


def risk_of(world: World, watched: Record) -> str | None:
    """Return the spam risk as of the last refresh, or None where nothing is known."""
    at = _refreshed_at(world, watched)
    return None if at is None else scores.opinion_on(watched["id"], at - watched["enrolled_at"]).risk


def assessment(world: World, watched: Record) -> dict[str, JSON]:
    """Return what was said of a number when it was last refreshed; before the first time all of it is null."""
    at = _refreshed_at(world, watched)
    said: dict[str, JSON] = dict.fromkeys(("spam_risk", "spam_category", *scores.SCORES))
    if at is not None:
        said = scores.assess(watched["id"], at - watched["enrolled_at"], at)
    return {**said, "last_refreshed_at": iso_or_none(at)}


def _refreshed_at(world: World, watched: Record) -> int | None:
    since, first = watched["scheduled_from"], watched["enrolled_at"] + scores.FIRST
    scheduled = scores.last_refresh(_frequency(world, watched), since, first, world.clock.now())
    return max((at for at in (watched["refreshed_at"], scheduled) if at is not None), default=None)


def _frequency(world: World, watched: Record) -> str:
    settings = brand_of(world, watched)
    return world.policies.score_refresh if settings is None else str(settings["check_frequency"])


@contextmanager
def _rescheduling(world: World) -> Iterator[None]:
    """Keep each number's last refresh across a change of settings; where the frequency changes, it counts from now."""
    numbers = world.store.all("monitored_numbers")
    before = [(watched, _frequency(world, watched), _refreshed_at(world, watched)) for watched in numbers]
    yield
    for watched, frequency, at in before:
        if _frequency(world, watched) != frequency:
            world.store.update("monitored_numbers", watched, refreshed_at=at, scheduled_from=world.clock.now())
