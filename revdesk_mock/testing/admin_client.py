"""The admin API of a server as Python calls: one connection that stays open, and refusals as exceptions."""

import json
import selectors
import socket
import threading
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urlsplit

from revdesk_mock.messages import JSON

PATIENCE = 30  # seconds
QueryValue = str | float | list[str] | None  # a list is a value several times, None is left out
TOKEN = "X-RevDesk-Mock-Token"  # noqa: S105 a header's name


class AdminError(Exception):
    """A refusal of the admin API: its `status`, `code`, and `message` for people; `fields` names what was wrong."""

    def __init__(self, asked: str, status: int, error: Mapping[str, JSON]) -> None:
        self.status = status
        self.code = str(error.get("code", ""))
        self.message = str(error.get("message", ""))
        self.fields: dict[str, str] = dict(error.get("fields") or {})
        super().__init__(f"{asked} answered {status} {self.code}: {self.message}")


class NoServer(ConnectionError):
    """No emulator is there for us at an address; the message says which, and why."""


class AdminClient:
    """Asks the admin API of the server at `url`; threads may share it.

    `token` is the admin token, which a server wants that listens on another address than the loopback.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE)
        self._prefix = parts.path
        self._headers = {TOKEN: token} if token else {}
        self._lock = threading.Lock()

    def get(self, path: str, /, **query: QueryValue) -> JSON:
        """Return what a GET answers: JSON, or a text where it is none."""
        return self.ask("GET", path, query=query)

    def post(self, path: str, body: JSON = None, /, **query: QueryValue) -> JSON:
        """Return what a POST answers."""
        return self.ask("POST", path, body, query=query)

    def put(self, path: str, body: JSON = None, /, **query: QueryValue) -> JSON:
        """Return what a PUT answers."""
        return self.ask("PUT", path, body, query=query)

    def patch(self, path: str, body: JSON = None, /, **query: QueryValue) -> JSON:
        """Return what a PATCH answers."""
        return self.ask("PATCH", path, body, query=query)

    def delete(self, path: str, /, **query: QueryValue) -> JSON:
        """Return what a DELETE answers, mostly None."""
        return self.ask("DELETE", path, query=query)

    def ask(
        self,
        method: str,
        path: str,
        body: JSON = None,
        *,
        query: Mapping[str, QueryValue] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> JSON:
        """Send one request and return the JSON of its answer, a text where it is none, or None where it is empty.

        `path` begins with `/_revdesk/`; a query's None is left out. Raises AdminError for a refusal, and NoServer
        where nobody answers.
        """
        __tracebackhide__ = True  # a failing test shows its own line, and no key or token of ours
        given = {name: value for name, value in (query or {}).items() if value is not None}
        target = f"{self._prefix}{path}{'?' + urlencode(given, doseq=True) if given else ''}"
        status, kind, raw = self._exchange(method, target, body, {**self._headers, **(headers or {})})
        is_json = kind.partition(";")[0].endswith(("/json", "+json"))
        answer = json.loads(raw) if is_json else raw.decode() if kind else None
        if status >= 400:
            error = answer.get("error") if isinstance(answer, dict) else None
            raise AdminError(f"{method} {path}", status, error or {"message": str(answer)[:200]})
        return answer

    def close(self) -> None:
        """Close the connection; asking once more opens it again."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _exchange(self, method: str, target: str, body: JSON, headers: dict[str, str]) -> tuple[int, str, bytes]:
        __tracebackhide__ = True
        raw = None if body is None else json.dumps(body).encode()
        if raw is not None:
            headers["Content-Type"] = "application/json"
        with self._lock:
            if self._connection.sock is not None and _was_closed(self._connection.sock):
                self._connection.close()
            try:
                self._connection.request(method, target, raw, headers)
                answer = self._connection.getresponse()
                return answer.status, answer.headers.get("content-type", ""), answer.read()
            except (OSError, HTTPException) as error:
                self._connection.close()
                raise NoServer(f"no emulator answers at {self.url} ({error!r})") from error


class WorldClient:
    """The admin API for one world of a server: every request names it."""

    def __init__(self, admin: AdminClient, world_id: str, key: str) -> None:
        self.admin = admin
        self.world_id = world_id
        self._headers = {"Authorization": f"Bearer {key}"}

    def ask(self, method: str, path: str, body: JSON = None, /, **query: QueryValue) -> JSON:
        """Send one request about the world, as `AdminClient.ask` does; `path` is what follows `/_revdesk`."""
        __tracebackhide__ = True
        named = {"world": self.world_id, **query}
        return self.admin.ask(method, f"/_revdesk{path}", body, query=named, headers=self._headers)


def _was_closed(sock: socket.socket) -> bool:
    """Whether a connection that idles has something to read: the server has ended it."""
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))
