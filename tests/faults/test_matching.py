"""Which requests a rule means, by operation, path, headers and fields of the body."""

from typing import Any

import orjson
import pytest

from revdesk_mock import Request
from revdesk_mock.faults.matching import read
from tests.conftest import SPEC

DIAL = "POST /v1/calls/dial"


def fits(order: dict[str, Any], request: str, body: Any = None, **headers: str) -> bool:
    method, path = request.split(" ")
    raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    operation = SPEC.match(method, path).operation
    assert operation is not None
    return read(order, SPEC).fits(Request(method, path, headers=sent, body=raw), operation)


@pytest.mark.parametrize(
    ("order", "meant", "others"),
    [
        ({}, [DIAL, "GET /v1/me", "GET /v1/calls/call_1"], []),
        ({"on": "*"}, [DIAL, "GET /v1/me"], []),
        ({"on": DIAL}, [DIAL], ["GET /v1/me", "POST /v1/calls"]),
        ({"on": "v1_me_get"}, ["GET /v1/me"], [DIAL]),
        ({"on": "/v1/calls"}, ["GET /v1/calls", "POST /v1/calls"], [DIAL]),
        ({"on": "/v1/calls/*"}, [DIAL, "GET /v1/calls/c", "POST /v1/calls/c/hangup"], ["GET /v1/calls"]),
        ({"on": "/v1/calls*"}, [DIAL, "GET /v1/calls"], ["GET /v1/me"]),
        ({"on": "POST /v1/*/hangup"}, ["POST /v1/calls/c/hangup"], [DIAL]),
        ({"on": "GET /v1/calls/{id}"}, ["GET /v1/calls/a", "GET /v1/calls/b"], ["POST /v1/calls/a/hangup"]),
        ({"on": "GET /v1/calls/{call_id}"}, ["GET /v1/calls/a"], ["GET /v1/calls"]),
        ({"on": "GET /v1/calls/a"}, ["GET /v1/calls/a"], ["GET /v1/calls/b", "GET /v1/calls"]),
        ({"on": [DIAL, "v1_me_get"]}, [DIAL, "GET /v1/me"], ["GET /v1/calls"]),
        ({"on": ["GET /v1/calls/a", "GET /v1/calls/b"]}, ["GET /v1/calls/a", "GET /v1/calls/b"], ["GET /v1/calls/c"]),
        ({"on": ["GET /v1/calls/a", "GET /v1/calls/{id}"]}, ["GET /v1/calls/a", "GET /v1/calls/c"], [DIAL]),
        ({"operation": "v1_calls_id_get", "path": "/v1/calls/a"}, ["GET /v1/calls/a"], ["GET /v1/calls/b"]),
        ({"method": "GET"}, ["GET /v1/me", "GET /v1/calls"], [DIAL]),
        ({"method": "POST", "path": "/v1/calls"}, ["POST /v1/calls"], ["GET /v1/calls"]),
    ],
    ids=str,
)
def test_a_rule_means_the_operations_that_it_names(order: dict[str, Any], meant: list[str], others: list[str]) -> None:
    assert [request for request in [*meant, *others] if fits(order, request)] == meant


def test_headers_are_those_named_whatever_their_case() -> None:
    order = {"headers": {"User-Agent": "mine", "X-Run": "*"}}
    assert fits(order, "GET /v1/me", user_agent="mine", x_run="7", accept="*/*")
    assert not fits(order, "GET /v1/me", user_agent="mine")
    assert not fits(order, "GET /v1/me", user_agent="other", x_run="7")


@pytest.mark.parametrize(
    ("wanted", "sent", "meant"),
    [
        ({"to_number": "+13125550101"}, {"to_number": "+13125550101", "record": True}, True),
        ({"to_number": "+13125550101"}, {"to_number": "+13125550102"}, False),
        ({"to_number": "*"}, {"to_number": "+13125550102"}, True),
        ({"to_number": "*"}, {"from_number": "+13125550102"}, False),
        ({"record": True}, {"record": True}, True),
        ({"record": True}, {"record": 1}, False),
        ({"record": True}, b"[]", False),
        ({"record": True}, b"{", False),
        ({"record": True}, b"", False),
    ],
)
def test_fields_of_the_body_are_those_that_were_sent(wanted: Any, sent: Any, meant: bool) -> None:  # noqa: FBT001
    assert fits({"on": DIAL, "body": wanted}, DIAL, sent) is meant


def test_a_dotted_name_leads_into_objects_and_lists() -> None:
    enterprise = "POST /v1/caller-trust/enterprise"
    body = {"billing_contact": {"first_name": "Sam", "last_name": "Rivera"}}
    assert fits({"body": {"billing_contact.first_name": "Sam"}}, enterprise, body)
    assert fits({"body": {"billing_contact": {"first_name": "Sam"}}}, enterprise, body)
    assert not fits({"body": {"billing_contact": {"first_name": "Ann"}}}, enterprise, body)
    tokens = {"on": "POST /v1/client-tokens", "body": {"from_numbers.1": "+14155550100"}}
    assert fits(tokens, "POST /v1/client-tokens", {"from_numbers": ["+12125550100", "+14155550100"]})
    assert not fits(tokens, "POST /v1/client-tokens", {"from_numbers": ["+14155550100"]})


def test_a_rule_about_a_field_means_the_operations_that_declare_it() -> None:
    meant = {SPEC.operations[name].path for name in read({"body": {"to_number": "*"}}, SPEC).places}
    assert "/v1/calls/dial" in meant
    assert "/v1/sub-entities" not in meant


def test_a_body_that_was_too_large_to_read_has_no_fields() -> None:
    which = read({"on": DIAL, "body": {"record": "*"}}, SPEC)
    assert not which.fits(Request("POST", "/v1/calls/dial", body=None), SPEC.operations["v1_calls_dial_post"])
