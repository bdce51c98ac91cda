"""Questions to the journal: filters that select, refusals of what is no filter, and the closest when none is met."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import ApiError, Emulator
from revdesk_mock.clock import iso
from revdesk_mock.journal import Entry, describe
from revdesk_mock.journal_query import FILTERS, Miss, describe_miss, near_misses, read, select
from tests.conftest import MAIN, ORDINARY, RECALL, SPEC, Client, emulator_with

DIAL = {"from_number": MAIN, "to_number": ORDINARY}


def found(client: Client, *filters: tuple[str, str]) -> list[Entry]:
    return select(read(filters, client.world.journal.entries(), SPEC))


def missed(client: Client, *filters: tuple[str, str]) -> list[Miss]:
    return near_misses(read(filters, client.world.journal.entries(), SPEC))


@pytest.fixture
def asked(client: Client) -> list[str]:
    """Ask for five things; return the requests' ids."""
    answers = [
        client.get("/v1/me"),
        client.post("/v1/calls/dial", DIAL, content_type="application/json"),
        client.post("/v1/calls/dial", {"from_number": MAIN, "to_number": "12"}, content_type="application/json"),
        client.get("/v1/calls/call_none"),
        client.post("/v1/client-tokens", {"from_numbers": [MAIN, RECALL]}, content_type="application/json"),
    ]
    return [answer.headers["x-request-id"] for answer in answers]


@pytest.mark.parametrize(
    ("filters", "places"),
    [
        ([], [0, 1, 2, 3, 4]),
        ([("operation", "v1_calls_dial_post")], [1, 2]),
        ([("status", "200")], [0, 1, 4]),
        ([("status", "4xx")], [2, 3]),
        ([("status", "200,404")], [0, 1, 3, 4]),
        ([("code", "not_found")], [3]),
        ([("method", "post")], [1, 2, 4]),
        ([("path", "/v1/calls/*")], [1, 2, 3]),
        ([("path", "/v1/me")], [0]),
        ([("body", f"to_number={ORDINARY}")], [1]),
        ([("body", "to_number=*2")], [2]),
        ([("body", f"from_number={MAIN}"), ("body", "to_number=12")], [2]),
        ([("body", f"from_numbers.1={RECALL}")], [4]),
        ([("operation", "v1_calls_dial_post"), ("status", "4xx")], [2]),
        ([("limit", "2")], [3, 4]),
        ([("limit", "99")], [0, 1, 2, 3, 4]),
    ],
)
def test_filters_select_what_meets_them_all(
    client: Client, asked: list[str], filters: list[tuple[str, str]], places: list[int]
) -> None:
    assert [entry.request_id for entry in found(client, *filters)] == [asked[place] for place in places]


def test_a_request_id_cuts_before_and_after(client: Client, asked: list[str]) -> None:
    assert [entry.request_id for entry in found(client, ("since", asked[1]))] == asked[2:]
    assert [entry.request_id for entry in found(client, ("until", asked[1]))] == asked[:2]
    assert [entry.request_id for entry in found(client, ("since", asked[0]), ("until", asked[2]))] == asked[1:3]


def test_an_instant_is_one_of_the_worlds_time_and_belongs_to_both_sides(client: Client) -> None:
    client.get("/v1/me")
    client.advance(60)
    instant = iso(client.world.clock.now())
    client.get("/v1/agents")
    client.advance(60)
    client.get("/v1/account")
    assert [entry.path for entry in found(client, ("since", instant))] == ["/v1/agents", "/v1/account"]
    assert [entry.path for entry in found(client, ("until", instant))] == ["/v1/me", "/v1/agents"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("operatoin", "x", "did you mean 'operation'"),
        ("operation", "v1_calls_dial_pots", "did you mean 'v1_calls_dial_post'"),
        ("code", "not_fuond", "did you mean 'not_found'"),
        ("method", "POTS", "did you mean 'post'"),
        ("status", "4x", "such as 409, 4xx or 400,409"),
        ("status", "600", "such as 409"),
        ("path", "v1/calls", "such as /v1/calls/*"),
        ("body", "to_number", "field=value"),
        ("body", "=5", "field=value"),
        ("since", "yesterday", "an instant such as"),
        ("until", "2026-01-31T12:00:00", "an instant such as"),
        ("limit", "0", "a whole number from 1"),
        ("limit", "-1", "a whole number from 1"),
    ],
)
def test_what_is_no_filter_is_refused_with_what_would_do(client: Client, name: str, text: str, told: str) -> None:
    client.get("/v1/me")
    with pytest.raises(ApiError) as caught:
        found(client, (name, text))
    assert (caught.value.code, told in caught.value.message) == ("validation_error", True)
    assert name in (caught.value.fields or {})


