"""Placing a call: the checks of every calling path in the documented order, the record, and what people do to it."""

from collections.abc import Sequence
from typing import NamedTuple

from revdesk_mock import legs
from revdesk_mock.errors import ApiError, not_found
from revdesk_mock.exchange import visible
from revdesk_mock.messages import Reason, Record
from revdesk_mock.rtc.tokens import ISSUED, JOINED
from revdesk_mock.simulation import agent_modes, guardrails
from revdesk_mock.simulation.call_flow import script_for
from revdesk_mock.simulation.credentials import Credential
from revdesk_mock.simulation.guardrails import Attempt, Bounds, Destinations
from revdesk_mock.world import World

NO_BOUNDS = Bounds()
AI, BRIDGE, BROWSER, ROOM, WEB = "ai", "bridge", "browser", "room", "web"


class Plan(NamedTuple):
    """What is asked for: the path (`kind`), the two numbers, the legs, and what a call keeps.

    `field` is the field of the body that holds the destination; `opening` is what the agent says first; `record` None
    leaves it to the caller's number. A call with `expires_in` (seconds) is not dialed now: it waits that long for the
    browser that holds its token, and is canceled then. `behaviour` is what the agent does in the call's room.
    """

    kind: str
    caller: str
    destination: str
    legs: Sequence[Record]
    agent_id: str | None = None
    opening: str | None = None
    record: bool | None = None
    transcribe: bool = True
    amd: bool = False
    name: str | None = None
    client_name: str | None = None
    client_label: str | None = None
    field: str = "to_number"
    has_room: bool = False
    expires_in: int | None = None
    behaviour: Record | None = None


def place(world: World, credential: Credential, plan: Plan) -> Record:
    """Check and record a call; dial it unless the browser will. Raises ApiError where it is refused.

    Order (docs: webrtc-security): is the caller ID ours, then bounds and guardrails, then the record.
    """
    owner = world.guardrails.check_caller(plan.caller, credential.sees, where="body /from_number")
    attempt = _attempt(plan, script_for(plan.destination).refusal)
    check_numbers(world, credential, attempt)
    world.guardrails.check_capacity(attempt)
    for leg in plan.legs:
        if leg["role"] == "connect" and leg["scripted"]:
            # The person's own phone: no bound of the credential, but it is rung all the same. It is not repeated.
            refusal = script_for(leg["number"]).refusal
            rung = attempt._replace(destination=leg["number"], refusal=refusal, field="connect_number", private=True)
            check_numbers(world, credential, rung, NO_BOUNDS)
            world.guardrails.check_capacity(rung)
    return _record(world, credential, plan, owner if "is_active" in owner else None)


def place_in_browser(world: World, credential: Credential, plan: Plan) -> Record:
    """Check and record a call between a browser and an agent: there are no numbers to check."""
    world.guardrails.check_capacity(_attempt(plan, refusal=None))
    return _record(world, credential, plan, None)


def check_numbers(world: World, credential: Credential, attempt: Attempt, bounds: Bounds | None = None) -> None:
    """Raise ApiError where a credential must not connect two numbers; its own bounds hold unless others are given."""
    own = Bounds(credential.callers, credential.destinations)
    allowed = Destinations(fictional_only=credential.is_demo)
    world.guardrails.check_numbers(attempt, own if bounds is None else bounds, allowed)


def _attempt(plan: Plan, refusal: str | None) -> Attempt:
    call = {"legs": plan.legs, "agent_id": plan.agent_id}
    cost = guardrails.cost_of(call, minutes=1)
    return Attempt(plan.caller, plan.destination, channels=len(plan.legs), cost=cost, refusal=refusal, field=plan.field)


def _record(world: World, credential: Credential, plan: Plan, number: Record | None) -> Record:
    serial = world.dice.hex(24)
    recorded = number is None or number["recording_enabled"]
    progress = world.calls.dialed(plan.legs) if plan.expires_in is None else world.calls.waiting(plan.expires_in)
    return world.store.insert(
        "calls",
        {
            "id": f"call_{serial}",
            "kind": plan.kind,
            "status": "queued",
            "direction": "outbound",
            "from_number": plan.caller,
            "to_number": plan.destination,
            "legs": list(plan.legs),
            "phone_number_id": number["id"] if number else None,
            **world.owners(credential),
            "api_key_id": credential.id,
            "agent_id": plan.agent_id,
            "name": plan.name,
            "client_name": plan.client_name,
            "client_label": plan.client_label,
            "opening": plan.opening,
            "behaviour": plan.behaviour,
            "said": [],
            "digits": "",
            "room_name": f"room_{serial}" if plan.has_room else None,
            "provider_call_sid": f"CA{serial}{world.id[:8]}",
            "record": recorded if plan.record is None else plan.record,
            "transcribe": plan.transcribe and plan.agent_id is not None,
            "amd": plan.amd,
            "created_at": world.clock.now(),
            "started_at": None,
            "answered_at": None,
            "ended_at": None,
            "duration_seconds": None,
            "has_recording": False,
            "has_transcript": False,
            **progress,
        },
    )


