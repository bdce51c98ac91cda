"""One tenant: its records, clock, dice and limits, and one request inside it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from revdesk_mock.bill import Bill
from revdesk_mock.clock import EPOCH, SECOND, Clock, iso, parse_iso
from revdesk_mock.coverage import Coverage
from revdesk_mock.ids import Dice
from revdesk_mock.journal import Journal
from revdesk_mock.messages import JSON, Record
from revdesk_mock.rtc.tokens import JoinTokens
from revdesk_mock.settings import Policies, Settings, WatchedPolicies
from revdesk_mock.signing import Signer
from revdesk_mock.simulation import rate_limit
from revdesk_mock.simulation.call_flow import CallFlow
from revdesk_mock.simulation.credentials import ORGANIZATION, SUB_ENTITY, ClientTokens, Credential
from revdesk_mock.simulation.faults import Faults, Plan
from revdesk_mock.simulation.guardrails import Counters, Guardrails
from revdesk_mock.simulation.idempotency import Idempotency
from revdesk_mock.simulation.rate_limit import RateLimit
from revdesk_mock.store import Change, Store
from revdesk_mock.timeline import CLOCK, RECORD, Listener, Timeline

FORMAT = 1  # of a dump

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


class Snapshot(NamedTuple):
    """A world as it was: its dump, and (without minted keys) what another world can begin with at once."""

    dump: JSON
    store: Store
    counted: Counters


class World:
    """One tenant, opened by an API key. Complete, isolated, dumpable; there is no other state.

    `steps` names, for each collection, what happens to a record when its `due_at` is reached; `plan` is what fails from
    the start, `audience` hears of every event. With a `memory` the records of the dump are taken from there, at once.
    """

    def __init__(
        self,
        world_id: str,
        settings: Settings,
        key: Credential,
        seed: str,
        steps: Mapping[str, Step],
        dump: JSON,
        plan: Plan,
        audience: Sequence[Listener] = (),
        memory: Snapshot | None = None,
    ) -> None:
        self.id, self.seed = world_id, seed
        self.key = key  # the first, which opened the world
        self.keys: dict[str, Credential] = {}  # all of them, by id
        self.settings, self.policies = settings, settings.policies
        self.start = dump  # what it was opened with
        self.snapshots: dict[str, Snapshot] = {}
        self.forks = 0
        self.clock = Clock()
        _set_clock(self.clock, dump, frozen=settings.clock == "frozen")
        self.dice = Dice(seed, dump.get("dice", 0))
        self.store = memory.store.copy() if memory else Store(INDEXES)
        self.guardrails = Guardrails(self.store, self.clock, self.policies, memory.counted if memory else None)
        self.calls = CallFlow(self.store, self.clock, self.policies)
        self.idempotency = Idempotency()
        self.faults = Faults(plan, seed, self.clock.now)
        signer = Signer(self.id, Dice(f"{seed}:signing").hex(64))
        self.client_tokens = ClientTokens(self.clock, self.dice, self.policies, signer)
        self.join_tokens = JoinTokens(self.store, self.clock, self.dice, self.policies, signer)
        self.timeline = Timeline(self.id, self.clock.now, audience)
        self.coverage, self.bill = Coverage(), Bill()
        self.journal = Journal(self.coverage.note)
        self.breaches: list[str] = []
        self._becoming, self._steps = False, steps
        self._rate_limits: dict[str, RateLimit] = {}
        self.opened_at = parse_iso(dump["opened_at"]) if "opened_at" in dump else self.clock.now()
        self.store.restore({} if memory else dump.get("records", {}))
        self._follow_records()

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

    # time

    def advance(self, seconds: float) -> None:
        """Move the world's time forward and carry out what becomes due on the way."""
        self.set_time(self.clock.now() + round(seconds * SECOND))

    def set_time(self, at: int) -> None:
        """Move the world's time to an instant, in Unix milliseconds, and carry out what became due.

        Raises ValueError as `Clock.set` does.
        """
        self.clock.set(at)
        self.timeline.add(CLOCK, f"time is {iso(at)}")
        self.run_due()

    def advance_to_next_event(self) -> bool:
        """Move the world's time to the next event and carry it out; return False where nothing is to happen."""
        at = self.clock.next_due()
        if at is None:
            return False
        self.set_time(max(at, self.clock.now()))
        return True

    def freeze(self) -> None:
        """Let time stand."""
        self.clock.freeze()
        self.timeline.add(CLOCK, "time stands")

    def run(self) -> None:
        """Let time run with the wall."""
        self.clock.run()
        self.timeline.add(CLOCK, "time runs")

    # the whole

    def settle(self, policies: Policies) -> None:
        """Answer the open questions otherwise from now on."""
        if isinstance(self.policies, WatchedPolicies):
            policies = WatchedPolicies.watching(policies, self.policies.read)
        self.policies = policies
        for part in (self.guardrails, self.calls, self.client_tokens, self.join_tokens):
            part.policies = policies
        self._rate_limits.clear()  # how a window moves is one of them

    def restore(self, dump: JSON) -> None:
        """Become what a dump holds, in place: records, dice and time, without kept answers and rate windows.

        Time goes to the dump's instant where it stands, and never back behind the wall where it runs.
        """
        self._become(dump, frozen=self.clock.frozen)
        self.timeline.add(RECORD, "restored")

    def snapshot(self) -> Snapshot:
        """Return the world as it is now; it shares its records with that, for they are never changed in place."""
        self.run_due()
        return Snapshot(self.dump(), self.store.copy(without=("keys",)), self.guardrails.counters())

    def reset(self) -> None:
        """Become what the world was when it was opened, its faults included, and forget every request."""
        self._become(self.start, frozen=self.settings.clock == "frozen")
        self.settle(self.settings.policies)
        self.faults.reset()
        self.breaches.clear()
        self.forget_requests()

    def forget_requests(self) -> None:
        """Empty the journal and the timeline."""
        self.journal.clear()
        self.timeline.clear()

    def _become(self, dump: JSON, *, frozen: bool) -> None:
        self._becoming = True
        try:
            with self.store.transaction():
                self.store.clear()
                self.store.fill(dump.get("records", {}))
                self.clock.forget()  # what is to happen is noted anew when this is committed
                _set_clock(self.clock, dump, frozen=frozen)
                self.dice.position = dump.get("dice", 0)
        finally:
            self._becoming = False
        self.idempotency = Idempotency()
        self._rate_limits.clear()
        self.run_due()

    def _follow_records(self) -> None:
        """Note what is due of the records that there are, and from now on what becomes of them."""
        for collection, records in self.store.dump().items():
            for record in records:
                if (at := record.get("due_at")) is not None:
                    self.clock.schedule(at, collection, record["id"])
        self.store.on_commit(self._schedule)
        self.store.on_commit(self._tell)

    def _tell(self, changes: Sequence[Change]) -> None:
        """Note on timeline and bill what became of records, but not each one of a whole world."""
        if self._becoming:
            return
        self.bill.count(changes)
        for change in changes:
            self.timeline.note(RECORD, tell_change, change)

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


def tell_change(change: Change) -> tuple[str, dict[str, JSON]]:
    """Return what became of a record, for people and for programs."""
    collection, record_id, before, after = change
    record: Record = after or before or {}
    state = record.get("status")
    what = "created" if before is None else "deleted" if after is None else "changed"
    says = f"{collection} {record_id} {what}" if state is None else f"{collection} {record_id} {what}: {state}"
    return says, {"collection": collection, "id": record_id, "change": what, "status": state}


def _set_clock(clock: Clock, dump: JSON, *, frozen: bool) -> None:
    """Let time stand at a dump's instant, or run: with the wall, or from that instant where it is ahead."""
    started = parse_iso(dump["clock"]) if "clock" in dump else EPOCH
    if frozen:
        clock.freeze()
        clock.set(started)
    else:
        clock.run_from(started)
