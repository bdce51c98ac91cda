"""Worlds do not touch: what 20 of them answer among one another is what each answers alone, to the byte."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revdesk_mock import Emulator, Policies, Settings
from tests.conftest import SPEC, Client
from tests.contract.asks import Ask, asks

WORLDS, STEPS, RUNS = 20, 100, 100  # 10,000 operations
REQUEST_ID = re.compile(rb"req_[0-9a-f]{24}")  # the emulator's, not a world's

# Where the records are that a path names.
COLLECTIONS: Mapping[str, str] = {
    "/v1/agents/": "agents",
    "/v1/calls/": "calls",
    "/v1/caller-ids/": "caller_ids",
    "/v1/caller-trust/documents/": "documents",
    "/v1/phone-numbers/": "phone_numbers",
    "/v1/sub-entities/": "sub_entities",
    "/v1/usage/": "phone_numbers",
}


class Step(NamedTuple):
    """One thing that is done in one world: a request, or (None) some seconds that pass."""

    world: int
    which: int  # of the records that a path can name, or seconds
    ask: Ask | None = None
    key: str | None = None


worlds = st.integers(0, WORLDS - 1)
keys = st.sampled_from([None, None, "first", "second"])
waits = st.tuples(worlds, st.integers(1, 90_000))
requests = [st.tuples(worlds, st.integers(0, 9), asks(name), keys) for name in SPEC.operations]
steps = st.one_of(waits, *requests).map(lambda parts: Step(*parts))


def target_of(client: Client, ask: Ask, which: int) -> str:
    path = SPEC.operations[ask.operation].path
    start, parameter, rest = path.partition("{")
    if parameter:
        collection = next((name for prefix, name in COLLECTIONS.items() if start.startswith(prefix)), "")
        records = client.world.store.all(collection)
        path = start + (str(records[which % len(records)]["id"]) if records else "none") + rest.partition("}")[2]
    return ask._replace(path=path).target


async def lived(steps: Sequence[Step]) -> tuple[dict[int, list[bytes]], dict[int, Any]]:
    """Do all steps in an emulator; return what each world answered, and what it is in the end."""
    policies = Policies(concurrency_cap=None, daily_spend_cap_cents=None, calls_per_minute=None)
    emulator = Emulator(Settings(seed="isolation", clock="frozen", rate_limit="off", policies=policies), SPEC)
    clients = {step.world: Client(emulator, f"revdesk_world_{step.world}") for step in steps}
    answers: dict[int, list[bytes]] = {world: [] for world in clients}
    for step in steps:
        client = clients[step.world]
        if step.ask is None:
            client.advance(step.which)
            continue
        target = target_of(client, step.ask, step.which)
        answer = await client.send(step.ask.method, target, step.ask.body, idempotency_key=step.key)
        answers[step.world].append(REQUEST_ID.sub(b"", answer.raw + repr(answer.headers).encode()))
    assert emulator.pipeline.breaches == []
    return answers, {world: client.world.dump() for world, client in clients.items()}


async def compare(steps: Sequence[Step]) -> None:
    answers, dumps = await lived(steps)
    for world in answers:
        alone, dump = await lived([step for step in steps if step.world == world])
        assert answers[world] == alone[world]
        assert dumps[world] == dump[world]


@pytest.mark.timeout(300)
@settings(max_examples=RUNS)
@given(st.lists(steps, min_size=STEPS, max_size=STEPS))
def test_ten_thousand_operations_over_twenty_worlds_leak_nothing(steps: list[Step]) -> None:
    asyncio.run(compare(steps))
