"""The memory of a world keeps all of a transaction or nothing, and behaves as plain dicts would."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from revdesk_mock.messages import Record
from revdesk_mock.store import Change, Store

INDEXES = {"numbers": ("agent", "city"), "tokens": ("sha",)}
VALUES: dict[str, tuple[str | None, ...]] = {"agent": ("a", "b", None), "city": ("x", "y"), "sha": ("1", "2")}
COLLECTIONS = ("numbers", "tokens", "notes")  # notes have no index


def number(record_id: str, agent: str | None = "a", city: str = "x") -> Record:
    return {"id": record_id, "agent": agent, "city": city}


def store_with(*records: Record) -> Store:
    store = Store(INDEXES)
    with store.transaction():
        for record in records:
            store.insert("numbers", record)
    return store


def ids(records: Sequence[Record]) -> list[str]:
    return [record["id"] for record in records]


def contents(store: Store) -> object:
    """Return all that can be read from a store, in its order."""
    places = [(collection, field) for collection, fields in INDEXES.items() for field in fields]
    found = [ids(store.find(*place, value)) for place in places for value in VALUES[place[1]]]
    return store.dump(), [list(store.newest(collection)) for collection in COLLECTIONS], found


class Abandoned(Exception):
    """What a test's transaction fails with."""


def begin_and_fail(store: Store, write: Callable[[Store], object], error: type[BaseException] = Abandoned) -> None:
    with store.transaction():
        write(store)
        raise error


def delete_both(store: Store) -> None:
    store.delete("numbers", "2")
    store.delete("numbers", "1")


def begin_another(store: Store) -> None:
    store.delete("numbers", "1")
    with store.transaction():
        pass


@dataclass(frozen=True)
class Write:
    """One write of a generated transaction."""

    kind: str
    collection: str
    id: str
    agent: str | None
    city: str
    sha: str

    @property
    def record(self) -> Record:
        return {"id": self.id, "agent": self.agent, "city": self.city, "sha": self.sha}


writes = st.builds(
    Write,
    kind=st.sampled_from(["put", "put", "delete"]),
    collection=st.sampled_from(COLLECTIONS),
    id=st.sampled_from("12345"),
    agent=st.sampled_from(VALUES["agent"]),
    city=st.sampled_from(["x", "y"]),
    sha=st.sampled_from(["1", "2"]),
)
# collection -> id -> (number of the insertion, record): as a dict, in the order of creation
Model = dict[str, dict[str, tuple[int, Record]]]


