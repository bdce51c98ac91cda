"""The admin API of what came in: requests, the timeline, the audit of the client, its coverage and its bill."""

from collections.abc import Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

import revdesk_mock
from revdesk_mock import audit, bill, coverage, har, journal, journal_query, timeline
from revdesk_mock.admin.desk import Desk
from revdesk_mock.emulator import Emulator
from revdesk_mock.errors import invalid
from revdesk_mock.journal import Entry
from revdesk_mock.journal_query import Query
from revdesk_mock.settings import suggestion
from revdesk_mock.timeline import Event
from revdesk_mock.world import World

KNOWN: Mapping[str, str] = {"world": "which world it is about", "format": "the form of the answer"}
Forms = Mapping[str, Callable[[], Response]]


class JournalAdmin:
    """The routes. Each is about the world that the request names, or about the whole emulator where it names none."""

    def __init__(self, emulator: Emulator, desk: Desk) -> None:
        self._emulator = emulator
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return the routes for Starlette."""
        guarded = self._desk.guarded
        return [
            Route("/_revdesk/requests", guarded(self._list)),
            Route("/_revdesk/requests/count", guarded(self._count)),
            Route("/_revdesk/requests/near-misses", guarded(self._near_misses)),
            Route("/_revdesk/requests.har", guarded(self._har)),
            Route("/_revdesk/timeline", guarded(self._timeline)),
            Route("/_revdesk/audit", guarded(self._audit)),
            Route("/_revdesk/coverage", guarded(self._coverage)),
            Route("/_revdesk/bill", guarded(self._bill)),
        ]

    async def _list(self, request: Request) -> Response:
        """Answer the requests that meet every filter, oldest first."""
        found = journal_query.select(self._query(request))
        return JSONResponse([journal.describe(entry) for entry in found])

    async def _count(self, request: Request) -> Response:
        """Answer how many requests meet every filter."""
        return JSONResponse({"count": len(journal_query.select(self._query(request)))})

    async def _near_misses(self, request: Request) -> Response:
        """Answer the requests that come closest to the filters without meeting them all, with a verdict on each."""
        misses = journal_query.near_misses(self._query(request))
        return JSONResponse([journal_query.describe_miss(miss) for miss in misses])

    async def _har(self, request: Request) -> Response:
        """Answer the requests that meet every filter as an HTTP Archive."""
        found = journal_query.select(self._query(request))
        archive = har.export(found, self._base_url(request), revdesk_mock.__version__)
        return JSONResponse(archive, headers={"content-disposition": 'attachment; filename="requests.har"'})

    async def _timeline(self, request: Request) -> Response:
        """Answer what happened in a world, in order."""
        world = self._desk.world_of(request)
        world.run_due()
        events = world.timeline.events()
        return _in_form(
            request,
            {
                "json": lambda: JSONResponse([timeline.describe(event) for event in events]),
                "text": lambda: PlainTextResponse(timeline.text(events)),
            },
        )

    async def _audit(self, request: Request) -> Response:
        """Answer what the client did wrong, with evidence."""
        world = self._desk.world_or_none(request)
        base_url = self._base_url(request)
        found = audit.findings(self._entries(world), self._events(world), self._emulator.spec)
        return _in_form(
            request,
            {
                "json": lambda: JSONResponse([audit.describe(finding, base_url) for finding in found]),
                "text": lambda: PlainTextResponse(audit.text(found, base_url)),
                "junit": lambda: Response(audit.junit(found, base_url), media_type="application/xml"),
            },
        )

    async def _coverage(self, request: Request) -> Response:
        """Answer which answers of the contract the client has met, and which never."""
        world = self._desk.world_or_none(request)
        met, spec = self._emulator.coverage if world is None else world.coverage, self._emulator.spec
        return _in_form(
            request,
            {
                "json": lambda: JSONResponse(coverage.describe(met, spec)),
                "text": lambda: PlainTextResponse(coverage.text(met, spec)),
            },
        )

    async def _bill(self, request: Request) -> Response:
        """Answer what the calls, messages and live queries would have cost."""
        world = self._desk.world_or_none(request)
        for one in self._emulator.worlds() if world is None else [world]:
            one.run_due()
        used = self._emulator.bill if world is None else world.bill
        return _in_form(
            request,
            {
                "json": lambda: JSONResponse(bill.describe(used)),
                "text": lambda: PlainTextResponse(bill.text(used)),
            },
        )

    def _query(self, request: Request) -> Query:
        filters = [(name, text) for name, text in request.query_params.multi_items() if name != "world"]
        return journal_query.read(filters, self._entries(self._desk.world_or_none(request)), self._emulator.spec)

    def _entries(self, world: World | None) -> Sequence[Entry]:
        return (self._emulator if world is None else world).journal.entries()

    def _events(self, world: World | None) -> list[Event]:
        worlds = self._emulator.worlds() if world is None else [world]
        return [event for one in worlds for event in one.timeline.events()]

    def _base_url(self, request: Request) -> str:
        return self._emulator.settings.base_url(request.url.scheme, request.headers.get("host"))


def _in_form(request: Request, forms: Forms) -> Response:
    """Answer in the `format` that is asked for, or else in the first; raises ApiError (400) for any other question."""
    for name in request.query_params:
        _check(name, KNOWN, "parameter", "query")
    form = request.query_params.get("format", next(iter(forms)))
    _check(form, forms, "format", "query format")
    return forms[form]()


def _check(given: str, known: Mapping[str, object], what: str, where: str) -> None:
    if given not in known:
        expected = f"one of {', '.join(known)}"
        message = f"{given!r:.80} is no {what} here{suggestion(given, known)}; give {expected}"
        raise invalid(what, message, where=where, rule="journal.question", expected=expected, got=given)
