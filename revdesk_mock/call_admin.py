"""The admin API of live calls: a person picks up a leg of a bridge, and agents and guests are put into a room."""

from collections.abc import Callable
from dataclasses import fields

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revdesk_mock import guests, legs, placement, room_address
from revdesk_mock.admin import Guard
from revdesk_mock.emulator import Emulator
from revdesk_mock.errors import ApiError, not_found
from revdesk_mock.exchange import owned
from revdesk_mock.json_body import read_object
from revdesk_mock.messages import JSON, Record
from revdesk_mock.rtc.events import Grants
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.rtc.switchboard import Switchboard
from revdesk_mock.simulation.credentials import read_bearer
from revdesk_mock.world import World

GRANTS = {field.name for field in fields(Grants)}
Seat = Callable[[World, Room, Record], None]


class CallAdmin:
    """The routes; `seat_agent` lets a call's agent take its place in a room that is open already."""

    def __init__(self, emulator: Emulator, switchboard: Switchboard, seat_agent: Seat, guarded: Guard) -> None:
        self._emulator = emulator
        self._switchboard = switchboard
        self._seat_agent = seat_agent
        self._guarded = guarded

    def routes(self) -> list[Route]:
        """Return the routes for Starlette."""
        leg = "/_revdesk/calls/{call}/legs/{leg}/token"
        return [
            Route(leg, self._guarded(self._hand_over_leg), methods=["POST"]),
            Route("/_revdesk/rooms/{room}/agents", self._guarded(self._add_agent), methods=["POST"]),
            Route("/_revdesk/calls/{call}/guests", self._guarded(self._invite), methods=["POST"]),
        ]

    async def _hand_over_leg(self, request: Request) -> Response:
        """Answer a token with which a person picks up the leg `connect` or `destination`, and where."""
        world, credential = self._emulator.admit(read_bearer(request.headers))
        world.run_due()
        call = owned(world, credential, "calls", request.path_params["call"], "call")
        return self._way_in(request, world, call, *legs.hand_over(world, call, request.path_params["leg"]))

    async def _invite(self, request: Request) -> Response:
        """Answer a token with which one more person joins the room of a call: `identity`, and what it may do."""
        world, credential = self._emulator.admit(read_bearer(request.headers))
        world.run_due()
        call = owned(world, credential, "calls", request.path_params["call"], "call")
        match read_object(await request.body()):
            case {"identity": str() as identity, **rest} if rest.keys() <= GRANTS and all(map(_is_bool, rest.values())):
                return self._way_in(request, world, call, *guests.invite(world, call, identity, Grants(**rest)))
            case _:
                what = '{"identity": "ann", "can_publish": false, "can_subscribe": true, "can_publish_data": true}'
                raise ApiError(
                    "validation_error", f"Nobody can be invited by that: send {what}.", fields={"body": what}
                )

    def _way_in(self, request: Request, world: World, call: Record, token: str, ttl: int) -> Response:
        base_url = self._switchboard.base_url(request.url.scheme, request.headers.get("host"))
        url = room_address.of(base_url, world.policies.room_url_scheme)
        room = {"room_url": url, "room_name": room_address.name_of(call)}
        return JSONResponse({"token": token, **room, "call_id": call["id"], "expires_in": ttl})

    async def _add_agent(self, request: Request) -> Response:
        """Put the agent `agent_id` on the call of an open room."""
        world, credential = self._emulator.admit(read_bearer(request.headers))
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


def _is_bool(value: JSON) -> bool:
    return isinstance(value, bool)
