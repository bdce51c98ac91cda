"""Rules are read whole: what can do something is taken, what never could is refused with what was meant."""

from typing import Any

import pytest

from revdesk_mock import StartError
from revdesk_mock.faults.effects import EFFECTS
from revdesk_mock.faults.failures import PHASES
from revdesk_mock.faults.recipes import RECIPES
from revdesk_mock.faults.rules import MEMBERS, read, read_all, read_failure
from tests.conftest import ORDINARY, SPEC

DIAL = "POST /v1/calls/dial"

# A rule, and words of its refusal.
REFUSED: list[tuple[Any, str]] = [
    ([], "a rule is an object"),
    ("reset", "a rule is an object"),
    ({"do": "reset", "body": {"record": {1}}}, "a rule is JSON: Type is not JSON serializable: set"),
    ({}, "do: it is missing"),
    ({"on": DIAL}, "do: it is missing"),
    ({"do": "reset", "frist": 2}, "has no 'frist'; did you mean 'first'?"),
    # which
    ({"on": "POST /v1/call/dial", "do": "reset"}, "no operation of the contract; did you mean '/v1/calls/dial'?"),
    ({"on": "DELETE /v1/calls/dial", "do": "reset"}, "leads to no operation of the contract; POST does"),
    ({"on": "GET /v1/calls/dial", "do": "reset"}, "leads to no operation of the contract; POST does"),
    ({"on": "/v2/*", "do": "reset"}, "on: /v2/* leads to no operation"),
    ({"on": "v1_calls_dail_post", "do": "reset"}, "did you mean 'v1_calls_dial_post'?"),
    ({"on": [DIAL, "POST /v1/nowhere"], "do": "reset"}, "on: POST /v1/nowhere"),
    ({"on": [], "do": "reset"}, "on: it takes an operation"),
    ({"on": 5, "do": "reset"}, "on: it takes an operation"),
    ({"on": [5], "do": "reset"}, "on: it takes an operation"),
    ({"on": DIAL, "method": "POST", "do": "reset"}, "on: it says the same as method"),
    ({"operation": "v1_calls", "do": "reset"}, "operation: no operation 'v1_calls'"),
    ({"operation": "v1_me_get", "method": "POST", "do": "reset"}, "operation: v1_me_get POST leads to no operation"),
    ({"operation": "v1_me_get", "path": "/v1/calls", "do": "reset"}, "path: v1_me_get /v1/calls leads to no operation"),
    ({"method": "PSOT", "do": "reset"}, "method: 'PSOT' is none of GET, POST"),
    ({"method": 5, "do": "reset"}, "method: it takes a text"),
    ({"path": "/v1/calls/x/y/z", "do": "reset"}, "path: /v1/calls/x/y/z leads to no operation"),
    ({"headers": ["user-agent"], "do": "reset"}, "headers: it takes an object"),
    ({"headers": {"user-agent": 5}, "do": "reset"}, "headers: it takes an object of texts"),
    ({"headers": {"Authorization": "Bearer x"}, "do": "reset"}, "headers: authorization is a secret"),
    ({"headers": {"x-key": "revdesk_0123456789"}, "do": "reset"}, "a rule holds no key and no token"),
    ({"body": "x", "do": "reset"}, "body: it takes an object"),
    ({"on": "GET /v1/me", "body": {"x": 1}, "do": "reset"}, "body: what the rule means takes no body"),
    ({"on": DIAL, "body": {"to_numbr": ORDINARY}, "do": "reset"}, "field 'to_numbr'; did you mean 'to_number'?"),
    ({"body": {"to_number": ORDINARY, "legal_name": "x"}, "do": "reset"}, "no operation has all of"),
    ({"on": DIAL, "body": {"to_number": 5}, "do": "reset"}, "body: to_number can never be 5"),
    ({"on": DIAL, "body": {"record": "yes"}, "do": "reset"}, "body: record can never be 'yes'"),
    # when
    ({"do": "reset", "nth": 0}, "nth: it takes a whole number from 1"),
    ({"do": "reset", "first": -1}, "first: it takes a whole number from 1"),
    ({"do": "reset", "every": 1.5}, "every: it takes a whole number from 1"),
    ({"do": "reset", "nth": True}, "nth: it takes a whole number from 1"),
    ({"do": "reset", "probability": 0}, "probability: it takes a number over 0 up to 1"),
    ({"do": "reset", "probability": 1.1}, "probability: it takes a number over 0 up to 1"),
    ({"do": "reset", "probability": "often"}, "probability: it takes a number over 0 up to 1"),
    ({"do": "reset", "nth": 2, "every": 3}, "every: a rule counts one way, and has nth already"),
    # what
    ({"do": "rest"}, "do: there is no 'rest'; did you mean 'reset'?"),
    ({"do": 5}, "do: it takes a name"),
    ({"do": {}}, "do: it takes a name"),
    ({"do": {"reset": {}}}, "do: reset takes no options"),
    ({"do": {"cut": {"after": 1}, "dribble": {}}}, "do: it takes a name"),
    ({"do": "status"}, "do: status takes an object"),
    ({"do": {"status": 200}}, "do: status takes a whole number from 400 to 599"),
    ({"do": {"status": True}}, "do: status takes a whole number from 400 to 599"),
    ({"do": {"status": 418}}, "no code goes with the status 418"),
    ({"do": {"status": 503, "code": "unavailble"}}, "did you mean 'unavailable'?"),
    ({"do": {"status": 503, "code": 5}}, "do: there is no code 5"),
    ({"do": {"status": 503, "message": ""}}, "do: message takes a text"),
    ({"do": {"status": 503, "retry_after": -1}}, "do: retry_after takes a whole number from 0"),
    ({"do": {"status": 503, "retry-after": 1}}, "did you mean 'retry_after'?"),
    ({"do": "delay_ms"}, "do: delay_ms takes 250"),
    ({"do": {"delay_ms": -1}}, "do: delay_ms takes a whole number from 0"),
    ({"do": {"delay_ms": 600_001}}, "do: delay_ms takes a whole number from 0 to 600000"),
    ({"do": {"delay_ms": {"uniform": [900, 100]}}}, "do: uniform takes a whole number from 900"),
    ({"do": {"delay_ms": {"uniform": [900]}}}, "do: delay_ms takes 250"),
    ({"do": {"delay_ms": {"log_normal": {"median": 0, "sigma": 1}}}}, "do: log_normal takes a median over 0"),
    ({"do": {"delay_ms": {"log_normal": {"median": 9, "sigma": 6}}}}, "do: log_normal takes a median over 0"),
    ({"do": {"delay_ms": {"normal": 5}}}, "do: delay_ms takes 250"),
    ({"do": "rate_limit"}, "do: rate_limit takes an object"),
    ({"do": {"rate_limit": {"seconds": 0}}}, "do: rate_limit.seconds takes a whole number from 1"),
    ({"do": "cut"}, "do: cut takes an object"),
    ({"do": {"cut": {}}}, "do: cut.after takes a whole number"),
    ({"do": {"stall": {"before": 1}}}, "do: stall has no 'before'"),
    ({"do": {"dribble": {"ms": 100, "pieces": 1}}}, "do: dribble.pieces takes a whole number from 2"),
    ({"do": {"dribble": {"pieces": 10}}}, "do: dribble.ms takes a whole number"),
    ({"do": "reset", "phase": "after"}, "phase: 'after' is none of before_auth"),
    ({"do": "reset", "phase": "aftercommit"}, "did you mean 'after_commit'?"),
    ({"do": "reset", "phase": 5}, "phase: 5 is none of"),
]  # fmt: skip

