"""Caller IDs: numbers of one's own that are verified by a call which reads out a code."""

from revdesk_mock import cnam, placement
from revdesk_mock.clock import HOUR, MINUTE, iso, iso_or_none
from revdesk_mock.errors import ApiError
from revdesk_mock.exchange import Exchange, Reply, owned
from revdesk_mock.messages import JSON, Reason, Record
from revdesk_mock.simulation.credentials import Credential
from revdesk_mock.simulation.guardrails import Attempt
from revdesk_mock.world import World

# The docs name VERIFIED alone; the others are chosen.
PENDING, VERIFIED, EXPIRED, FAILED = "PENDING", "VERIFIED", "EXPIRED", "FAILED"
TRIES = 5
HIDDEN = "******"
BY_CALL = "phone_call"


def list_caller_ids(world: World, exchange: Exchange) -> Reply:
    """Answer every caller ID, newest first: the operation has no pages."""
    records = [record for _, record in world.store.newest("caller_ids") if exchange.credential.sees(record)]
    return Reply([_shown(record) for record in records], {"total_results": len(records), "page_size": len(records)})


def start_verification(world: World, exchange: Exchange) -> Reply:
    """Let the carrier call the number and read a code; a start that is still open is replaced.

    The code is not in the answer (documented, in the newer API document; by policy it is): the field that the
    contract has for it holds stars. `GET /_revdesk/caller-ids/{id}/code` plays the phone that rings.
    """
    number = exchange.body["phone_number"]
    attempt = Attempt(number, number, channels=0, cost=0, field="phone_number")
    placement.check_numbers(world, exchange.credential, attempt, placement.NO_BOUNDS)
    for record in filter(exchange.credential.sees, world.store.find("caller_ids", "phone_number", number)):
        if record["status"] == VERIFIED:
            raise _refused("is verified already", "caller_id.unverified", "a number that is not verified", number)
        if record["status"] == PENDING:
            world.store.delete("caller_ids", record["id"])
    record = world.store.insert("caller_ids", _new(world, exchange.credential, number))
    shown = record["code"] if world.policies.caller_id_code == "shown" else HIDDEN
    message = f"Calling {number} to read out a code; hand it in within {world.policies.caller_id_code_minutes} minutes."
    return Reply({"caller_id_id": record["id"], "validation_code": shown, "message": message})


def verify(world: World, exchange: Exchange) -> Reply:
    """Hand in the code. A wrong one is told by `verified` false, and counted; the fifth wrong one ends it."""
    record = _caller_id(world, exchange)
    if record["status"] == VERIFIED:
        return Reply({"verified": True, "message": "This caller ID is verified already."})
    if record["status"] != PENDING:
        why = "has expired" if record["status"] == EXPIRED else "has failed"
        raise _refused(f"{why}; start again", "caller_id.pending", "a verification under way", record["status"])
    now = world.clock.now()
    if exchange.body["verification_code"].strip() == record["code"]:
        done = {"verified_at": now, "certification_method": BY_CALL, "active": True, "due_at": None}
        world.store.update("caller_ids", record, status=VERIFIED, updated_at=now, **done)
        return Reply({"verified": True, "message": "The caller ID is verified."})
    left = record["tries_left"] - 1
    status = PENDING if left else FAILED
    due_at = record["due_at"] if left else None
    world.store.update("caller_ids", record, status=status, tries_left=left, due_at=due_at, updated_at=now)
    advice = f"{left} tries left." if left else "No tries left; start again."
    return Reply({"verified": False, "message": f"The code is wrong. {advice}"})


def update(world: World, exchange: Exchange) -> Reply:
    """Set the CNAM of a verified caller ID: pending until it has spread. An empty name ends it."""
    record = _caller_id(world, exchange)
    if record["status"] != VERIFIED:
        raise _refused("is not verified", "caller_id.verified", "a verified caller ID", record["status"])
    name = exchange.body["cnam_display_name"]
    cnam.check(name)
    now = world.clock.now()
    due_at = now + world.policies.cnam_propagation_hours * HOUR if name else None
    shown = {"cnam_display_name": name or None, "cnam_status": cnam.PENDING if name else None, "due_at": due_at}
    return Reply(_shown(world.store.update("caller_ids", record, **shown, updated_at=now)))


def move_on(world: World, record: Record) -> None:
    """Carry out what time brings: a code that was not handed in expires, a CNAM that has spread is approved."""
    changes = {"status": EXPIRED} if record["status"] == PENDING else {"cnam_status": cnam.APPROVED}
    world.store.update("caller_ids", record, **changes, due_at=None, updated_at=record["due_at"])


def _caller_id(world: World, exchange: Exchange) -> Record:
    return owned(world, exchange.credential, "caller_ids", exchange.path["id"], "caller ID")


def _new(world: World, credential: Credential, number: str) -> Record:
    now = world.clock.now()
    return {
        "id": world.dice.uuid(),
        "organization_id": world.owners(credential)["organization_id"],
        "phone_number": number,
        "status": PENDING,
        "code": f"{world.dice.integer(0, 999_999):06d}",
        "tries_left": TRIES,
        "verified_at": None,
        "certification_method": None,
        "cnam_display_name": None,
        "cnam_status": None,
        "active": False,
        "created_at": now,
        "updated_at": now,
        "due_at": now + world.policies.caller_id_code_minutes * MINUTE,
    }


def _refused(why: str, rule: str, expected: str, got: str) -> ApiError:
    return ApiError("conflict", f"The caller ID {why}.", Reason(rule, "this caller ID", expected, got))


def _shown(record: Record) -> dict[str, JSON]:
    plain = ("phone_number", "status", "certification_method", "cnam_display_name", "cnam_status", "active")
    return {
        "caller_id_id": record["id"],
        **{field: record[field] for field in plain},
        "verified_at": iso_or_none(record["verified_at"]),
        "rcd_display_name": None,
        "rcd_status": None,
        "created_at": iso(record["created_at"]),
        "updated_at": iso(record["updated_at"]),
    }


HANDLERS = {
    "v1_caller_ids_get": list_caller_ids,
    "v1_caller_ids_post": start_verification,
    "v1_caller_ids_id_patch": update,
    "v1_caller_ids_id_verify_post": verify,
}
STEPS = {"caller_ids": move_on}
