"""The HTTP door: the API for everything, the admin API and health beside it, as one ASGI application."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from revdesk_mock.admin.calls import CallAdmin
from revdesk_mock.admin.desk import Desk
from revdesk_mock.admin.docs import AdminDocs
from revdesk_mock.admin.events import EventStream
from revdesk_mock.admin.faults import FaultAdmin
from revdesk_mock.admin.guard import Guard
from revdesk_mock.admin.journal import JournalAdmin
from revdesk_mock.admin.rooms import RoomAdmin
from revdesk_mock.admin.state import StateAdmin
from revdesk_mock.admin.status import StatusAdmin, about
from revdesk_mock.admin.tokens import TokenAdmin
from revdesk_mock.admin.worlds import WorldAdmin
from revdesk_mock.delivery import Line
from revdesk_mock.emulator import Emulator
from revdesk_mock.errors import ApiError
from revdesk_mock.messages import Record, Request
from revdesk_mock.recordings import Recordings
from revdesk_mock.request_body import read_body
from revdesk_mock.rtc.livekit.door import LiveKit
from revdesk_mock.rtc.network import LOOPBACK, Network
from revdesk_mock.rtc.recorder import Recorder, Tape
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.rtc.signalling import Signalling
from revdesk_mock.rtc.switchboard import Switchboard
from revdesk_mock.settings import suggestion
from revdesk_mock.simulation.credentials import SCOPES
from revdesk_mock.world import World

if TYPE_CHECKING:
    from revdesk_mock.rtc.casting import Casting

# What is not the API. Everything else is answered as the vendor would, a mistyped path included.
OWN_PATHS = ("/_revdesk/", "/health", "/ready", "/.well-known/")
READABLE_HEADERS = (
    "X-Request-Id X-RateLimit-Limit X-RateLimit-Remaining X-RateLimit-Reset RateLimit RateLimit-Policy Retry-After "
    "Idempotency-Replay Location WWW-Authenticate X-RevDesk-Mock-Explain"
).split()


class App:
    """An ASGI application over one emulator. `ready` turns false when it is about to stop.

    `guard` keeps the admin API; without one that answers this machine alone.
    """

    def __init__(
        self,
        emulator: Emulator,
        *,
        cors_origins: Sequence[str] = ("*",),
        guard: Guard | None = None,
        network: Network = LOOPBACK,
    ) -> None:
        self._emulator = emulator
        self.ready = True
        self._shared_api = CORSMiddleware(
            self._serve_api,
            allow_origins=list(cors_origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "X-Request-Id", "X-RevDesk-Mock"],
            expose_headers=READABLE_HEADERS,
        )
        switchboard = Switchboard(emulator, self._open_room)
        self._recorder = Recorder()
        self._signalling = Signalling(switchboard, network)
        self._livekit = LiveKit(switchboard, network)
        self._casting: Casting | None = None
        self._rooms = CORSMiddleware(
            Starlette(routes=[*self._signalling.routes(), *self._livekit.routes()]),
            allow_origins=list(cors_origins),
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
        desk = Desk(emulator, Recordings(self._recorder, _mix), guard or Guard(emulator.settings))
        self._events = EventStream(emulator, desk)
        self._own = Starlette(
            routes=[
                Route("/health", self._show_health),
                Route("/ready", self._show_ready),
                Route("/.well-known/oauth-protected-resource", self._show_resource),
                *self._admin_routes(desk, switchboard),
            ],
            exception_handlers={HTTPException: _lead_back},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if _is_for_rooms(scope):
            await self._rooms(scope, receive, send)
        elif scope["type"] != "http" or scope["path"].startswith(OWN_PATHS):
            await self._own(scope, receive, send)
        elif any(name == b"origin" for name, _ in scope["headers"]):
            await self._shared_api(scope, receive, send)
        else:
            await self._serve_api(scope, receive, send)

    def _admin_routes(self, desk: Desk, switchboard: Switchboard) -> list[Route]:
        return [
            *desk.routes(),
            *WorldAdmin(self._emulator, desk).routes(),
            *RoomAdmin(desk, switchboard).routes(),
            *CallAdmin(desk, switchboard, self._seat_agent).routes(),
            *TokenAdmin(desk).routes(),
            *self._events.routes(),
            *AdminDocs(desk).routes(),
            *StatusAdmin(self._emulator, desk, switchboard).routes(),
            *StateAdmin(self._emulator, desk).routes(),
            *FaultAdmin(desk).routes(),
            *JournalAdmin(self._emulator, desk).routes(),
        ]

    async def close(self) -> None:
        """End every stream of events and put everybody out of their rooms; nothing new is let in by then."""
        self.ready = False
        self._events.close()
        await asyncio.gather(self._signalling.close(), self._livekit.close())

    def _open_room(self, world: World, room: Room, call: Record) -> None:
        self._cast().open_room(world, room, call)

    def _seat_agent(self, world: World, room: Room, call: Record) -> None:
        self._cast().seat_agent(world, room, call)

    def _cast(self) -> "Casting":
        from revdesk_mock.rtc.casting import Casting

        self._casting = self._casting or Casting(self._recorder)
        return self._casting

    async def _serve_api(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(receive)
        except ClientDisconnect:
            return
        request = Request(
            method=scope["method"],
            path=scope["raw_path"].decode("ascii", "replace"),
            query=scope["query_string"].decode("ascii", "replace"),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=body,
            scheme=scope["scheme"],
        )
        response = await self._emulator.handle(request)
        headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in response.headers]
        headers.append((b"content-length", str(len(response.body)).encode()))
        head = {"type": "http.response.start", "status": response.status, "headers": headers}
        if response.delivery is not None:
            await Line(scope, receive, send).deliver(response.delivery, head, response.body)
            return
        await send(head)
        await send({"type": "http.response.body", "body": response.body})

    async def _show_health(self, _: StarletteRequest) -> Response:
        return JSONResponse(about(self._emulator, "ok"))

    async def _show_ready(self, _: StarletteRequest) -> Response:
        return JSONResponse(about(self._emulator, "ready" if self.ready else "stopping"), 200 if self.ready else 503)

    async def _show_resource(self, request: StarletteRequest) -> Response:
        """Answer the RFC 9728 metadata that the Bearer challenge points to."""
        base_url = self._emulator.settings.base_url(request.url.scheme, request.headers.get("host"))
        resource = {"resource": base_url, "scopes_supported": SCOPES}
        return JSONResponse({**resource, "bearer_methods_supported": ["header"]})


async def _lead_back(request: StarletteRequest, _: Exception) -> Response:
    """Refuse a path or a method that is none of ours as the API does, with what would do."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    allowed = {
        method for route in routes if route.matches(request.scope)[0] != Match.NONE for method in route.methods or ()
    }
    path, methods = request.url.path, ", ".join(sorted(allowed))
    if allowed:
        message = f"{request.method} is not allowed here; {methods} is."
        return JSONResponse(ApiError("method_not_allowed", message).envelope(), 405, {"allow": methods})
    likely = suggestion(path, {route.path: route for route in routes})
    return JSONResponse(ApiError("route_not_found", f"No route {path:.200}{likely}.").envelope(), 404)


def _is_for_rooms(scope: Scope) -> bool:
    """Whether it is signalling, or the knock by which LiveKit's clients prepare for it."""
    if scope["type"] not in {"http", "websocket"}:
        return False
    path: str = scope["path"]
    return path == "/rtc" or path.startswith("/rtc/") or (path == "/" and scope.get("method") == "HEAD")


def _mix(form: str, tape: Tape | None, start: int, end: int) -> Iterator[bytes]:
    from revdesk_mock.rtc.mixdown import render

    return render(form, tape, start, end)
