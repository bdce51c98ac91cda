"""An index: which records have a value in one field. Copies share what none of them has changed since."""

from collections.abc import Collection
from typing import TypeAlias

from revdesk_mock.messages import JSON

Ids: TypeAlias = dict[str, None]  # a set in the order of insertion


class Index:
    """Ids of records by value, each in the order in which it got the value."""

    __slots__ = ("_own", "_shared")

    def __init__(self) -> None:
        self._own: dict[JSON, Ids] = {}
        self._shared: dict[JSON, Ids] = {}  # never changed, for copies have it too; what is in `_own` counts instead

    def find(self, value: JSON) -> Collection[str]:
        """Return the ids of the records with a value."""
        found = self._own.get(value)
        return self._shared.get(value, ()) if found is None else found

    def add(self, value: JSON, record_id: str) -> None:
        """Note that a record has a value."""
        self._to_change(value)[record_id] = None

    def remove(self, value: JSON, record_id: str) -> None:
        """Note that a record has a value no longer."""
        ids = self._to_change(value)
        del ids[record_id]
        if not ids and value not in self._shared:
            del self._own[value]

    def copy(self) -> "Index":
        """Return an index of the same, which goes its own way."""
        if self._own:
            everything = {**self._shared, **self._own}
            self._shared = {value: ids for value, ids in everything.items() if ids}
            self._own = {}
        twin = Index()
        twin._shared = self._shared
        return twin

    def _to_change(self, value: JSON) -> Ids:
        ids = self._own.get(value)
        if ids is None:
            ids = self._own[value] = dict(self._shared.get(value, ()))
        return ids