def join(world: World, token: str) -> Record:
    """Use a calling or room token and return its call; an agent in the room starts to talk at once.

    Raises ApiError with the reason where the token is used, expired, revoked or unknown, or where an
    agent cannot be put on the line; the token is not used up then.
    """
    with world.store.transaction():
        used = world.join_tokens.join(token)
        call = world.store.get("calls", used["call_id"])
        if call is None:
            raise not_found("call", used["call_id"], "the token")
        if used["leg"] is not None:
            return legs.settle(world, call)
        waits = call["kind"] == WEB and call["dialed_at"] is None
        return _start(world, call) if waits else call


def revoke(world: World, token: Record) -> None:
    """Take a token back that nobody used: its leg is a phone again, and a call that nobody can come to any more ends.

    Raises ApiError (409) with the state of any other.
    """
    state = world.join_tokens.state(token)
    call = world.store.get("calls", token["call_id"])
    if state != ISSUED or call is None:
        reason = Reason("token.unused", "path /token", "a token that is issued", state)
        raise ApiError("conflict", f"The token is {state}: only one that is issued can be revoked.", reason)
    with world.store.transaction():
        world.join_tokens.revoke(token)
        if token["leg"] is not None:
            legs.settle(world, call)
        elif call["dialed_at"] is None and not {ISSUED, JOINED} & set(world.join_tokens.states_of(call)):
            world.calls.hang_up(call)


def dial_from_browser(world: World, call_id: str, to_number: str | None = None) -> Record:
    """Let the browser that joined with a calling token dial its one destination; None: whatever that is.

    Raises ApiError where the call is none that its browser dials, was dialed or has ended (409), for a number that is
    not the token's own (403), and where the guardrails have no room; the call goes on waiting then.
    """
    world.run_due()
    call = world.store.get("calls", call_id)
    why = _not_waiting(call)
    if call is None or why:
        reason = Reason("call.waiting", call_id, "a call that is waiting for its browser", "another")
        raise ApiError("conflict", why, reason)
    if to_number not in {None, call["to_number"]}:
        message = f"This token calls {call['to_number']} and no other number."
        raise ApiError("destination_not_allowed", message, Reason("token.number", "to_number", message, str(to_number)))
    with world.store.transaction():
        return _start(world, call)


def _not_waiting(call: Record | None) -> str:
    """Tell why a call is not one that its browser may dial now; nothing where it is."""
    if call is None or call["ended_at"] is not None:
        return "This call has ended."
    if call["kind"] == WEB:
        return "This call is with an agent: there is nobody to dial."
    if call["kind"] != BROWSER:
        return "RevDesk placed this call: its destination cannot be changed."
    return "" if call["dialed_at"] is None else "This call has been dialed: that is done once."


def hang_up(world: World, call_id: str) -> None:
    """End a call by hand; one that has ended or is gone stays so."""
    world.run_due()
    call = world.store.get("calls", call_id)
    if call is not None:
        with world.store.transaction():
            world.calls.hang_up(call)


def add_agent(world: World, credential: Credential, call: Record, agent_id: str) -> Record:
    """Put an agent on a live call, to greet whoever is there; return the call.

    Raises ApiError: 404 for an agent that the key does not see; 409 for one that is switched off, for a call that has
    an agent or has ended, and for one that the browser dials (documented); and where the day's money is spent.
    """
    agent = visible(world, credential, "agents", agent_id.lower())
    if agent is None:
        raise not_found("agent", agent_id, "body /agent_id")
    why = _not_for_agents(call, agent)
    if why:
        raise ApiError("conflict", why, Reason("call.agent", "body /agent_id", "an agent for a call without one", why))
    cost = guardrails.cost_of({"legs": [], "agent_id": agent["id"]}, minutes=1)
    world.guardrails.check_capacity(Attempt(call["from_number"], call["to_number"], 0, cost))
    with world.store.transaction():
        return world.store.update(
            "calls",
            call,
            agent_id=agent["id"],
            opening=agent["greeting"],
            behaviour=agent_modes.choose(None, agent, world.policies.agent_mode),
            transcribe=True,
        )


def _not_for_agents(call: Record, agent: Record) -> str:
    """Tell why an agent cannot join a call; nothing where it can."""
    if call["ended_at"] is not None:
        return "This call has ended."
    if call["kind"] == BROWSER:
        return "No agent can join a call that the browser dials: its audio goes straight from the browser."
    if call["agent_id"] is not None:
        return "An agent is on this call already."
    return "" if agent["enabled"] else "This agent is switched off."


def _start(world: World, call: Record) -> Record:
    """Dial a call that has waited, if there is room for it now."""
    cost = guardrails.cost_of(call, minutes=1)
    world.guardrails.check_capacity(Attempt(call["from_number"], call["to_number"], len(call["legs"]), cost))
    return world.calls.start(call)
