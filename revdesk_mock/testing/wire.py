"""Ways to a server: a request goes in, an answer comes out, over HTTP or in the same process."""

import asyncio
import http.client
from collections.abc import Callable, Mapping
from select import select
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from revdesk_mock.emulator import Emulator
from revdesk_mock.messages import Request

PATIENCE = 30  # seconds for an answer


class Answer(NamedTuple):
    """What a server answered; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


# (method, target, body, headers) -> answer
Send = Callable[[str, str, bytes, Mapping[str, str]], Answer]


class NoAnswer(Exception):
    """The server did not answer; the message says what happened in its place."""


def in_process(emulator: Emulator) -> Send:
    """Return the way to an emulator in this process, which needs no socket."""

    def send(method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        path, _, query = target.partition("?")
        lowered = {name.lower(): value for name, value in headers.items()}
        response = asyncio.run(emulator.handle(Request(method, path, query, lowered, body)))
        return Answer(response.status, dict(response.headers), response.body)

    return send


class Connection:
    """The way to a server at a URL, over one connection that is kept; an instance sends when it is called."""

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        parts = urlsplit(url)
        self.url = url.rstrip("/")
        self._prefix = parts.path.rstrip("/")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=patience)

    def __call__(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a request and read its answer; raises NoAnswer."""
        self._leave_closed()
        try:
            self._connection.request(method, f"{self._prefix}{target}", body or None, dict(headers))
            response = self._connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise NoAnswer(f"{self.url}: {str(error) or type(error).__name__}") from error

    def _leave_closed(self) -> None:
        """Leave a kept connection that the server has closed, as it may: no request is to find out by being lost."""
        kept = self._connection.sock
        if kept is not None and select([kept], [], [], 0)[0]:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