TAKEN: list[Any] = [
    {"do": "reset"},
    {"on": "*", "do": "reset"},
    {"on": DIAL, "do": "reset", "phase": "after_commit"},
    {"on": "post /v1/calls/dial", "do": "reset"},
    {"on": "/v1/calls/*", "do": "empty", "nth": 3},
    {"on": ["v1_me_get", "/v1/calls"], "do": "stall", "every": 1},
    {"operation": "v1_calls_dial_post", "do": {"status": 503}, "probability": 1},
    {"method": "POST", "path": "/v1/calls/{call_id}/hangup", "do": {"delay_ms": 5}},
    {"path": "/v1/calls/call_1", "do": {"cut": {"after": 0}}},
    {"on": DIAL, "headers": {"User-Agent": "*"}, "body": {"to_number": "*", "record": True}, "do": "reset"},
    {"on": "POST /v1/client-tokens", "body": {"from_numbers.0": ORDINARY}, "do": "reset"},
    {"body": {"organization_address.city": "San Francisco"}, "do": "reset"},
    {"body": {"organization_address": {"city": "San Francisco"}}, "do": "reset"},
    {"do": {"status": 418, "code": "unavailable"}},
    {"do": {"delay_ms": {"uniform": [5, 5]}}},
]


@pytest.mark.parametrize(("order", "words"), REFUSED, ids=[str(order) for order, _ in REFUSED])
def test_a_rule_that_can_never_do_anything_is_refused_in_plain_words(order: Any, words: str) -> None:
    with pytest.raises(StartError) as refusal:
        read(order, SPEC)
    assert words in str(refusal.value)


