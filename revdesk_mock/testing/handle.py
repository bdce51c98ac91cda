"""A world as a test holds it: its address and key, its parts, and the verbs on the whole of it."""

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from revdesk_mock.messages import JSON
from revdesk_mock.testing.admin_client import AdminClient, WorldClient
from revdesk_mock.testing.parts.audit import Audit
from revdesk_mock.testing.parts.clock import Clock
from revdesk_mock.testing.parts.faults import Faults
from revdesk_mock.testing.parts.journal import Journal
from revdesk_mock.testing.parts.policies import Policies
from revdesk_mock.testing.parts.records import Calls, Records, State
from revdesk_mock.testing.parts.rooms import Rooms
from revdesk_mock.testing.parts.timeline import Timeline

if TYPE_CHECKING:
    import httpx


class RevDesk:
    """One world with a key of its own, over HTTP; `close` forgets it, and every world that was forked off it.

    `url` is where the API is, `key` the bearer that it wants, `headers` the header that carries it. `id` is the
    world's, `seed` what its ids follow from (or None), and `forks` the open ones.
    """

    def __init__(self, admin: AdminClient, opened: Mapping[str, JSON], seed: str | int | None = None) -> None:
        self.url = admin.url
        self.id: str = opened["id"]
        self.key: str = opened["key"]
        self.seed = seed
        self.headers = {"Authorization": f"Bearer {self.key}"}
        self._admin = admin
        self._world = client = WorldClient(admin, self.id, self.key)
        self.forks: list[RevDesk] = []
        self._client: httpx.Client | None = None
        self._closed = False
        self.clock = Clock(client)
        self.faults = Faults(client)
        self.journal = Journal(client)
        self.calls = Calls(client)
        self.numbers = Records(client, "phone_numbers")
        self.rooms = Rooms(client)
        self.audit = Audit(client)
        self.timeline = Timeline(client)
        self.policies = Policies(client)
        self.state = State(client)

    @classmethod
    def open(cls, admin: AdminClient, order: Mapping[str, JSON]) -> Self:
        """Open a world as `POST /_revdesk/worlds` takes its order; raises AdminError for one that cannot be."""
        return cls(admin, admin.post("/_revdesk/worlds", dict(order)), order.get("seed"))

    # asking the API

    @property
    def client(self) -> "httpx.Client":
        """A client with the address and key of the world, closed with it."""
        if self._client is None:
            from revdesk_mock.testing import clients

            self._client = clients.client(self.url, self.headers)
        return self._client

    @property
    def async_client(self) -> "httpx.AsyncClient":
        """The same for asyncio and trio, a new one each time; it keeps no connection open, and needs no closing."""
        from revdesk_mock.testing import clients

        return clients.async_client(self.url, self.headers)

    # the whole

    @property
    def bill(self) -> dict[str, JSON]:
        """Calls, messages, minutes and money that this would have cost."""
        bill: dict[str, JSON] = self._world.ask("GET", "/bill")
        return bill

    def about(self) -> dict[str, JSON]:
        """Return what the emulator tells of the world: its time, scopes, counts, and `breaches` of the contract."""
        told: dict[str, JSON] = self._admin.get(f"/_revdesk/worlds/{self.id}")
        return told

    def coverage(self) -> JSON:
        """Return which operations, statuses and codes were exercised, and which were not."""
        return self._world.ask("GET", "/coverage")

    def snapshot(self, name: str = "snapshot") -> "Snapshot":
        """Keep the world as it is now, under a name."""
        self._world.ask("PUT", f"/snapshots/{quote(name)}")
        return Snapshot(self, self._world, name)

    def fork(self, snapshot: str | None = None) -> "RevDesk":
        """Open a world that begins as this one is, or as a snapshot of it; it has its own key, and closes with this."""
        opened = self._world.ask("POST", "/fork", {} if snapshot is None else {"snapshot": snapshot})
        self.forks.append(RevDesk(self._admin, opened))
        return self.forks[-1]

    def reset(self, scope: str = "all") -> None:
        """Become what the world was when it was opened (`all`), or forget its `journal` or `faults` alone."""
        self._world.ask("POST", "/reset", {"scope": scope})

    def close(self) -> None:
        """Forget the world, its key and its forks; once is enough."""
        if self._closed:
            return
        self._closed = True
        if self._client is not None:
            self._client.close()
        for fork in self.forks:
            fork.close()
        self._admin.delete(f"/_revdesk/worlds/{self.id}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<world {self.id} at {self.url}>"


class Snapshot:
    """A world as it was, by its `name`."""

    def __init__(self, revdesk: RevDesk, client: WorldClient, name: str) -> None:
        self.name = name
        self._path = f"/snapshots/{quote(name)}"
        self._revdesk = revdesk
        self._client = client

    def restore(self) -> None:
        """Make the world what it was."""
        self._client.ask("POST", f"{self._path}/restore")

    def fork(self) -> RevDesk:
        """Open a world that begins as this one was."""
        return self._revdesk.fork(self.name)

    def delete(self) -> None:
        """Forget it."""
        self._client.ask("DELETE", self._path)
