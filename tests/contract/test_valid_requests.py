"""What the schemas admit is carried out, or refused in a way that the contract declares."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Answer, Client
from tests.contract.asks import asks, every_operation

# What the schema admits and a rule of the service refuses with 400: by operation and field, the rules.
RULES: dict[tuple[str, str], set[str]] = {
    # A text in the schema; by the prose a PDF in base64.
    ("v1_caller_trust_documents_post", "file_base64"): {"document.base64", "document.pdf"},
    # Chosen: a name that a file can have, and a reference that fits a line.
    ("v1_caller_trust_documents_post", "filename"): {"document.filename"},
    ("v1_caller_trust_documents_post", "customer_reference"): {"document.reference"},
    # A CNAM cannot be switched on without a name to show.
    ("v1_phone_numbers_id_patch", "cnam_display_name"): {"cnam.name"},
    ("v1_phone_numbers_id_patch", "cnam_enabled"): {"cnam.name"},
    # Nobody has consented tomorrow (policy future_consent).
    ("v1_caller_trust_enterprise_sign_and_submit_post", "consent_acknowledged_at"): {"enterprise.consent"},
    ("v1_caller_trust_enterprise_resign_post", "consent_acknowledged_at"): {"enterprise.consent"},
    ("v1_caller_trust_enterprise_id_sign_and_submit_post", "consent_acknowledged_at"): {"enterprise.consent"},
    ("v1_caller_trust_enterprise_id_resign_post", "consent_acknowledged_at"): {"enterprise.consent"},
    # A cursor is one that the list itself handed out (policy bad_cursor).
    ("v1_agents_get", "cursor"): {"cursor"},
    ("v1_calls_get", "cursor"): {"cursor"},
    ("v1_caller_trust_reputation_numbers_get", "cursor"): {"cursor"},
    ("v1_phone_numbers_get", "cursor"): {"cursor"},
    ("v1_sub_entities_get", "cursor"): {"cursor"},
}


def rules(client: Client, answer: Answer) -> set[str]:
    """Return the rules by which a request was refused, from the explanation that its answer points to."""
    entry = client.emulator.journal.find(answer.headers["x-revdesk-mock-explain"].rpartition("/")[2])
    assert entry is not None
    return {reason.rule for reason in entry.reasons}


def records(client: Client) -> Any:
    return client.world.dump()["records"]


@every_operation
@settings(max_examples=settings().max_examples // 2)
@given(data=st.data())
def test_a_valid_request_is_carried_out_or_refused_as_declared(name: str, data: st.DataObject) -> None:
    ask = data.draw(asks(name))
    client = ask.client()
    before = records(client)
    answer = ask.send(client)
    if answer.status >= 400:
        assert rules(client, answer)
        assert records(client) == before
    if answer.status == 400:
        named = [RULES.get((name, field), set()) for field in answer.fields]
        assert rules(client, answer) <= set().union(*named)