def test_values_of_bodies_are_compared_as_they_are_written_in_json(client: Client) -> None:
    body = {"from_number": MAIN, "to_number": ORDINARY, "record": True, "extra": {"order": 7, "note": None}}
    client.post("/v1/calls/dial", body, content_type="application/json")
    for told in ("record=true", "extra.order=7", "extra.note=null", 'extra={"order":7,"note":null}'):
        assert found(client, ("body", told)), told
    assert not found(client, ("body", "extra.order=70"))
    assert not found(client, ("body", "record=false"))


@given(st.text(max_size=20))
def test_only_the_star_is_special_in_a_pattern(text: str) -> None:
    client = Client(emulator_with())
    client.post("/v1/calls/dial", {"note": text}, content_type="application/json")
    assert found(client, ("body", f"note={text}"))
    assert found(client, ("body", "note=*"))
    assert bool(found(client, ("body", "note=.+"))) == (text == ".+")


# near misses


def test_the_closest_comes_first_with_a_verdict_for_each_field(client: Client, asked: list[str]) -> None:
    miss, *others = missed(
        client, ("operation", "v1_calls_dial_post"), ("body", "to_number=+13125550199"), ("status", "200")
    )
    assert miss.entry.request_id == asked[1]
    assert [verdict._asdict() for verdict in miss.verdicts] == [
        {"field": "operation", "matched": True, "expected": "v1_calls_dial_post", "got": "v1_calls_dial_post"},
        {"field": "body.to_number", "matched": False, "expected": "+13125550199", "got": ORDINARY},
        {"field": "status", "matched": True, "expected": "200", "got": "200"},
    ]
    assert [sum(verdict.matched for verdict in other.verdicts) for other in others] == [1, 1]


def test_of_equals_the_more_similar_is_closer_and_then_the_newer(client: Client) -> None:
    for number in ("+13125550101", "+19995550188", "+13125550101"):
        client.post("/v1/calls/dial", {"from_number": MAIN, "to_number": number}, content_type="application/json")
    entries = client.world.journal.entries()
    misses = missed(client, ("body", "to_number=+13125550100"))
    assert [miss.entry for miss in misses] == [entries[2], entries[0], entries[1]]


def test_what_is_met_is_no_near_miss_and_a_missing_field_is_told_as_such(client: Client, asked: list[str]) -> None:
    misses = missed(client, ("method", "POST"), ("body", "to_number=*"), ("limit", "9"))
    assert [miss.entry.request_id for miss in misses] == [asked[4], asked[3], asked[0]]
    assert misses[0].verdicts[1].got is None
    told = describe_miss(misses[0])
    assert (told["matched"], told["of"], told["request"]["request_id"]) == (1, 2, asked[4])


def test_near_misses_need_something_to_miss(client: Client) -> None:
    with pytest.raises(ApiError, match="what was expected"):
        missed(client, ("limit", "3"))


# as JSON


def test_a_request_is_told_whole_and_without_secrets(emulator: Emulator, client: Client) -> None:
    client.post("/v1/calls/dial", {**DIAL, "to_number": "12"}, content_type="application/json", idempotency_key="k")
    [entry] = client.world.journal.entries()
    told: Any = describe(entry)
    assert told["body"] == {**DIAL, "to_number": "12"}
    assert told["answer"]["error"]["code"] == told["code"] == "validation_error"
    assert (told["operation"], told["method"], told["path"], told["query"]) == (
        "v1_calls_dial_post",
        "POST",
        "/v1/calls/dial",
        "",
    )
    assert told["reasons"][0]["where"] == "body /to_number"
    assert (told["replayed"], told["fault"], told["world"]) == (False, None, client.world.id)
    assert told["world_at"].endswith("Z")
    assert told["took_ms"] > 0
    assert client.key not in repr(told)
    assert emulator.journal.entries() == [entry]


def test_a_body_that_is_no_json_is_told_as_it_is(client: Client) -> None:
    client.post("/v1/calls/dial", b"{oops", content_type="application/json")
    [entry] = client.world.journal.entries()
    assert describe(entry)["body"] == "{oops"


def test_every_filter_has_a_reader(client: Client) -> None:
    usable = {"status": "200", "code": "conflict", "method": "GET", "path": "/", "body": "a=b", "limit": "1"}
    usable |= {"operation": "v1_me_get", "since": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}
    assert usable.keys() == FILTERS.keys()
    for name, text in usable.items():
        found(client, (name, text))
