"""The admin API under /_revdesk: each route is one call on the emulator or one of its worlds."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from urllib.parse import SplitResult, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from revdesk_mock import journal, keys, registrations, vetting
from revdesk_mock.clock import SECOND, iso, iso_or_none, parse_iso
from revdesk_mock.emulator import Emulator
from revdesk_mock.errors import ApiError, not_found
from revdesk_mock.exchange import owned
from revdesk_mock.json_body import read_object
from revdesk_mock.messages import JSON, Reason, Record
from revdesk_mock.recordings import Recordings
from revdesk_mock.resources import branded_calling, enterprise_registration, reputation
from revdesk_mock.simulation.call_flow import magic_table
from revdesk_mock.simulation.credentials import SCOPES, Credential, read_bearer
from revdesk_mock.simulation.guardrails import PRICES
from revdesk_mock.world import World

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
Endpoint = Callable[[Request], Awaitable[Response]]
Guard = Callable[[Endpoint], Endpoint]
Find = Callable[[World, Credential], Record]
Decide = Callable[[World, Record, vetting.Verdict], Record]
Render = Callable[[World, Record], Iterator[bytes]]

# What the carrier decides about: how a key's own is found, and what a verdict does to it.
VERDICTS: Mapping[str, tuple[Find, Decide]] = {
    "brand": (branded_calling.needed, branded_calling.decide),
    "enterprise": (registrations.needed, enterprise_registration.decide),
    "reputation": (reputation.needed, reputation.decide),
}


class Admin:
    """The routes. With `local_only`, a request whose Host is not this machine's own name is refused."""

    def __init__(self, emulator: Emulator, recordings: Recordings, *, local_only: bool) -> None:
        self._emulator = emulator
        self._recordings = recordings
        self._local_only = local_only

    def routes(self) -> list[Route]:
        """Return the routes for Starlette."""
        call = "/_revdesk/worlds/{world}/calls/{call}"
        return [
            Route("/_revdesk/explain/{request_id}", self.guarded(self._explain)),
            Route("/_revdesk/magic-numbers", self.guarded(self._magic_numbers)),
            Route("/_revdesk/policies", self.guarded(self._policies)),
            Route("/_revdesk/prices", self.guarded(self._prices)),
            Route("/_revdesk/clock", self.guarded(self._clock), methods=["GET", "POST"]),
            Route("/_revdesk/keys", self.guarded(self._mint_key), methods=["POST"]),
            Route("/_revdesk/caller-ids/{id}/code", self.guarded(self._caller_id_code)),
            Route("/_revdesk/brand/logo", self.guarded(self._set_logo), methods=["PUT"]),
            *(
                Route(f"/_revdesk/{what}/verdict", self.guarded(partial(self._verdict, *calls)), methods=["POST"])
                for what, calls in VERDICTS.items()
            ),
            Route(f"{call}/recording.wav", self.guarded(partial(self._recording, "audio/wav", self._recordings.wav))),
            Route(f"{call}/recording.ogg", self.guarded(partial(self._recording, "audio/ogg", self._recordings.ogg))),
            Route(f"{call}/transcript", self.guarded(self._transcript)),
        ]

    def world_of(self, request: Request) -> World:
        """Return the world that a request is about: `?world=ID`, or else its bearer's; raises ApiError (401, 404)."""
        world_id = request.query_params.get("world")
        if world_id is None:
            return self._emulator.world(read_bearer(request.headers))
        world = self._emulator.find_world(world_id)
        if world is None:
            raise not_found("world", world_id, "query world")
        return world

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """Wrap an endpoint: refusals as the vendor's envelope, and other sites' pages refused."""

        async def answer(request: Request) -> Response:
            try:
                self._check_origin(request)
                return await endpoint(request)
            except ApiError as error:
                return JSONResponse(error.envelope(), error.status)

        return answer

    def _check_origin(self, request: Request) -> None:
        """Refuse other sites' pages: their Origin is not ours, and a rebound name is not this machine's."""
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        public_url = self._emulator.settings.public_url
        public = urlsplit(public_url).netloc if public_url else None
        foreign = origin is not None and _split(origin).netloc not in {host, public}
        rebound = host != public and _split(f"//{host}").hostname not in LOOPBACK
        if foreign or (self._local_only and rebound):
            reason = Reason("admin.origin", "header Origin or Host", "this emulator's own address", origin or host)
            raise ApiError("forbidden", "The admin API answers its own address only.", reason)

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

    async def _policies(self, _: Request) -> Response:
        """Answer the policies with the values in use."""
        names = ("name", "value", "choices", "question", "source")
        return JSONResponse([dict(zip(names, row, strict=True)) for row in self._emulator.settings.policies.describe()])

    async def _prices(self, _: Request) -> Response:
        """Answer what things cost, in millionths of a US dollar: the table behind the spend cap."""
        return JSONResponse(dict(PRICES))

    async def _clock(self, request: Request) -> Response:
        """Answer the time of the bearer's world; POST moves it: `advance_seconds`, `set` (ISO 8601), `frozen`."""
        world = self.world_of(request)
        if request.method == "POST":
            order = read_object(await request.body())
            try:
                _move(world, order)
            except (ValueError, OverflowError) as error:
                raise _unusable(str(error)) from error
        world.run_due()
        now = {"now": iso(world.clock.now()), "frozen": world.clock.frozen}
        return JSONResponse({**now, "next_event": iso_or_none(world.clock.next_due())})

    async def _mint_key(self, request: Request) -> Response:
        """Let another key into the bearer's world: `owner`, `sub_entity_id`, `scopes`, `has_user`. Shown once."""
        world = self._emulator.world(read_bearer(request.headers))
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
        world, credential = self._emulator.admit(read_bearer(request.headers))
        world.run_due()
        record = owned(world, credential, "caller_ids", request.path_params["id"], "caller ID")
        return JSONResponse({"caller_id_id": record["id"], **{name: record[name] for name in ("phone_number", "code")}})

    async def _set_logo(self, request: Request) -> Response:
        """Set or remove the logo of the bearer's brand, for which the API has no operation."""
        world, credential = self._emulator.admit(read_bearer(request.headers))
        logo_url = branded_calling.read_logo(read_object(await request.body()))
        world.run_due()
        with world.store.transaction():
            brand = branded_calling.edit(world, branded_calling.needed(world, credential), logo_url=logo_url)
        return JSONResponse({field: brand[field] for field in ("id", "logo_url", "status")})

    async def _verdict(self, find: Find, decide: Decide, request: Request) -> Response:
        """Let the carrier decide now: `status`, and for a rejection `reasons`."""
        world, credential = self._emulator.admit(read_bearer(request.headers))
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
        world = self._emulator.find_world(request.path_params["world"])
        if world is None:
            raise not_found("world", request.path_params["world"], "path /world")
        world.run_due()
        call = world.store.get("calls", request.path_params["call"])
        if call is None:
            raise not_found("call", request.path_params["call"], "path /call")
        return world, call


def _split(url: str) -> SplitResult:
    """Split a URL that anybody may have sent; what is none has no parts."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


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


def _move(world: World, order: dict[str, JSON]) -> None:
    """Carry out one order on a clock; raises ApiError or ValueError, with nothing moved, where it makes no sense."""
    match order:
        case {"advance_seconds": int() | float() as seconds, **rest} if not rest and seconds >= 0:
            world.advance(seconds)
        case {"set": str() as text, **rest} if not rest:
            world.set_time(parse_iso(text))
        case {"frozen": bool() as frozen, **rest} if not rest:
            (world.freeze if frozen else world.run)()
        case _:
            raise _unusable('send {"advance_seconds": 30}, {"set": "2026-01-31T12:00:00Z"} or {"frozen": true}')


def _unusable(message: str) -> ApiError:
    return ApiError("validation_error", f"The clock cannot do that: {message}.", fields={"body": message})
