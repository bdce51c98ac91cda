"""The admin API of faults: the rules of a world with what they have hit, and recipes."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revdesk_mock.admin.desk import Desk
from revdesk_mock.errors import ApiError, StartError, not_found
from revdesk_mock.faults.recipes import RECIPES
from revdesk_mock.faults.rules import MEMBERS
from revdesk_mock.json_body import read_object
from revdesk_mock.messages import JSON
from revdesk_mock.world import World


class FaultAdmin:
    """The routes."""

    def __init__(self, desk: Desk) -> None:
        self._world_of = desk.world_of
        self._guarded = desk.guarded

    def routes(self) -> list[Route]:
        """Return the routes for Starlette."""
        return [
            Route("/_revdesk/faults", self._guarded(self._faults), methods=["GET", "POST", "DELETE"]),
            Route("/_revdesk/faults/{id}", self._guarded(self._remove), methods=["DELETE"]),
            Route("/_revdesk/recipes", self._guarded(self._recipes)),
            Route("/_revdesk/recipes/{name}", self._guarded(self._put_in), methods=["POST"]),
        ]

    async def _faults(self, request: Request) -> Response:
        """Answer the rules with their counters; POST adds one, DELETE removes them all."""
        world = self._world_of(request)
        if request.method == "DELETE":
            world.faults.clear()
            return Response(status_code=204)
        if request.method == "POST":
            [row] = _added(world, [read_object(await request.body())])
            return JSONResponse(row, 201)
        return JSONResponse(world.faults.rows())

    async def _remove(self, request: Request) -> Response:
        """Remove a rule."""
        rule_id = request.path_params["id"]
        if not self._world_of(request).faults.remove(rule_id):
            raise not_found("fault", rule_id, "path /id")
        return Response(status_code=204)

    async def _recipes(self, _: Request) -> Response:
        """Answer the named recipes."""
        return JSONResponse([{"name": name, "says": says, "rules": rules} for name, (says, rules) in RECIPES.items()])

    async def _put_in(self, request: Request) -> Response:
        """Put a recipe's rules into the world."""
        world, name = self._world_of(request), request.path_params["name"]
        if name not in RECIPES:
            raise not_found("recipe", name, "path /name")
        return JSONResponse(_added(world, [name]), 201)


def _added(world: World, orders: Sequence[JSON]) -> list[JSON]:
    """Add rules to a world and return their rows; raises ApiError (400) for what can never do anything."""
    try:
        ids = world.faults.add(orders)
    except StartError as error:
        member = str(error).partition(":")[0]
        field = member if member in MEMBERS else "body"
        raise ApiError("validation_error", f"The fault is no good: {error}.", fields={field: str(error)}) from error
    return [row for row in world.faults.rows() if row["id"] in ids]
