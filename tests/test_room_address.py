"""Rooms are reached at the host of the base URL, as securely as that."""

import pytest

from revdesk_mock import room_address


@pytest.mark.parametrize(
    ("base_url", "scheme", "expected"),
    [
        ("http://127.0.0.1:8473", "ws", "ws://127.0.0.1:8473"),
        ("https://mock.example", "ws", "wss://mock.example"),
        ("http://127.0.0.1:8473", "http", "http://127.0.0.1:8473"),
        ("https://[::1]:8473", "http", "https://[::1]:8473"),
    ],
)
def test_a_room_is_at_the_same_host(base_url: str, scheme: str, expected: str) -> None:
    assert room_address.of(base_url, scheme) == expected


@pytest.mark.parametrize(("room_name", "expected"), [("room_7", "room_7"), (None, "room_12ab")])
def test_a_call_without_a_room_of_its_own_gives_its_name_to_one(room_name: str | None, expected: str) -> None:
    assert room_address.name_of({"id": "call_12ab", "room_name": room_name}) == expected
