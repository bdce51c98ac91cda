"""A list is cut into pages whose cursors survive what comes and goes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import ApiError
from revdesk_mock.ids import encode_cursor
from revdesk_mock.messages import Reason, Record
from revdesk_mock.pages import cut, size_of, start_of
from tests.conftest import Client, emulator_with

NONSENSE = "nonsense"


def newest_first(positions: range, before: int | None = None) -> list[tuple[int, Record]]:
    return [(at, {"id": str(at)}) for at in reversed(positions) if before is None or at < before]


def is_even(record: Record) -> bool:
    return int(record["id"]) % 2 == 0


@given(st.integers(0, 30), st.integers(1, 7), st.booleans())
def test_pages_together_are_the_whole_list_once_in_order(size: int, limit: int, even: bool) -> None:  # noqa: FBT001
    positions = range(1, size + 1)
    wanted = is_even if even else bool
    seen: list[Record] = []
    before: int | None = None
    while True:
        page, cursor = cut(newest_first(positions, before), limit, wanted)
        seen += page
        if cursor is None:
            break
        assert len(page) == limit
        before = start_of(cursor, lenient=False)
    assert seen == [record for _, record in newest_first(positions) if wanted(record)]


@pytest.mark.parametrize(("asked", "size"), [({}, 50), ({"limit": 1}, 1), ({"limit": 100.0}, 100)])
def test_a_page_has_the_size_asked_for(asked: dict[str, Any], size: int) -> None:
    assert size_of(asked, 50, 100) == size


@pytest.mark.parametrize("limit", [0, -1, 101, 0.5, 1e300])
def test_a_size_that_no_page_has_is_refused(limit: float) -> None:
    with pytest.raises(ApiError) as error:
        size_of({"limit": limit}, 50, 100)
    assert (error.value.status, error.value.fields) == (400, {"limit": "must be a whole number from 1 to 100"})


def test_the_last_page_has_no_cursor_even_when_it_is_full() -> None:
    page, cursor = cut(newest_first(range(1, 4)), 3)
    assert [record["id"] for record in page] == ["3", "2", "1"]
    assert cursor is None


def test_a_page_of_an_empty_list_is_empty() -> None:
    assert cut([], 5) == ([], None)


def test_no_cursor_starts_at_the_first_page() -> None:
    assert start_of(None, lenient=False) is None


def test_a_cursor_says_where_to_go_on() -> None:
    assert start_of(encode_cursor(17), lenient=False) == 17


@pytest.mark.parametrize("cursor", [NONSENSE, "", "%%%"])
def test_a_foreign_cursor_is_refused_with_a_reason(cursor: str) -> None:
    with pytest.raises(ApiError) as caught:
        start_of(cursor, lenient=False)
    assert (caught.value.status, caught.value.fields) == (400, {"cursor": "is not a cursor of this list"})
    assert caught.value.reasons == (Reason("cursor", "query cursor", "meta.cursor of the page before", repr(cursor)),)


def test_a_foreign_cursor_starts_at_the_first_page_where_that_is_the_policy() -> None:
    assert start_of(NONSENSE, lenient=True) is None


def test_a_list_is_read_page_by_page_over_the_api(client: Client) -> None:
    first = client.get("/v1/calls?limit=2")
    assert first.body["meta"]["page_size"] == 2
    second = client.get(f"/v1/calls?limit=2&cursor={first.body['meta']['cursor']}")
    assert [call["id"][-1] for call in first.data + second.data] == ["3", "2", "1"]
    assert second.body["meta"]["page_size"] == 1
    assert "cursor" not in second.body["meta"]


def test_a_cursor_survives_the_deletion_of_the_record_it_was_cut_at(client: Client) -> None:
    client.post("/v1/phone-numbers", {"phone_number": "+13125550100"})
    first = client.get("/v1/phone-numbers?limit=2")
    assert client("DELETE", "/v1/phone-numbers/1002").status == 200
    second = client.get(f"/v1/phone-numbers?limit=2&cursor={first.body['meta']['cursor']}")
    assert [number["id"] for number in second.data] == [1001]


def test_what_is_added_meanwhile_is_not_on_the_next_page(client: Client) -> None:
    first = client.get("/v1/phone-numbers?limit=1")
    client.post("/v1/phone-numbers", {"phone_number": "+13125550100"})
    second = client.get(f"/v1/phone-numbers?limit=1&cursor={first.body['meta']['cursor']}")
    assert [number["id"] for number in first.data + second.data] == [1002, 1001]


@pytest.mark.parametrize(("policy", "status"), [("reject", 400), ("ignore", 200)])
def test_the_policy_decides_on_foreign_cursors_over_the_api(policy: str, status: int) -> None:
    assert Client(emulator_with(bad_cursor=policy)).get(f"/v1/calls?cursor={NONSENSE}").status == status
