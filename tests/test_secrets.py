"""No key and no token is told to anybody but who asked for it: not in events, journal, metrics, worlds or logs."""

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from revdesk_mock import Emulator, Settings, timeline
from revdesk_mock.request_log import RequestLog
from revdesk_mock.server import Server
from tests.admin.test_events import Listener
from tests.conftest import AGENT, MAIN, ORDINARY, SPEC
from tests.test_app import ask

ADMIN_TOKEN = "revdesk_admin_0123456789abcdef"
OWN_KEY = "a-key-without-any-mark"
PAIR = {"from_number": MAIN, "to_number": ORDINARY}
CONNECT = "+17035550155"


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def server(log: io.StringIO) -> Iterator[Server]:
    emulator = Emulator(Settings(seed="secrets", clock="frozen", rate_limit="off"), SPEC)
    emulator.journal.on_entry(RequestLog(log, "debug", as_json=False, colour=False).add)
    with Server(emulator, admin_token=ADMIN_TOKEN) as running:
        yield running


class Session:
    """Asks in the name of a key, and notes every secret that comes back."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.secrets = [ADMIN_TOKEN, OWN_KEY]
        self.key = OWN_KEY

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {key or self.key}", "X_RevDesk_Mock_Token": ADMIN_TOKEN}
        return ask(self.server, method, path, body, **headers).body

    def mint(self, path: str, body: Any = None) -> str:
        """Ask for a secret, under its own name in the answer."""
        answer = self.ask("POST", path, body)
        found = answer.get("data", answer)
        secret = str(found.get("key") or found["token"])
        self.secrets.append(secret)
        return secret


def mint_everything(session: Session) -> None:
    """Mint a secret of every kind: keys, client, calling and room tokens, and those of guests and legs."""
    session.mint("/_revdesk/worlds", {"demo": True})
    session.mint("/_revdesk/worlds", {"kind": "user"})
    session.key = session.mint("/_revdesk/keys", {"owner": "organization"})
    session.mint("/v1/client-tokens", {"from_numbers": [MAIN], "scopes": ["calls:read"]})
    session.mint("/v1/webrtc-token", PAIR)
    session.mint("/v1/room-token", PAIR)
    session.mint(f"/v1/agents/{AGENT}/web-call")
    calls = session.server.emulator.world(session.key).store.all("calls")
    session.mint(f"/_revdesk/calls/{calls[-1]['id']}/guests", {"identity": "ann"})
    bridge = session.ask("POST", "/v1/calls/dial", {**PAIR, "connect_number": CONNECT})["data"]["call_id"]
    session.mint(f"/_revdesk/calls/{bridge}/legs/connect/token")


def misuse_everything(session: Session) -> None:
    """Send every secret where none belongs: in a path, a query, a body, as a bearer, and to a room's door."""
    for secret in session.secrets:
        if secret != OWN_KEY:  # without a mark, it can be told from other texts as a bearer alone
            session.ask("GET", f"/v1/calls/{secret}?cursor={secret}")
            session.ask("POST", "/v1/calls/dial", {"from_number": secret, "to_number": [secret]})
        session.ask("GET", f"/v1/agents/{secret}", key=secret)
        session.ask("POST", "/rtc/offer", {"sdp": "v=0"}, key=secret)
        ask(session.server, "GET", "/_revdesk/worlds", X_RevDesk_Mock_Token=f"{secret}x")


def what_is_told(session: Session) -> Iterator[tuple[str, str]]:
    """Yield (where, text) for whatever tells of what happened."""
    emulator = session.server.emulator
    for world in emulator.worlds():
        yield "timeline", json.dumps([timeline.describe(event) for event in world.timeline.events()])
        yield "journal", repr(world.journal.entries())
    yield "journal of all", repr(emulator.journal.entries())
    for entry in emulator.journal.entries():
        yield "explanation", json.dumps(session.ask("GET", f"/_revdesk/explain/{entry.request_id}"))
    paths = (
        "worlds tokens policies rooms metrics health timeline requests requests.har audit coverage bill faults".split()
    )
    for path in paths:
        headers = {"Authorization": f"Bearer {session.key}", "X_RevDesk_Mock_Token": ADMIN_TOKEN}
        yield path, ask(session.server, "GET", f"/_revdesk/{path}", **headers).raw.decode()
    yield "export", json.dumps(emulator.dump())


def test_no_secret_is_told_to_anybody_but_who_asked_for_it(
    server: Server, log: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session = Session(server)
    streamed: list[str] = []
    with Listener(server, **{"X-RevDesk-Mock-Token": ADMIN_TOKEN}) as listener:
        reading = threading.Thread(target=lambda: streamed.extend(iter(lambda: listener.next().get("data", ""), "")))
        reading.start()
        mint_everything(session)
        misuse_everything(session)
        told = list(what_is_told(session))
        server.stop()
        reading.join()
    told += [("log", log.getvalue()), ("logging", caplog.text), ("stream", "\n".join(streamed))]
    assert len({secret for secret in session.secrets if secret}) == 11
    assert {where for where, text in told if not text} <= {"logging"}
    leaks = {(where, secret) for where, text in told for secret in session.secrets if secret in text}
    assert leaks == set()
