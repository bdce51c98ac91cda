"""The admin API of a world's state: read, patched, restored, kept under names, forked, reset."""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revdesk_mock import dumps, state
from revdesk_mock.admin import Admin
from revdesk_mock.emulator import Emulator
from revdesk_mock.errors import ApiError, invalid, not_found
from revdesk_mock.json_body import read_object
from revdesk_mock.messages import JSON
from revdesk_mock.settings import suggestion
from revdesk_mock.world import Snapshot, World

LONGEST_NAME = 100  # characters
RESETS: Mapping[str, Callable[[World], None]] = {"all": World.reset, "journal": World.forget_requests}


class StateAdmin:
    """The routes."""

    def __init__(self, emulator: Emulator, admin: Admin) -> None:
        self._emulator = emulator
        self._admin = admin

    def routes(self) -> list[Route]:
        """Return the routes for Starlette."""
        guarded = self._admin.guarded
        snapshot = "/_revdesk/snapshots/{name}"
        return [
            Route("/_revdesk/state", guarded(self._dump)),
            Route("/_revdesk/state", guarded(self._replace), methods=["PUT"]),
            Route("/_revdesk/state/{collection}", guarded(self._records)),
            Route("/_revdesk/state/{collection}/{id}", guarded(self._record)),
            Route("/_revdesk/state/{collection}/{id}", guarded(self._patch), methods=["PATCH"]),
            Route("/_revdesk/snapshots", guarded(self._snapshots)),
            Route(snapshot, guarded(self._take), methods=["PUT"]),
            Route(snapshot, guarded(self._drop), methods=["DELETE"]),
            Route(f"{snapshot}/restore", guarded(self._restore), methods=["POST"]),
            Route("/_revdesk/fork", guarded(self._fork), methods=["POST"]),
            Route("/_revdesk/reset", guarded(self._reset), methods=["POST"]),
        ]

    async def _dump(self, request: Request) -> Response:
        """Answer all of a world: a fixture."""
        world = self._admin.world_of(request)
        world.run_due()
        return JSONResponse(world.dump())

    async def _replace(self, request: Request) -> Response:
        """Make a world what the body says, a fixture."""
        world = self._admin.world_of(request)
        dump = read_object(await request.body())
        flaw = dumps.flaw_of(dump)
        if flaw is not None:
            raise state.refused(flaw)
        self._emulator.replace(world, dump)
        return Response(status_code=204)

    async def _records(self, request: Request) -> Response:
        """Answer a collection's records, oldest first."""
        return JSONResponse(state.records(self._admin.world_of(request), request.path_params["collection"]))

    async def _record(self, request: Request) -> Response:
        """Answer one record."""
        return JSONResponse(state.record(self._admin.world_of(request), **request.path_params))
