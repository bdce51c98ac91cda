"""A fence around the real API: who tries to resolve or reach its host is stopped, and remembered."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import pytest

DOMAIN = "revdesk.com"  # the API is at api.revdesk.com
RESOLVERS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex")
PROXIES = ("NO_PROXY", "no_proxy")


class Fence:
    """Knows what was tried."""

    def __init__(self) -> None:
        self.attempts: list[str] = []

    def check(self, host: object) -> None:
        """Fail the running test where a host is the real API's."""
        if isinstance(host, bytes | bytearray):
            host = host.decode("ascii", "replace")
        if not isinstance(host, str):
            return
        name = host.rstrip(".").lower()
        if name == DOMAIN or name.endswith(f".{DOMAIN}"):
            self.attempts.append(name)
            pytest.fail(self.verdict())

    def verdict(self) -> str:
        """Return what was tried, as a sentence."""
        tried = ", ".join(sorted(set(self.attempts)))
        times = "" if len(self.attempts) == 1 else f" {len(self.attempts)} times"
        return (
            f"revdesk_fence: the code under test tried to reach the real API ({tried}){times}; "
            "give it the address of the emulator (REVDESK_API_URL, or the fixture revdesk_env)"
        )


@contextmanager
def fenced() -> Iterator[Fence]:
    """Let no code of this process resolve or reach the real API while the block runs.

    It stands in the `socket` module: a resolver of its own, as uvloop has, and other processes are not seen. Clients
    that would go through a proxy go straight for that host, and so into the fence.
    """
    fence = Fence()
    with pytest.MonkeyPatch.context() as patch:
        for name in RESOLVERS:
            patch.setattr(socket, name, _checked(getattr(socket, name), fence, _first))
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _checked(getattr(socket.socket, name), fence, _address))
        for name in PROXIES:
            patch.setenv(name, ",".join(filter(None, [os.environ.get(name), DOMAIN, f".{DOMAIN}"])))
        yield fence


def _checked(call: Callable[..., Any], fence: Fence, host_of: Callable[..., object]) -> Callable[..., Any]:
    @wraps(call)
    def checked(*arguments: Any, **named: Any) -> Any:
        fence.check(host_of(*arguments, **named))
        return call(*arguments, **named)

    return checked


def _first(host: object = None, *_: object, **__: object) -> object:
    return host


def _address(_: socket.socket, address: object = None) -> object:
    return address[0] if isinstance(address, tuple) and address else None
