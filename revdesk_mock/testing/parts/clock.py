"""The clock of a test's world."""

from datetime import datetime, timedelta
from typing import Any

from revdesk_mock.testing.admin_client import WorldClient


class Clock:
    """Reads and moves a world's time; what becomes due on the way happens in order, each at its own instant."""

    def __init__(self, client: WorldClient) -> None:
        self._client = client

    @property
    def now(self) -> datetime:
        """The world's time, in UTC."""
        return _instant(self._client.ask("GET", "/clock")["now"])

    @property
    def frozen(self) -> bool:
        """Whether it stands until it is moved."""
        return bool(self._client.ask("GET", "/clock")["frozen"])

    @property
    def next_event(self) -> datetime | None:
        """When something happens next, or None."""
        at = self._client.ask("GET", "/clock")["next_event"]
        return None if at is None else _instant(at)

    def advance(self, step: float | timedelta) -> datetime:
        """Go forward by seconds or a timedelta, and return the new time."""
        return self._move(advance_seconds=step.total_seconds() if isinstance(step, timedelta) else step)

    def set(self, at: datetime | str) -> datetime:
        """Go to an instant, a datetime with a zone or ISO 8601, and return it."""
        return self._move(set=at.isoformat() if isinstance(at, datetime) else at)

    def to_next_event(self) -> datetime:
        """Go to the next event and return its time; raises AdminError (409) where nothing is to happen."""
        return self._move(to_next_event=True)

    def freeze(self) -> datetime:
        """Let time stand, and return where."""
        return self._move(frozen=True)

    def run(self) -> datetime:
        """Let time run with the wall again, and return from where."""
        return self._move(frozen=False)

    def _move(self, **order: Any) -> datetime:
        return _instant(self._client.ask("POST", "/clock", order)["now"])


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
