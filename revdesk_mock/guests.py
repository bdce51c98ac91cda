"""Guests: more people in the room of a live call, each with a token that says what they may do."""

from revdesk_mock.errors import ApiError
from revdesk_mock.messages import Reason, Record
from revdesk_mock.placement import BROWSER
from revdesk_mock.rtc.events import Grants
from revdesk_mock.world import World

LONGEST_IDENTITY = 100  # characters
OURS = frozenset({"agent", "phone"})  # identities of those who wait in rooms


def invite(world: World, call: Record, identity: str, grants: Grants) -> tuple[str, int]:
    """Return a token with which one more person joins the room of a call, and how many seconds it is good for.

    Raises ApiError: 400 for an identity that is empty, too long or of one of ours; 409 for a call that has ended, or
    whose audio goes straight from a browser (documented).
    """
    if not 0 < len(identity.strip()) <= LONGEST_IDENTITY or identity in OURS:
        message = f"1 to {LONGEST_IDENTITY} characters, and neither of {' nor '.join(sorted(OURS))}"
        raise ApiError("validation_error", f"identity must be {message}.", fields={"identity": message})
    if call["ended_at"] is not None:
        raise _refused("This call has ended.", call["status"])
    if call["kind"] == BROWSER:
        raise _refused("Nobody can join a call that the browser dials: its audio goes straight from there.", BROWSER)
    ttl = world.policies.room_token_ttl_seconds
    with world.store.transaction():
        return world.join_tokens.issue_room(call, identity, ttl, grants=grants), ttl


def _refused(message: str, got: str) -> ApiError:
    return ApiError("conflict", message, Reason("call.guest", "path /room", "a live call with a room", got))
