"""Numbers are told from other texts, and fictional and emergency numbers from all others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock.e164 import EMERGENCY, fictional_digits, is_e164, is_fictional


@pytest.mark.parametrize("number", ["+12", "+911", "+14155550100", "+123456789012345"])
def test_a_plus_sign_and_2_to_15_digits_are_a_number(number: str) -> None:
    assert is_e164(number)


@pytest.mark.parametrize(
    "number", ["", "+", "+1", "911", "+0123", "+1234567890123456", "+1415555010٣", "+12\n", " +12", "+1 415 555 0100"]
)
def test_another_text_is_no_number(number: str) -> None:
    assert not is_e164(number)


@given(st.integers(200, 999), st.integers(0, 99))
def test_555_0100_to_0199_of_every_area_code_is_fictional(area_code: int, digits: int) -> None:
    number = f"+1{area_code}55501{digits:02}"
    assert is_fictional(number)
    assert fictional_digits(number) == digits


@pytest.mark.parametrize(
    "number",
    [
        "+14155550099",
        "+14155550200",
        "+14155560100",
        "+11155550100",
        "+10155550100",
        "+1415555010",
        "+141555501000",
        "14155550100",
        "+14155550100\n",
        " +14155550100",
        "+1415555010٣",
        "+442079460000",
        "",
    ],
)
def test_other_numbers_are_not_fictional(number: str) -> None:
    assert not is_fictional(number)
    assert fictional_digits(number) is None


def test_the_emergency_numbers_are_written_like_numbers_and_are_not_fictional() -> None:
    assert {"+911", "+1911", "+112", "+999"} <= EMERGENCY
    assert all(is_e164(number) and not is_fictional(number) for number in EMERGENCY)
