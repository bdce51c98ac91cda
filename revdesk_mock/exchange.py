"""One request inside a world: what it asks for, what its key sees there, and what is answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from revdesk_mock import pages
from revdesk_mock.errors import not_found
from revdesk_mock.messages import JSON, Record
from revdesk_mock.simulation.agent_modes import Behaviour
from revdesk_mock.simulation.call_flow import FAILED
from revdesk_mock.simulation.credentials import Credential
from revdesk_mock.spec import Operation
from revdesk_mock.world import World

PAGE, LARGEST_PAGE = 50, 100  # records, where the contract in use does not say (the SDK asks for these two)


@dataclass(slots=True)
class Exchange:
    """One request inside a world: who asks for which operation, with what.

    `query` and `body` are validated and hold the contract's defaults; `base_url` is how the client
    reached the emulator (scheme and host, no slash); `behaviour` is what the request orders for its agent.
    """

    operation: Operation
    credential: Credential
    path: Mapping[str, str]
    query: dict[str, Any]
    body: dict[str, Any]
    base_url: str
    behaviour: Behaviour | None = None


@dataclass(slots=True)
class Reply:
    """What a handler returns: data for the envelope, and no status. The contract in use knows that."""

    data: JSON
    meta: dict[str, JSON] | None = None
    location: str | None = None


Handler = Callable[[World, Exchange], Reply]


def visible(world: World, credential: Credential, collection: str, record_id: str) -> Record | None:
    """Return a record that a key sees, or None."""
    record = world.store.get(collection, record_id)
    return record if record is not None and credential.sees(record) else None


def owned(world: World, credential: Credential, collection: str, record_id: str, kind: str) -> Record:
    """Return a record that a key sees; raises ApiError (404 or 403 by policy) for every other id."""
    record = visible(world, credential, collection, record_id)
    if record is None:
        raise not_found(kind, record_id, "path", world.policies.foreign_id_status)
    return record


def shown_status(world: World, call: Record) -> str:
    """Return a call's status as clients see it: spelling and failures by policy."""
    status: str = call["status"]
    if status in FAILED and world.policies.failed_call_status == "failed":
        status = "failed"
    return status.upper() if world.policies.call_status_case == "upper" else status


def page(
    world: World, exchange: Exchange, collection: str, wanted: Callable[[Record], bool] = lambda _: True
) -> tuple[list[Record], dict[str, JSON]]:
    """Return one page of what the key sees in a collection, newest first, with `{cursor?, page_size}` for the meta."""
    sees = exchange.credential.sees
    before = pages.start_of(exchange.query.get("cursor"), lenient=world.policies.bad_cursor == "ignore")
    rows = world.store.newest(collection, before)
    limit = pages.size_of(exchange.query, PAGE, LARGEST_PAGE)
    records, cursor = pages.cut(rows, limit, lambda record: sees(record) and wanted(record))
    meta: dict[str, JSON] = {"page_size": len(records)}
    if cursor is not None:
        meta["cursor"] = cursor
    return records, meta
