"""The numbers for sale come from ranges reserved for fiction, in one fixed order, and are found again."""

import re

import pytest

from revdesk_mock import inventory
from revdesk_mock.e164 import is_fictional
from revdesk_mock.inventory import LOCAL, MOBILE, NATIONAL, TOLL_FREE, Offer

KINDS = [(country, kind) for country in ("US", "CA", "GB") for kind in (LOCAL, TOLL_FREE, MOBILE, NATIONAL)]
OFFERED = [pair for pair in KINDS if next(inventory.search(*pair), None)]
# Ofcom's numbers for drama use.
DRAMA = re.compile(r"\+44(20 7946 0|161 496 0|131 496 0|29 2018 0|7700 900|808 157 0|3069 990)\d{3}".replace(" ", ""))


def numbers(*where: str, **filters: str) -> list[str]:
    return [offer.phone_number for offer in inventory.search(*where, **filters)]


def test_these_kinds_are_for_sale() -> None:
    assert set(OFFERED) == {
        ("US", LOCAL),
        ("US", TOLL_FREE),
        ("CA", LOCAL),
        *(("GB", kind) for kind in (LOCAL, MOBILE, TOLL_FREE, NATIONAL)),
    }


@pytest.mark.parametrize(("country", "kind"), OFFERED)
def test_every_number_is_well_formed_fictional_and_offered_once(country: str, kind: str) -> None:
    offered = numbers(country, kind)
    assert len(set(offered)) == len(offered)
    assert all(re.fullmatch(r"\+[1-9]\d{7,14}", number, re.ASCII) for number in offered)
    assert all(DRAMA.fullmatch(number) if country == "GB" else is_fictional(number) for number in offered)


@pytest.mark.parametrize(("country", "kind"), OFFERED)
def test_a_search_answers_the_same_every_time(country: str, kind: str) -> None:
    assert list(inventory.search(country, kind)) == list(inventory.search(country, kind))


@pytest.mark.parametrize(("country", "kind"), OFFERED)
def test_what_a_search_offers_is_found_by_its_number(country: str, kind: str) -> None:
    for offer in inventory.search(country, kind):
        found = inventory.find(offer.phone_number)
        assert found is not None
        assert (found.phone_number, found.block.number_type) == (offer.phone_number, kind)


def test_the_country_may_be_in_lower_case() -> None:
    assert numbers("us", LOCAL) == numbers("US", LOCAL)


@pytest.mark.parametrize(("country", "kind"), [("FR", LOCAL), ("US", MOBILE), ("US", "premium"), ("", "")])
def test_where_nothing_is_for_sale_nothing_is_offered(country: str, kind: str) -> None:
    assert numbers(country, kind) == []


def test_an_area_code_narrows_the_search() -> None:
    found = numbers("US", LOCAL, area_code=" 415 ")
    assert found == [f"+141555501{digits:02}" for digits in range(100)]


@pytest.mark.parametrize("region", ["CA", "ca"])
def test_a_region_narrows_the_search(region: str) -> None:
    found = list(inventory.search("US", LOCAL, region=region))
    assert {offer.block.region for offer in found} == {"CA"}
    assert {offer.block.area_code for offer in found} >= {"415", "213"}


def test_a_region_may_be_the_name_of_a_place() -> None:
    found = inventory.search("US", LOCAL, region="san francisco")
    assert {offer.block.area_code for offer in found} == {"415", "628"}


@pytest.mark.parametrize("contains", ["41555501", "+1 (415) 555-01", "1415555"])
def test_contains_looks_at_the_digits_alone(contains: str) -> None:
    assert numbers("US", LOCAL, contains=contains) == numbers("US", LOCAL, area_code="415")


def test_filters_add_up() -> None:
    assert numbers("US", LOCAL, area_code="415", region="NY") == []
    assert numbers("US", LOCAL, area_code="415", region="CA", contains="0142") == ["+14155550142"]


@pytest.mark.parametrize(
    "number",
    [
        "+14155550200",
        "+141555501",
        "+1415555010",
        "+141555501000",
        "+14155550-1",
        "+1415555010٣",
        "+1415555010²",
        "+442079461000",
        "+33123456789",
        "14155550100",
        "",
    ],
)
def test_a_number_that_is_not_for_sale_is_not_found(number: str) -> None:
    assert inventory.find(number) is None


def test_some_numbers_cannot_text() -> None:
    features = {
        offer.block.number_type: offer.block.features for offer in map(offer_of, ("+14155550100", "+443069990000"))
    }
    assert features == {LOCAL: ("voice", "sms"), NATIONAL: ("voice",)}


def offer_of(number: str) -> Offer:
    found = inventory.find(number)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+14155550100", True),
        ("+18005550100", False),
        ("+14165550100", False),
        ("+442079460000", False),
        ("+13105551234", False),
    ],
    ids=["US local", "toll-free", "Canada", "Britain", "not ours"],
)
def test_only_us_local_numbers_are_us_local(number: str, expected: bool) -> None:  # noqa: FBT001 - a table cell
    assert inventory.is_us_local(number) is expected
