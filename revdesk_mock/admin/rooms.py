"""The admin API of rooms under /_revdesk/rooms: who is there, and words put into their mouths."""

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revdesk_mock.admin.desk import Desk
from revdesk_mock.errors import ApiError, not_found
from revdesk_mock.json_body import read_object
from revdesk_mock.messages import JSON
from revdesk_mock.rtc.events import AGENT, RPC_FAILED, describe_participant
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.rtc.switchboard import Switchboard
from revdesk_mock.world import World


class RoomAdmin:
    """The routes."""

    def __init__(self, desk: Desk, switchboard: Switchboard) -> None:
        self._desk = desk
        self._switchboard = switchboard

    def routes(self) -> list[Route]:
        """Return the routes for Starlette."""
        room, guarded = "/_revdesk/rooms/{room}", self._desk.guarded
        return [
            Route("/_revdesk/rooms", guarded(self._list)),
            Route(room, guarded(self._show)),
            Route(f"{room}/say", guarded(self._say), methods=["POST"]),
            Route(f"{room}/agent", guarded(self._behave), methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        """Answer the open rooms of the bearer's world."""
        world = self._desk.world_of(request)
        return JSONResponse([self._describe(world, room) for room in self._switchboard.rooms(world)])

    async def _show(self, request: Request) -> Response:
        """Answer one open room, who is there, and what was said and pressed."""
        return JSONResponse(self._describe(*self._room(request)))

    async def _say(self, request: Request) -> Response:
        """Let the agent of a room say a `text`."""
        _, room = self._room(request)
        match read_object(await request.body()):
            case {"text": str() as text, **rest} if not rest and text.strip():
                agent = _ask_agent(room, "say", text)
            case _:
                what = '{"text": "Hello"}'
                raise ApiError("validation_error", f"Nothing can be said of that: send {what}.", fields={"body": what})
        return JSONResponse({"room_name": room.name, "by": agent, "text": text})

    async def _behave(self, request: Request) -> Response:
        """Let the agent of a room behave otherwise from now on: a `mode`, and its options."""
        world, room = self._room(request)
        agent = _ask_agent(room, "mode", orjson.dumps(read_object(await request.body())).decode())
        call = self._switchboard.call_of(world, room)
        return JSONResponse({"room_name": room.name, "by": agent, **(call["behaviour"] if call else {})})

    def _room(self, request: Request) -> tuple[World, Room]:
        world = self._desk.world_of(request)
        room = self._switchboard.find_room(world, request.path_params["room"])
        if room is None:
            raise not_found("room that is open", request.path_params["room"], "path /room")
        return world, room

    def _describe(self, world: World, room: Room) -> dict[str, JSON]:
        people = [describe_participant(one) for one in room.participants]
        call = self._switchboard.call_of(world, room) or {}
        noted = {"call_id": call.get("id"), **{field: call.get(field) for field in ("behaviour", "digits", "said")}}
        return {"room_name": room.name, "sid": room.sid, "participants": people, **noted}


def _ask_agent(room: Room, method: str, payload: str) -> str:
    """Let the agent of a room do something, and return its identity; raises ApiError where none is or does."""
    agent = next((one.identity for one in room.participants if one.kind == AGENT), None)
    if agent is None:
        raise not_found("agent", room.name, "path /room")
    answer = room.ask(agent, method, payload)
    if answer is not None and answer.error is not None:
        message = answer.error[1].removeprefix(f"{RPC_FAILED[1]}: ")
        raise ApiError("validation_error", f"The agent cannot do that: {message}.", fields={"body": message})
    return agent
