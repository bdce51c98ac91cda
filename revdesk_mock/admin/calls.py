"""The admin API of live calls: they are driven by hand, a leg is picked up, agents and guests are put into a room."""

from collections.abc import Callable
from dataclasses import fields
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revdesk_mock import guests, handset, legs, placement, room_address
from revdesk_mock.admin.desk import Desk
from revdesk_mock.errors import ApiError, not_found
from revdesk_mock.exchange import owned, shown_status
from revdesk_mock.json_body import read_object
from revdesk_mock.messages import JSON, Record
from revdesk_mock.rtc import telephone
from revdesk_mock.rtc.events import Grants, Pressed
from revdesk_mock.rtc.packets import DIGITS
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.rtc.switchboard import Switchboard
from revdesk_mock.world import World

GRANTS = {field.name for field in fields(Grants)}
Seat = Callable[[World, Room, Record], None]


class CallAdmin:
    """The routes; `seat_agent` lets a call's agent take its place in a room that is open already."""

    def __init__(self, desk: Desk, switchboard: Switchboard, seat_agent: Seat) -> None:
        self._desk = desk
        self._switchboard = switchboard
        self._seat_agent = seat_agent

    def routes(self) -> list[Route]:
        """Return the routes for Starlette."""
        guarded = self._desk.guarded
        leg = "/_revdesk/calls/{call}/legs/{leg}/token"
        return [
            Route(leg, guarded(self._hand_over_leg), methods=["POST"]),
            Route("/_revdesk/rooms/{room}/agents", guarded(self._add_agent), methods=["POST"]),
            Route("/_revdesk/calls/{call}/guests", guarded(self._invite), methods=["POST"]),
            *(
                Route(f"/_revdesk/calls/{{call}}/{step}", guarded(partial(self._take, step)), methods=["POST"])
                for step in handset.STEPS
            ),
            Route("/_revdesk/calls/{call}/digits", guarded(self._press), methods=["POST"]),
        ]

    async def _take(self, step: str, request: Request) -> Response:
        """Let a call take one step now; it is driven by hand from there."""
        world, call = self._call(request)
        if read_object(await request.body() or b"{}"):
            message = f"{step} takes no body"
            raise ApiError("validation_error", f"That cannot be: {message}.", fields={"body": message})
        return _driven(world, handset.take(world, call, step))

    async def _press(self, request: Request) -> Response:
        """Let the called party press the keys `digits`; who is in the call's room hears of them."""
        world, call = self._call(request)
        match read_object(await request.body()):
            case {"digits": str() as digits, **rest} if not rest and 0 < len(digits) <= handset.MOST_DIGITS:
                if handset.noted("", digits) != digits.upper():
                    message = f"only the keys {DIGITS}"
                    raise ApiError("validation_error", f"digits: {message}.", fields={"digits": message})
            case _:
                what = '{"digits": "12#"}'
                raise ApiError(
                    "validation_error", f"No key can be pressed by that: send {what}.", fields={"body": what}
                )
        handset.check_connected(call)
        room = self._switchboard.find_room(world, room_address.name_of(call))
        if room is None:
            return _driven(world, handset.press(world, call, digits))
        room.send(Pressed(telephone.IDENTITY, digits))  # the room's notes have them from there
        return _driven(world, self._call(request)[1])

    async def _hand_over_leg(self, request: Request) -> Response:
        """Answer a token with which a person picks up the leg `connect` or `destination`, and where."""
        world, call = self._call(request)
        return self._way_in(request, world, call, *legs.hand_over(world, call, request.path_params["leg"]))

    async def _invite(self, request: Request) -> Response:
        """Answer a token with which one more person joins the room of a call: `identity`, and what it may do."""
        world, call = self._call(request)
        match read_object(await request.body()):
            case {"identity": str() as identity, **rest} if rest.keys() <= GRANTS and all(map(_is_bool, rest.values())):
                return self._way_in(request, world, call, *guests.invite(world, call, identity, Grants(**rest)))
            case _:
                what = '{"identity": "ann", "can_publish": false, "can_subscribe": true, "can_publish_data": true}'
                raise ApiError(
                    "validation_error", f"Nobody can be invited by that: send {what}.", fields={"body": what}
                )

    def _call(self, request: Request) -> tuple[World, Record]:
        world, credential = self._desk.admit(request)
        world.run_due()
        return world, owned(world, credential, "calls", request.path_params["call"], "call")

    def _way_in(self, request: Request, world: World, call: Record, token: str, ttl: int) -> Response:
        base_url = self._switchboard.base_url(request.url.scheme, request.headers.get("host"))
        url = room_address.of(base_url, world.policies.room_url_scheme)
        room = {"room_url": url, "room_name": room_address.name_of(call)}
        return JSONResponse({"token": token, **room, "call_id": call["id"], "expires_in": ttl})

    async def _add_agent(self, request: Request) -> Response:
        """Put the agent `agent_id` on the call of an open room."""
        world, credential = self._desk.admit(request)
        world.run_due()
        room = self._switchboard.find_room(world, request.path_params["room"])
        call = None if room is None else self._switchboard.call_of(world, room)
        if room is None or call is None or not credential.sees(call):
            raise not_found("room that is open", request.path_params["room"], "path /room")
        match read_object(await request.body()):
            case {"agent_id": str() as agent_id, **rest} if not rest:
                call = placement.add_agent(world, credential, call, agent_id)
                self._seat_agent(world, room, call)
            case _:
                what = '{"agent_id": "..."}'
                raise ApiError(
                    "validation_error", f"No agent can be found by that: send {what}.", fields={"body": what}
                )
        return JSONResponse({"room_name": room.name, "agent_id": call["agent_id"], "call_id": call["id"]})


def _driven(world: World, call: Record) -> Response:
    return JSONResponse({"call_id": call["id"], "status": shown_status(world, call), "digits": call["digits"]})


def _is_bool(value: JSON) -> bool:
    return isinstance(value, bool)
