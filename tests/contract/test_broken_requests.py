"""What the schemas do not admit is refused with 400, the one field at fault is named, and nothing is written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.asks import faults

FAULTS = faults()


@pytest.mark.parametrize("fault", FAULTS)
@settings(max_examples=max(2, settings().max_examples // 20))
@given(data=st.data())
def test_a_request_with_one_fault_is_refused_for_that_alone(fault: str, data: st.DataObject) -> None:
    ask = data.draw(FAULTS[fault].asks)
    client = ask.client()
    before = client.world.dump()
    answer = ask.send(client)
    assert (answer.status, answer.code, list(answer.fields)) == (400, "validation_error", [FAULTS[fault].field])
    assert client.world.dump() == before
