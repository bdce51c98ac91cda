"""What happened in a test's world, on one clock."""

from revdesk_mock.messages import JSON
from revdesk_mock.testing.admin_client import WorldClient


class Timeline:
    """Tells of requests, refusals, call states, rooms, tokens, faults and moves of the clock, in order."""

    def __init__(self, client: WorldClient) -> None:
        self._client = client

    def events(self) -> list[dict[str, JSON]]:
        """Return the events, oldest first: `at`, `kind`, `says`, and what programs want to know of each."""
        events: list[dict[str, JSON]] = self._client.ask("GET", "/timeline")
        return events

    def text(self) -> str:
        """Return them as a table for people: what the report of a failing test shows."""
        return str(self._client.ask("GET", "/timeline", format="text"))
