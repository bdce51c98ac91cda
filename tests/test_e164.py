"""Fictional and emergency numbers are told from all others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock.e164 import EMERGENCY, fictional_digits, is_fictional


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
    assert all(number[0] == "+" and number[1:].isdigit() and not is_fictional(number) for number in EMERGENCY)
