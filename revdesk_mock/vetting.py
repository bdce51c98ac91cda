"""Vetting: what the carrier will say of a registration, its reputation settings or a brand, and when."""

from typing import NamedTuple

from revdesk_mock.clock import SECOND
from revdesk_mock.errors import ApiError
from revdesk_mock.messages import JSON, Reason
from revdesk_mock.world import World

PENDING, APPROVED, REJECTED = "PENDING", "APPROVED", "REJECTED"
# Magic words in the name that is vetted (chosen; the docs name no test data).
REJECTED_WORD, UNDECIDED_WORD = "rejected", "undecided"
REASON = "The name could not be matched with the public record."


class Verdict(NamedTuple):
    """The carrier's answer, and for a rejection its reasons."""

    status: str
    reasons: list[str]


def due_at(world: World, name: str) -> int | None:
    """Return when the carrier decides about a name, in Unix milliseconds; None where only the admin API will."""
    if UNDECIDED_WORD in name.casefold():
        return None
    return world.clock.now() + world.policies.vetting_seconds * SECOND


def verdict_on(name: str) -> Verdict:
    """Return what the carrier says of a name when its time has come."""
    if REJECTED_WORD in name.casefold():
        return Verdict(REJECTED, [REASON])
    return Verdict(APPROVED, [])


def read_verdict(order: JSON) -> Verdict:
    """Read `{"status": "APPROVED"}` or `{"status": "REJECTED", "reasons": ["..."]}`; raises ApiError (400)."""
    match order:
        case {"status": "APPROVED", **rest} if not rest:
            return Verdict(APPROVED, [])
        case {"status": "REJECTED", **rest} if rest.keys() <= {"reasons"}:
            reasons = rest.get("reasons", [REASON])
            if isinstance(reasons, list) and reasons and all(isinstance(text, str) for text in reasons):
                return Verdict(REJECTED, reasons)
    what = '{"status": "APPROVED"} or {"status": "REJECTED", "reasons": ["..."]}'
    raise ApiError("validation_error", f"That is no verdict: send {what}.", fields={"body": what})


def check_pending(status: str, pending: str) -> None:
    """Raise ApiError (409) where the carrier has nothing to decide."""
    if status != pending:
        reason = Reason("vetting.pending", "this record", pending, status)
        raise ApiError("conflict", f"The carrier has nothing to decide: the status is {status}.", reason)
