"""The memory of a world: collections of records, transactions with undo, look-ups and commit listeners."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import count, repeat
from operator import itemgetter
from typing import NamedTuple

from revdesk_mock.index import Index
from revdesk_mock.messages import JSON, Record

Row = tuple[int, Record]  # position in the order of creation, record
POSITION = itemgetter(0)
NONES = repeat(None)  # the indexed values of a record that is not there


class Change(NamedTuple):
    """One committed write: the record before (None: created) and after (None: deleted)."""

    collection: str
    id: str
    before: Record | None
    after: Record | None


Listener = Callable[[Sequence[Change]], None]


class Transaction:
    """A block of writes that are all kept, or (on an exception) all undone."""

    __slots__ = ("_store",)

    def __init__(self, store: "Store") -> None:
        self._store = store

    def __enter__(self) -> None:
        self._store.begin()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._store.end(keep=kind is None)


class Store:
    """Records by collection and id, each in the order of creation.

    A record is never changed in place: a write puts a new dict in its place, so that undo, dump and
    a copy of a whole world cost next to nothing. Writes happen inside `transaction` only.
    """

    def __init__(self, indexes: Mapping[str, Sequence[str]]) -> None:
        self._rows: defaultdict[str, dict[str, Row]] = defaultdict(dict)
        self._positions = count(1)
        self._indexed = indexes
        self._indexes = {(collection, field): Index() for collection, fields in indexes.items() for field in fields}
        self._log: list[tuple[Change, int]] | None = None
        self._listeners: list[Listener] = []

    # reading

    def get(self, collection: str, record_id: str) -> Record | None:
        """Return a record, or None."""
        row = self._rows[collection].get(record_id)
        return None if row is None else row[1]

    def first(self, collection: str) -> Record | None:
        """Return the oldest record, or None."""
        for _, record in self._rows[collection].values():
            return record
        return None

    def all(self, collection: str) -> list[Record]:
        """Return the records, oldest first."""
        return [record for _, record in self._rows[collection].values()]

    def size(self, collection: str) -> int:
        """Return how many records there are."""
        return len(self._rows[collection])

    def sizes(self) -> dict[str, int]:
        """Return how many records there are in each collection that has some."""
        return {name: len(rows) for name, rows in self._rows.items() if rows}

    def newest(self, collection: str, before: int | None = None) -> Iterator[Row]:
        """Yield (position, record), newest first, from below a position where one is given."""
        for row in reversed(self._rows[collection].values()):
            if before is None or row[0] < before:
                yield row

    def find(self, collection: str, field: str, value: JSON) -> list[Record]:
        """Return the records whose indexed field has a value (not None), oldest first."""
        ids = self._indexes[collection, field].find(value)
        if not ids:
            return []
        rows = self._rows[collection]
        found = [rows[record_id] for record_id in ids]
        if len(found) > 1:
            found.sort(key=POSITION)
        return [record for _, record in found]

    # writing

    def transaction(self) -> "Transaction":
        """Keep every write of the block, or none: an exception undoes them all; then tell the listeners.

        Listeners hear only what was kept, after it was kept, and may open transactions of their own.
        """
        return Transaction(self)

    def begin(self) -> None:
        """Start to note writes; raises RuntimeError where a transaction is open already."""
        if self._log is not None:
            raise RuntimeError("a transaction is open already")
        self._log = []

    def end(self, *, keep: bool) -> None:
        """Keep the writes since `begin` and tell the listeners, or undo them."""
        log, self._log = self._log or [], None
        if not keep:
            for change, position in reversed(log):
                self._put(change.collection, change.id, change.after, change.before, position)
        elif log:
            changes = [change for change, _ in log]
            for listener in self._listeners:
                listener(changes)

    def on_commit(self, listener: Listener) -> None:
        """Call a function with every list of committed changes."""
        self._listeners.append(listener)

    def insert(self, collection: str, record: Record) -> Record:
        """Add a record under its `id`."""
        self._write(collection, record["id"], record)
        return record

    def update(self, collection: str, record: Record, /, **changes: JSON) -> Record:
        """Put a copy of a record with some fields changed in its place, and return it."""
        changed = {**record, **changes}
        self._write(collection, record["id"], changed)
        return changed

    def delete(self, collection: str, record_id: str) -> None:
        """Remove a record, if it is there."""
        if self.get(collection, record_id) is not None:
            self._write(collection, record_id, None)

    def clear(self) -> None:
        """Remove every record."""
        for collection, rows in self._rows.items():
            for record_id in list(rows):
                self._write(collection, record_id, None)

    def _write(self, collection: str, record_id: str, record: Record | None) -> None:
        if self._log is None:
            raise RuntimeError(f"{collection}/{record_id} is written outside a transaction")
        row = self._rows[collection].get(record_id)
        position, before = row if row is not None else (next(self._positions), None)
        self._put(collection, record_id, before, record, position)
        self._log.append((Change(collection, record_id, before, record), position))

    def _put(self, collection: str, record_id: str, before: Record | None, after: Record | None, position: int) -> None:
        rows = self._rows[collection]
        fields = self._indexed.get(collection)
        if fields:
            self._reindex(collection, record_id, fields, before, after)
        if after is None:
            rows.pop(record_id, None)
            return
        # A deletion that is undone puts the record back in its place, not at the end.
        misplaced = before is None and rows and position < rows[next(reversed(rows))][0]
        rows[record_id] = (position, after)
        if misplaced:
            self._rows[collection] = dict(sorted(rows.items(), key=lambda item: item[1][0]))

    def _reindex(
        self, collection: str, record_id: str, fields: Sequence[str], before: Record | None, after: Record | None
    ) -> None:
        # All values are read before any index changes: a record that lacks a field changes none.
        olds = NONES if before is None else [before[field] for field in fields]
        news = NONES if after is None else [after[field] for field in fields]
        for field, old, new in zip(fields, olds, news, strict=False):
            if old == new:
                continue
            index = self._indexes[collection, field]
            if old is not None:
                index.remove(old, record_id)
            if new is not None:
                index.add(new, record_id)

    # whole worlds

    def dump(self) -> dict[str, list[Record]]:
        """Return every record by collection, oldest first: the records themselves, to read and not to change."""
        return {name: [record for _, record in rows.values()] for name, rows in self._rows.items() if rows}

    def copy(self, *, without: Collection[str] = ()) -> "Store":
        """Return a store that shares these records, in their order, but for some collections; nobody listens to it."""
        twin = Store(self._indexed)
        twin._rows.update((name, rows.copy()) for name, rows in self._rows.items() if name not in without)
        for place, index in self._indexes.items():
            if place[0] not in without:
                twin._indexes[place] = index.copy()
        last = max((rows[next(reversed(rows))][0] for rows in self._rows.values() if rows), default=0)
        twin._positions = count(last + 1)
        return twin

    def restore(self, records: Mapping[str, Sequence[Record]]) -> None:
        """Fill an empty store with what `dump` wrote, and tell the listeners."""
        with self.transaction():
            self.fill(records)

    def fill(self, records: Mapping[str, Sequence[Record]]) -> None:
        """Insert what `dump` wrote."""
        for collection, rows in records.items():
            for record in rows:
                self.insert(collection, record)
