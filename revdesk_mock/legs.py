"""The legs of a bridge that a person picks up in a room, in place of the phone that would have been rung."""

from collections.abc import Sequence

from revdesk_mock.errors import ApiError, not_found
from revdesk_mock.messages import Reason, Record
from revdesk_mock.rtc.tokens import ISSUED, JOINED
from revdesk_mock.simulation.call_flow import AWAITED, PRESENT, Script, script_of
from revdesk_mock.world import World

AGENT, CONNECT = "agent", "connect"  # roles: not a phone, and the one that only a bridge has


def hand_over(world: World, call: Record, role: str) -> tuple[str, int]:
    """Return a token with which a person picks up a leg, and how many seconds it is good for.

    A call that is not answered yet rings on for that person, 30 s in all. Raises ApiError: 409 where the call is no
    bridge or has ended, or where somebody has the leg or a token for it; 404 for a leg that there is not.
    """
    roles = {leg["role"] for leg in call["legs"]}
    if CONNECT not in roles:
        raise _refused("call.bridge", "This call is no bridge: it has no leg for a person to pick up.", call["kind"])
    if role not in roles:
        raise not_found("leg", role, "path /leg")
    if call["ended_at"] is not None:
        raise _refused("call.live", "This call has ended.", call["status"])
    state = world.join_tokens.states_of_legs(call).get(role)
    if state in {ISSUED, JOINED}:
        what = "A person has this leg." if state == JOINED else "A token for this leg is out already."
        raise _refused("leg.free", what, state)
    ttl = world.policies.room_token_ttl_seconds
    with world.store.transaction():
        token = world.join_tokens.issue_room(call, f"{role}-{call['id']}", ttl, leg=role)
        world.calls.replan(call, _scripts(world, call))
    return token, ttl


def settle(world: World, call: Record) -> Record:
    """Let each leg do what becomes of the tokens: who has just joined answers or takes it over; else it is a phone."""
    return world.calls.replan(call, _scripts(world, call))


def phones(world: World, call: Record) -> list[Record]:
    """Return the legs of a call that are phones, and not a person in a room."""
    held = world.join_tokens.states_of_legs(call)
    return [leg for leg in call["legs"] if leg["role"] != AGENT and held.get(leg["role"]) != JOINED]


def _scripts(world: World, call: Record) -> Sequence[Script]:
    """Return what each leg does. In a call that was answered, a phone talks until a person takes it over."""
    states = world.join_tokens.states_of_legs(call)
    chosen = {JOINED: PRESENT} if call["answered_at"] is not None else {JOINED: PRESENT, ISSUED: AWAITED}
    return [chosen.get(states.get(leg["role"], ""), script_of(leg)) for leg in call["legs"]]


def _refused(rule: str, message: str, got: str) -> ApiError:
    return ApiError("conflict", message, Reason(rule, "path", "a leg of a live bridge that nobody has", got))
