"""Usage: what this calendar month's calls add up to, in all and for each number."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import placement
from revdesk_mock.clock import parse_iso
from tests.conftest import MAIN, ORDINARY, RECALL, VERIFIED, Client, emulator_with

DAY = 86_400
JANUARY = {"period_start": "2026-01-01T00:00:00.000Z", "period_end": "2026-01-31T23:59:59.999Z"}
FEBRUARY = {"period_start": "2026-02-01T00:00:00.000Z", "period_end": "2026-02-28T23:59:59.999Z"}
TO_FEBRUARY = 26 * DAY + 15 * 3600  # from the fixture's clock


def usage(client: Client, record: int | None = None) -> dict[str, Any]:
    return dict(client.get("/v1/usage" if record is None else f"/v1/usage/{record}").data)


def call(client: Client, to: str = ORDINARY, caller: str = MAIN) -> str:
    return str(client.post("/v1/room-token", {"from_number": caller, "to_number": to}).data["call_id"])


def hang_up(client: Client, call_id: str) -> None:
    assert client.post(f"/v1/calls/{call_id}/hangup").status == 200


def test_the_total_is_of_all_numbers(client: Client) -> None:
    assert usage(client) == {
        **JANUARY,
        "calls_placed": 3,
        "minutes_used": 5,
        "phone_numbers_active": 2,
        "spam_risk_distribution": {"low": 1, "medium": 0, "high": 0, "unknown": 0},
    }


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            1001,
            {
                "phone_number": MAIN,
                "calls_placed": 1,
                "minutes_used": 4,
                "duration_seconds": 185,
                "calls_by_status": {"COMPLETED": 1},
            },
        ),
        (
            1002,
            {
                "phone_number": RECALL,
                "calls_placed": 2,
                "minutes_used": 1,
                "duration_seconds": 42,
                "calls_by_status": {"COMPLETED": 1, "BUSY": 1},
            },
        ),
    ],
)
def test_a_numbers_usage_is_of_its_own_calls(client: Client, record: int, expected: dict[str, Any]) -> None:
    assert usage(client, record) == {"phone_id": record, **JANUARY, **expected}


@pytest.mark.parametrize("record", ["1", "nobody"])
def test_an_unknown_number_has_no_usage(client: Client, record: str) -> None:
    answer = client.get(f"/v1/usage/{record}")
    assert (answer.status, answer.code) == (404, "not_found")


def test_a_live_call_counts_as_placed_and_takes_no_time_yet(client: Client) -> None:
    call(client)
    client.advance(20)
    data = usage(client, 1001)
    assert (data["calls_placed"], data["minutes_used"], data["duration_seconds"]) == (2, 4, 185)
    assert data["calls_by_status"] == {"COMPLETED": 1, "IN_PROGRESS": 1}


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 0), (1, 1), (60, 1), (61, 2), (120, 2), (121, 3)])
def test_each_begun_minute_counts(client: Client, seconds: int, minutes: int) -> None:
    talking = call(client, "+13125550109")
    client.advance(4 + seconds)
    hang_up(client, talking)
    data = usage(client, 1001)
    assert (data["minutes_used"], data["duration_seconds"]) == (4 + minutes, 185 + seconds)


def test_the_exact_time_counts_where_the_policy_says_so() -> None:
    client = Client(emulator_with(usage_minutes="exact"))
    assert usage(client)["minutes_used"] == pytest.approx((42 + 185) / 60)
    assert usage(client, 1002)["minutes_used"] == pytest.approx(42 / 60)


def test_statuses_are_spelled_as_in_the_list() -> None:
    client = Client(emulator_with(call_status_case="lower", failed_call_status="failed"))
    call(client, "+13125550105")
    call(client, "+13125550106")
    client.advance(60)
    assert usage(client, 1001)["calls_by_status"] == {"completed": 1, "failed": 2}


@given(
    placed=st.lists(
        st.tuples(st.sampled_from([MAIN, RECALL]), st.integers(0, 11), st.integers(0, 300)), min_size=1, max_size=8
    )
)
def test_the_total_is_the_sum_of_the_numbers(placed: Sequence[tuple[str, int, int]]) -> None:
    client = Client(emulator_with())
    for caller, digits, seconds in placed:
        call(client, f"+131255501{digits:02d}", caller)
        client.advance(seconds)
    total, numbers = usage(client), [usage(client, 1001), usage(client, 1002)]
    for field in ("calls_placed", "minutes_used"):
        assert total[field] == sum(number[field] for number in numbers)
    assert total["calls_placed"] == 3 + len(placed)
    for number in numbers:
        assert sum(number["calls_by_status"].values()) == number["calls_placed"]


def test_the_totals_are_those_of_the_list(client: Client) -> None:
    for digits in range(12):
        call(client, f"+131255501{digits:02d}")
    client.advance(DAY)
    listed = [each for each in client.get("/v1/calls").data if each["phone_number_id"] == "1001"]
    data = usage(client, 1001)
    assert data["calls_placed"] == len(listed) == 13
    assert data["duration_seconds"] == sum(each["duration_seconds"] for each in listed)
    assert data["minutes_used"] == sum(-(-each["duration_seconds"] // 60) for each in listed)
    assert data["calls_by_status"] == {
        status: sum(each["status"] == status for each in listed) for status in {each["status"] for each in listed}
    }


def test_a_call_from_a_verified_caller_id_is_of_no_number(client: Client) -> None:
    before = usage(client)
    call(client, caller=VERIFIED)
    assert usage(client) == before


def test_a_token_that_no_browser_used_placed_no_call(client: Client) -> None:
    before = usage(client), usage(client, 1001)
    client.post("/v1/webrtc-token", {"from_number": MAIN, "to_number": ORDINARY})
    client.advance(5 * 3600)
    assert (usage(client), usage(client, 1001)) == before


def test_a_browsers_call_counts_once_it_is_dialed(client: Client) -> None:
    token = client.post("/v1/webrtc-token", {"from_number": MAIN, "to_number": ORDINARY}).data
    placement.join(client.world, token["token"])
    assert usage(client)["calls_placed"] == 3
    placement.dial_from_browser(client.world, token["call_id"])
    assert usage(client)["calls_placed"] == 4


def test_a_released_numbers_usage_is_not_in_the_total(client: Client) -> None:
    client("DELETE", "/v1/phone-numbers/1001")
    data = usage(client)
    assert (data["calls_placed"], data["minutes_used"], data["phone_numbers_active"]) == (2, 1, 1)


def test_a_number_is_active_from_the_end_of_provisioning(client: Client) -> None:
    bought = client.post("/v1/phone-numbers", {}).data["phone_record_id"]
    assert usage(client)["phone_numbers_active"] == 2
    assert usage(client, bought)["phone_number"].startswith("pending:")
    client.advance(5)
    assert usage(client)["phone_numbers_active"] == 3


def test_enrolled_numbers_are_counted_by_their_risk_which_is_unknown_at_first(client: Client) -> None:
    for digits in (60, 61, 62, 64):
        client.post("/v1/phone-numbers", {"phone_number": f"+131255501{digits}"})
    client.advance(5)
    assert usage(client)["spam_risk_distribution"] == {"low": 1, "medium": 0, "high": 0, "unknown": 4}
    client.advance(DAY)
    assert usage(client)["spam_risk_distribution"] == {"low": 2, "medium": 1, "high": 1, "unknown": 1}


# the month


def test_a_month_ends_with_its_last_millisecond(client: Client) -> None:
    client.advance(TO_FEBRUARY - 0.001)
    assert usage(client).items() >= {**JANUARY, "calls_placed": 3}.items()
    client.advance(0.001)
    assert usage(client).items() >= {**FEBRUARY, "calls_placed": 0, "minutes_used": 0}.items()
    assert usage(client, 1001).items() >= {**FEBRUARY, "duration_seconds": 0, "calls_by_status": {}}.items()


def test_a_call_counts_in_the_month_in_which_it_was_placed(client: Client) -> None:
    client.advance(TO_FEBRUARY - 1)
    last = call(client)
    assert usage(client)["calls_placed"] == 4
    client.advance(20)
    hang_up(client, last)
    assert usage(client)["calls_placed"] == 0
    first = call(client)
    client.advance(20)
    hang_up(client, first)
    assert usage(client, 1001).items() >= {"calls_placed": 1, "duration_seconds": 16}.items()


def test_a_call_that_waited_counts_in_the_month_in_which_it_was_dialed(client: Client) -> None:
    client.advance(TO_FEBRUARY - 60)
    token = client.post("/v1/webrtc-token", {"from_number": MAIN, "to_number": ORDINARY}).data
    client.advance(120)
    placement.dial_from_browser(client.world, token["call_id"])
    client.advance(60)
    assert usage(client, 1001)["calls_placed"] == 1


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-12-31T23:59:59.999Z", "2026-12-01T00:00:00.000Z", "2026-12-31T23:59:59.999Z"),
        ("2027-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z", "2027-01-31T23:59:59.999Z"),
        ("2028-02-29T12:00:00.000Z", "2028-02-01T00:00:00.000Z", "2028-02-29T23:59:59.999Z"),
    ],
    ids=["year-end", "new-year", "leap-day"],
)
def test_the_period_is_the_calendar_month_of_the_clock(client: Client, now: str, start: str, end: str) -> None:
    client.world.clock.set(parse_iso(now))
    data = usage(client)
    assert (data["period_start"], data["period_end"]) == (start, end)
