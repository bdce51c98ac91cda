"""Refusals carry the vendor's envelope, the status of their code, and their reasons beside it."""

import pytest

from revdesk_mock import ApiError, Policies
from revdesk_mock.errors import STATUS, ContractViolation, invalid, not_found, refused_by_policy
from revdesk_mock.messages import Reason

REASON = Reason("some.rule", "body /to_number", "this", "that")
# The policies that choose a refusal's status, and with it its code.
CHOOSING = [
    "unverified_caller_id_status",
    "client_token_bounds_status",
    "client_token_mint_status",
    "expired_client_token_status",
    "scope_escalation_status",
    "token_reuse_status",
]
CHOICES = {name: choices.split(", ") for name, _, choices, _, _ in Policies().describe()}


def test_the_envelope_holds_code_and_message() -> None:
    assert ApiError("conflict", "No.").envelope() == {"error": {"code": "conflict", "message": "No."}}


def test_the_envelope_holds_fields_where_there_are_some() -> None:
    error = ApiError("validation_error", "No.", fields={"to_number": "is required"})
    assert error.envelope()["error"]["fields"] == {"to_number": "is required"}


def test_the_reasons_are_beside_the_envelope_and_not_in_it() -> None:
    error = ApiError("conflict", "No.", REASON, REASON)
    assert error.reasons == (REASON, REASON)
    assert "rule" not in str(error.envelope())


@pytest.mark.parametrize(("code", "status"), STATUS.items())
def test_a_code_has_its_status_unless_another_is_given(code: str, status: int) -> None:
    assert ApiError(code, "No.").status == status
    assert ApiError(code, "No.", status=418).status == 418


def test_an_unknown_code_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        ApiError("no_such_code", "No.")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("validation_error", 400),
        ("unauthorized", 401),
        ("forbidden", 403),
        ("not_found", 404),
        ("idempotency_conflict", 409),
        ("caller_id_not_verified", 422),
        ("rate_limited", 429),
        ("internal_error", 500),
    ],
)
def test_the_documented_codes_have_their_documented_status(code: str, status: int) -> None:
    assert STATUS[code] == status


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("400", "validation_error"),
        ("401", "unauthorized"),
        ("403", "forbidden"),
        ("404", "not_found"),
        ("409", "conflict"),
        ("422", "caller_id_not_verified"),
    ],
)
def test_a_status_chosen_by_policy_brings_its_code(status: str, code: str) -> None:
    error = refused_by_policy(status, "No.", REASON, {"from_number": "is not yours"})
    assert (error.status, error.code, error.reasons) == (int(status), code, (REASON,))
    assert error.fields == {"from_number": "is not yours"}


@pytest.mark.parametrize("policy", CHOOSING)
def test_every_status_that_a_policy_offers_has_a_code(policy: str) -> None:
    for status in CHOICES[policy]:
        error = refused_by_policy(status, "No.", REASON)
        assert STATUS[error.code] == error.status == int(status)


def test_an_invalid_field_is_named_in_message_fields_and_reason() -> None:
    error = invalid("legs.0.number", "must ring", rule="legs.ring", expected="a number that rings", got=7)
    assert (error.status, error.code, error.message) == (400, "validation_error", "legs.0.number: must ring")
    assert error.fields == {"legs.0.number": "must ring"}
    assert error.reasons == (Reason("legs.ring", "body /legs/0/number", "a number that rings", "7"),)


def test_an_invalid_field_can_be_somewhere_else_than_in_the_body() -> None:
    error = invalid("cursor", "is bad", where="query cursor", rule="cursor", expected="a good one", got="x")
    assert error.reasons[0].where == "query cursor"


def test_what_is_not_found_is_named() -> None:
    error = not_found("call", "call_1", "path")
    assert (error.status, error.code, error.message) == (404, "not_found", "No call with the id 'call_1'.")
    assert error.reasons == (Reason("record.exists", "path", "the id of a call of this key", "call_1"),)


def test_headers_are_kept_as_pairs() -> None:
    assert ApiError("conflict", "No.", headers=[("retry-after", "3")]).headers == (("retry-after", "3"),)


@pytest.mark.parametrize(("pointer", "shown"), [("/data/id", "/data/id"), ("", "/")])
def test_a_contract_violation_says_which_operation_and_where(pointer: str, shown: str) -> None:
    violation = ContractViolation("v1_me_get", pointer, "is missing")
    assert str(violation) == f"v1_me_get answered against its contract at {shown}: is missing"
    assert (violation.operation, violation.pointer) == ("v1_me_get", pointer)
