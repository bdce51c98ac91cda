"""Monitoring: which brand a number is watched under, and that no refresh is lost whatever becomes of the settings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import monitoring, vetting
from revdesk_mock.clock import parse_iso
from revdesk_mock.messages import Record
from revdesk_mock.simulation.scores import PERIODS
from tests.conftest import MAIN, ORGANIZATION, RECALL, UPTOWN, Client, emulator_with, registered, reopened

SETTINGS, NUMBERS = "/v1/caller-trust/reputation", "/v1/caller-trust/reputation/numbers"
UPTOWNS = "+13125550142"
HOUR = 3600
DAY = 24 * HOUR


def enabled(client: Client, organization: str = ORGANIZATION, status: str = vetting.APPROVED, **how: Any) -> Record:
    """Register an organization with settings that the carrier has decided about; return the registration."""
    registration = registered(client, organization)
    with client.world.store.transaction():
        settings = monitoring.enable(client.world, registration, frequency=how.get("frequency"), loa_document_id="a")
        monitoring.change(client.world, settings, status=status, due_at=None)
    return registration


def uptown_with_a_number(client: Client) -> Client:
    uptown = client.with_key("sub_entity", team=UPTOWN)
    uptown.post("/v1/phone-numbers", {"phone_number": UPTOWNS})
    client.advance(5)
    return uptown


def look(client: Client, number: str = MAIN) -> Any:
    return client.get(f"{NUMBERS}/{number}").data


def refreshed(client: Client, number: str = MAIN) -> str | None:
    found: str | None = look(client, number)["last_refreshed_at"]
    return found


def set_frequency(client: Client, frequency: str) -> None:
    assert client("PATCH", SETTINGS, {"check_frequency": frequency}).status == 200


# which brand


@pytest.mark.parametrize("status", [vetting.PENDING, vetting.REJECTED])
def test_a_brand_that_is_not_approved_watches_nothing(client: Client, status: str) -> None:
    enabled(client, status=status)
    assert look(client)["enterprise_id"] is None


def test_a_sub_entitys_number_is_under_its_own_brand_or_else_its_parents(client: Client) -> None:
    uptown_with_a_number(client)
    assert look(client, UPTOWNS)["enterprise_id"] is None
    parents = enabled(client)
    assert look(client, UPTOWNS)["enterprise_id"] == parents["id"]
    own = enabled(client, UPTOWN)
    assert look(client, UPTOWNS)["enterprise_id"] == own["id"]
    assert look(client)["enterprise_id"] == parents["id"]


def test_a_sub_entitys_brand_is_for_its_own_numbers(client: Client) -> None:
    enabled(client, UPTOWN)
    assert look(client)["enterprise_id"] is None


def test_a_users_own_number_is_under_the_shared_umbrella(client: Client) -> None:
    user = client.with_key("user")
    user.post("/v1/phone-numbers", {"phone_number": UPTOWNS})
    client.advance(5)
    enabled(client)
    assert look(user, UPTOWNS)["enterprise_id"] is None


# the end of a brand


def test_the_end_of_an_approved_brand_is_the_end_of_its_numbers(client: Client) -> None:
    uptown_with_a_number(client)
    registration = enabled(client)
    with client.world.store.transaction():
        monitoring.tear_down(client.world, registration)
    assert [number["phone_number"] for number in client.get(NUMBERS).data] == [UPTOWNS]
    assert monitoring.settings_of(client.world, registration) is None


@pytest.mark.parametrize("status", [None, vetting.PENDING, vetting.REJECTED])
def test_numbers_under_the_umbrella_outlive_a_brand_that_never_was(client: Client, status: str | None) -> None:
    registration = enabled(client, status=status) if status else registered(client)
    with client.world.store.transaction():
        monitoring.tear_down(client.world, registration)
    assert refreshed(client) == "2026-01-05T00:00:00.000Z"
    assert client.get(SETTINGS).data is None


# when numbers are refreshed


@pytest.mark.parametrize(
    ("frequency", "days", "expected"),
    [
        ("daily", 1, "2026-01-06T09:00:00.000Z"),
        ("business_daily", 6, "2026-01-09T09:00:00.000Z"),
        ("weekly", 6.999, "2026-01-05T00:00:00.000Z"),
        ("weekly", 7, "2026-01-12T09:00:00.000Z"),
        ("biweekly", 14, "2026-01-19T09:00:00.000Z"),
        ("monthly", 30, "2026-02-04T09:00:00.000Z"),
        ("never", 365, "2026-01-05T00:00:00.000Z"),
    ],
)
def test_a_frequency_counts_from_its_change_and_keeps_what_was(
    client: Client, frequency: str, days: float, expected: str
) -> None:
    enabled(client, frequency="never")
    set_frequency(client, frequency)
    assert refreshed(client) == "2026-01-05T00:00:00.000Z"
    client.advance(days * DAY)
    assert refreshed(client) == expected


def test_a_number_that_is_enrolled_under_never_has_data_from_a_live_query_alone(client: Client) -> None:
    enabled(client, frequency="never")
    client.post(NUMBERS, {"phone_numbers": [RECALL]})
    client.advance(10 * DAY)
    assert refreshed(client, RECALL) is None
    client.get(f"{NUMBERS}/{RECALL}?fresh=true")
    client.advance(10 * DAY)
    assert refreshed(client, RECALL) == "2026-01-15T09:00:00.000Z"


def test_the_same_frequency_again_changes_no_refresh(client: Client) -> None:
    enabled(client, frequency="weekly")
    client.advance(6 * DAY)
    set_frequency(client, "weekly")
    client.advance(DAY)
    assert refreshed(client) == "2026-01-12T09:00:00.000Z"


def test_a_brand_with_the_frequency_of_the_umbrella_changes_no_refresh(client: Client) -> None:
    enabled(client)
    client.advance(DAY)
    assert refreshed(client) == "2026-01-06T00:00:00.000Z"


def test_a_new_letter_returns_the_numbers_to_the_umbrella_until_it_is_approved(client: Client) -> None:
    registration = enabled(client, frequency="monthly")
    client.advance(31 * DAY)
    with client.world.store.transaction():
        monitoring.enable(client.world, registration, frequency="monthly", loa_document_id="b")
    assert look(client)["enterprise_id"] is None
    assert refreshed(client) == "2026-02-04T09:00:00.000Z"
    client.advance(60)
    assert look(client)["enterprise_id"] == registration["id"]
    assert refreshed(client) == "2026-02-04T09:00:00.000Z"


def test_the_end_of_a_parents_brand_keeps_what_was_said_of_its_sub_entities_numbers(client: Client) -> None:
    uptown_with_a_number(client)
    client.advance(DAY)
    enabled(client, frequency="never")
    client.advance(10 * DAY)
    before = refreshed(client, UPTOWNS)
    client("DELETE", SETTINGS)
    assert refreshed(client, UPTOWNS) == before == "2026-01-06T09:00:05.000Z"
    client.advance(DAY)
    assert refreshed(client, UPTOWNS) == "2026-01-17T09:00:05.000Z"


def test_a_dump_carries_what_is_known_of_a_number(client: Client, tmp_path: Path) -> None:
    client.get(f"{NUMBERS}/{MAIN}?fresh=true")
    client.advance(3 * DAY)
    restored = reopened(client, tmp_path)
    for each in (client, restored):
        each.advance(DAY)
    assert look(restored) == look(client)


hours = st.integers(1, 40 * 24)
steps = st.lists(
    st.one_of(hours, st.sampled_from(["fresh", "new brand", "end", "ask again", "never", *PERIODS])), max_size=12
)


def carry_out(client: Client, step: int | str) -> None:
    if isinstance(step, int):
        client.advance(step * HOUR)
    elif step == "fresh":
        client.get(f"{NUMBERS}/{UPTOWNS}?fresh=true")
    elif step == "new brand":
        for registration in client.world.store.all("enterprises"):
            with client.world.store.transaction():
                monitoring.tear_down(client.world, registration)
                client.world.store.delete("enterprises", registration["id"])
        enabled(client, frequency="weekly")
    elif step == "end":
        client("DELETE", SETTINGS)
    elif step == "ask again":
        client.post(SETTINGS, {})
    else:
        client("PATCH", SETTINGS, {"check_frequency": step})


@given(steps)
def test_a_refresh_once_shown_is_shown_until_the_next(steps: Sequence[int | str]) -> None:
    """A sub-entity's number moves between umbrella and brand; only time and live queries bring a new refresh."""
    client = Client(emulator_with())
    uptown_with_a_number(client)
    for step in steps:
        before, asked_at = look(client, UPTOWNS), client.world.clock.now()
        carry_out(client, step)
        after = look(client, UPTOWNS)
        shown, now = after["last_refreshed_at"], client.world.clock.now()
        if shown == before["last_refreshed_at"]:
            assert {**after, "enterprise_id": None} == {**before, "enterprise_id": None}
        else:
            assert (asked_at if step == "fresh" else asked_at + 1) <= parse_iso(shown) <= now
