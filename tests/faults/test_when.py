"""Counting: the first few, the nth, every nth, and chance that repeats."""

from typing import Any

import pytest

from revdesk_mock.faults.when import read
from revdesk_mock.ids import Dice


def hits(order: dict[str, Any], among: int, seed: str = "s") -> list[int]:
    when, dice = read(order), Dice(seed)
    return [count for count in range(1, among + 1) if when.hits(count, dice)]


@pytest.mark.parametrize(
    ("order", "hit", "over_after"),
    [
        ({}, [1], 1),
        ({"first": 2}, [1, 2], 2),
        ({"nth": 3}, [3], 3),
        ({"every": 3}, [3, 6, 9], None),
        ({"every": 1}, [1, 2, 3, 4, 5, 6, 7, 8, 9], None),
        ({"probability": 1}, [1, 2, 3, 4, 5, 6, 7, 8, 9], None),
    ],
    ids=str,
)
def test_requests_are_hit_by_their_number(order: dict[str, Any], hit: list[int], over_after: int | None) -> None:
    assert hits(order, 9) == hit
    over = [count for count in range(10) if read(order).is_over(count)]
    assert over == ([] if over_after is None else list(range(over_after, 10)))


def test_chance_follows_from_the_seed_and_is_about_what_was_asked_for() -> None:
    hit = hits({"probability": 0.2}, 2000)
    assert hit == hits({"probability": 0.2}, 2000)
    assert hit != hits({"probability": 0.2}, 2000, "another")
    assert 320 < len(hit) < 480
