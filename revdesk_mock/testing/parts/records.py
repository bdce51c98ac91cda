"""The records of a test's world: what it knows, read and changed behind the API's back."""

from typing import Any
from urllib.parse import quote

from revdesk_mock.messages import JSON, Record
from revdesk_mock.testing.admin_client import WorldClient


class Records:
    """One collection of a world."""

    def __init__(self, client: WorldClient, collection: str) -> None:
        self._client = client
        self._path = f"/state/{quote(collection)}"

    def list(self) -> list[Record]:
        """Return every record, in the order of their making."""
        records: list[Record] = self._client.ask("GET", self._path)
        return records

    def get(self, record_id: str | int) -> Record:
        """Return a record by its id; raises AdminError (404) where there is none."""
        record: Record = self._client.ask("GET", f"{self._path}/{quote(str(record_id))}")
        return record

    def patch(self, record_id: str | int, **fields: Any) -> Record:
        """Change fields of a record, and return it whole; raises AdminError where it could not be one any more."""
        record: Record = self._client.ask("PATCH", f"{self._path}/{quote(str(record_id))}", fields)
        return record


class Calls(Records):
    """The calls of a world, which can be driven by hand.

    Each verb returns `call_id`, `status` and `digits` as the API shows them then, and raises AdminError (409) for a
    call that is in no state for it.
    """

    def __init__(self, client: WorldClient) -> None:
        super().__init__(client, "calls")

    def ring(self, call: str) -> dict[str, JSON]:
        """Let the called phone ring."""
        return self._step(call, "ring")

    def answer(self, call: str) -> dict[str, JSON]:
        """Let the called party pick up."""
        return self._step(call, "answer")

    def busy(self, call: str) -> dict[str, JSON]:
        """Let the line be busy."""
        return self._step(call, "busy")

    def no_answer(self, call: str) -> dict[str, JSON]:
        """Let it ring in vain."""
        return self._step(call, "no-answer")

    def decline(self, call: str) -> dict[str, JSON]:
        """Let the called party decline."""
        return self._step(call, "decline")

    def hang_up(self, call: str) -> dict[str, JSON]:
        """Let the called party hang up."""
        return self._step(call, "hang-up")

    def digits(self, call: str, digits: str) -> dict[str, JSON]:
        """Let the called party press digits, such as `12#`."""
        return self._step(call, "digits", {"digits": digits})

    def _step(self, call: str, step: str, body: dict[str, JSON] | None = None) -> dict[str, JSON]:
        now: dict[str, JSON] = self._client.ask("POST", f"/calls/{quote(call)}/{step}", body)
        return now


class State:
    """All records of a world."""

    def __init__(self, client: WorldClient) -> None:
        self._client = client

    def dump(self) -> dict[str, JSON]:
        """Return all of the world as JSON: what a fixture file holds."""
        dump: dict[str, JSON] = self._client.ask("GET", "/state")
        return dump

    def restore(self, dump: dict[str, JSON]) -> None:
        """Become what a dump holds; raises AdminError, with nothing changed, where it is none."""
        self._client.ask("PUT", "/state", dump)

    def __getitem__(self, collection: str) -> Records:
        """Return one collection by its name: `revdesk.state["calls"]`."""
        return Records(self._client, collection)
