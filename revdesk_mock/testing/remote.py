"""A server as a test holds it, wherever it runs: its address, its admin API, and worlds on it."""

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from revdesk_mock.testing import orders
from revdesk_mock.testing.admin_client import AdminClient, AdminError, NoServer
from revdesk_mock.testing.handle import RevDesk
from revdesk_mock.testing.orders import WorldOrder

if TYPE_CHECKING:
    from revdesk_mock.server import Server


class RevDeskServer:
    """A server at `url`; `admin` asks its admin API. `local` is the server itself where this process runs it."""

    def __init__(self, url: str, token: str | None = None, local: "Server | None" = None) -> None:
        self.admin = AdminClient(url, token)
        self.url = self.admin.url
        self.local = local

    def world(self, **order: Unpack[WorldOrder]) -> RevDesk:
        """Open a world with a key of its own; close it, or use it in a `with`.

        Raises StartError for an argument that there is not or a file that cannot be read, and AdminError for what the
        server refuses; nothing is opened then.
        """
        return RevDesk.open(self.admin, orders.read(order, Path()))

    def __repr__(self) -> str:
        return f"<server at {self.url}>"


def attach(url: str, token: str | None = None) -> RevDeskServer:
    """Return the server that runs at an address; raises NoServer where none does, or it does not take the token.

    `token` is its admin token, which one wants that listens on more than the loopback.
    """
    server = RevDeskServer(url, token)
    try:
        server.admin.get("/_revdesk/policies")
    except AdminError as error:
        server.admin.close()
        why = error.message if error.code == "unauthorized" else f"what answers there is no emulator ({error})"
        raise NoServer(f"{server.url}: {why}") from error
    return server
