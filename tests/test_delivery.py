"""Faults on real sockets: each effect in each phase, by both of uvicorn's protocols, with and without CORS."""

import asyncio
import json
import logging
import socket
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from typing import Any

import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from revdesk_mock import Emulator, Settings, World
from revdesk_mock import server as server_module
from revdesk_mock.server import Server
from revdesk_mock.timeline import REQUEST
from tests.conftest import KEY, MAIN, ORDINARY, SPEC
from tests.faults.test_outcome import cases
from tests.test_app import Reply
from tests.test_app import ask as ask_plainly

DIAL = json.dumps({"from_number": MAIN, "to_number": ORDINARY}).encode()
PROTOCOLS = {"httptools": HttpToolsProtocol, "h11": H11Protocol}
CASES = {f"{phase}: {json.dumps(do)}": (name, do, phase) for name, do, phase in cases()}
SILENCE = 0.05  # seconds without a byte on a line where all that was to come has come


@pytest.fixture(scope="module", params=PROTOCOLS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server_module, "AutoHTTPProtocol", PROTOCOLS[request.param])
        with Server(Emulator(Settings(seed="wire", clock="real"), SPEC)) as running:
            yield running
    assert running.emulator.pipeline.breaches == []


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """See to it that the server complains of nothing: what is broken is broken on order."""
    with caplog.at_level(logging.WARNING):
        yield
    assert caplog.messages == []


def ask(server: Server, method: str, path: str, key: str, body: Any = None, **headers: str) -> Reply:
    return ask_plainly(server, method, path, body, Authorization=f"Bearer {key}", **headers)


def request(key: str, *headers: str) -> bytes:
    """Return a dial as it goes over the wire; the server closes the line when it has answered whole."""
    lines = ["POST /v1/calls/dial HTTP/1.1", "Host: x", f"Authorization: Bearer {key}", "Connection: close"]
    return "\r\n".join([*lines, *headers, f"Content-Length: {len(DIAL)}", "", ""]).encode() + DIAL


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=5)


def answered(server: Server, key: str) -> None:
    """Return when a request of this key is answered: what goes down its line at once has gone."""

    async def wait() -> None:
        done = asyncio.Event()
        unsubscribe = server.emulator.on_event(lambda event: done.set() if event.kind == REQUEST else None)
        if not server.emulator.world(key).journal.entries():
            await asyncio.wait_for(done.wait(), 5)
        unsubscribe()

    server.submit(wait()).result(6)


def heard(line: socket.socket, patience: float = 5) -> tuple[bytes, bytes, str]:
    """Return head and body of what comes, and how that ends: the line is reset, closed, or silent and open."""
    got, end = b"", ""
    line.settimeout(patience)
    while not end:
        try:
            piece = line.recv(65_536)
            got, end = got + piece, "" if piece else "closed"
        except ConnectionResetError:
            end = "reset"
        except TimeoutError:
            end = "silent"
    head, _, body = got.partition(b"\r\n\r\n")
    return head, body, end


def promised(head: bytes) -> int:
    [length] = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return int(length.partition(b":")[2])


def dialed(server: Server, key: str) -> int:
    calls = ask(server, "GET", "/v1/calls", key).body["data"]
    return sum(call["to_number"] == ORDINARY for call in calls)


@pytest.mark.parametrize("origin", [[], ["Origin: http://localhost:3000"]], ids=["plain", "cross-origin"])
@pytest.mark.parametrize("case", CASES)
def test_each_effect_in_each_phase_is_what_it_says_on_the_wire(server: Server, case: str, origin: list[str]) -> None:
    name, do, phase = CASES[case]
    key = f"revdesk_{len(origin)}_{list(CASES).index(case)}"
    rule = {"on": "POST /v1/calls/dial", "do": do, "phase": phase}
    assert ask(server, "POST", "/_revdesk/faults", key, rule).status == 201
    with connected(server) as line:
        line.sendall(request(key, *origin))
        answered(server, key)
        head, body, end = heard(line, SILENCE if name == "stall" else 5)
    status = int(head.split(b" ")[1]) if head else None

    if name in {"reset", "empty"} or do == "stall":
        assert (head, body, end) == (b"", b"", {"reset": "reset", "empty": "closed", "stall": "silent"}[name])
    elif name in {"stall", "cut"}:
        after = do[name]["after"]
        assert (status, len(body), end) == (200, after, "silent" if name == "stall" else "closed")
        assert promised(head) > after
    else:
        assert (status, len(body), end) == ({"status": 503, "rate_limit": 429}.get(name, 200), promised(head), "closed")
        assert (b"text/html" in head) == (name == "wrong_content_type")
        assert is_json(body) == (name not in {"malformed", "truncated"})
    assert not origin or not head or b"access-control-allow-origin: *" in head.lower()
    assert dialed(server, key) == (phase in {"after_commit", "body"} or name == "delay_ms")
    [row] = ask(server, "GET", "/_revdesk/faults", key).body
    assert (row["matched"], row["fired"]) == (1, 1)


