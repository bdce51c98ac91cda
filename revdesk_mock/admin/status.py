"""The admin API of the emulator as a whole: whether it is well, and its metrics."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import revdesk_mock
from revdesk_mock.admin.desk import Desk
from revdesk_mock.admin.metrics import CONTENT_TYPE, Metrics
from revdesk_mock.emulator import Emulator
from revdesk_mock.messages import JSON
from revdesk_mock.rtc.switchboard import Switchboard


class StatusAdmin:
    """The routes."""

    def __init__(self, emulator: Emulator, desk: Desk, switchboard: Switchboard) -> None:
        self._emulator = emulator
        self._desk = desk
        self._switchboard = switchboard
        self._metrics = Metrics(emulator, switchboard.size)

    def routes(self) -> list[Route]:
        """Return the routes for Starlette."""
        guarded = self._desk.guarded
        return [
            Route("/_revdesk/health", guarded(self._health, is_open=True)),
            Route("/_revdesk/metrics", guarded(self._show_metrics)),
        ]

    async def _health(self, _: Request) -> Response:
        """Answer that the process lives, what it is, and how much is open; it needs no admin token."""
        size = {"worlds": len(self._emulator.worlds()), "rooms": self._switchboard.size()}
        uptime = {"uptime_seconds": round(self._metrics.uptime, 3)}
        return JSONResponse({**about(self._emulator, "ok"), **size, **uptime})

    async def _show_metrics(self, _: Request) -> Response:
        """Answer the metrics in the text format of Prometheus."""
        return Response(self._metrics.text(), headers={"content-type": CONTENT_TYPE})


def about(emulator: Emulator, status: str) -> dict[str, JSON]:
    """Return what an emulator is, and a word on how it is."""
    return {
        "status": status,
        "version": revdesk_mock.__version__,
        "contract": emulator.spec.title,
        "operations": len(emulator.spec.operations),
    }
