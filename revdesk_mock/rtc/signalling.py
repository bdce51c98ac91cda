"""The plain way into a room: one POST with a WebRTC offer, for pages and clients without LiveKit's protocol."""

import asyncio
import logging
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revdesk_mock.errors import ApiError, invalid
from revdesk_mock.json_body import read_object, too_large
from revdesk_mock.messages import JSON
from revdesk_mock.request_body import read_body
from revdesk_mock.rtc.events import describe_participant
from revdesk_mock.rtc.network import LOOPBACK, Network
from revdesk_mock.rtc.switchboard import Switchboard
from revdesk_mock.simulation.credentials import read_bearer

if TYPE_CHECKING:
    from revdesk_mock.rtc.line import Line

log = logging.getLogger("revdesk_mock")

CLOSING = 2.0  # seconds that connections have when the emulator stops


class Signalling:
    """The door at `/rtc/offer`. What speaks WebRTC is loaded when somebody first comes in."""

    def __init__(self, switchboard: Switchboard, network: Network = LOOPBACK) -> None:
        self._switchboard = switchboard
        self._network = network
        self._lines: set[Line] = set()

    def routes(self) -> list[Route]:
        """Return the routes for Starlette."""
        return [Route("/rtc/offer", self._offer, methods=["POST"])]

    async def close(self) -> None:
        """Put everybody out and wait, not for long, until their connections are closed."""
        self._switchboard.close()
        closing = [asyncio.create_task(line.peer.close()) for line in self._lines]
        if closing:
            await asyncio.wait(closing, timeout=CLOSING)

    async def _offer(self, request: Request) -> Response:
        """Let the bearer of a token in: the answer to its offer, the room, itself and who is there already."""
        try:
            body = await read_body(request.receive)
            token = read_bearer(request.headers)
            self._switchboard.check(token)
            if body is None:
                raise too_large()
            sdp = read_object(body).get("sdp")
            offer = sdp if isinstance(sdp, str) else ""
            base_url = self._switchboard.base_url(request.url.scheme, request.headers.get("host"))
            return JSONResponse(await self._join(token, offer, base_url))
        except ApiError as error:
            return JSONResponse(error.envelope(), error.status)
        except ClientDisconnect:
            return Response()

    async def _join(self, token: str, offer: str, base_url: str) -> JSON:
        """Answer an offer; one that cannot be read, or for which no port is left, is refused and uses nothing up."""
        from revdesk_mock.rtc.line import Line
        from revdesk_mock.rtc.peer import PeerError, read
        from revdesk_mock.rtc.sockets import require_port

        try:
            read(offer)
            require_port(self._network)
            line = Line(self._gone, self._switchboard.dial, self._network)
            self._lines.add(line)
            try:
                seat, others = self._switchboard.enter(token, line, base_url)
                answer = await line.sit_down(seat, others, offer)
            except (ApiError, PeerError, OSError):
                await line.peer.close()
                raise
        except PeerError as error:
            raise invalid(
                "sdp", str(error), rule="room.offer", expected="a WebRTC offer", got="another text"
            ) from error
        except OSError as error:
            log.warning("a join failed: %s", error.strerror)
            raise ApiError("unavailable", f"No connection can be made: {error.strerror}.") from error
        me = seat.room.find(seat.identity)
        return {
            "sdp": answer,
            "room": {"name": seat.room.name, "sid": seat.room.sid},
            "participant": me and describe_participant(me),
            "participants": [describe_participant(other) for other in others],
        }

    def _gone(self, line: "Line") -> None:
        """Take note that a connection is closed: who said good-bye has left, who was lost may come back."""
        self._lines.discard(line)
        if line.seat is not None and line.has_left:
            self._switchboard.leave(line.seat)
        elif line.seat is not None:
            self._switchboard.drop(line.seat, line)
