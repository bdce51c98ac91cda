"""A server for as long as a block lasts, in a thread of this process."""

from collections.abc import Iterator
from contextlib import contextmanager

from revdesk_mock.emulator import Emulator
from revdesk_mock.server import Server
from revdesk_mock.settings import Settings
from revdesk_mock.testing.remote import RevDeskServer


@contextmanager
def serve(settings: Settings | None = None) -> Iterator[RevDeskServer]:
    """Serve the API on a free port of the loopback, and stop at the end.

    `with revdesk_mock.serve() as server, server.world() as revdesk:` gives what the fixtures of pytest give. Raises
    StartError for settings that cannot be used.
    """
    with Server(Emulator(settings)) as local:
        server = RevDeskServer(local.url, local=local)
        try:
            yield server
        finally:
            server.admin.close()
