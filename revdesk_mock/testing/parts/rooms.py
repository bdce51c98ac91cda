"""The open rooms of a test's world."""

from typing import Any
from urllib.parse import quote

from revdesk_mock.messages import JSON
from revdesk_mock.testing.admin_client import WorldClient


class Rooms:
    """Tells who is in a room, and lets its agent speak and behave otherwise."""

    def __init__(self, client: WorldClient) -> None:
        self._client = client

    def list(self) -> list[dict[str, JSON]]:
        """Return the open rooms: `room_name`, `call_id`, `participants`, what was `said` and which `digits`."""
        rooms: list[dict[str, JSON]] = self._client.ask("GET", "/rooms")
        return rooms

    def get(self, room: str) -> dict[str, JSON]:
        """Return one open room by its name; raises AdminError (404) where it is not open."""
        found: dict[str, JSON] = self._client.ask("GET", f"/rooms/{quote(room)}")
        return found

    def say(self, room: str, text: str) -> None:
        """Let the agent of a room say a text."""
        self._client.ask("POST", f"/rooms/{quote(room)}/say", {"text": text})

    def agent(self, room: str, mode: str, **options: Any) -> None:
        """Let the agent of a room do something else from now on: `echo`, `speak`, `tone`, `silent`, `hangup_after`."""
        self._client.ask("POST", f"/rooms/{quote(room)}/agent", {"mode": mode, **options})
