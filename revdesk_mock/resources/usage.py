"""Usage: what the calls of this calendar month (UTC) add up to, in all and for one number."""

from collections import Counter
from collections.abc import Iterable

from revdesk_mock import monitoring
from revdesk_mock.clock import iso, month_of
from revdesk_mock.exchange import Exchange, Reply, owned, shown_status
from revdesk_mock.messages import JSON, Record
from revdesk_mock.simulation.credentials import Credential
from revdesk_mock.simulation.guardrails import begun_minutes
from revdesk_mock.simulation.scores import HIGH, LOW, MEDIUM
from revdesk_mock.world import World

UNKNOWN = "unknown"


def show_usage(world: World, exchange: Exchange) -> Reply:
    """Answer the totals over all numbers; they are the sums of what each number shows."""
    numbers = list(filter(exchange.credential.sees, world.store.all("phone_numbers")))
    calls = [call for number in numbers for call in _placed(world, exchange, number)]
    active = sum(number["is_active"] for number in numbers)
    return Reply(
        {
            **_period(world),
            **_totals(world, calls),
            "phone_numbers_active": active,
            "spam_risk_distribution": _risks(world, exchange.credential),
        }
    )


def show_number_usage(world: World, exchange: Exchange) -> Reply:
    """Answer one number's totals, with its seconds and its calls by status."""
    number = owned(world, exchange.credential, "phone_numbers", exchange.path["phoneId"], "phone number")
    calls = _placed(world, exchange, number)
    return Reply(
        {
            "phone_id": int(number["id"]),
            "phone_number": number["shown_number"],
            **_period(world),
            **_totals(world, calls),
            "duration_seconds": sum(_seconds(call) for call in calls),
            "calls_by_status": dict(Counter(shown_status(world, call) for call in calls)),
        }
    )


def _risks(world: World, credential: Credential) -> dict[str, int]:
    """Count the watched numbers by their spam risk; one that has no data yet is unknown."""
    watched = filter(credential.sees, world.store.all("monitored_numbers"))
    found = Counter(monitoring.risk_of(world, number) or UNKNOWN for number in watched)
    return {risk: found[risk] for risk in (LOW, MEDIUM, HIGH, UNKNOWN)}


def _placed(world: World, exchange: Exchange, number: Record) -> list[Record]:
    """Return the calls of a number, of those that the key sees, that were dialed this month.

    A token that nobody used placed no call.
    """
    start, end = month_of(world.clock.now())
    calls = filter(exchange.credential.sees, world.store.find("calls", "phone_number_id", number["id"]))
    return [call for call in calls if call["dialed_at"] is not None and start <= call["dialed_at"] < end]


def _totals(world: World, calls: Iterable[Record]) -> dict[str, JSON]:
    seconds = [_seconds(call) for call in calls]
    if world.policies.usage_minutes == "exact":
        minutes: float = sum(seconds) / 60
    else:
        minutes = sum(map(begun_minutes, seconds))
    return {"calls_placed": len(seconds), "minutes_used": minutes}


def _seconds(call: Record) -> int:
    return call["duration_seconds"] or 0


def _period(world: World) -> dict[str, JSON]:
    start, end = month_of(world.clock.now())
    return {"period_start": iso(start), "period_end": iso(end - 1)}


HANDLERS = {"v1_usage_get": show_usage, "v1_usage_phoneId_get": show_number_usage}
