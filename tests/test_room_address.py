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
