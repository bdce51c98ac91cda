"""Scores: what is said of a number follows from the number and the time, and moves slowly."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock.clock import DAY, parse_iso
from revdesk_mock.e164 import fictional_digits
from revdesk_mock.simulation import call_flow, scores

MONDAY = parse_iso("2026-01-05T09:00:00Z")
WEEK = 7 * DAY
instants = st.integers(0, 100 * 365 * DAY)


def number(digits: int) -> str:
    return f"+131255501{digits:02d}"


numbers = st.one_of(st.integers(0, 99).map(number), st.integers(2 * 10**9, 10**10 - 1).map("+1{}".format))


@pytest.mark.parametrize(
    ("digits", "age", "risk", "category"),
    [
        (60, 0, "low", None),
        (61, 0, "medium", "telemarketing"),
        (62, 0, "high", "scam"),
        (63, WEEK - 1, "low", None),
        (63, WEEK, "high", "scam"),
        (64, 0, None, None),
        (64, 100 * WEEK, None, None),
    ],
)
def test_the_last_two_digits_decide_the_risk(digits: int, age: int, risk: str | None, category: str | None) -> None:
    assert scores.opinion_on(number(digits), age)[:2] == (risk, category)


@given(numbers, instants)
def test_any_other_number_is_of_low_risk(phone: str, age: int) -> None:
    if fictional_digits(phone) not in scores.MAGIC:
        assert scores.opinion_on(phone, age) == scores.ORDINARY


def test_no_number_is_magic_in_two_ways() -> None:
    assert not scores.MAGIC.keys() & call_flow.MAGIC.keys()


@given(numbers, instants, instants)
def test_every_score_fits_its_risk(phone: str, age: int, at: int) -> None:
    said = scores.assess(phone, age, at)
    found = [said[name] for name in scores.SCORES]
    if said["spam_risk"] is None:
        assert found == [None] * 4
    else:
        low, high = scores.BANDS[said["spam_risk"]]
        assert all(0 <= low <= score <= high <= 100 for score in found)


@given(numbers, instants, st.integers(0, DAY))
def test_a_score_moves_by_two_points_a_day_at_most(phone: str, at: int, later: int) -> None:
    before, after = scores.assess(phone, 0, at), scores.assess(phone, 0, at + later)
    for name in scores.SCORES:
        if before[name] is not None:
            assert abs(after[name] - before[name]) <= 2


def test_numbers_differ_and_so_do_their_scores() -> None:
    said = [scores.assess(number(digits), 0, MONDAY) for digits in range(10)]
    assert len({tuple(each[name] for name in scores.SCORES) for each in said}) == 10
    assert all(len({each[name] for each in said}) > 3 for name in scores.SCORES)


# when


@pytest.mark.parametrize(
    ("frequency", "days", "expected"),
    [
        ("daily", 0.999, None),
        ("daily", 1, 1),
        ("daily", 5.9, 5),
        ("business_daily", 4.9, 4),
        ("business_daily", 5, 4),  # Saturday
        ("business_daily", 6.9, 4),  # Sunday
        ("business_daily", 7, 7),
        ("weekly", 6.9, 1),
        ("weekly", 7, 7),
        ("biweekly", 13.9, 1),
        ("biweekly", 14, 14),
        ("monthly", 29.9, 1),
        ("monthly", 60, 60),
        ("never", 400, None),
    ],
)
def test_a_number_is_refreshed_after_a_day_and_then_once_each_period(
    frequency: str, days: float, expected: int | None
) -> None:
    found = scores.last_refresh(frequency, MONDAY, MONDAY + DAY, MONDAY + round(days * DAY))
    assert found == (None if expected is None else MONDAY + expected * DAY)


def test_a_frequency_counts_from_when_it_began() -> None:
    first = MONDAY + DAY
    since = first + DAY // 2
    assert scores.last_refresh("daily", since, first, since + DAY - 1) is None
    assert scores.last_refresh("daily", since, first, since + DAY) == since + DAY


@given(st.sampled_from(sorted(scores.PERIODS)), instants, instants)
def test_whoever_asks_at_a_refresh_is_told_it_until_the_next(frequency: str, since: int, passed: int) -> None:
    first = since + DAY
    at = scores.last_refresh(frequency, since, first, since + passed)
    if at is None:
        assert passed < DAY
    else:
        assert first <= at <= since + passed
        assert scores.last_refresh(frequency, since, first, at) == at
        if frequency == scores.BUSINESS_DAILY and at != first:
            assert datetime.fromtimestamp(at / 1000, UTC).isoweekday() <= 5
