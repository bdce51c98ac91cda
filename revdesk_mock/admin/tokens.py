"""The admin API of join tokens: which there are and where in their life, and taking one back."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from revdesk_mock import placement
from revdesk_mock.admin.desk import Desk
from revdesk_mock.clock import iso
from revdesk_mock.errors import not_found
from revdesk_mock.exchange import visible
from revdesk_mock.messages import JSON, Record
from revdesk_mock.world import World


class TokenAdmin:
    """The routes. A token itself is shown to who asked the API for it, and never here."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return the routes for Starlette."""
        guarded = self._desk.guarded
        return [
            Route("/_revdesk/tokens", guarded(self._list)),
            Route("/_revdesk/tokens/{token}", guarded(self._revoke), methods=["DELETE"]),
        ]

    async def _list(self, request: Request) -> Response:
        """Answer the tokens of the calls that a key sees, oldest first."""
        world, tokens = self._tokens(request)
        return JSONResponse([_describe(world, token) for token in tokens])

    async def _revoke(self, request: Request) -> Response:
        """Take a token back that nobody used."""
        world, tokens = self._tokens(request)
        token_id = request.path_params["token"]
        token = next((token for token in tokens if token["id"] == token_id), None)
        if token is None:
            raise not_found("token", token_id, "path /token")
        placement.revoke(world, token)
        return Response(status_code=204)

    def _tokens(self, request: Request) -> tuple[World, list[Record]]:
        world, credential = self._desk.admit(request)
        world.run_due()
        tokens = world.store.all("tokens")
        return world, [token for token in tokens if visible(world, credential, "calls", token["call_id"])]


def _describe(world: World, token: Record) -> dict[str, JSON]:
    return {
        **{name: token[name] for name in ("id", "kind", "call_id", "leg")},
        "state": world.join_tokens.state(token),
        **{name: iso(token[name]) for name in ("issued_at", "expires_at")},
    }
