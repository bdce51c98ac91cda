"""Every write can succeed; under one idempotency key it does so once: repeated it is replayed, changed it conflicts."""

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from tests.contract.asks import OPERATIONS, asks

every_write = pytest.mark.parametrize("name", [name for name, made in OPERATIONS.items() if made.method != "GET"])
KEY = "8b2f6f5e-0d0c-4c1e-9a55-6f3f1d8f7a10"
FIRST = settings(max_examples=500, derandomize=True, database=None, phases=[Phase.generate])


@every_write
@settings(max_examples=settings().max_examples // 5)
@given(data=st.data())
def test_a_repeated_success_is_replayed_byte_for_byte_and_writes_nothing(name: str, data: st.DataObject) -> None:
    ask = data.draw(asks(name))
    client = ask.client()
    first = ask.send(client, idempotency_key=KEY)
    written = client.world.dump()
    again = ask.send(client, idempotency_key=KEY)
    assert "idempotency-replay" not in first.headers
    assert again.headers.get("idempotency-replay") == ("true" if first.status < 300 else None)
    assert (again.status, again.raw) == (first.status, first.raw)
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert client.world.dump()["records"] == written["records"]


@every_write
def test_another_body_under_the_key_of_a_success_is_a_conflict_that_names_it(name: str) -> None:
    ask = find(asks(name), lambda ask: ask.send(ask.client()).status < 300, settings=FIRST)
    client = ask.client()
    first = ask.send(client, idempotency_key=KEY)
    written = client.world.dump()
    changed = ask._replace(body={**(ask.body or {}), "another": True})
    other = changed.send(client, idempotency_key=KEY)
    assert (other.status, other.code) == (409, "idempotency_conflict")
    assert other.fields == {"conflicts_with": first.headers["x-request-id"]}
    assert client.world.dump() == written
