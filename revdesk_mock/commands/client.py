"""Asks a server over HTTP, as commands do that find it already running."""

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit

PATIENCE = 2  # seconds


class Answer(NamedTuple):
    """A status, and the body as it came."""

    status: int
    body: bytes


def url_of(host: str, port: int) -> str:
    """Return the URL by which this machine reaches a server that listens on an address, be it all of them."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 a comparison
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def ask(
    url: str,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    seconds: float = PATIENCE,
) -> Answer:
    """Send one request to a server and return its answer; raises OSError that says who does not answer, and why."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.request(method, parts.path + path, body, headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read())
    except (OSError, HTTPException) as error:
        raise ConnectionError(f"{parts.netloc} does not answer ({error!r})") from error
    finally:
        connection.close()


def is_ready(url: str) -> bool:
    """Whether a server answers, and takes requests."""
    try:
        return ask(url, "GET", "/ready").status == 200
    except OSError:
        return False