def is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def test_one_request_breaks_its_own_connection(server: Server) -> None:
    header = 'X-RevDesk-Mock: {"fault": {"do": "reset", "phase": "after_commit"}}'
    with connected(server) as line:
        line.sendall(request("revdesk_own", header))
        assert heard(line) == (b"", b"", "reset")
    assert dialed(server, "revdesk_own") == 1


def test_http_clients_see_what_such_networks_show_them(server: Server) -> None:
    faults = {"reset": ConnectionResetError, "empty": RemoteDisconnected}
    for do, seen in faults.items():
        with pytest.raises(seen):
            ask(server, "GET", "/v1/me", KEY, X_RevDesk_Mock=json.dumps({"fault": {"do": do}}))
    with pytest.raises(IncompleteRead):
        ask(server, "GET", "/v1/me", KEY, X_RevDesk_Mock=json.dumps({"fault": {"do": {"cut": {"after": 20}}}}))


def test_the_line_stays_good_for_the_next_request_where_only_the_answer_is_bad(server: Server) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
    for do in ("malformed", {"dribble": {"ms": 20, "pieces": 2}}, {"status": 503}):
        header = json.dumps({"fault": {"do": do}})
        connection.request("GET", "/v1/me", headers={"Authorization": f"Bearer {KEY}", "X-RevDesk-Mock": header})
        connection.getresponse().read()
    connection.request("GET", "/v1/me", headers={"Authorization": f"Bearer {KEY}"})
    assert connection.getresponse().status == 200
    connection.close()


def in_world(server: Server, key: str, do: Callable[[World], object]) -> None:
    """Do something to a world in the loop that owns it."""

    async def run() -> None:
        do(server.emulator.world(key))

    server.submit(run()).result(5)


def test_a_dribble_comes_in_pieces_as_the_worlds_time_moves(server: Server) -> None:
    key = "revdesk_slow"
    in_world(server, key, lambda world: world.freeze())
    with connected(server) as line:
        line.sendall(request(key, 'X-RevDesk-Mock: {"fault": {"do": {"dribble": {"ms": 9000, "pieces": 3}}}}'))
        answered(server, key)
        head, body, end = heard(line, SILENCE)
        assert (body, end) == (b"", "silent")
        line.settimeout(5)
        pieces = []
        for _ in range(3):
            in_world(server, key, lambda world: world.advance(3))
            pieces.append(line.recv(65_536))
    assert all(pieces)
    assert is_json(b"".join(pieces))
    assert sum(map(len, pieces)) == promised(head)


@pytest.mark.parametrize("do", ["stall", {"stall": {"after": 5}}, {"dribble": {"ms": 9000, "pieces": 3}}], ids=str)
def test_a_client_that_gives_up_leaves_nothing_behind(server: Server, do: Any) -> None:
    key = f"revdesk_{''.join(filter(str.isalnum, str(do)))}"
    in_world(server, key, lambda world: world.freeze())
    with connected(server) as line:
        line.sendall(request(key, f"X-RevDesk-Mock: {json.dumps({'fault': {'do': do}})}"))
        answered(server, key)
        assert heard(line, SILENCE)[2] == "silent"

    async def end() -> int:
        running = set(server._uvicorn.server_state.tasks)
        return len((await asyncio.wait(running, timeout=5))[1]) if running else 0

    assert server.submit(end()).result(6) == 0


@pytest.mark.parametrize("do", ["stall", {"stall": {"after": 5}}, {"dribble": {"ms": 9000, "pieces": 3}}], ids=str)
def test_what_fails_slowly_ends_when_the_server_stops(do: Any) -> None:
    with Server(Emulator(Settings(clock="frozen"), SPEC)) as server, connected(server) as line:
        line.sendall(request(KEY, f"X-RevDesk-Mock: {json.dumps({'fault': {'do': do}})}"))
        answered(server, KEY)
        assert heard(line, SILENCE)[2] == "silent"
        server.stop()
        assert heard(line)[2] == "closed"


def test_a_stall_ends_after_ten_minutes_of_the_worlds_time(server: Server) -> None:
    key = "revdesk_stalled"
    in_world(server, key, lambda world: world.freeze())
    with connected(server) as line:
        line.sendall(request(key, 'X-RevDesk-Mock: {"fault": {"do": "stall"}}'))
        answered(server, key)
        assert heard(line, SILENCE)[2] == "silent"
        in_world(server, key, lambda world: world.advance(600))
        assert heard(line) == (b"", b"", "closed")
