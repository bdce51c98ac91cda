"""One tenant: its records, clock, dice and limits, and one request inside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from revdesk_mock import pages
from revdesk_mock.clock import EPOCH, SECOND, Clock, iso, parse_iso
from revdesk_mock.errors import not_found
from revdesk_mock.ids import Dice
from revdesk_mock.messages import JSON, Record
from revdesk_mock.rtc.tokens import JoinTokens
from revdesk_mock.settings import Settings
from revdesk_mock.signing import Signer
from revdesk_mock.simulation import rate_limit
from revdesk_mock.simulation.agent_modes import Behaviour
from revdesk_mock.simulation.call_flow import FAILED, CallFlow
from revdesk_mock.simulation.credentials import ORGANIZATION, SUB_ENTITY, ClientTokens, Credential
from revdesk_mock.simulation.guardrails import Guardrails
from revdesk_mock.simulation.idempotency import Idempotency
from revdesk_mock.simulation.rate_limit import RateLimit
from revdesk_mock.spec import Operation
from revdesk_mock.store import Change, Store

FORMAT = 1  # of a dump
PAGE, LARGEST_PAGE = 50, 100  # records, where the contract in use does not say (the SDK asks for these two)

INDEXES: Mapping[str, tuple[str, ...]] = {
    "phone_numbers": ("phone_number", "agent_id", "organization_id"),
    "caller_ids": ("phone_number",),
    "enterprises": ("organization_id",),
    "brands": ("enterprise_id",),
    "contacts": ("phone_number",),
    "calls": ("phone_number_id", "room_name"),
    "messages": ("phone_number_id",),
    "reputations": ("organization_id",),
    "tokens": ("sha256", "call_id"),
}

Step = Callable[["World", Record], None]


class World:
    """One tenant, opened by an API key. Complete, isolated, dumpable; there is no other state.

    `steps` names, for each collection, what happens to a record when its `due_at` is reached.
    """

    def __init__(self, settings: Settings, key: Credential, seed: str, steps: Mapping[str, Step], dump: JSON) -> None:
        self.key = key  # the first, which opened the world
        self.keys: dict[str, Credential] = {}  # all of them, by id
        self.settings = settings
        self.policies = settings.policies
        self.clock = _clock(settings, dump)
        self.dice = Dice(f"{seed}:{key.bucket}", dump.get("dice", 0))
        self.id = Dice(f"{seed}:{key.bucket}:world").hex(16)
        self.store = Store(INDEXES)
        self.guardrails = Guardrails(self.store, self.clock, self.policies)
        self.calls = CallFlow(self.store, self.clock, self.policies.talk_seconds)
        self.idempotency = Idempotency()
        signer = Signer(self.id, Dice(f"{seed}:{key.bucket}:signing").hex(64))
        self.client_tokens = ClientTokens(self.clock, self.dice, self.policies, signer)
        self.join_tokens = JoinTokens(self.store, self.clock, self.dice, self.policies, signer)
        self._rate_limits: dict[str, RateLimit] = {}
        self._steps = {"calls": lambda world, call: world.calls.step(call), **steps}
        self.opened_at = parse_iso(dump["opened_at"]) if "opened_at" in dump else self.clock.now()
        self.store.on_commit(self._schedule)
        self.store.restore(dump.get("records", {}))

    def run_due(self) -> None:
        """Carry out, in order and each at its own instant, every step that has become due."""
        try:
            while (due := self.clock.pop_due()) is not None:
                at, _, collection, record_id = due
                record = self.store.get(collection, record_id)
                if record is not None and record["due_at"] == at:
                    with self.store.transaction():
                        self._steps[collection](self, record)
        finally:
            self.clock.settle()

    def advance(self, seconds: float) -> None:
        """Move the world's time forward and carry out what becomes due on the way."""
        self.clock.set(self.clock.now() + round(seconds * SECOND))
        self.run_due()

    def _schedule(self, changes: Sequence[Change]) -> None:
        for change in changes:
            # Noted anew even where it did not change: the record's next step may be due at the same instant.
            if change.after is not None and (at := change.after.get("due_at")) is not None:
                self.clock.schedule(at, change.collection, change.id)

    def rate_limit(self, credential: Credential) -> RateLimit:
        """Return the request window of a credential's bucket."""
        found = self._rate_limits.get(credential.bucket)
        if found is None:
            limit = self.settings.rate_limit
            if limit is None:
                limit = rate_limit.DEMO if credential.is_demo else rate_limit.PRODUCTION
            sliding = self.policies.rate_limit_window == "sliding"
            found = RateLimit(None if limit == "off" else limit, sliding=sliding)
            self._rate_limits[credential.bucket] = found
        return found

    @property
    def organization(self) -> Record | None:
        """The umbrella organization, if there is one."""
        return self.store.first("organizations")

    def organization_of(self, credential: Credential) -> Record | None:
        """Return the organization that a key acts for: the umbrella, its sub-entity, or (a user's key) none."""
        if credential.owner == SUB_ENTITY:
            return self.store.get("sub_entities", credential.team or "")
        return self.organization if credential.owner == ORGANIZATION else None

    def user_of(self, credential: Credential) -> Record | None:
        """Return the person behind a key, if there is one."""
        return self.store.first("users") if credential.has_user else None

    def owners(self, credential: Credential) -> Record:
        """Return the fields that tell whose a new record is: `organization_id` and `user_id`, each possibly None."""
        organization, user = self.organization_of(credential), self.user_of(credential)
        return {"organization_id": organization and organization["id"], "user_id": user and user["id"]}

    def dump(self) -> dict[str, JSON]:
        """Return all of the world as JSON: what a fixture file holds. No key, no token, no stored response."""
        return {
            "format": FORMAT,
            "opened_at": iso(self.opened_at),
            "clock": iso(self.clock.now()),
            "dice": self.dice.position,
            "records": self.store.dump(),
        }


def _clock(settings: Settings, dump: JSON) -> Clock:
    started = parse_iso(dump["clock"]) if "clock" in dump else EPOCH
    if settings.clock == "frozen":
        return Clock(frozen_at=started)
    clock = Clock()
    if clock.now() < started:  # the dump's clock was ahead of the wall; time never runs back
        clock.set(started)
    return clock


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
