"""The requests that a test's world was asked, and what it answered."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from revdesk_mock.messages import JSON
from revdesk_mock.testing.admin_client import WorldClient


class Journal:
    """Finds requests; none holds a key or token.

    Filters are keywords: `operation`, `status` (`409`, `"4xx"`), `code`, `method`, `path` (`/v1/calls/*`), `body` (a
    dict of fields), `since` and `until` (a request's id or an instant), `limit` (the newest).
    """

    def __init__(self, client: WorldClient) -> None:
        self._client = client

    def requests(self, **filters: Any) -> list[dict[str, JSON]]:
        """Return the requests that pass every filter, in the order of their answers."""
        found: list[dict[str, JSON]] = self._client.ask("GET", "/requests", **_query(filters))
        return found

    def count(self, **filters: Any) -> int:
        """Return how many requests pass every filter."""
        return int(self._client.ask("GET", "/requests/count", **_query(filters))["count"])

    def near_misses(self, **filters: Any) -> list[dict[str, JSON]]:
        """Return the requests that come closest to what the filters look for, with a verdict on each of those."""
        found: list[dict[str, JSON]] = self._client.ask("GET", "/requests/near-misses", **_query(filters))
        return found

    def har(self) -> dict[str, JSON]:
        """Return them all as an HTTP Archive (HAR 1.2), which `check-upgrade --journal` and browsers read."""
        archive: dict[str, JSON] = self._client.ask("GET", "/requests.har")
        return archive

    def explain(self, request_id: str) -> dict[str, JSON]:
        """Return why a request was answered as it was, by its `x-request-id`."""
        reasons: dict[str, JSON] = self._client.ask("GET", f"/explain/{quote(request_id)}")
        return reasons

    def clear(self) -> None:
        """Forget every request."""
        self._client.ask("POST", "/reset", {"scope": "journal"})


def _query(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Write filters as the admin API reads them."""
    return {name: _written(value) for name, value in filters.items()}


def _written(value: Any) -> Any:
    if isinstance(value, Mapping):
        return [f"{field}={each if isinstance(each, str) else json.dumps(each)}" for field, each in value.items()]
    return value.isoformat() if isinstance(value, datetime) else value
