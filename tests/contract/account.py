"""Accounts in which requests can succeed: a fresh world for each, with the record that an operation asks for."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from revdesk_mock import Emulator, Policies, Settings, dumps
from revdesk_mock.resources import branded_calling
from revdesk_mock.settings import shipped
from tests.conftest import KEY, SPEC, Client
from tests.test_resources import MADE, enterprise_of, signed_enterprise_of, submitted_enterprise_of

NOBODY = "nobody"  # an id that no record has


def watched_enterprise_of(client: Client) -> str:
    """Register, and let the carrier approve of it and of its reputation."""
    record = signed_enterprise_of(client)
    client.advance(60)
    return record


def complete_brand_of(client: Client) -> str:
    record = enterprise_of(client)
    client("PUT", "/v1/caller-trust/brand", {"display_name": "Harbor Dental", "call_reason": "Your appointment"})
    world = client.world
    with world.store.transaction():
        brand = branded_calling.needed(world, world.key)
        branded_calling.edit(world, brand, logo_url="https://harbor-dental.example/logo.png")
    return record


# What makes the record that is asked for: by the operation, or else by the path that shows it.
KINDS: Mapping[str, Callable[[Client], str]] = {
    **MADE,
    "v1_caller_trust_enterprise_delete": enterprise_of,
    "v1_caller_trust_enterprise_generate_loa_post": submitted_enterprise_of,
    "v1_caller_trust_enterprise_resign_post": signed_enterprise_of,
    "v1_caller_trust_reputation_post": signed_enterprise_of,
    "v1_caller_trust_reputation_patch": watched_enterprise_of,
    "v1_caller_trust_reputation_delete": watched_enterprise_of,
    "v1_caller_trust_brand_put": enterprise_of,
    "v1_caller_trust_brand_submit_post": complete_brand_of,
}


def kind_of(name: str) -> str | None:
    """Return the kind of record that an operation asks for."""
    path = SPEC.operations[name].path
    return name if name in KINDS else max(filter(path.startswith, KINDS), key=len, default=None)


def opened(kind: str | None) -> Client:
    """Return a client in a fresh world that has a record of a kind."""
    return _opened(_account(kind)[0])


def record_of(kind: str | None) -> str:
    """Return the id of that record: the same in every such world."""
    return _account(kind)[1]


@cache
def emulator() -> Emulator:
    """Return the emulator of these tests: a standing clock, and no limit that many requests would reach."""
    policies = Policies(concurrency_cap=None, daily_spend_cap_cents=None, calls_per_minute=None)
    return Emulator(Settings(seed="test", clock="frozen", rate_limit="off", policies=policies), SPEC)


@cache
def _account(kind: str | None) -> tuple[Any, str]:
    client = _opened(dumps.load(shipped("fixtures/default.json")))
    record = NOBODY if kind is None else KINDS[kind](client)
    return client.world.dump(), record


def _opened(dump: Any) -> Client:
    # In place of the world that the key has: a night's worlds would not fit into memory side by side.
    made = emulator()
    made._open(made.admit(KEY)[1], dump)
    return Client(made)
