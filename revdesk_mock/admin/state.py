"""The admin API of a world's state: read, patched, restored, kept under names, forked, reset."""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revdesk_mock import state
from revdesk_mock.admin.desk import Desk
from revdesk_mock.admin.worlds import LARGEST, describe
from revdesk_mock.emulator import Emulator
from revdesk_mock.errors import invalid, not_found
from revdesk_mock.json_body import read_object
from revdesk_mock.messages import JSON
from revdesk_mock.settings import suggestion
from revdesk_mock.world import Snapshot, World

LONGEST_NAME = 100  # characters
RESETS: Mapping[str, Callable[[World], None]] = {
    "all": World.reset,
    "journal": World.forget_requests,
    "faults": lambda world: world.faults.reset(),
}


class StateAdmin:
    """The routes."""

    def __init__(self, emulator: Emulator, desk: Desk) -> None:
        self._emulator = emulator
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return the routes for Starlette."""
        guarded = self._desk.guarded
        snapshot = "/_revdesk/snapshots/{name}"
        return [
            Route("/_revdesk/state", guarded(self._dump)),
            Route("/_revdesk/state", guarded(self._replace, limit=LARGEST), methods=["PUT"]),
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
        world = self._desk.world_of(request)
        world.run_due()
        return JSONResponse(world.dump())

    async def _replace(self, request: Request) -> Response:
        """Make a world what the body says: a fixture, or what another such route answered."""
        world = self._desk.world_of(request)
        self._emulator.replace(world, read_object(await request.body()))
        return Response(status_code=204)

    async def _records(self, request: Request) -> Response:
        """Answer the records of a collection, oldest first."""
        return JSONResponse(state.records(self._desk.world_of(request), request.path_params["collection"]))

    async def _record(self, request: Request) -> Response:
        """Answer one record."""
        return JSONResponse(state.record(self._desk.world_of(request), *_place(request)))

    async def _patch(self, request: Request) -> Response:
        """Set the fields of one record that the body names, and answer it."""
        world = self._desk.world_of(request)
        return JSONResponse(state.patch(world, *_place(request), read_object(await request.body())))

    async def _snapshots(self, request: Request) -> Response:
        """Answer what snapshots of a world there are, oldest first."""
        snapshots = self._desk.world_of(request).snapshots
        return JSONResponse([_told(name, snapshot) for name, snapshot in snapshots.items()])

    async def _take(self, request: Request) -> Response:
        """Keep a world as it is now under a name; one that has the name already is replaced."""
        world, name = self._desk.world_of(request), request.path_params["name"]
        if len(name) > LONGEST_NAME:
            expected = f"at most {LONGEST_NAME} characters"
            raise invalid(
                "name", f"has {expected}", where="path /name", rule="snapshot.name", expected=expected, got=name
            )
        world.snapshots[name] = snapshot = world.snapshot()
        return JSONResponse(_told(name, snapshot))

    async def _drop(self, request: Request) -> Response:
        """Forget a snapshot."""
        world, name = self._desk.world_of(request), request.path_params["name"]
        _snapshot(world, name, "path /name")
        del world.snapshots[name]
        return Response(status_code=204)

    async def _restore(self, request: Request) -> Response:
        """Make a world what it was when a snapshot was taken."""
        world, name = self._desk.world_of(request), request.path_params["name"]
        snapshot = _snapshot(world, name, "path /name")
        world.restore(snapshot.dump)
        return JSONResponse(_told(name, snapshot))

    async def _fork(self, request: Request) -> Response:
        """Open a world that begins as this one is, or as a `snapshot` of it; answer it and its key, shown once."""
        world = self._desk.world_of(request)
        name = _only(read_object(await request.body() or b"{}"), "snapshot", "before")
        fork, key = self._emulator.fork(world, None if name is None else _snapshot(world, name, "body /snapshot"))
        return JSONResponse({**describe(fork), "key": key}, 201)

    async def _reset(self, request: Request) -> Response:
        """Make a world what it was when it was opened, or what its `scope` says of it."""
        world = self._desk.world_of(request)
        scope = _only(read_object(await request.body() or b"{}"), "scope", "all") or "all"
        if scope not in RESETS:
            hint = suggestion(scope, RESETS)
            raise invalid("scope", f"there is no {scope!r}{hint}", rule="reset", expected=", ".join(RESETS), got=scope)
        RESETS[scope](world)
        return Response(status_code=204)


def _place(request: Request) -> tuple[str, str]:
    return request.path_params["collection"], request.path_params["id"]


def _snapshot(world: World, name: str, where: str) -> Snapshot:
    if name not in world.snapshots:
        raise not_found("snapshot", name, where)
    return world.snapshots[name]


def _told(name: str, snapshot: Snapshot) -> dict[str, JSON]:
    return {"name": name, "clock": snapshot.dump["clock"], "records": snapshot.store.sizes()}


def _only(order: Mapping[str, JSON], field: str, example: str) -> str | None:
    """Return the text of the one field that an order may have, or None; raises ApiError (400) for anything else."""
    for name, value in order.items():
        if name != field or not isinstance(value, str):
            expected = f'{{}} or {{"{field}": "{example}"}}'
            raise invalid(name, f"send {expected}", rule=f"{field}.order", expected=expected, got=value)
    value = order.get(field)
    return value if isinstance(value, str) else None
