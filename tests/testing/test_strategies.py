"""What the strategies draw is what they say: requests by kind, answers that the contract admits, numbers, calls."""

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from revdesk_mock.audit.bodies import RINGS
from revdesk_mock.curl import KEY
from revdesk_mock.e164 import is_e164, is_fictional
from revdesk_mock.spec import Operation
from revdesk_mock.testing import queries
from revdesk_mock.testing.samples import RequestKind, SampleRequest, Trait
from revdesk_mock.testing.strategies import calls, operation_of, phone_numbers, requests, responses
from revdesk_mock.validation import Schema, Validation
from tests.conftest import AGENT, MAIN, SPEC
from tests.contract import judge

every_operation = pytest.mark.parametrize("name", SPEC.operations)
FILLED = [name for name, operation in SPEC.operations.items() if operation.request or operation.query]
few = settings(max_examples=max(2, settings().max_examples // 5))
FIRST = settings(max_examples=2000, derandomize=True, database=None, phases=[Phase.generate])
DIAL = "v1_calls_dial_post"


def failures(request: SampleRequest) -> set[str]:
    """Return the places at which a request breaks the contract: read by the schemas alone."""
    operation = SPEC.operations[request.operation]
    found = set()
    for part, schema, instance in (
        ("query", queries.schema_of(operation), typed(operation, request.query)),
        ("body", operation.request, request.json),
    ):
        if schema is not None and (part == "query" or request.body or operation.body_required):
            errors = Schema(schema).failures(instance)
            found |= {f"{part} {'.'.join(map(str, error.absolute_path))}".strip() for error in errors}
    return found


def typed(operation: Operation, query: Mapping[str, str]) -> dict[str, Any]:
    kinds = {name: schema.get("type") for name, schema in operation.query.items()}
    return {
        name: int(text) if kinds[name] == "integer" and text.lstrip("-").isdecimal() else text
        for name, text in query.items()
    }


@every_operation
@few
@given(data=st.data())
def test_a_valid_request_fits_the_contract(name: str, data: st.DataObject) -> None:
    kinds: list[RequestKind] = ["valid", "boundary"]
    kind = data.draw(st.sampled_from(kinds))
    request = data.draw(requests(name, kind=kind))
    assert failures(request) == set()
    match = SPEC.match(request.method, request.path)
    assert match.operation is not None
    assert match.operation.id == request.operation == name
    assert (kind == "boundary" and name in FILLED) == (request.trait is not None)
    assert request.fault is None


@pytest.mark.parametrize("name", FILLED)
@few
@given(data=st.data())
def test_an_invalid_request_breaks_the_contract_in_the_part_and_field_that_it_names(
    name: str, data: st.DataObject
) -> None:
    request = data.draw(requests(name, kind="invalid"))
    assert request.fault is not None
    places = failures(request)
    assert places
    assert all(place.startswith(request.fault.part) for place in places)
    assert all(request.fault.field.startswith(place.partition(" ")[2]) for place in places)


@every_operation
@few
@given(data=st.data())
def test_every_answer_that_is_drawn_is_one_that_the_contract_admits(name: str, data: st.DataObject) -> None:
    status = data.draw(st.sampled_from([None, *SPEC.operations[name].responses]))
    answer = data.draw(responses(name, status, kind=data.draw(st.sampled_from(["valid", "unexpected"]))))
    assert answer.status == (200 if status is None else status)
    pointer = f"{judge.OPERATIONS[name][0]}/responses/{answer.status}/content/application~1json/schema"
    judge._validator(pointer).validate(answer.json)


@pytest.mark.parametrize(
    ("operation", "status", "trait", "holds"),
    [
        ("v1_calls_get", None, Trait("body", "data", "the fewest"), lambda body: body["data"] == []),
        ("v1_calls_get", None, Trait("body", "data", "the most"), lambda body: len(body["data"]) == 250),
        ("v1_calls_get", None, Trait("body", "meta.cursor", "left out"), lambda body: "cursor" not in body["meta"]),
        (
            "v1_calls_id_get",
            None,
            Trait("body", "data.ended_at", "null"),
            lambda body: body["data"]["ended_at"] is None,
        ),
        (
            "GET /v1/calls/{id}",
            None,
            Trait("body", "data.status", "a new word"),
            lambda body: body["data"]["status"] == "SOMETHING_NEW",
        ),
        (DIAL, 404, Trait("body", "error.unlisted", "not listed"), lambda body: "unlisted" in body["error"]),
    ],
)
def test_an_unexpected_answer_has_the_trait_that_it_names(
    operation: str, status: int | None, trait: Trait, holds: Any
) -> None:
    drawn = find(responses(operation, status, kind="unexpected"), lambda answer: answer.trait == trait, settings=FIRST)
    assert holds(drawn.json)
    assert drawn.headers == {"content-type": "application/json"}


@pytest.mark.parametrize("path", RINGS)
@pytest.mark.parametrize("kind", ["valid", "boundary", "invalid"])
@few
@given(data=st.data())
def test_no_number_that_a_request_rings_could_be_a_persons(path: str, kind: Any, data: st.DataObject) -> None:
    body = data.draw(requests(f"POST {path}", kind=kind)).json
    for number in (body.get(field) for field in RINGS[path]) if isinstance(body, dict) else ():
        assert not (isinstance(number, str) and is_e164(number)) or is_fictional(number)


@given(data=st.data())
def test_a_path_has_the_id_that_is_given_or_one_that_looks_like_it(data: st.DataObject) -> None:
    assert data.draw(requests("v1_agents_id_get", path={"id": AGENT})).path == f"/v1/agents/{AGENT}"
    assert data.draw(requests("v1_usage_phoneId_get", path={"phoneId": "a/b"})).path == "/v1/usage/a%2Fb"
    assert data.draw(requests("v1_phone_numbers_id_get")).path.rpartition("/")[2].isdecimal()
    assert data.draw(requests("v1_calls_id_get")).path.startswith("/v1/calls/call_")
    numbers = "v1_caller_trust_reputation_numbers_phone_get"
    assert data.draw(requests(numbers)).path.startswith("/v1/caller-trust/reputation/numbers/%2B1")
    assert len(data.draw(requests("v1_agents_id_web_call_post")).path) == len(f"/v1/agents/{AGENT}/web-call")


def test_examples_are_often_among_what_is_drawn() -> None:
    request = find(requests(DIAL, examples={"from_number": [MAIN]}), lambda made: made.json["from_number"] == MAIN)
    assert request.json == {"from_number": MAIN, "to_number": request.json["to_number"]}


def test_writes_come_with_and_without_a_key_for_their_repetition() -> None:
    assert "Idempotency-Key" in find(requests(DIAL), lambda made: "Idempotency-Key" in made.headers).headers
    assert find(requests(DIAL), lambda made: "Idempotency-Key" not in made.headers).json
    assert find(requests("v1_me_get"), lambda _: True).headers == {}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"operation": "v1_cals_get"}, "unknown operation 'v1_cals_get'; did you mean 'v1_calls_get'?"),
        ({"operation": "GET /v1/cals"}, "unknown operation 'GET /v1/cals'; did you mean 'GET /v1/calls'?"),
        (
            {"operation": DIAL, "kind": "invalit"},
            "kind cannot be 'invalit'; did you mean 'invalid'?; it is one of valid, boundary, invalid",
        ),
        (
            {"operation": "v1_me_get", "kind": "invalid"},
            "v1_me_get: a request without query and body cannot be broken",
        ),
        (
            {"operation": "v1_calls_id_get", "path": {"ids": "call_1"}},
            "the path /v1/calls/{id} has no parameter 'ids'; did you mean 'id'?",
        ),
        (
            {"operation": DIAL, "examples": {"from_numbr": [MAIN]}},
            f"{DIAL} has no field 'from_numbr' to give examples for; did you mean 'from_number'?",
        ),
        (
            {"operation": DIAL, "examples": {"from_number": ["415"]}},
            f"the field 'from_number' of {DIAL} cannot be '415', by the contract",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_at_once(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(complaint)}$"):
        requests(**arguments)


def test_an_answer_with_a_status_that_is_not_declared_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"does not declare the status 418; it declares 200, 400, 401"):
        responses("v1_me_get", 418)


