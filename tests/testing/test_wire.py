"""One connection is kept while the server keeps it; no request is sent twice; what is no answer is told."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from revdesk_mock.testing.wire import Answer, Connection, NoAnswer

OK = b"HTTP/1.1 200 OK\r\nX-Request-Id: r\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Answers each connection with what it is told to, and notes the requests."""

    def __init__(self, *answers: bytes) -> None:
        self.requests: list[str] = []
        self.closed = threading.Semaphore(0)
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        for answer in self._answers:
            connection, _ = self._listener.accept()
            with connection, connection.makefile("rb") as stream:
                self.requests.append(stream.readline().decode().strip())
                while stream.readline().strip():
                    pass
                connection.sendall(answer)
            self.closed.release()


@contextmanager
def serving(*answers: bytes) -> Iterator[Server]:
    server = Server(*answers)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server
    thread.join(5)
    server._listener.close()


def test_a_connection_that_the_server_closed_is_left_before_the_next_request() -> None:
    with serving(OK, OK) as server, Connection(server.url) as send:
        for target in ("/v1/me", "/v1/account"):
            assert send("GET", target, b"", {}) == Answer(200, {"x-request-id": "r", "content-length": "2"}, b"{}")
            assert server.closed.acquire(timeout=5)
    assert server.requests == ["GET /v1/me HTTP/1.1", "GET /v1/account HTTP/1.1"]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (b"", "Remote end closed connection without response"),
        (b"HELLO\r\n\r\n", "HELLO"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "IncompleteRead(2 bytes read, 7 more expected)"),
    ],
)
def test_a_request_without_an_answer_is_told_and_not_repeated(reply: bytes, told: str) -> None:
    with serving(reply) as server, Connection(server.url) as send:
        with pytest.raises(NoAnswer) as refusal:
            send("POST", "/v1/calls/dial", b"{}", {})
        assert str(refusal.value).startswith(f"{server.url}: {told}")
    assert server.requests == ["POST /v1/calls/dial HTTP/1.1"]


def test_a_server_that_keeps_silent_is_waited_for_as_long_as_it_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Connection(url, patience=0.05) as send, pytest.raises(NoAnswer, match="timed out"):
            send("GET", "/v1/me", b"", {})
