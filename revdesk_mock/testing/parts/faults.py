"""The failures that a test orders."""

from typing import Any
from urllib.parse import quote

from revdesk_mock.messages import JSON
from revdesk_mock.testing.admin_client import WorldClient


class Faults:
    """Puts rules of what is to fail into a world, and tells what became of them."""

    def __init__(self, client: WorldClient) -> None:
        self._client = client

    def add(self, on: str | dict[str, JSON], /, **rule: Any) -> dict[str, JSON]:
        """Put a rule in: which requests (`POST /v1/calls/dial`), and as keywords what happens to them.

        `revdesk.faults.add("POST /v1/calls/dial", do="reset", phase="after_commit")`. Returns its row: `id`, `rule`,
        `matched`, `fired`, `spent`. Raises AdminError for a rule that says nothing clear or can never match.
        """
        row: dict[str, JSON] = self._client.ask("POST", "/faults", {"on": on, **rule})
        return row

    def recipe(self, name: str) -> list[dict[str, JSON]]:
        """Put a named recipe in, such as `429-storm`, and return the rows of its rules."""
        rows: list[dict[str, JSON]] = self._client.ask("POST", f"/recipes/{quote(name)}")
        return rows

    def rows(self) -> list[dict[str, JSON]]:
        """Return every rule with how often it matched and fired."""
        rows: list[dict[str, JSON]] = self._client.ask("GET", "/faults")
        return rows

    def remove(self, fault: str) -> None:
        """Take one rule out, by its id."""
        self._client.ask("DELETE", f"/faults/{quote(fault)}")

    def clear(self) -> None:
        """Take every rule out."""
        self._client.ask("DELETE", "/faults")
