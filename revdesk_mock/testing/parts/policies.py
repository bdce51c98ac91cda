"""The open questions of the API, as a test's world answers them."""

from revdesk_mock.messages import JSON
from revdesk_mock.testing.admin_client import WorldClient


class Policies:
    """Reads and settles a world's policies."""

    def __init__(self, client: WorldClient) -> None:
        self._client = client

    def list(self) -> list[dict[str, JSON]]:
        """Return every policy with its `value`, `choices`, `question` and `source`."""
        policies: list[dict[str, JSON]] = self._client.ask("GET", "/policies")
        return policies

    def set(self, **policies: str | int | None) -> None:
        """Settle some from now on, all or none; None is `off`. Raises AdminError for one that cannot be."""
        self._client.ask("PATCH", "/policies", policies)
