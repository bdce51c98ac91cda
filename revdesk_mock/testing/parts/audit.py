"""What the client of a test's world did wrong."""

from revdesk_mock.messages import JSON
from revdesk_mock.testing.admin_client import WorldClient


class Audit:
    """Judges the requests of a world: blind retries, reused keys, ignored waits, fields that nothing reads."""

    def __init__(self, client: WorldClient) -> None:
        self._client = client

    def findings(self) -> list[dict[str, JSON]]:
        """Return what was found, each with its `rule`, a sentence, and the requests that show it."""
        found: list[dict[str, JSON]] = self._client.ask("GET", "/audit")
        return found

    def report(self, form: str = "text") -> str | JSON:
        """Return the findings as `text`, `json` or `junit`."""
        return self._client.ask("GET", "/audit", format=form)

    def clean(self) -> None:
        """Raise AssertionError with the report where anything was found."""
        if self.findings():
            raise AssertionError(self.report())
