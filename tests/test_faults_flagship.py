"""What faults are for: a call is placed and its reply lost; whether the retry dials again is up to the client."""

from collections.abc import Iterator

import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.server import Server
from tests.conftest import MAIN, ORDINARY, SPEC
from tests.test_app import Reply, ask

DIAL = {"from_number": MAIN, "to_number": ORDINARY}
LOST_REPLY = {"on": "POST /v1/calls/dial", "do": "reset", "phase": "after_commit"}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="flagship", clock="frozen"), SPEC)) as running:
        yield running


def dial(server: Server, keys: list[str]) -> Reply:
    """Be a client that tries again when its connection breaks, with one of these idempotency keys after the other."""
    for key in keys:
        try:
            return ask(server, "POST", "/v1/calls/dial", DIAL, Idempotency_Key=key)
        except ConnectionResetError:
            continue
    pytest.fail("it gave up")


@pytest.mark.parametrize(("keys", "dialed"), [(["same", "same"], 1), (["one", "another"], 2)], ids=["same", "fresh"])
def test_a_retry_after_a_lost_reply_dials_once_with_the_same_key_and_twice_with_a_fresh_one(
    server: Server, keys: list[str], dialed: int
) -> None:
    ask(server, "POST", "/_revdesk/faults", LOST_REPLY)
    reply = dial(server, keys)
    assert reply.headers.get("idempotency-replay") == ("true" if dialed == 1 else None)
    calls = [call for call in ask(server, "GET", "/v1/calls").body["data"] if call["to_number"] == ORDINARY]
    assert len(calls) == dialed
    assert reply.body["data"]["call_id"] in [call["id"] for call in calls]
    [row] = ask(server, "GET", "/_revdesk/faults").body
    assert (row["fired"], row["spent"]) == (1, True)
