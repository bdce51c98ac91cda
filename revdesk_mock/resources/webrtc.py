"""WebRTC: tokens for a call that the browser dials, for one that RevDesk placed, and for bounded clients."""

from revdesk_mock import placement, room_address
from revdesk_mock.errors import invalid, refused_by_policy
from revdesk_mock.exchange import Exchange, Reply
from revdesk_mock.messages import JSON, Reason, Record
from revdesk_mock.placement import Plan
from revdesk_mock.simulation.call_flow import leg
from revdesk_mock.simulation.credentials import SCOPES
from revdesk_mock.simulation.guardrails import Attempt
from revdesk_mock.world import World

DEFAULT_SCOPES = ("voice:webrtc",)  # documented
DEFAULT_TTL = 900  # seconds, documented
CLIENT_TTL = (60, 3_600)  # seconds, documented
ROOM_TTL = (60, 14_400)  # seconds, chosen


def issue_calling_token(world: World, exchange: Exchange) -> Reply:
    """Path A: a single-use token pinned to one pair of numbers. The browser dials, so the call waits for it."""
    ttl = world.policies.webrtc_token_ttl_seconds
    call = placement.place(world, exchange.credential, _plan(exchange, placement.BROWSER, expires_in=ttl))
    token = world.join_tokens.issue_calling(call, ttl)
    return Reply({"token": token, "expires_in": ttl, "call_id": call["id"], **_numbers(call)})


def issue_room_token(world: World, exchange: Exchange) -> Reply:
    """Path B: RevDesk dials now; the token joins the room of that call and cannot reach another number."""
    ttl = _ttl(exchange.body, world.policies.room_token_ttl_seconds, ROOM_TTL)
    call = placement.place(world, exchange.credential, _plan(exchange, placement.ROOM))
    return Reply(
        {
            "token": world.join_tokens.issue_room(call, f"caller-{call['id']}", ttl),
            "room_url": room_address.of(exchange.base_url, world.policies.room_url_scheme),
            "room_name": call["room_name"],
            "call_id": call["id"],
            "expires_in": ttl,
            **_numbers(call),
        }
    )


def mint_client_token(world: World, exchange: Exchange) -> Reply:
    """Mint a short-lived bearer within what the key itself may do (documented bounds and defaults)."""
    body, credential = exchange.body, exchange.credential
    scopes = list(dict.fromkeys(body.get("scopes", DEFAULT_SCOPES)))
    callers, destinations = body["from_numbers"], body.get("to_numbers", [])
    if not callers:  # not every contract says so
        expected = "at least one number"
        raise invalid("from_numbers", "must not be empty", rule="token.numbers", expected=expected, got=[])
    _check_scopes(world, exchange, scopes)
    for position, number in enumerate(callers):
        where = f"body /from_numbers/{position}"
        world.guardrails.check_caller(number, credential.sees, where=where, verified=False)
        for place, destination in enumerate(destinations):
            attempt = Attempt(number, destination, channels=0, cost=0, field=f"to_numbers.{place}")
            placement.check_numbers(world, credential, attempt)
    ttl = _ttl(body, DEFAULT_TTL, CLIENT_TTL)
    claims = {"from_numbers": callers, "to_numbers": destinations, "scopes": scopes}
    token = world.client_tokens.mint(credential, claims, ttl)
    return Reply({"token": token, "expires_in": ttl, **claims})


def _plan(exchange: Exchange, kind: str, *, expires_in: int | None = None) -> Plan:
    caller, destination = exchange.body["from_number"], exchange.body["to_number"]
    return Plan(
        kind=kind,
        caller=caller,
        destination=destination,
        legs=[leg("destination", destination, caller)],
        client_name=exchange.body.get("client_name"),
        client_label=exchange.body.get("client_label"),
        has_room=kind == placement.ROOM,
        expires_in=expires_in,
    )


def _numbers(call: Record) -> dict[str, JSON]:
    return {"from_number": call["from_number"], "to_number": call["to_number"]}


def _ttl(body: dict[str, JSON], default: int, bounds: tuple[int, int]) -> int:
    shortest, longest = bounds
    ttl = int(body.get("ttl_seconds", default))
    if not shortest <= ttl <= longest:
        expected = f"{shortest} to {longest} seconds"
        raise invalid("ttl_seconds", f"must be {expected}", rule="token.ttl", expected=expected, got=ttl)
    return ttl


def _check_scopes(world: World, exchange: Exchange, scopes: list[str]) -> None:
    for scope in scopes:
        if scope not in exchange.credential.scopes:
            held = " ".join(scope for scope in SCOPES if scope in exchange.credential.scopes)
            reason = Reason("token.scopes", "body /scopes", f"among: {held}", scope)
            message = f"This key cannot hand out the scope {scope}: it lacks it."
            raise refused_by_policy(world.policies.scope_escalation_status, message, reason)


HANDLERS = {
    "v1_webrtc_token_post": issue_calling_token,
    "v1_room_token_post": issue_room_token,
    "v1_client_tokens_post": mint_client_token,
}
