"""What effects are read as: refusals by their status, waits that are drawn, breakages on the wire."""

from http import HTTPStatus
from statistics import median
from typing import Any

import pytest

from revdesk_mock.errors import STATUS
from revdesk_mock.faults.effects import EFFECTS, LONGEST, NAMED, read
from revdesk_mock.faults.failures import Breakage, Delay, Refusal
from revdesk_mock.ids import Dice


def waits(order: Any, count: int = 1000) -> list[int]:
    effect = read({"delay_ms": order}).effect
    assert isinstance(effect, Delay)
    dice = Dice("a seed")
    return [effect.draw(dice) for _ in range(count)]


@pytest.mark.parametrize("name", EFFECTS)
def test_the_example_of_an_effect_is_one(name: str) -> None:
    assert read(EFFECTS[name].example).says.partition(": ")[2].startswith(name)


def test_a_fixed_wait_is_always_the_same() -> None:
    assert set(waits(250)) == {250}


def test_a_uniform_wait_lies_between_its_ends() -> None:
    drawn = waits({"uniform": [100, 110]})
    assert set(drawn) == set(range(100, 111))


def test_a_log_normal_wait_has_its_median_and_a_long_tail() -> None:
    drawn = waits({"log_normal": {"median": 200, "sigma": 0.6}})
    assert 185 < median(drawn) < 215
    within = sum(200 / 1.822 < wait < 200 * 1.822 for wait in drawn)  # one sigma to either side: 68 of 100
    assert 640 < within < 730
    assert max(drawn) > 800
    assert set(waits({"log_normal": {"median": 200, "sigma": 0}})) == {200}
    assert max(waits({"log_normal": {"median": LONGEST, "sigma": 5}})) == LONGEST


def test_a_refusal_has_the_code_and_words_of_its_status_where_it_brings_none() -> None:
    assert read({"status": 503}).effect == Refusal(503, "unavailable", "Service Unavailable.")
    full = {"status": 418, "code": "conflict", "message": "No.", "retry_after": 0}
    assert read(full).effect == Refusal(418, "conflict", "No.", 0)
    assert read({"status": 599, "code": "unavailable"}).effect == Refusal(599, "unavailable", "Status 599.")


def test_every_code_that_goes_with_a_status_is_one_of_the_vendors_envelope() -> None:
    assert set(NAMED.values()) <= set(STATUS)
    assert all(HTTPStatus(status) for status in NAMED)


def test_breakages_are_what_goes_down_the_wire() -> None:
    assert read("reset").effect == Breakage("reset")
    assert read("stall").effect == read({"stall": {}}).effect == Breakage("stall")
    assert read({"stall": {"after": 0}}).effect == Breakage("stall", 0)
    assert read({"cut": {"after": 20}}).effect == Breakage("cut", 20)
    assert read({"dribble": {"ms": 2000}}).effect == Breakage("dribble", 0, 10, 2000)
