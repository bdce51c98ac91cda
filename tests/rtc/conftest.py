"""What the tests of rooms share."""

from collections.abc import Iterator

import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.server import Server
from tests.conftest import SPEC
from tests.rtc.browser import Chromium, chromium
from tests.rtc.rest import Rest


@pytest.fixture(autouse=True)
def _loopback_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the aiortc clients of the tests, too, bind nothing but the loopback."""
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: ["127.0.0.1"])


@pytest.fixture
def rest() -> Iterator[Rest]:
    """Give a server of the test's own and its API."""
    with Server(Emulator(Settings(seed="test"), SPEC)) as server:
        yield Rest(server)
        assert server.emulator.pipeline.breaches == []


@pytest.fixture(scope="session")
def _chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture
def browser(_chromium: Chromium) -> Iterator[Chromium]:
    """Give the one browser; the pages that a test opens are closed, and none may have complained."""
    yield _chromium
    assert _chromium.close_pages() == []