class StoreAgainstDicts(RuleBasedStateMachine):
    """Transactions, kept and undone, on a store and on plain dicts."""

    @initialize()
    def open(self) -> None:
        self.model: Model = {collection: {} for collection in COLLECTIONS}
        self.insertions = 0
        self.left_behind: list[tuple[Store, object]] = []
        self.watch(Store(INDEXES))

    def watch(self, store: Store) -> None:
        self.store = store
        self.heard: dict[tuple[str, str], Record] = {}
        self.positions: dict[tuple[str, str, int], int] = {}
        store.on_commit(self.hear)

    def hear(self, changes: Sequence[Change]) -> None:
        for change in changes:
            key = (change.collection, change.id)
            assert self.heard.get(key) == change.before
            if change.after is None:
                del self.heard[key]
            else:
                self.heard[key] = change.after

    def write(self, write: Write, model: Model) -> None:
        rows = model[write.collection]
        known = rows.get(write.id)
        if write.kind == "put" and known is None:
            self.insertions += 1
            rows[write.id] = (self.insertions, self.store.insert(write.collection, write.record))
        elif write.kind == "put" and known is not None:
            changes = {field: value for field, value in write.record.items() if field != "id"}
            rows[write.id] = (known[0], self.store.update(write.collection, known[1], **changes))
        elif known is not None:
            self.store.delete(write.collection, write.id)
            del rows[write.id]

    def write_all(self, batch: Sequence[Write], model: Model) -> None:
        for write in batch:
            self.write(write, model)

    @rule(batch=st.lists(writes, max_size=8), nested=st.booleans())
    def commit(self, batch: list[Write], nested: bool) -> None:  # noqa: FBT001 - a drawn value
        with self.store.transaction():
            self.write_all(batch, self.model)
            if nested:
                with pytest.raises(RuntimeError), self.store.transaction():
                    pass

    @rule(batch=st.lists(writes, max_size=8), error=st.sampled_from([Abandoned, KeyboardInterrupt]))
    def abandon(self, batch: list[Write], error: type[BaseException]) -> None:
        copy = {collection: dict(rows) for collection, rows in self.model.items()}
        with pytest.raises(error):
            begin_and_fail(self.store, lambda _: self.write_all(batch, copy), error)

    @rule()
    def move_to_another_store(self) -> None:
        dump = self.store.dump()
        self.watch(Store(INDEXES))
        self.store.restore(dump)

    @rule(follow=st.booleans())
    def part(self, follow: bool) -> None:  # noqa: FBT001 - a drawn value
        twin = self.store.copy()
        self.left_behind.append((self.store if follow else twin, contents(self.store)))
        if follow:
            self.store = twin
            twin.on_commit(self.hear)

    @invariant()
    def stores_left_behind_stay_as_they_were(self) -> None:
        for store, before in self.left_behind:
            assert contents(store) == before

    @invariant()
    def records_are_those_of_the_dicts_in_order_of_creation(self) -> None:
        for collection, rows in self.model.items():
            expected = [record for _, record in rows.values()]
            assert self.store.all(collection) == expected
            assert self.store.size(collection) == len(expected)
            assert [record for _, record in self.store.newest(collection)] == expected[::-1]
            for record_id in "12345":
                row = rows.get(record_id)
                assert self.store.get(collection, record_id) == (row and row[1])

    @invariant()
    def look_ups_find_what_has_the_value(self) -> None:
        for collection, fields in INDEXES.items():
            for field in fields:
                for value in VALUES[field]:
                    found = sorted(ids(self.store.find(collection, field, value)))
                    rows = self.model[collection].values() if value is not None else []  # None is not looked up
                    assert found == sorted(record["id"] for _, record in rows if record[field] == value)

    @invariant()
    def positions_fall_never_change_and_cut_the_list(self) -> None:
        for collection, rows in self.model.items():
            seen = list(self.store.newest(collection))
            positions = [position for position, _ in seen]
            assert positions == sorted(set(positions), reverse=True)
            for index, (position, record) in enumerate(seen):
                key = (collection, record["id"], rows[record["id"]][0])
                assert self.positions.setdefault(key, position) == position
                assert list(self.store.newest(collection, position)) == seen[index + 1 :]

    @invariant()
    def listeners_heard_what_was_kept(self) -> None:
        kept = {(name, key): record for name, rows in self.model.items() for key, (_, record) in rows.items()}
        assert self.heard == kept

    @invariant()
    def a_dump_holds_the_records_and_no_empty_collection(self) -> None:
        expected = {name: [record for _, record in rows.values()] for name, rows in self.model.items() if rows}
        assert self.store.dump() == expected


TestStoreAgainstDicts = StoreAgainstDicts.TestCase


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.insert("numbers", number("2")),
        lambda store: store.update("numbers", number("1"), city="y"),
        lambda store: store.delete("numbers", "1"),
    ],
    ids=["insert", "update", "delete"],
)
def test_nothing_is_written_outside_a_transaction(write: Callable[[Store], object]) -> None:
    store = store_with(number("1"))
    with pytest.raises(RuntimeError, match="outside a transaction"):
        write(store)
    assert store.all("numbers") == [number("1")]


def test_a_transaction_inside_another_is_refused_and_the_outer_one_undone_with_it() -> None:
    store = store_with(number("1"))
    with pytest.raises(RuntimeError, match="open already"):
        begin_and_fail(store, begin_another)
    assert ids(store.all("numbers")) == ["1"]


def test_a_transaction_can_follow_one_that_failed() -> None:
    store = store_with()
    with pytest.raises(Abandoned), store.transaction():
        raise Abandoned
    with store.transaction():
        store.insert("numbers", number("1"))
    assert ids(store.all("numbers")) == ["1"]


def test_a_write_never_changes_a_record_that_was_handed_out() -> None:
    store = store_with(number("1", agent="a"))
    before = store.get("numbers", "1")
    assert before is not None
    with store.transaction():
        after = store.update("numbers", before, agent="b")
    assert (before["agent"], after["agent"]) == ("a", "b")
    assert store.get("numbers", "1") is after


