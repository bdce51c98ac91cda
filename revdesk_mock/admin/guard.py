"""The guard of the admin API: whom it answers, and how much it reads of what they send."""

from collections.abc import Awaitable, Callable
from hmac import compare_digest
from urllib.parse import SplitResult, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive

from revdesk_mock.errors import ApiError, StartError, unauthorized
from revdesk_mock.ids import fingerprint
from revdesk_mock.json_body import MAX_BYTES, too_large
from revdesk_mock.messages import Reason
from revdesk_mock.request_body import read_body
from revdesk_mock.settings import Settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
HEADER = "x-revdesk-mock-token"
Endpoint = Callable[[Request], Awaitable[Response]]


class Guard:
    """Wraps endpoints: refuses other sites' pages and who lacks the admin token, and bounds what is read.

    With `local_only` a request whose Host is not this machine's own name is refused. `token_sha256` is the fingerprint
    of the token that `X-RevDesk-Mock-Token` has to hold, None for none; raises StartError where others than this
    machine can come and there is none.
    """

    def __init__(self, settings: Settings, *, local_only: bool = True, token_sha256: str | None = None) -> None:
        if not local_only and token_sha256 is None:
            raise StartError("who listens on another address than the loopback needs an admin token")
        self._settings = settings
        self._local_only = local_only
        self._token_sha256 = token_sha256

    def __call__(self, endpoint: Endpoint, *, is_open: bool = False, limit: int = MAX_BYTES) -> Endpoint:
        """Return an endpoint that answers refusals as the vendor's envelope.

        `is_open` lets in who has no admin token; `limit` is how many bytes a body may have.
        """

        async def answer(request: Request) -> Response:
            try:
                self._check_origin(request)
                if not is_open:
                    self._check_token(request)
                return await endpoint(await _read(request, limit))
            except ApiError as error:
                return JSONResponse(error.envelope(), error.status)
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it

        return answer

    def _check_origin(self, request: Request) -> None:
        """Refuse other sites' pages: their Origin is not ours, and a rebound name is not this machine's."""
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        public_url = self._settings.public_url
        public = urlsplit(public_url).netloc if public_url else None
        foreign = origin is not None and _split(origin).netloc not in {host, public}
        rebound = host != public and _split(f"//{host}").hostname not in LOOPBACK
        if foreign or (self._local_only and rebound):
            reason = Reason("admin.origin", "header Origin or Host", "this emulator's own address", origin or host)
            raise ApiError("forbidden", "The admin API answers its own address only.", reason)

    def _check_token(self, request: Request) -> None:
        sent = request.headers.get(HEADER)
        if self._token_sha256 is None or (sent and compare_digest(fingerprint(sent), self._token_sha256)):
            return
        what = "is not the one" if sent else "is missing"
        message = (
            f"The admin token {what}: send the header X-RevDesk-Mock-Token with what --admin-token says, "
            "or what was printed at the start."
        )
        raise unauthorized(
            message, "admin.token", "the admin token", "another" if sent else "nothing", f"header {HEADER}"
        )


async def _read(request: Request, limit: int) -> Request:
    """Return a request whose body has come in; raises ApiError where that is too large."""
    body = await read_body(request.receive, limit)
    if body is None:
        raise too_large(limit=limit)
    return Request(request.scope, _replay(body, request.receive))


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _split(url: str) -> SplitResult:
    """Split a URL that anybody may have sent; what is none has no parts."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")
