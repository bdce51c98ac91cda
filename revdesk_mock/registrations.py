"""Registrations: the enterprise that a key speaks for, its states, and what others ask of it."""

from revdesk_mock.errors import ApiError
from revdesk_mock.messages import Reason, Record
from revdesk_mock.simulation.credentials import SUB_ENTITY, Credential
from revdesk_mock.world import World

DRAFT, PENDING_VETTING, APPROVED, REJECTED, DELETED = "DRAFT", "PENDING_VETTING", "APPROVED", "REJECTED", "DELETED"


def organization_id(world: World, credential: Credential) -> str | None:
    """Return whose registration a key speaks for: its sub-entity's, or the umbrella's.

    A user's key speaks for the one organization that its user owns (inferred from the rule for sub-entities).
    """
    if credential.owner == SUB_ENTITY:
        return credential.team
    return None if world.organization is None else str(world.organization["id"])


def own(world: World, credential: Credential) -> Record | None:
    """Return the registration that a key speaks for, unless there is none or it is deleted."""
    return _of(world, organization_id(world, credential))


def shown(world: World, credential: Credential) -> Record | None:
    """Return the registration that a key reads: its own, or for a sub-entity the parent's (documented)."""
    found = own(world, credential)
    if found is None and credential.owner == SUB_ENTITY and world.organization is not None:
        return _of(world, world.organization["id"])
    return found


def is_read_only(record: Record, credential: Credential) -> bool:
    """Whether a key only reads a registration: a sub-entity that of its parent (inferred from `read_only`)."""
    return credential.owner == SUB_ENTITY and record["organization_id"] != credential.team


def needed(world: World, credential: Credential) -> Record:
    """Return the key's own registration; raises ApiError (404) where there is none to act on."""
    record = own(world, credential)
    if record is None:
        reason = Reason("enterprise.exists", "this account", "an enterprise registration", "none")
        raise ApiError("not_found", "No enterprise is registered; POST /v1/caller-trust/enterprise starts one.", reason)
    return record


def needed_at_carrier(world: World, credential: Credential) -> Record:
    """Return the key's own registration that the carrier knows; raises ApiError (404; 409 before it is submitted)."""
    record = needed(world, credential)
    check_at_carrier(record)
    return record


def check_at_carrier(record: Record) -> None:
    """Raise ApiError (409; the code is chosen) where a registration has no `carrier_enterprise_id` (documented)."""
    if record["carrier_enterprise_id"] is None:
        reason = Reason("enterprise.submitted", "this registration", "a carrier_enterprise_id", "a draft without one")
        raise ApiError("conflict", "The registration has not been submitted to the carrier yet.", reason)


def _of(world: World, organization_id: str | None) -> Record | None:
    for record in reversed(world.store.find("enterprises", "organization_id", organization_id)):
        if record["status"] != DELETED:
            return record
    return None
