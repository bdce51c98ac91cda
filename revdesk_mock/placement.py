"""Placing a call: the checks of every calling path in the documented order, then the record."""

from collections.abc import Sequence
from typing import NamedTuple

from revdesk_mock.errors import ApiError, not_found
from revdesk_mock.messages import Reason, Record
from revdesk_mock.simulation import guardrails
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
        call_id = world.join_tokens.join(token)["call_id"]
        call = world.store.get("calls", call_id)
        if call is None:
            raise not_found("call", call_id, "the token")
        return _start(world, call) if call["kind"] == WEB else call


def dial_from_browser(world: World, call_id: str) -> Record:
    """Let the browser that joined with a calling token dial its one destination; raises ApiError where it cannot."""
    call = world.store.get("calls", call_id)
    if call is None or call["kind"] != BROWSER or call["dialed_at"] is not None or call["ended_at"] is not None:
        raise ApiError(
            "conflict",
            "This call is not waiting for a browser to dial it.",
            Reason("call.waiting", call_id, "a call that is waiting for its browser", "another"),
        )
    with world.store.transaction():
        return _start(world, call)


def _start(world: World, call: Record) -> Record:
    """Dial a call that has waited, if there is room for it now."""
    cost = guardrails.cost_of(call, minutes=1)
    world.guardrails.check_capacity(Attempt(call["from_number"], call["to_number"], len(call["legs"]), cost))
    return world.calls.start(call)
