"""The servers of a pytest session: each is started when it is first needed, and stopped with the session."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import pytest

from revdesk_mock import public_url
from revdesk_mock.settings import Settings
from revdesk_mock.testing.remote import RevDeskServer, attach

URL, TOKEN = "REVDESK_MOCK_URL", "REVDESK_MOCK_ADMIN_TOKEN"


class Servers:
    """Hands out one server for each settings; it outlives fixtures: tests may run again, other workers still run."""

    def __init__(self, config: pytest.Config) -> None:
        self._url: str = config.getoption("revdesk_url") or os.environ.get(URL, "")
        self._run: str | None = getattr(config, "workerinput", {}).get("testrunuid")
        self._running: dict[tuple[str, str], RevDeskServer] = {}
        self._stack = ExitStack()
        config.add_cleanup(self._stack.close)

    @property
    def is_given(self) -> bool:
        """Whether the run uses a server that it did not start."""
        return bool(self._url)

    def shared(self, settings: Settings, folder: Path) -> RevDeskServer:
        """Return the server that the run is to use: the given one, or one of its own, which all workers share.

        `folder` is where they find it. Raises UsageError for an address that is none, NoServer where nobody answers.
        """
        if self._url:
            return self._made("given", settings, lambda: self._attach(self._url))
        if self._run is None or find_spec("fcntl") is None:
            return self.local(settings)
        name = f"revdesk-{self._run}-{sha256(repr(settings).encode()).hexdigest()[:12]}"
        return self._made("shared", settings, lambda: self._join(settings, folder, name))

    def local(self, settings: Settings) -> RevDeskServer:
        """Return a server that runs in this process."""
        from revdesk_mock.testing.serving import serve

        shared = self._running.get(("shared", repr(settings)))
        if shared is not None and shared.local is not None:
            return shared
        return self._made("local", settings, lambda: self._stack.enter_context(serve(settings)))

    def _made(self, which: str, settings: Settings, make: Callable[[], RevDeskServer]) -> RevDeskServer:
        name = which, repr(settings)
        if name not in self._running:
            self._running[name] = make()
        return self._running[name]

    def _attach(self, url: str) -> RevDeskServer:
        try:
            address = public_url.read(url)
        except ValueError as error:
            raise pytest.UsageError(f"--revdesk-url or {URL}: {error}") from error
        server = attach(address, os.environ.get(TOKEN))
        self._stack.callback(server.admin.close)
        return server

    def _join(self, settings: Settings, folder: Path, name: str) -> RevDeskServer:
        from revdesk_mock.testing.serving import serve
        from revdesk_mock.testing.sharing import shared

        return self._stack.enter_context(shared(folder, name, partial(serve, settings)))
