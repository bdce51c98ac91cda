"""Who may be called, from which number, how often and for how much: checks on every calling path."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from revdesk_mock.clock import DAY, MINUTE, SECOND, Clock
from revdesk_mock.e164 import EMERGENCY, is_e164, is_fictional
from revdesk_mock.errors import ApiError, invalid, refused_by_policy
from revdesk_mock.messages import Reason, Record
from revdesk_mock.settings import Policies
from revdesk_mock.store import Change, Store
from revdesk_mock.window import Window

# Prices in millionths of a US dollar. No list of them is published: chosen, in the range that carriers ask.
LEG_MINUTE = 14_000
AGENT_MINUTE = 70_000
MESSAGE = 8_000
LIVE_QUERY = 250_000  # documented
PRICES: Mapping[str, int] = {
    "each begun minute of a phone leg": LEG_MINUTE,
    "each begun minute of an AI agent": AGENT_MINUTE,
    "each text message": MESSAGE,
    "each live reputation query": LIVE_QUERY,
}
MICROS_PER_CENT = 10_000
LISTED = 5  # numbers that an explanation repeats


class Bounds(NamedTuple):
    """The numbers that a key or client token is limited to; None: no limit on that side."""

    callers: frozenset[str] | None = None
    destinations: frozenset[str] | None = None


class Attempt(NamedTuple):
    """A call, message or live query that somebody asks for: from, to, the channels and the least it will cost.

    Only a call uses channels. `refusal` is the rule by which a magic number refuses, if it is one;
    `field` is the field of the body that holds the destination; a refusal does not repeat a `private` one.
    """

    caller: str
    destination: str
    channels: int
    cost: int
    refusal: str | None = None
    field: str = "to_number"
    private: bool = False

    @property
    def shown(self) -> str:
        """Return how a refusal names the destination."""
        return self.field if self.private else self.destination


class Counters(NamedTuple):
    """What guardrails have counted in a store: channels in use, instants of dialing, millionths of a dollar by day."""

    channels: int = 0
    dialed: tuple[int, ...] = ()
    spent: tuple[tuple[int, int], ...] = ()


class Guardrails:
    """One world's limits and the counters behind them, which follow committed records and nothing else."""

    def __init__(self, store: Store, clock: Clock, policies: Policies, counted: Counters | None = None) -> None:
        self._store = store
        self._clock = clock
        self.policies = policies
        counted = counted or Counters()
        self._channels = counted.channels
        self._dialed = Window(MINUTE, counted.dialed)
        self._spent = dict(counted.spent)
        store.on_commit(self._count)

    # checks

    def check_caller(self, number: str, sees: Callable[[Record], bool], *, where: str, verified: bool = True) -> Record:
        """Return the active number or (`verified`) verified caller ID, of those that the key sees.

        Raises ApiError otherwise.
        """
        for record in self._store.find("phone_numbers", "phone_number", number):
            if record["is_active"] and sees(record):
                return record
        for record in self._store.find("caller_ids", "phone_number", number):
            if verified and record["status"] == "VERIFIED" and sees(record):
                return record
        expected = "an owned active number" + (" or a verified caller ID" if verified else "")
        message = f"is not {expected} of this account"
        status = self.policies.unverified_caller_id_status
        fields = {where.partition(" /")[2].replace("/", "."): message} if status in {"400", "422"} else None
        reason = Reason("guardrail.caller_id", where, expected, number)
        raise refused_by_policy(status, f"{number} {message}.", reason, fields)

    def check_numbers(self, attempt: Attempt, bounds: Bounds, allowed: "Destinations") -> None:
        """Raise ApiError where these two numbers must not be connected, whatever the load."""
        if not is_e164(attempt.destination):  # not every contract says so of every field
            expected = "a phone number in E.164 form, like +14155550100"
            message = f"must be {expected}"
            raise invalid(attempt.field, message, rule="number.e164", expected=expected, got=attempt.shown)
        self._check_bounds(attempt, bounds)
        if attempt.destination in EMERGENCY:
            self._refuse(
                "destination_not_allowed", "Emergency numbers cannot be reached.", "guardrail.emergency", attempt
            )
        if attempt.refusal == "destination" or not allowed.admits(attempt.destination):
            message = f"{attempt.shown} is not an allowed destination."
            self._refuse("destination_not_allowed", message, "guardrail.destination", attempt)
        if attempt.refusal == "carrier":
            self._refuse("carrier_rejected", "The carrier rejected it.", "guardrail.carrier", attempt)

    def check_capacity(self, attempt: Attempt) -> None:
        """Raise ApiError where the account has no channel, no call this minute or no money left today."""
        if attempt.channels:
            self._check_channels(attempt, full=attempt.refusal == "concurrency")
            self._check_call_rate(attempt, full=attempt.refusal == "call_rate")
        self._check_spend(attempt, reached=attempt.refusal == "spend_cap")

    def _check_bounds(self, attempt: Attempt, bounds: Bounds) -> None:
        for number, limit, where in (
            (attempt.caller, bounds.callers, "from"),
            (attempt.destination, bounds.destinations, "to"),
        ):
            if limit is not None and number not in limit:
                message = f"{number} is outside the numbers that this credential may call {where}."
                reason = Reason("credential.bounds", f"the {where} number", f"one of {_listed(limit)}", number)
                raise refused_by_policy(self.policies.client_token_bounds_status, message, reason)

    def _check_channels(self, attempt: Attempt, *, full: bool) -> None:
        cap = self.policies.concurrency_cap
        if full or (cap is not None and self._channels + attempt.channels > cap):
            message = f"All {cap} concurrent channels are in use." if cap is not None else "No channel is free."
            self._refuse("concurrency_limit_exceeded", message, "guardrail.concurrency", attempt)

    def _check_call_rate(self, attempt: Attempt, *, full: bool) -> None:
        cap, now = self.policies.calls_per_minute, self._clock.now()
        if full or (cap is not None and self._dialed.count(now) >= cap):
            wait = -((now - self._dialed.oldest(now) - MINUTE) // SECOND)
            message = f"Too many calls within a minute; try again in {wait} s."
            self._refuse("call_rate_exceeded", message, "guardrail.call_rate", attempt, retry_after=wait)

    def _check_spend(self, attempt: Attempt, *, reached: bool) -> None:
        cap = self.policies.daily_spend_cap_cents
        spent = self.spent_today()
        if reached or (cap is not None and spent + attempt.cost > cap * MICROS_PER_CENT):
            message = f"The daily spend cap is reached ({spent / 1_000_000:.2f} USD spent today)."
            self._refuse("spend_cap_exceeded", message, "guardrail.spend_cap", attempt)

    def _refuse(self, code: str, message: str, rule: str, attempt: Attempt, *, retry_after: int = 0) -> None:
        got = attempt.shown + (", a magic number" if attempt.refusal else "")
        statuses = {
            "destination_not_allowed": self.policies.destination_status,
            "spend_cap_exceeded": self.policies.spend_cap_status,
            "concurrency_limit_exceeded": self.policies.concurrency_status,
            "carrier_rejected": self.policies.carrier_rejection_status,
        }
        raise ApiError(
            code,
            message,
            Reason(rule, "the to number", message, got),
            status=int(statuses[code]) if code in statuses else None,
            headers=[("retry-after", str(retry_after))] if retry_after else (),
        )

    # counters

    def spent_today(self) -> int:
        """Return the millionths of a US dollar spent this UTC day: by ended calls, sent messages and live queries."""
        return self._spent.get(self._clock.now() // DAY, 0)

    def channels_in_use(self) -> int:
        """Return the channels that calls hold now."""
        return self._channels

    def counters(self) -> Counters:
        """Return what has been counted, for the guardrails of a store that holds the same records."""
        return Counters(self._channels, tuple(self._dialed), tuple(self._spent.items()))

    def _count(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.collection == "calls":
                self._count_call(change.before, change.after)
            elif change.collection == "messages" and change.before is None and change.after is not None:
                self._spend(change.after["created_at"], MESSAGE)
            elif change.collection == "monitored_numbers":
                self._count_query(change.before, change.after)

    def _count_call(self, before: Record | None, after: Record | None) -> None:
        for call, sign in ((before, -1), (after, 1)):
            if call is not None and call["dialed_at"] is not None and call["ended_at"] is None:
                self._channels += sign * len(call["legs"])
            if call is not None and call["ended_at"] is not None:
                self._spend(call["ended_at"], sign * cost_of(call))
        was = None if before is None else before["dialed_at"]
        is_now = None if after is None else after["dialed_at"]
        if was is not None and was != is_now:
            self._dialed.remove(was)
        if is_now is not None and was != is_now:
            self._dialed.add(is_now)

    def _count_query(self, before: Record | None, after: Record | None) -> None:
        for watched, sign in ((before, -1), (after, 1)):
            if watched is not None and watched["queried_at"] is not None:
                self._spend(watched["queried_at"], sign * LIVE_QUERY)

    def _spend(self, at: int, micros: int) -> None:
        day = at // DAY
        self._spent[day] = self._spent.get(day, 0) + micros


class Destinations(NamedTuple):
    """The destination allowlist: everything, or (demo keys) only fictional numbers, which ring nobody."""

    fictional_only: bool

    def admits(self, number: str) -> bool:
        """Whether a number may be called."""
        return not self.fictional_only or is_fictional(number)


def cost_of(call: Record, minutes: int | None = None) -> int:
    """Return what a call costs in millionths of a US dollar, over its begun minutes or those given."""
    if minutes is None:
        minutes = begun_minutes(call["duration_seconds"] or 0)
    phone_legs = len([leg for leg in call["legs"] if leg["role"] != "agent"])
    return minutes * (phone_legs * LEG_MINUTE + (AGENT_MINUTE if call["agent_id"] else 0))


def begun_minutes(seconds: int) -> int:
    """Return seconds as whole minutes, each begun one counted."""
    return -(-seconds // 60)


def _listed(numbers: Collection[str]) -> str:
    return ", ".join(sorted(numbers)[:LISTED]) + (" ..." if len(numbers) > LISTED else "")
