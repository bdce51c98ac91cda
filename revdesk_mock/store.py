"""The memory of a world: collections of records, transactions with undo, look-ups and commit listeners."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from revdesk_mock.messages import JSON, Record


@dataclass(frozen=True, slots=True)
class Change:
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
        self._rows: dict[str, dict[str, Record]] = {}
        self._orders: dict[str, dict[str, int]] = {}
        self._positions = count(1)
        self._indexed = indexes
        self._indexes: dict[tuple[str, str], dict[JSON, dict[str, None]]] = {
            (collection, field): {} for collection, fields in indexes.items() for field in fields
        }
        self._log: list[tuple[Change, int]] | None = None
        self._listeners: list[Listener] = []

    # reading

    def get(self, collection: str, record_id: str) -> Record | None:
        """Return a record, or None."""
        return self._rows.get(collection, {}).get(record_id)

    def first(self, collection: str) -> Record | None:
        """Return the oldest record, or None."""
        return next(iter(self._rows.get(collection, {}).values()), None)

    def all(self, collection: str) -> list[Record]:
        """Return the records, oldest first."""
        return list(self._rows.get(collection, {}).values())

    def size(self, collection: str) -> int:
        """Return how many records there are."""
        return len(self._rows.get(collection, {}))

    def newest(self, collection: str, before: int | None = None) -> Iterator[tuple[int, Record]]:
        """Yield (position, record), newest first, from below a position where one is given."""
        orders = self._orders.get(collection, {})
        for record_id, record in reversed(self._rows.get(collection, {}).items()):
            position = orders[record_id]
            if before is None or position < before:
                yield position, record

    def find(self, collection: str, field: str, value: JSON) -> list[Record]:
        """Return the records whose indexed field has a value, oldest first."""
        ids = self._indexes[collection, field].get(value)
        if not ids:
            return []
        rows, orders = self._rows[collection], self._orders[collection]
        return [rows[record_id] for record_id in sorted(ids, key=orders.__getitem__)]

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
                self._put(change.collection, change.id, change.before, position)
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

    def update(self, collection: str, record: Record, **changes: JSON) -> Record:
        """Put a copy of a record with some fields changed in its place, and return it."""
        changed = {**record, **changes}
        self._write(collection, record["id"], changed)
        return changed

    def delete(self, collection: str, record_id: str) -> None:
        """Remove a record, if it is there."""
        if self.get(collection, record_id) is not None:
            self._write(collection, record_id, None)

    def _write(self, collection: str, record_id: str, record: Record | None) -> None:
        if self._log is None:
            raise RuntimeError(f"{collection}/{record_id} is written outside a transaction")
        before = self.get(collection, record_id)
        position = self._orders.get(collection, {}).get(record_id) or next(self._positions)
        self._log.append((Change(collection, record_id, before, record), position))
        self._put(collection, record_id, record, position)

    def _put(self, collection: str, record_id: str, record: Record | None, position: int) -> None:
        rows = self._rows.setdefault(collection, {})
        orders = self._orders.setdefault(collection, {})
        self._reindex(collection, record_id, rows.get(record_id), record)
        if record is None:
            rows.pop(record_id, None)
            orders.pop(record_id, None)
            return
        # A deletion that is undone puts the record back in its place, not at the end.
        misplaced = record_id not in rows and rows and position < orders[next(reversed(rows))]
        rows[record_id] = record
        orders[record_id] = position
        if misplaced:
            self._rows[collection] = dict(sorted(rows.items(), key=lambda row: orders[row[0]]))

    def _reindex(self, collection: str, record_id: str, before: Record | None, after: Record | None) -> None:
        fields = self._indexed.get(collection, ())
        # All values are read before any index changes: a record that lacks a field changes none.
        olds = [] if before is None else [before[field] for field in fields]
        news = [] if after is None else [after[field] for field in fields]
        if olds == news:
            return
        for field, old in zip(fields, olds, strict=False):
            ids = self._indexes[collection, field][old]
            del ids[record_id]
            if not ids:
                del self._indexes[collection, field][old]
        for field, new in zip(fields, news, strict=False):
            self._indexes[collection, field].setdefault(new, {})[record_id] = None

    # whole worlds

    def dump(self) -> dict[str, list[Record]]:
        """Return every record by collection, oldest first: the records themselves, to read and not to change."""
        return {collection: list(rows.values()) for collection, rows in self._rows.items() if rows}

    def restore(self, records: Mapping[str, Sequence[Record]]) -> None:
        """Fill an empty store with what `dump` wrote, and tell the listeners."""
        with self.transaction():
            for collection, rows in records.items():
                for record in rows:
                    self.insert(collection, record)
