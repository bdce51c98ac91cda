"""LiveKit's signalling: WebSockets at /rtc and /rtc/v1 for its unmodified clients, and why one did not open."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from revdesk_mock.errors import ApiError
from revdesk_mock.ids import fingerprint
from revdesk_mock.rtc.events import LOST
from revdesk_mock.rtc.network import LOOPBACK, Network
from revdesk_mock.rtc.switchboard import Switchboard
from revdesk_mock.simulation.credentials import read_bearer

if TYPE_CHECKING:
    from revdesk_mock.rtc.livekit.joining import Joining
    from revdesk_mock.rtc.livekit.session import Session
    from revdesk_mock.rtc.livekit.wire import Wire

log = logging.getLogger("revdesk_mock")

CLOSING = 2.0  # seconds that connections have when the emulator stops
PATIENCE = 15.0  # seconds without a ping after which a client is taken for lost


class LiveKit:
    """The door. What speaks WebRTC is loaded when somebody first comes in."""

    def __init__(self, switchboard: Switchboard, network: Network = LOOPBACK, patience: float = PATIENCE) -> None:
        self._switchboard = switchboard
        self._network = network
        self._patience = patience
        self._sessions: set[Session] = set()

    def routes(self) -> list[BaseRoute]:
        """Return the routes for Starlette: older clients come by /rtc, with two peer connections."""
        return [
            WebSocketRoute("/rtc", self._open_dual),
            WebSocketRoute("/rtc/v1", self._open_single),
            Route("/rtc/validate", self._validate),
            Route("/rtc/v1/validate", self._validate),
            Route("/", self._answer_knock, methods=["HEAD"]),
        ]

    async def close(self) -> None:
        """Put everybody out and wait, not for long, until their connections are closed."""
        self._switchboard.close()
        closing = [session.ending for session in self._sessions if session.ending is not None]
        if closing:
            await asyncio.wait(closing, timeout=CLOSING)

    async def _validate(self, request: Request) -> Response:
        """Tell a client whose WebSocket did not open why, or that it may try again; uses nothing up."""
        try:
            self._switchboard.check(_token(request))
        except ApiError as error:
            return PlainTextResponse(error.message, error.status)
        return PlainTextResponse("success")

    async def _answer_knock(self, _: Request) -> Response:
        """Let a client that looks whether we are there find us: it would complain otherwise."""
        return PlainTextResponse("OK")

    async def _open_dual(self, socket: WebSocket) -> None:
        from revdesk_mock.rtc.livekit.joining import read_dual

        await self._open(socket, read_dual)

    async def _open_single(self, socket: WebSocket) -> None:
        from revdesk_mock.rtc.livekit.joining import read_single

        await self._open(socket, read_single)

    async def _open(self, socket: WebSocket, read: "Callable[[Mapping[str, str]], Joining]") -> None:
        """Let a client in, and stay with it until its WebSocket is closed; whoever may not is told why."""
        from revdesk_mock.rtc.livekit.messages import leave
        from revdesk_mock.rtc.livekit.wire import Wire

        wire = Wire(socket)
        try:
            joining = read(socket.query_params)
            session = self._admit(socket, joining, wire)
        except ApiError as error:
            await _refuse(socket, error.status, error.message)
            return
        except ValueError as error:
            await _refuse(socket, 400, str(error))
            return
        except OSError as error:
            await _refuse(socket, 503, f"No connection can be made: {error.strerror}.")
            return
        try:
            await socket.accept()
            writing = asyncio.create_task(wire.run())
            if session is None:
                wire.send(leave(LOST, comes_back=True))
                wire.close()
            elif wire.is_open and joining.returns_as is None:
                await session.begin(joining)
            elif wire.is_open:
                session.resume()
            await self._listen(socket, session, wire)
            await writing
        finally:
            if session is not None:
                session.let_go(wire)

    def _admit(self, socket: WebSocket, joining: "Joining", wire: "Wire") -> "Session | None":
        """Return a client with its place; None for one that resumes what is gone: it may join anew.

        Raises ApiError where it may not, and OSError where no port is left.
        """
        from revdesk_mock.rtc.livekit.session import Session
        from revdesk_mock.rtc.sockets import require_port

        token, base_url = _token(socket), self._switchboard.base_url(socket.url.scheme, socket.headers.get("host"))
        if joining.returns_as is None:
            self._switchboard.check(token)
            require_port(self._network)
            session = Session(self._switchboard, self._network, self._sessions.discard, is_dual=joining.is_dual)
        elif found := self._find(fingerprint(token), joining.returns_as):
            session = found
            session.let_go()  # what is left of the WebSocket before
        else:
            self._switchboard.check(token)
            return None
        session.hold(self._switchboard.enter(token, session, base_url)[0], wire)
        self._sessions.add(session)
        return session

    def _find(self, token: str, sid: str) -> "Session | None":
        """Return who resumes: a client whose connections still stand."""
        for session in self._sessions:
            if session.ending is None and session.seat.token == token and session.me.sid == sid:
                return session
        return None

    async def _listen(self, socket: WebSocket, session: "Session | None", wire: "Wire") -> None:
        """Do what the client signals, as long as it is there."""
        from revdesk_mock.rtc.livekit.messages import read_request

        while wire.is_open:
            try:
                async with asyncio.timeout(self._patience):
                    message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    break
                if session is not None and wire.is_open:
                    await session.receive(read_request(message.get("bytes")))
            except (TimeoutError, ValueError) as error:
                log.warning("a client is cut off: %s", str(error) or f"nothing came for {self._patience:g} s")
                break
        wire.close()


async def _refuse(socket: WebSocket, status: int, message: str) -> None:
    """Answer the handshake with a status and a reason, which clients show."""
    log.warning("a client may not join a room: %s", message)
    await socket.send_denial_response(PlainTextResponse(message, status))


def _token(connection: HTTPConnection) -> str:
    """Return the token of a client: browsers send it in the query, others as a bearer; raises ApiError for none."""
    return connection.query_params.get("access_token") or read_bearer(connection.headers)
