"""What the tests of rooms share."""

import pytest


@pytest.fixture(autouse=True)
def _loopback_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the aiortc clients of the tests, too, bind nothing but the loopback."""
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: ["127.0.0.1"])