@given(request=requests("v1_calls_dial_post", kind="boundary"))
def test_a_request_is_shown_as_a_curl_line(request: SampleRequest) -> None:
    line, _, remark = repr(request).rpartition("  # ")
    assert remark == str(request.trait)
    assert line == request.curl()
    words = shlex.split(request.curl("http://127.0.0.1:1"))
    assert words[:4] == ["curl", "-i", "-X", "POST"]
    assert f"Authorization: Bearer {KEY}" in words
    assert words[words.index("--data-binary") + 1].encode() == request.body
    assert urlsplit(words[-1]).path == "/v1/calls/dial"


FAILING = """
from hypothesis import given, settings
from revdesk_mock.testing.strategies import requests, responses

@settings(database=None, derandomize=True)
@given(request=requests("v1_calls_get"), answer=responses("v1_me_get", 404))
def refuses_limits(request, answer):
    assert answer.status == 404
    assert "limit" not in request.query

refuses_limits()
"""


def test_a_failing_example_is_printed_as_a_curl_line() -> None:
    # In a process of its own: schemathesis, which other tests load, changes how Hypothesis prints.
    failed = subprocess.run([sys.executable, "-c", FAILING], capture_output=True, text=True, check=False, timeout=50)
    assert 'request=curl -i -X GET -H "Authorization: Bearer $REVDESK_API_KEY"' in failed.stderr
    assert "'/v1/calls?limit=" in failed.stderr
    assert "answer=v1_me_get 404 {}" in failed.stderr


@given(number=phone_numbers())
def test_phone_numbers_are_fictional(number: str) -> None:
    assert is_fictional(number)


def test_phone_numbers_may_be_any() -> None:
    assert is_e164(find(phone_numbers(fictional=False), lambda number: not is_fictional(number)))


@given(call=calls())
def test_calls_are_such_as_the_contract_shows(call: dict[str, Any]) -> None:
    schema = SPEC.operations["v1_calls_id_get"].responses[200]
    assert Schema(schema).failures({"data": call}) == []
    assert (call["ended_at"] is None) == (call["duration_seconds"] is None)
    assert call["ended_at"] is None or call["ended_at"] >= call["started_at"]
    assert bool(call["duration_seconds"]) == (call["status"] in {"COMPLETED", "VOICEMAIL"})
    assert call["has_recording"] == (call["recording_url"] is not None)


def test_the_bodies_that_are_drawn_are_read_by_the_product_as_they_were_meant() -> None:
    body = find(requests(DIAL), lambda made: made.json.get("record") is False, settings=FIRST).body
    assert Validation(SPEC).read_body(SPEC.operations[DIAL], orjson.loads(body))["record"] is False


def test_an_operation_is_found_by_its_id_and_by_method_and_path() -> None:
    assert operation_of(SPEC, "POST /v1/calls/dial") is operation_of(SPEC, DIAL)
