"""What a world's calls, messages and live queries would have cost, and whom they would have rung."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from revdesk_mock.messages import JSON
from revdesk_mock.simulation.call_flow import RINGING
from revdesk_mock.simulation.guardrails import LIVE_QUERY, MESSAGE, begun_minutes, cost_of
from revdesk_mock.store import Change

DOLLAR = 1_000_000  # in millionths


@dataclass(slots=True)
class Bill:
    """What was used: calls that were dialed, by kind; phones that would have rung; begun minutes of calls that ended.

    `micros` is what it comes to by the price list, in millionths of a US dollar. Nothing is ever taken back: a call
    that was placed is paid for, whatever becomes of its record.
    """

    calls: Counter[str] = field(default_factory=Counter)
    phones: int = 0
    minutes: int = 0
    messages: int = 0
    live_queries: int = 0
    micros: int = 0

    def count(self, changes: Sequence[Change]) -> None:
        """Add what committed changes cost."""
        for change in changes:
            if change.after is None:
                continue
            if change.collection == "calls":
                self._count_call(change)
            elif change.collection == "messages" and change.before is None:
                self.messages += 1
                self.micros += MESSAGE
            elif change.collection == "monitored_numbers" and _became(change, "queried_at"):
                self.live_queries += 1
                self.micros += LIVE_QUERY

    def _count_call(self, change: Change) -> None:
        call = change.after or {}
        if _became(change, "dialed_at"):
            self.calls[call["kind"]] += 1
        if _became(change, "status") and call["status"] == RINGING:
            self.phones += sum(leg["scripted"] for leg in call["legs"])
        if _became(change, "ended_at"):
            self.minutes += begun_minutes(call["duration_seconds"] or 0)
            self.micros += cost_of(call)

    def __add__(self, other: "Bill") -> "Bill":
        """Return both in one."""
        return Bill(
            self.calls + other.calls,
            self.phones + other.phones,
            self.minutes + other.minutes,
            self.messages + other.messages,
            self.live_queries + other.live_queries,
            self.micros + other.micros,
        )


def _became(change: Change, name: str) -> bool:
    """Whether a field has a value now that it had not before."""
    after, before = change.after or {}, change.before or {}
    return after.get(name) is not None and after[name] != before.get(name)


def describe(bill: Bill) -> dict[str, JSON]:
    """Return a bill as JSON; `micros` are millionths of a US dollar, and `dollars` the same in dollars."""
    return {
        "calls": dict(bill.calls),
        "phones": bill.phones,
        "minutes": bill.minutes,
        "messages": bill.messages,
        "live_queries": bill.live_queries,
        "micros": bill.micros,
        "dollars": bill.micros / DOLLAR,
    }


def text(bill: Bill) -> str:
    """Write a bill in one line for people."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(bill.calls.items()))
    used = (
        _counted(bill.calls.total(), "call") + (f" ({kinds})" if kinds else ""),
        f"{_counted(bill.phones, 'phone')} that would have rung",
        _counted(bill.minutes, "minute"),
        _counted(bill.messages, "message"),
        f"{bill.live_queries} live {'query' if bill.live_queries == 1 else 'queries'}",
    )
    return f"{', '.join(used)}: {bill.micros / DOLLAR:.2f} US dollars not spent\n"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
