"""A world's records read and changed from outside; what is given is checked whole before any of it is written."""

from collections.abc import Mapping

from revdesk_mock import dumps
from revdesk_mock.dumps import Flaw
from revdesk_mock.errors import ApiError, invalid, not_found
from revdesk_mock.messages import JSON, Reason, Record
from revdesk_mock.settings import suggestion
from revdesk_mock.world import World

LONGEST = 300  # characters of a message about something that may be large
SCHEMA = "what fixtures/world.schema.json admits"


def records(world: World, collection: str) -> list[Record]:
    """Return the records of a collection, oldest first; raises ApiError (404) where there is no such collection."""
    _know(collection)
    world.run_due()
    return world.store.all(collection)


def record(world: World, collection: str, record_id: str) -> Record:
    """Return one record; raises ApiError (404) where it is not there."""
    _know(collection)
    world.run_due()
    found = world.store.get(collection, record_id)
    if found is None:
        raise not_found(f"record in {collection}", record_id, "path /id")
    return found


def patch(world: World, collection: str, record_id: str, fields: Mapping[str, JSON]) -> Record:
    """Set some fields of a record, and return it as it is after what becomes due by that.

    Raises ApiError: 404 where it is not there, 400 where a record cannot be so; then nothing is written.
    """
    before = record(world, collection, record_id)
    if fields.get("id", record_id) != record_id:
        raise invalid("id", "cannot be changed", rule="state.id", expected=record_id, got=fields["id"])
    flaw = dumps.flaw_of_record(collection, {**before, **fields})
    if flaw is not None:
        raise _refused(flaw)
    with world.store.transaction():
        patched = world.store.update(collection, before, **fields)
    world.run_due()
    return world.store.get(collection, record_id) or patched


def check(dump: JSON) -> None:
    """Raise ApiError (400) for what is no dump of a world."""
    flaw = dumps.flaw_of(dump)
    if flaw is not None:
        raise _refused(flaw)


def _refused(flaw: Flaw) -> ApiError:
    where, message = flaw.pointer or "/", flaw.message[:LONGEST]
    reason = Reason("state.schema", f"body {where}", SCHEMA, message)
    return ApiError("validation_error", f"{where}: {message}", reason, fields={where: message})


def _know(collection: str) -> None:
    known = dumps.collections()
    if collection not in known:
        reason = Reason("state.collection", "path /collection", ", ".join(known), collection)
        hint = suggestion(collection, dict.fromkeys(known))
        raise ApiError("not_found", f"There is no collection {collection!r}{hint}", reason)
