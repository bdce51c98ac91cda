"""An account in which valid requests can succeed: known-good values, a record of each kind, a fresh world each time."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from revdesk_mock import Emulator, Policies, Settings, dumps
from revdesk_mock.ids import encode_cursor
from revdesk_mock.settings import shipped
from revdesk_mock.spec import Spec
from tests.conftest import AGENT, KEY, MAIN, NEWER_AGENT, ORDINARY, RECALL, VERIFIED, Client
from tests.contract.judge import DOCUMENT
from tests.test_resources import MADE

KINDS = (None, *MADE)  # of records that an account can have beside those of the fixture
NOBODY = "nobody"  # an id that no record has
# Values that are more than well-formed, by the name of the field that takes them.
KNOWN: Mapping[str, Sequence[Any]] = {
    "agent_id": [AGENT, NEWER_AGENT],
    "area_code": ["312"],
    "assistantId": [AGENT, NEWER_AGENT],
    "cursor": [encode_cursor(2)],
    "file_base64": ["JVBERi0xLjcK"],
    "filename": ["letter.pdf"],
    "from": [MAIN, RECALL],
    "from_number": [MAIN, RECALL, VERIFIED],
    "from_numbers": [[MAIN], [RECALL, MAIN]],
    "phoneNumber": [ORDINARY],
    "phone_number": ["+13125550143"],
    "to": [ORDINARY],
    "to_number": [ORDINARY],
    "to_numbers": [[ORDINARY]],
    "verification_code": ["000000"],
}


@cache
def emulator() -> Emulator:
    """Return the emulator of these tests: a standing clock, and no limit that many requests would reach."""
    policies = Policies(concurrency_cap=None, daily_spend_cap_cents=None, calls_per_minute=None)
    return Emulator(Settings(seed="test", clock="frozen", rate_limit="off", policies=policies), Spec(DOCUMENT))


def opened(kind: str | None) -> Client:
    """Return a client in a fresh world that has a record of a kind."""
    return _opened(_account(kind)[0])


def record_of(kind: str | None) -> str:
    """Return the id of that record: the same in every such world."""
    return _account(kind)[1]


def kind_of(path: str) -> str | None:
    """Return the kind of record that a path is about."""
    return max((kind for kind in MADE if path.startswith(kind)), key=len, default=None)


@cache
def _account(kind: str | None) -> tuple[Any, str]:
    client = _opened(dumps.load(shipped("fixtures/default.json")))
    record = NOBODY if kind is None else MADE[kind](client)
    return client.world.dump(), record


def _opened(dump: Any) -> Client:
    # In place of the world that the key has: a night's worlds would not fit into memory side by side.
    made = emulator()
    made._open(made.world(KEY).key, dump)
    return Client(made)
