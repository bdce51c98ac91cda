"""HTTP clients with the address and key of a world."""

from collections.abc import Mapping

import httpx


def client(url: str, headers: Mapping[str, str]) -> httpx.Client:
    """Return a client that talks to this machine directly, whatever proxies the environment names."""
    return httpx.Client(base_url=url, headers=headers, trust_env=False, verify=_is_secure(url))


def async_client(url: str, headers: Mapping[str, str]) -> httpx.AsyncClient:
    """Return the same for asyncio and trio; each connection ends with its answer, so that none outlives its loop."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, limits=limits, verify=_is_secure(url))


def _is_secure(url: str) -> bool:
    """Whether there are certificates to verify: to load those to compare them with takes longer than most tests."""
    return url.startswith("https:")