@pytest.mark.parametrize("order", TAKEN, ids=str)
def test_a_rule_is_kept_as_it_was_written(order: Any) -> None:
    assert read(order, SPEC).written == order


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_goes_with_the_phases_of_its_table_and_no_others(name: str, phase: str) -> None:
    kind = EFFECTS[name]
    order = {"do": "stall" if name == "stall" else kind.example, "phase": phase}
    if phase in kind.phases:
        assert read(order, SPEC).failure.phase == phase
    else:
        with pytest.raises(StartError, match=f"phase: {name} makes no sense in {phase}; it goes with {kind.phases[0]}"):
            read(order, SPEC)


def test_a_stall_in_mid_body_goes_with_the_body_alone() -> None:
    assert read({"do": {"stall": {"after": 9}}}, SPEC).failure.phase == "body"
    with pytest.raises(StartError, match="it goes with body"):
        read({"do": {"stall": {"after": 9}}, "phase": "after_commit"}, SPEC)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_name_for_its_rules(name: str) -> None:
    assert [rule.written for rule in read_all([name], SPEC)] == list(RECIPES[name].rules)


def test_of_a_list_the_bad_one_is_named_by_its_place() -> None:
    with pytest.raises(StartError, match=r"^2: do: there is no 'rest'"):
        read_all([{"do": "reset"}, {"do": "rest"}], SPEC)
    with pytest.raises(StartError, match=r"^2: there is no recipe 'lost-replay'; did you mean 'lost-reply'\?"):
        read_all([{"do": "reset"}, "lost-replay"], SPEC)
    for wrong in ("lost-reply", {"do": "reset"}, None):
        with pytest.raises(StartError, match="a list of rules"):
            read_all(wrong, SPEC)


def test_the_fault_of_one_request_says_what_and_when_alone() -> None:
    assert read_failure({"do": "empty", "phase": "before_auth"}).says == "before_auth: empty"
    for member in MEMBERS.keys() - {"do", "phase"}:
        with pytest.raises(StartError, match=f"one request's fault has no '{member}'"):
            read_failure({"do": "empty", member: 1})


def test_a_rule_is_a_copy_as_json_of_what_was_given() -> None:
    order = {"on": ("GET /v1/me",), "do": "reset"}
    rule = read(order, SPEC)
    order["do"] = "empty"
    assert rule.written == {"on": ["GET /v1/me"], "do": "reset"}
