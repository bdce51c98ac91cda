"""The API as a test of rooms asks it: plain HTTP, from the test's own thread."""

import json
import urllib.error
import urllib.request
from threading import Event
from typing import Any

from revdesk_mock.clock import stopwatch
from revdesk_mock.server import Server
from tests.conftest import AGENT, KEY


class Rest:
    """A running server as its one client sees it."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self._world = server.emulator.world(KEY)
        self._changed = Event()
        self._world.store.on_commit(lambda _: self._changed.set())

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer's `data`; raises AssertionError for a refusal."""
        raw = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, raw, headers, method=method)  # noqa: S310 our own server
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310 as above
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode()}") from error

    def web_call(self, greeting: str | None = None) -> Any:
        """Begin a web call with an agent that greets so; return its room_url, token, and what else there is."""
        if greeting is not None:
            self.ask("PATCH", f"/v1/agents/{AGENT}", {"greeting": greeting})
        return self.ask("POST", f"/v1/agents/{AGENT}/web-call")

    def newest(self) -> Any:
        """Return the newest call."""
        return self.ask("GET", "/v1/calls?limit=1")[0]

    def sees(self, seconds: float, **wanted: Any) -> None:
        """Wait at most so long until the newest call has these fields."""
        deadline = stopwatch() + seconds
        while wanted.items() - (call := self.newest()).items():
            assert self._changed.wait(deadline - stopwatch()), f"{wanted} was not seen in {seconds} s, but {call}"
            self._changed.clear()

    def tokens(self, *identities: str) -> list[str]:
        """Return more tokens for the newest call's room, where nothing goes on yet; the API gives one alone."""
        call = self._world.store.get("calls", self.newest()["id"])
        assert call is not None
        with self._world.store.transaction():
            return [self._world.join_tokens.issue_room(call, identity, 60) for identity in identities]
