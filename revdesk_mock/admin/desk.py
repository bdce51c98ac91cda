"""The admin API under /_revdesk: each route is one call on the emulator or one of its worlds."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from revdesk_mock import journal, keys, registrations, vetting
from revdesk_mock.admin.guard import Guard
from revdesk_mock.clock import SECOND, iso
from revdesk_mock.emulator import Emulator
from revdesk_mock.errors import ApiError, not_found
from revdesk_mock.exchange import owned
from revdesk_mock.json_body import read_object
from revdesk_mock.messages import JSON, Record
from revdesk_mock.recordings import Recordings
from revdesk_mock.resources import branded_calling, enterprise_registration, reputation
from revdesk_mock.simulation.call_flow import magic_table
from revdesk_mock.simulation.credentials import SCOPES, Credential, read_bearer
from revdesk_mock.simulation.guardrails import PRICES
from revdesk_mock.world import World

Find = Callable[[World, Credential], Record]
Decide = Callable[[World, Record, vetting.Verdict], Record]
Render = Callable[[World, Record], Iterator[bytes]]

# What the carrier decides about: how a key's own is found, and what a verdict does to it.
VERDICTS: Mapping[str, tuple[Find, Decide]] = {
    "brand": (branded_calling.needed, branded_calling.decide),
    "enterprise": (registrations.needed, enterprise_registration.decide),
    "reputation": (reputation.needed, reputation.decide),
}


class Desk:
    """The routes, and what those of other files share: `guarded` wraps each, `admit` finds its world."""

    def __init__(self, emulator: Emulator, recordings: Recordings, guard: Guard) -> None:
        self._emulator = emulator
        self._recordings = recordings
        self.guarded = guard

    def routes(self) -> list[Route]:
        """Return the routes for Starlette."""
        call = "/_revdesk/worlds/{world}/calls/{call}"
        return [
            Route("/_revdesk/explain/{request_id}", self.guarded(self._explain)),
            Route("/_revdesk/magic-numbers", self.guarded(self._magic_numbers)),
            Route("/_revdesk/prices", self.guarded(self._prices)),
            Route("/_revdesk/keys", self.guarded(self._mint_key), methods=["POST"]),
            Route("/_revdesk/caller-ids/{id}/code", self.guarded(self._caller_id_code)),
            Route("/_revdesk/brand/logo", self.guarded(self._set_logo), methods=["PUT"]),
            *(
                Route(f"/_revdesk/{what}/verdict", self.guarded(partial(self._verdict, *calls)), methods=["POST"])
                for what, calls in VERDICTS.items()
            ),
            *(
                Route(
                    f"{call}/recording.{form}", self.guarded(partial(self._recording, media_type, render), is_open=True)
                )
                for form, media_type, render in (
                    ("wav", "audio/wav", self._recordings.wav),
                    ("ogg", "audio/ogg", self._recordings.ogg),
                )
            ),
            Route(f"{call}/transcript", self.guarded(self._transcript)),
        ]

    def world_of(self, request: Request) -> World:
        """Return the world that a request is about; raises ApiError as `admit` does."""
        return self.admit(request)[0]

    def world_or_none(self, request: Request) -> World | None:
        """Return the world that a request names, None where it names none; raises ApiError as `admit` does."""
        named = "world" in request.query_params or "authorization" in request.headers
        return self.world_of(request) if named else None

    def admit(self, request: Request) -> tuple[World, Credential]:
        """Return the world that a request is about, and as whom: `?world=ID` and the key that opened it, or its bearer.

        Raises ApiError: 401 for a bearer that is refused, 404 for a world that there is not.
        """
        world_id = request.query_params.get("world")
        if world_id is None:
            return self._emulator.admit(read_bearer(request.headers))
        world = self.find_world(world_id, "query world")
        return world, world.key

    def find_world(self, world_id: str, where: str) -> World:
        """Return a world by the id that a request names; raises ApiError (404)."""
        world = self._emulator.find_world(world_id)
        if world is None:
            raise not_found("world", world_id, where)
        return world

    async def _explain(self, request: Request) -> Response:
        """Tell why a request was answered as it was."""
        request_id = request.path_params["request_id"]
        entry = self._emulator.journal.find(request_id)
        if entry is None:
            raise not_found("request", request_id, "path /request_id")
        base_url = self._emulator.settings.base_url(request.url.scheme, request.headers.get("host"))
        return JSONResponse(journal.explain(entry, base_url))

    async def _magic_numbers(self, _: Request) -> Response:
        """Answer what each magic number does."""
        return JSONResponse(
            [
                {
                    "number": pattern,
                    "does": script.summary,
                    "outcome": script.ending if script.refusal is None else "refused",
                    "rings_seconds": script.rings / SECOND,
                    "talks_seconds": None if script.talks is None else script.talks / SECOND,
                    "refused_by": script.refusal,
                }
                for pattern, script in magic_table()
            ]
        )

    async def _prices(self, _: Request) -> Response:
        """Answer what things cost, in millionths of a US dollar: the table behind the spend cap."""
        return JSONResponse(dict(PRICES))

    async def _mint_key(self, request: Request) -> Response:
        """Let another key into the bearer's world: `owner`, `sub_entity_id`, `scopes`, `has_user`. Shown once."""
        world = self.world_of(request)
        match read_object(await request.body()):
            case {"owner": str() as owner, **rest} if _is_key_order(rest):
                team, scopes = rest.get("sub_entity_id"), rest.get("scopes", SCOPES)
                key, record = keys.mint(world, owner, team=team, has_user=rest.get("has_user", True), scopes=scopes)
            case _:
                what = '{"owner": "sub_entity", "sub_entity_id": "...", "scopes": ["calls:read"], "has_user": true}'
                raise ApiError("validation_error", f"No key can be made of that: send {what}.", fields={"body": what})
        return JSONResponse({"key": key, "api_key_id": record["id"], "scopes": record["scopes"]})

    async def _caller_id_code(self, request: Request) -> Response:
        """Answer the code that the verification call reads out, in the bearer's world."""
        world, credential = self.admit(request)
        world.run_due()
        record = owned(world, credential, "caller_ids", request.path_params["id"], "caller ID")
        return JSONResponse({"caller_id_id": record["id"], **{name: record[name] for name in ("phone_number", "code")}})

    async def _set_logo(self, request: Request) -> Response:
        """Set or remove the logo of the bearer's brand, for which the API has no operation."""
        world, credential = self.admit(request)
        logo_url = branded_calling.read_logo(read_object(await request.body()))
        world.run_due()
        with world.store.transaction():
            brand = branded_calling.edit(world, branded_calling.needed(world, credential), logo_url=logo_url)
        return JSONResponse({field: brand[field] for field in ("id", "logo_url", "status")})

    async def _verdict(self, find: Find, decide: Decide, request: Request) -> Response:
        """Let the carrier decide now: `status`, and for a rejection `reasons`."""
        world, credential = self.admit(request)
        world.run_due()
        verdict = vetting.read_verdict(read_object(await request.body()))
        with world.store.transaction():
            decided = decide(world, find(world, credential), verdict)
        return JSONResponse({field: decided[field] for field in ("id", "status", "rejection_reasons")})

    async def _recording(self, media_type: str, render: Render, request: Request) -> Response:
        """Send the sound of an ended call; it is made in another thread, as it is read."""
        world, call = self._call(request)
        if not call["has_recording"]:
            raise not_found("recording of the call", call["id"], "path /call")
        return StreamingResponse(render(world, call), media_type=media_type)

    async def _transcript(self, request: Request) -> Response:
        """Answer what was said in an ended call, in turns."""
        _, call = self._call(request)
        if not call["has_transcript"]:
            raise not_found("transcript of the call", call["id"], "path /call")
        return JSONResponse({"call_id": call["id"], "structured_transcript": _turns(call)})

    def _call(self, request: Request) -> tuple[World, Record]:
        world = self.find_world(request.path_params["world"], "path /world")
        world.run_due()
        call = world.store.get("calls", request.path_params["call"])
        if call is None:
            raise not_found("call", request.path_params["call"], "path /call")
        return world, call


def _turns(call: Record) -> list[JSON]:
    """Return what was said in a call's room; of a call without one, what its agent would have said first."""
    if call["room_name"] is None and call["opening"] is not None and not call["said"]:
        return [{"role": "assistant", "text": call["opening"], "timestamp": iso(call["answered_at"])}]
    return [
        {
            **{field: said[field] for field in ("role", "text")},
            "timestamp": iso(said["at"]),
            "interrupted": said["ended_at"] is None,
        }
        for said in call["said"]
    ]


def _is_key_order(order: dict[str, JSON]) -> bool:
    scopes = order.get("scopes", [])
    return (
        order.keys() <= {"sub_entity_id", "scopes", "has_user"}
        and isinstance(order.get("sub_entity_id"), str | None)
        and isinstance(order.get("has_user", True), bool)
        and isinstance(scopes, list)
        and all(isinstance(scope, str) for scope in scopes)
    )
