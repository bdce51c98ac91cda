"""The state machine finds its way through an account by the ids that it is answered, and judges every answer."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, invariant, rule, run_state_machine_as_test

from revdesk_mock import Emulator, Settings
from revdesk_mock.testing.links import Id
from revdesk_mock.testing.machine import ContractMachine, ids, ids_for
from revdesk_mock.testing.samples import SampleRequest
from revdesk_mock.testing.strategies import requests
from revdesk_mock.testing.wire import Answer, Send, in_process
from tests.conftest import KEY, SPEC

BRIEF = settings(
    max_examples=max(5, settings().max_examples // 2),
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def emulator() -> Emulator:
    return Emulator(Settings(seed="machine", clock="frozen", rate_limit="off"), SPEC)


def run(machine: Any, steps: int = 20) -> None:
    run_state_machine_as_test(machine, settings=settings(BRIEF, stateful_step_count=steps))


def test_a_life_of_an_account_is_answered_by_the_contract_and_goes_on_with_real_ids() -> None:
    answered: Counter[tuple[str, int]] = Counter()

    class Life(ContractMachine):
        def __init__(self) -> None:
            self.emulator = emulator()
            super().__init__(in_process(self.emulator), KEY)

        def ask(self, request: SampleRequest) -> Answer:
            answer = super().ask(request)
            answered[request.operation, answer.status] += 1
            return answer

        @rule(seconds=st.integers(0, 3600))
        def wait(self, seconds: int) -> None:
            self.emulator.world(KEY).advance(seconds)

        @invariant()
        def nothing_broke(self) -> None:
            assert self.emulator.pipeline.breaches == []

    run(Life)
    by_id = {name for name, status in answered if status == 200 and "{" in SPEC.operations[name].path}
    assert len(by_id) >= 10
    assert {status for _, status in answered} >= {200, 400, 404}


def test_a_rule_of_ones_own_gets_ids_of_its_kind_and_gives_others() -> None:
    hung_up: list[str] = []

    class Calls(ContractMachine):
        def __init__(self) -> None:
            super().__init__(in_process(emulator()), KEY, operations=["GET /v1/calls"], kinds=["valid"])

        @rule(target=ids, request=requests("v1_calls_dial_post"))
        def dial(self, request: SampleRequest) -> MultipleResults[Id]:
            return self.ids_in(request, self.ask(request))

        @rule(call=ids_for("v1_calls_id_hangup_post"))
        def hang_up(self, call: str) -> None:
            request = SampleRequest("v1_calls_id_hangup_post", "POST", f"/v1/calls/{call}/hangup")
            assert orjson.loads(self.ask(request).body)["data"]["call_id"] == call
            hung_up.append(call)

    run(Calls)
    assert any(call.startswith("call_") for call in hung_up)


def test_a_wrong_answer_is_found_and_told_with_the_way_to_it() -> None:
    class Broken(ContractMachine):
        def __init__(self) -> None:
            super().__init__(forgetful(in_process(emulator())), KEY, operations=["v1_agents_get", "v1_agents_id_get"])

    with pytest.raises(AssertionError, match=r"/data/name is required \(got nothing\)\ncurl -i -X GET") as failure:
        run(Broken, steps=3)
    printed = "\n".join(failure.value.__notes__)
    assert "read_lists" in printed
    assert "ask_about_an_id" in printed
    assert '"$REVDESK_API_URL"/v1/agents/' in printed


def forgetful(sound: Send) -> Send:
    """Return the way to a server that leaves an agent's name out where one agent is asked for."""

    def send(method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        answer = sound(method, target, body, headers)
        if answer.status == 200 and target.startswith("/v1/agents/"):
            changed = orjson.loads(answer.body)
            del changed["data"]["name"]
            return answer._replace(body=orjson.dumps(changed))
        return answer

    return send


def test_an_unknown_operation_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="did you mean 'v1_calls_get'"):
        ContractMachine(in_process(emulator()), KEY, operations=["v1_cals_get"])
