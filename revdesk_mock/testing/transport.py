"""An httpx transport that leads into a server's worlds without a socket, under asyncio, trio or neither."""

from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import Any, TypeVar

import anyio.to_thread
import httpx

from revdesk_mock.json_body import MAX_BYTES
from revdesk_mock.messages import Delivery, Request, Response
from revdesk_mock.server import Server

Result = TypeVar("Result")


class EmulatorTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Hands requests to the emulator of a server that runs in this process; for httpx.Client and httpx.AsyncClient.

    An answer that fails on the wire becomes the httpx error that a socket would have given, and the client's read
    timeout holds. It knows the API alone: neither the admin API nor rooms.
    """

    def __init__(self, server: Server) -> None:
        self._server = server

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of a client."""
        request.read()
        wait = _Wait(self._server, request)
        return _answer(wait, wait.result(wait.submit(self._handle(request))), request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of an asynchronous client, in whatever event loop it runs."""
        await request.aread()
        wait = _Wait(self._server, request)
        return _answer(wait, await wait.async_result(wait.submit(self._handle(request))), request)

    def _handle(self, request: httpx.Request) -> Coroutine[None, None, Response]:
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        return self._server.emulator.handle(
            Request(
                method=request.method,
                path=path,
                query=query,
                headers={name.lower(): value for name, value in request.headers.items()},
                body=request.content if len(request.content) <= MAX_BYTES else None,
                scheme=request.url.scheme,
            )
        )


class _Wait:
    """Waits for the server's loop as long as a client's read timeout lets it."""

    def __init__(self, server: Server, request: httpx.Request) -> None:
        self._server = server
        self._request = request
        self._seconds: float | None = request.extensions.get("timeout", {}).get("read")

    def submit(self, work: Coroutine[Any, Any, Result]) -> "Future[Result]":
        return self._server.submit(work)

    def result(self, future: "Future[Result]") -> Result:
        try:
            return future.result(self._seconds)
        except TimeoutError as error:
            raise httpx.ReadTimeout("the emulator did not answer in time", request=self._request) from error
        except CancelledError as error:
            raise httpx.ReadError("the emulator has stopped", request=self._request) from error
        finally:
            future.cancel()  # nothing where it is done

    async def async_result(self, future: "Future[Result]") -> Result:
        try:
            return await anyio.to_thread.run_sync(partial(self.result, future), abandon_on_cancel=True)
        finally:
            future.cancel()  # and with it the thread that waits


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that comes in pieces, or ends before its end."""

    def __init__(self, wait: _Wait, response: Response, delivery: Delivery, request: httpx.Request) -> None:
        self._wait = wait
        self._body = response.body
        self._delivery = delivery
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        for piece, pause in self._pieces():
            if pause:
                self._wait.result(self._wait.submit(_pause(self._delivery, pause)))
            yield piece
        self._end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece, pause in self._pieces():
            if pause:
                await self._wait.async_result(self._wait.submit(_pause(self._delivery, pause)))
            yield piece
        self._end()

    def _pieces(self) -> Iterator[tuple[bytes, int]]:
        """Yield pieces, each with the milliseconds of its world's time to wait before it."""
        if self._delivery.how != "dribble":
            yield self._body[: self._delivery.sent], 0
            return
        count, milliseconds, size = self._delivery.pieces, self._delivery.milliseconds, len(self._body)
        for number in range(1, count + 1):
            pause = milliseconds * number // count - milliseconds * (number - 1) // count
            yield self._body[size * (number - 1) // count : size * number // count], pause

    def _end(self) -> None:
        if self._delivery.how != "dribble":
            raise _loss(self._delivery, self._request)


def _answer(wait: _Wait, response: Response, request: httpx.Request) -> httpx.Response:
    """Return an answer as a client sees it; raises httpx.TransportError where none comes."""
    delivery = response.delivery
    headers = [*response.headers, ("content-length", str(len(response.body)))]
    if delivery is None:
        return httpx.Response(response.status, headers=headers, content=response.body, request=request)
    if delivery.how != "dribble" and delivery.sent is None:
        raise _loss(delivery, request)
    body = _Body(wait, response, delivery, request)
    return httpx.Response(response.status, headers=headers, stream=body, request=request)


def _loss(delivery: Delivery, request: httpx.Request) -> httpx.TransportError:
    """Return what httpx raises where an answer, or the rest of it, does not come."""
    match delivery.how:
        case "reset":
            return httpx.ReadError("the connection was reset, as ordered", request=request)
        case "stall":
            return httpx.ReadTimeout("nothing more came, as ordered", request=request)
        case _:
            return httpx.RemoteProtocolError("the connection was closed too early, as ordered", request=request)


async def _pause(delivery: Delivery, milliseconds: int) -> None:
    await delivery.wait(milliseconds)
