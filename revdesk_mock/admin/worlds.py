"""The admin API of worlds: they are opened, listed and forgotten; their time is moved, their open questions settled."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revdesk_mock import opening
from revdesk_mock.admin.desk import Desk
from revdesk_mock.clock import iso, iso_or_none, parse_iso
from revdesk_mock.emulator import Emulator
from revdesk_mock.errors import ApiError, StartError
from revdesk_mock.json_body import MAX_BYTES, read_object
from revdesk_mock.messages import JSON, Reason
from revdesk_mock.settings import Policies, WatchedPolicies
from revdesk_mock.world import World

LARGEST = 64 * MAX_BYTES  # of a body that holds a whole world
POLICY = ("name", "value", "choices", "question", "source")


class WorldAdmin:
    """The routes."""

    def __init__(self, emulator: Emulator, desk: Desk) -> None:
        self._emulator = emulator
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return the routes for Starlette."""
        guarded = self._desk.guarded
        return [
            Route("/_revdesk/worlds", guarded(self._list)),
            Route("/_revdesk/worlds", guarded(self._open, limit=LARGEST), methods=["POST"]),
            Route("/_revdesk/worlds/{world}", guarded(self._show)),
            Route("/_revdesk/worlds/{world}", guarded(self._discard), methods=["DELETE"]),
            Route("/_revdesk/clock", guarded(self._clock)),
            Route("/_revdesk/clock", guarded(self._move), methods=["POST"]),
            Route("/_revdesk/policies", guarded(self._policies)),
            Route("/_revdesk/policies", guarded(self._settle), methods=["PATCH"]),
        ]

    async def _list(self, _: Request) -> Response:
        """Answer every world."""
        return JSONResponse([describe(world) for world in self._emulator.worlds()])

    async def _open(self, request: Request) -> Response:
        """Open a world as the body orders it, by default as a new key would; answer it and its key, shown once."""
        order = read_object(await request.body() or b"{}")
        try:
            ordered = opening.read(order, self._emulator.settings)
            world = self._emulator.open(ordered)
        except StartError as error:
            raise refused(error) from error
        return JSONResponse({**describe(world), "key": ordered.key}, 201)

    async def _show(self, request: Request) -> Response:
        """Answer one world."""
        return JSONResponse(describe(self._desk.find_world(request.path_params["world"], "path /world")))

    async def _discard(self, request: Request) -> Response:
        """Forget a world and its keys."""
        self._emulator.discard(self._desk.find_world(request.path_params["world"], "path /world"))
        return Response(status_code=204)

    async def _clock(self, request: Request) -> Response:
        """Answer the time of a world."""
        world = self._desk.world_of(request)
        world.run_due()
        return _time(world)

    async def _move(self, request: Request) -> Response:
        """Move the time of a world: `advance_seconds`, `set` (ISO 8601), `frozen`, `to_next_event`."""
        world = self._desk.world_of(request)
        order = read_object(await request.body())
        try:
            _move(world, order)
        except (ValueError, OverflowError) as error:
            raise _unusable(str(error)) from error
        world.run_due()
        return _time(world)

    async def _policies(self, request: Request) -> Response:
        """Answer the policies with the values in use: those of a world where one is named, else the emulator's."""
        world = self._desk.world_or_none(request)
        return _policies((self._emulator.settings if world is None else world).policies)

    async def _settle(self, request: Request) -> Response:
        """Set some policies of a world, all or none."""
        world = self._desk.world_of(request)
        try:
            world.settle(world.policies.changed(read_object(await request.body())))
        except StartError as error:
            raise refused(error) from error
        return _policies(world.policies)


def describe(world: World) -> dict[str, JSON]:
    """Return what can be told of a world: no key of it, but what that may do."""
    key, policies = world.key, world.policies
    told = {
        "id": world.id,
        "opened_at": iso(world.opened_at),
        "now": iso(world.clock.now()),
        "frozen": world.clock.frozen,
        "owner": key.owner,
        "is_demo": key.is_demo,
        "scopes": sorted(key.scopes),
        "records": world.store.sizes(),
        "requests": len(world.journal),
        "breaches": list(world.breaches),
        "unused_faults": world.faults.unused(),
    }
    return {**told, "policies_read": sorted(policies.read)} if isinstance(policies, WatchedPolicies) else told


def refused(error: StartError) -> ApiError:
    """Return what could not be used as the 400 of an admin route; the field is what the message has in front."""
    field, _, message = str(error).partition(": ")
    fields = {field: message} if field in opening.FIELDS else {"body": str(error)}
    return ApiError("validation_error", f"That cannot be: {error}.", fields=fields)


def _time(world: World) -> Response:
    now = {"now": iso(world.clock.now()), "frozen": world.clock.frozen}
    return JSONResponse({**now, "next_event": iso_or_none(world.clock.next_due())})


def _policies(policies: Policies) -> Response:
    return JSONResponse([dict(zip(POLICY, row, strict=True)) for row in policies.describe()])


def _move(world: World, order: dict[str, JSON]) -> None:
    """Carry out one order on a clock; raises ApiError or ValueError, with nothing moved, where it makes no sense."""
    match order:
        case {"advance_seconds": int() | float() as seconds, **rest} if (
            not rest and seconds >= 0 and not isinstance(seconds, bool)
        ):
            world.advance(seconds)
        case {"set": str() as text, **rest} if not rest:
            world.set_time(parse_iso(text))
        case {"frozen": bool() as frozen, **rest} if not rest:
            (world.freeze if frozen else world.run)()
        case {"to_next_event": True, **rest} if not rest:
            if not world.advance_to_next_event():
                reason = Reason("clock.next_event", "body /to_next_event", "a world in which something is due", "none")
                raise ApiError("conflict", "Nothing is to happen in this world.", reason)
        case _:
            raise _unusable(
                'send {"advance_seconds": 30}, {"set": "2026-01-31T12:00:00Z"}, {"frozen": true} '
                'or {"to_next_event": true}'
            )


def _unusable(message: str) -> ApiError:
    return ApiError("validation_error", f"The clock cannot do that: {message}.", fields={"body": message})
