"""The fence: nobody reaches the real API, and who tries fails the test, however quietly."""

import asyncio
import os
import socket
import urllib.request
from collections.abc import Callable

import anyio
import httpx
import pytest

from revdesk_mock.testing.fence import fenced
from tests.conftest import SPEC
from tests.testing.conftest import Suite

HOST = "api.revdesk.com"


def test_the_host_is_that_of_the_contract() -> None:
    assert [server["url"] for server in SPEC.document["servers"]] == [f"https://{HOST}"]


async def by_asyncio() -> None:
    await asyncio.open_connection(HOST, 443)


def unconnected(connect: Callable[[socket.socket, tuple[str, int]], object]) -> None:
    with socket.socket() as one:
        connect(one, (HOST, 443))


WAYS: dict[str, Callable[[], object]] = {
    "getaddrinfo": lambda: socket.getaddrinfo(HOST, 443),
    "bytes by name": lambda: socket.getaddrinfo(host=HOST.encode(), port=443),
    "gethostbyname": lambda: socket.gethostbyname("API.RevDesk.com."),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex("docs.revdesk.com"),
    "create_connection": lambda: socket.create_connection((HOST, 443), timeout=1),
    "connect": lambda: unconnected(socket.socket.connect),
    "connect_ex": lambda: unconnected(socket.socket.connect_ex),
    "httpx": lambda: httpx.get(f"https://{HOST}/v1/me"),
    "urllib": lambda: urllib.request.urlopen(f"https://{HOST}/v1/me", timeout=1),
    "asyncio": lambda: asyncio.run(by_asyncio()),
    "anyio on trio": lambda: anyio.run(anyio.connect_tcp, HOST, 443, backend="trio"),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_there_is_closed(way: str) -> None:
    with fenced() as fence, pytest.raises(pytest.fail.Exception, match="tried to reach the real API"):
        WAYS[way]()
    assert len(fence.attempts) == 1


def test_a_proxy_is_no_way_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with fenced(), pytest.raises(pytest.fail.Exception):
        httpx.get(f"https://{HOST}/v1/me")
    assert "revdesk" not in os.environ.get("NO_PROXY", "")


def test_others_are_reached_as_before() -> None:
    with fenced() as fence, socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(("localhost", listener.getsockname()[1])) as connection:
            assert connection.getpeername()
        fence.check("notrevdesk.com")
    assert fence.attempts == []
    assert socket.getaddrinfo.__module__ == "socket"


def test_a_test_that_swallows_the_error_fails_all_the_same(suite: Suite) -> None:
    ran = suite.run(
        f"""
        import socket, urllib.request

        def test_quiet(revdesk_fence):
            try:
                socket.create_connection(("{HOST}", 443))
            except BaseException:
                pass

        def test_loud(revdesk_fence):
            urllib.request.urlopen("https://{HOST}/v1/me")

        def test_good(revdesk, revdesk_fence, revdesk_env):
            assert revdesk.client.get("/v1/me").is_success
        """
    )
    assert ran.counts == {"passed": 2, "failed": 1, "errors": 2}
    assert ran.says("revdesk_fence: the code under test tried to reach the real API (api.revdesk.com)")
