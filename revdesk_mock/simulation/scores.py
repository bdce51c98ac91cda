"""What the analytics engines say of a watched number, when it is refreshed, and the magic numbers that decide it."""

from collections.abc import Mapping
from typing import NamedTuple

from revdesk_mock.clock import DAY
from revdesk_mock.e164 import fictional_digits
from revdesk_mock.ids import Dice
from revdesk_mock.messages import JSON

LOW, MEDIUM, HIGH = "low", "medium", "high"  # inferred: the buckets of usage
SCORES = ("maturity_score", "connection_score", "engagement_score", "sentiment_score")
# Between which two values every score of a risk lies, and how long it drifts from one such value to the next. Chosen.
BANDS: Mapping[str, tuple[int, int]] = {LOW: (60, 95), MEDIUM: (35, 60), HIGH: (5, 35)}
DRIFT = 30 * DAY

FIRST = DAY  # documented: a new number has no data for about 24 hours
BUSINESS_DAILY = "business_daily"
# The length of a month is chosen. `never` has no period.
PERIODS: Mapping[str, int] = {
    BUSINESS_DAILY: DAY,
    "daily": DAY,
    "weekly": 7 * DAY,
    "biweekly": 14 * DAY,
    "monthly": 30 * DAY,
}


class Opinion(NamedTuple):
    """A spam risk and its category, once a number has been watched for `after` milliseconds; until then it is low."""

    risk: str | None
    category: str | None = None
    after: int = 0


ORDINARY = Opinion(LOW)

# The last two digits of a watched +1 NXX 555 01xx; none of them is magic as a destination. All chosen.
MAGIC: Mapping[int, Opinion] = {
    61: Opinion(MEDIUM, "telemarketing"),
    62: Opinion(HIGH, "scam"),
    63: Opinion(HIGH, "scam", after=7 * DAY),
    64: Opinion(None),  # nothing is ever known of it
}


def opinion_on(number: str, age: int) -> Opinion:
    """Return what is thought of a number that has been watched for `age` milliseconds; the same in every world."""
    digits = fictional_digits(number)
    opinion = ORDINARY if digits is None else MAGIC.get(digits, ORDINARY)
    return opinion if age >= opinion.after else ORDINARY


def assess(number: str, age: int, at: int) -> dict[str, JSON]:
    """Return risk, category and the four scores (0 to 100) of a number at an instant; null where nothing is known.

    They follow from the number and the time alone, so that whoever asks about the same instant hears the same.
    """
    risk, category, _ = opinion_on(number, age)
    scores = {name: None if risk is None else _score(f"{number} {name}", BANDS[risk], at) for name in SCORES}
    return {"spam_risk": risk, "spam_category": category, **scores}


def last_refresh(frequency: str, since: int, first: int, now: int) -> int | None:
    """Return the last scheduled refresh up to now, or None; all instants in Unix milliseconds.

    A frequency that began at `since` refreshes once each period from there, `business_daily` not on Saturday and
    Sunday (UTC), and at `first`, when the first data of a new number is there. `never` refreshes nothing.
    """
    period = PERIODS.get(frequency)
    if period is None:
        return None
    latest = now - (now - since) % period
    while frequency == BUSINESS_DAILY and _is_weekend(latest):
        latest -= DAY
    return max((at for at in (first, latest) if since < at <= now), default=None)


def _score(seed: str, band: tuple[int, int], at: int) -> int:
    step, passed = divmod(at, DRIFT)
    here, there = (Dice(seed, position).integer(*band) for position in (step, step + 1))
    return round(here + (there - here) * passed / DRIFT)


def _is_weekend(at: int) -> bool:
    return (at // DAY + 3) % 7 >= 5  # 1970 began on a Thursday; 0 is Monday
