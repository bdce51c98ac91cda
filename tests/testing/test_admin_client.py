"""The admin API as Python calls: one connection, and refusals as exceptions."""

import http.server
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from revdesk_mock.testing.admin_client import AdminClient, AdminError, NoServer
from revdesk_mock.testing.remote import RevDeskServer


class OneAnswer(http.server.BaseHTTPRequestHandler):
    """Answers once on each connection, tells which it was, and closes without saying so."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.client_address[1]}{self.path}".encode()
        self.send_response(502 if self.path.endswith("/bad") else 200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def closing() -> Iterator[str]:
    """Give the address of a server that ends connections as soon as they idle."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), OneAnswer) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_connection_that_the_server_has_closed_is_opened_again(closing: str) -> None:
    with AdminClient(closing) as admin:
        ports = set()
        for _ in range(3):
            ports.add(admin.get("/port").partition("/")[0])
            assert admin._connection.sock.recv(1) == b"", "the server has closed it"
    assert len(ports) == 3


def test_a_path_in_front_and_values_of_a_query_are_sent(closing: str) -> None:
    with AdminClient(f"{closing}/under/") as admin:
        answer = admin.get("/_revdesk/requests", operation=None, body=["a=1", "b=2"], status=409)
    assert answer.partition("/")[2] == "under/_revdesk/requests?body=a%3D1&body=b%3D2&status=409"


def test_a_refusal_says_what_was_asked_and_what_was_wrong(server: RevDeskServer, closing: str) -> None:
    with pytest.raises(AdminError, match="GET /_revdesk/worlds/nobody answered 404 not_found: ") as refused:
        server.admin.get("/_revdesk/worlds/nobody")
    assert (refused.value.status, refused.value.code, refused.value.fields) == (404, "not_found", {})
    with AdminClient(closing) as admin, pytest.raises(AdminError, match="GET /bad answered 502"):
        admin.get("/bad")


def test_threads_share_a_client(server: RevDeskServer) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: server.admin.get("/health")["status"], range(64)))
    assert answers == ["ok"] * 64


def test_where_nobody_answers_it_says_so() -> None:
    with pytest.raises(NoServer, match=r"no emulator answers at http://127\.0\.0\.1:9 "):
        AdminClient("http://127.0.0.1:9").get("/health")