def test_an_undone_deletion_puts_the_record_back_in_its_place() -> None:
    store = store_with(number("1"), number("2"), number("3"))
    before = list(store.newest("numbers"))
    with pytest.raises(Abandoned):
        begin_and_fail(store, delete_both)
    assert list(store.newest("numbers")) == before


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.delete("numbers", "1"),
        lambda store: store.update("numbers", number("1", agent="a"), agent="b"),
    ],
    ids=["delete", "update"],
)
def test_an_undone_transaction_leaves_look_ups_in_their_order(write: Callable[[Store], object]) -> None:
    store = store_with(number("1", agent="a"), number("2", agent="a"))
    before = ids(store.find("numbers", "agent", "a"))
    with pytest.raises(Abandoned):
        begin_and_fail(store, write)
    assert ids(store.find("numbers", "agent", "a")) == before


def test_a_copy_leaves_out_what_it_shall_and_shares_the_rest() -> None:
    store = store_with(number("1"))
    with store.transaction():
        store.insert("tokens", {"id": "t", "sha": "1"})
    copy = store.copy(without=["tokens"])
    assert copy.find("tokens", "sha", "1") == copy.all("tokens") == []
    assert copy.get("numbers", "1") is store.get("numbers", "1")


def test_a_restored_store_looks_up_in_the_same_order_as_the_one_that_was_dumped() -> None:
    store = store_with(number("1", agent="b"), number("2", agent="a"))
    with store.transaction():
        store.update("numbers", number("1", agent="b"), agent="a")
    restored = Store(INDEXES)
    restored.restore(store.dump())
    assert ids(restored.find("numbers", "agent", "a")) == ids(store.find("numbers", "agent", "a"))


def test_a_record_without_an_indexed_field_leaves_no_trace() -> None:
    store = store_with()
    with pytest.raises(KeyError), store.transaction():
        store.insert("numbers", {"id": "1", "agent": "a"})
    assert store.find("numbers", "agent", "a") == []
    assert store.dump() == {}


def test_a_look_up_in_an_empty_store_finds_nothing() -> None:
    store = Store(INDEXES)
    assert store.find("numbers", "agent", "a") == []
    assert store.get("numbers", "1") is None
    assert list(store.newest("numbers")) == []


def test_listeners_hear_each_change_with_what_was_before_and_is_after() -> None:
    store = store_with(number("1", city="x"))
    heard: list[Change] = []
    store.on_commit(heard.extend)
    with store.transaction():
        store.insert("numbers", number("2"))
        store.update("numbers", number("1", city="x"), city="y")
        store.delete("numbers", "1")
    assert heard == [
        Change("numbers", "2", None, number("2")),
        Change("numbers", "1", number("1", city="x"), number("1", city="y")),
        Change("numbers", "1", number("1", city="y"), None),
    ]


def test_deleting_what_is_not_there_is_no_change() -> None:
    store = store_with(number("1"))
    heard: list[Change] = []
    store.on_commit(heard.extend)
    with store.transaction():
        store.delete("numbers", "2")
    assert heard == []


def test_a_transaction_without_writes_tells_nobody() -> None:
    store = store_with(number("1"))
    heard: list[Sequence[Change]] = []
    store.on_commit(heard.append)
    with store.transaction():
        store.all("numbers")
    assert heard == []


def test_a_listener_sees_what_was_kept_and_may_write_more() -> None:
    store = Store(INDEXES)

    def add_a_note(changes: Sequence[Change]) -> None:
        for change in changes:
            if change.collection == "numbers":
                assert store.get("numbers", change.id) == change.after
                with store.transaction():
                    store.insert("notes", {"id": f"note of {change.id}"})

    store.on_commit(add_a_note)
    with store.transaction():
        store.insert("numbers", number("1"))
    assert ids(store.all("notes")) == ["note of 1"]


def test_restoring_tells_the_listeners_once_for_all_records() -> None:
    dump = store_with(number("1"), number("2")).dump()
    store = Store(INDEXES)
    heard: list[list[str]] = []
    store.on_commit(lambda changes: heard.append([change.id for change in changes]))
    store.restore(dump)
    assert heard == [["1", "2"]]


def test_changing_a_dumps_lists_does_not_change_the_store() -> None:
    store = store_with(number("1"))
    store.dump()["numbers"].clear()
    assert ids(store.all("numbers")) == ["1"]
