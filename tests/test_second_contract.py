"""Another contract of the same API: the same handlers answer as that document says, and what it adds is 501."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import hypothesis
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from revdesk_mock import Emulator, Policies, Settings, dumps
from revdesk_mock.resources import HANDLERS
from revdesk_mock.spec import Spec
from tests.conftest import (
    AGENT,
    COMPANY,
    MAIN,
    NEWER_AGENT,
    ORDINARY,
    SIGNATURE,
    SIGNER,
    SPEC,
    UPTOWN,
    VERIFIED,
    Answer,
    Client,
)
from tests.resources.test_branded_calling import register, set_logo
from tests.test_contract_document import without_prose

# What the vendor published later: 63 operations in full, and 45 new ones by method, path, name and status.
PATH = Path(__file__).parent / "facts" / "second_contract.json"
DOCUMENT: dict[str, Any] = orjson.loads(PATH.read_bytes())
SECOND = Spec.load(PATH)
SHARED = list(SPEC.operations)
EMULATED = [name for name in SHARED if name in HANDLERS]
MISSING = [name for name in SECOND.operations if name not in HANDLERS]
CHANGED = {
    "v1_agents_id_web_call_post": 201,
    "v1_caller_ids_post": 201,
    "v1_calls_dial_post": 202,
    "v1_calls_post": 202,
    "v1_phone_numbers_post": 202,
    "v1_sms_send_post": 201,
    "v1_sub_entities_post": 201,
}

Step = tuple[str, str, Any] | int | Callable[[Client], object]


class Ask(NamedTuple):
    """How an operation is asked for so that it succeeds, and the steps before it.

    A step is a request, a number of seconds that pass, or something that no request does.
    `{id}` in a target stands for the id that the first request answered.
    """

    target: str
    body: Any = None
    after: tuple[Step, ...] = ()


CALL = "call_fixture00000001"
CALLER_ID = "2c94e1d7-50b3-4a6f-8e72-b9f0c3a81d56"
PAIR = {"from_number": MAIN, "to_number": ORDINARY}
NAMED = {"client_name": "Chair side", "client_label": "Room 2"}
UPLOAD = ("POST", "/v1/caller-trust/documents", {"file_base64": "JVBERi0xLjcK", "filename": "letter.pdf"})
BRAND = {
    "display_name": "Harbor Dental",
    "call_reasons": ["Appointments"],
    "authorizer_name": "Sam Rivera",
    "authorizer_email": "sam@harbor-dental.example",
}
DAY = 86_400
ENTERPRISE, REPUTATION = "/v1/caller-trust/enterprise", "/v1/caller-trust/reputation"
NUMBER = f"{REPUTATION}/numbers/%2B{MAIN[1:]}"
DRAFTED: Step = ("POST", ENTERPRISE, COMPANY)
SUBMITTED = (DRAFTED, ("POST", f"{ENTERPRISE}/submit", None))
SIGNED = (DRAFTED, ("POST", f"{ENTERPRISE}/sign-and-submit", SIGNATURE))
VETTED = (*SIGNED, DAY)
STOPPED = (*VETTED, ("DELETE", REPUTATION, None))
MONITORED = (*VETTED, ("POST", f"{REPUTATION}/numbers", {"phone_numbers": [MAIN]}))
BRANDED: tuple[Step, ...] = (register, ("PUT", "/v1/caller-trust/brand", BRAND))

ASKS = {
    "v1_account_get": Ask("/v1/account"),
    "v1_agents_get": Ask("/v1/agents?limit=1"),
    "v1_agents_id_get": Ask(f"/v1/agents/{AGENT}"),
    "v1_agents_id_patch": Ask(f"/v1/agents/{AGENT}", {"greeting": None, "name": "Reception"}),
    "v1_agents_id_web_call_post": Ask(f"/v1/agents/{AGENT}/web-call"),
    "v1_caller_ids_get": Ask("/v1/caller-ids"),
    "v1_caller_ids_id_patch": Ask(f"/v1/caller-ids/{CALLER_ID}", {"cnam_display_name": "HARBOR"}),
    "v1_caller_ids_id_verify_post": Ask(f"/v1/caller-ids/{CALLER_ID}/verify", {"verification_code": "000000"}),
    "v1_caller_ids_post": Ask("/v1/caller-ids", {"phone_number": ORDINARY}),
    "v1_caller_trust_brand_get": Ask("/v1/caller-trust/brand", after=BRANDED),
    "v1_caller_trust_brand_put": Ask("/v1/caller-trust/brand", BRAND, (register,)),
    "v1_caller_trust_brand_submit_post": Ask("/v1/caller-trust/brand/submit", after=(*BRANDED, set_logo)),
    "v1_caller_trust_documents_id_get": Ask("/v1/caller-trust/documents/{id}", after=(UPLOAD,)),
    "v1_caller_trust_documents_post": Ask(*UPLOAD[1:]),
    "v1_caller_trust_enterprise_delete": Ask(ENTERPRISE, after=(DRAFTED,)),
    "v1_caller_trust_enterprise_generate_loa_post": Ask(f"{ENTERPRISE}/generate-loa", SIGNER, SUBMITTED),
    "v1_caller_trust_enterprise_get": Ask(ENTERPRISE, after=SIGNED),
    "v1_caller_trust_enterprise_id_delete": Ask(f"{ENTERPRISE}/{{id}}", after=SIGNED),
    "v1_caller_trust_enterprise_id_generate_loa_post": Ask(f"{ENTERPRISE}/{{id}}/generate-loa", SIGNER, SUBMITTED),
    "v1_caller_trust_enterprise_id_get": Ask(f"{ENTERPRISE}/{{id}}", after=(DRAFTED,)),
    "v1_caller_trust_enterprise_id_patch": Ask(f"{ENTERPRISE}/{{id}}", {"dba": "Harbor"}, (DRAFTED,)),
    "v1_caller_trust_enterprise_id_resign_post": Ask(f"{ENTERPRISE}/{{id}}/resign", SIGNATURE, SIGNED),
    "v1_caller_trust_enterprise_id_sign_and_submit_post": Ask(
        f"{ENTERPRISE}/{{id}}/sign-and-submit", SIGNATURE, (DRAFTED,)
    ),
    "v1_caller_trust_enterprise_id_submit_post": Ask(f"{ENTERPRISE}/{{id}}/submit", after=(DRAFTED,)),
    "v1_caller_trust_enterprise_post": Ask(ENTERPRISE, COMPANY),
    "v1_caller_trust_enterprise_resign_post": Ask(f"{ENTERPRISE}/resign", SIGNATURE, SIGNED),
    "v1_caller_trust_enterprise_sign_and_submit_post": Ask(f"{ENTERPRISE}/sign-and-submit", SIGNATURE, (DRAFTED,)),
    "v1_caller_trust_enterprise_submit_post": Ask(f"{ENTERPRISE}/submit", after=(DRAFTED,)),
    "v1_caller_trust_reputation_delete": Ask(REPUTATION, after=VETTED),
    "v1_caller_trust_reputation_get": Ask(REPUTATION, after=VETTED),
    "v1_caller_trust_reputation_numbers_get": Ask(f"{REPUTATION}/numbers?limit=1", after=MONITORED),
    "v1_caller_trust_reputation_numbers_phone_delete": Ask(NUMBER, after=MONITORED),
    "v1_caller_trust_reputation_numbers_phone_get": Ask(f"{NUMBER}?fresh=false", after=MONITORED),
    "v1_caller_trust_reputation_numbers_post": Ask(f"{REPUTATION}/numbers", {"phone_numbers": [MAIN]}, VETTED),
    "v1_caller_trust_reputation_patch": Ask(REPUTATION, {"check_frequency": "monthly"}, VETTED),
    "v1_caller_trust_reputation_post": Ask(REPUTATION, {"check_frequency": "weekly"}, STOPPED),
    "v1_calls_dial_post": Ask("/v1/calls/dial", {**PAIR, **NAMED, "connect_number": "+13125550108"}),
    "v1_calls_get": Ask("/v1/calls"),
    "v1_calls_id_get": Ask(f"/v1/calls/{CALL}"),
    "v1_calls_id_hangup_post": Ask(f"/v1/calls/{CALL}/hangup"),
    "v1_calls_post": Ask("/v1/calls", {"phoneNumber": ORDINARY, "assistantId": AGENT}),
    "v1_client_tokens_post": Ask("/v1/client-tokens", {"from_numbers": [MAIN], "to_numbers": [ORDINARY]}),
    "v1_me_get": Ask("/v1/me"),
    "v1_phone_numbers_get": Ask("/v1/phone-numbers?limit=1"),
    "v1_phone_numbers_id_cnam_status_get": Ask("/v1/phone-numbers/1001/cnam-status"),
    "v1_phone_numbers_id_delete": Ask("/v1/phone-numbers/1001"),
    "v1_phone_numbers_id_get": Ask("/v1/phone-numbers/1001"),
    "v1_phone_numbers_id_patch": Ask("/v1/phone-numbers/1001", {"cnam_display_name": "HARBOR", "agent_id": AGENT}),
    "v1_phone_numbers_id_sms_config_get": Ask("/v1/phone-numbers/1001/sms-config"),
    "v1_phone_numbers_id_sms_config_patch": Ask("/v1/phone-numbers/1001/sms-config", {"default_prompt": None}),
    "v1_phone_numbers_post": Ask("/v1/phone-numbers", {"area_code": "312"}),
    "v1_phone_numbers_search_get": Ask("/v1/phone-numbers/search?country=US&number_type=local&limit=2"),
    "v1_room_token_post": Ask("/v1/room-token", {**PAIR, **NAMED, "ttl_seconds": 60}),
    "v1_sms_config_get": Ask("/v1/sms/config"),
    "v1_sms_config_patch": Ask("/v1/sms/config", {"reply_delay_seconds": 0.5}),
    "v1_sms_send_post": Ask("/v1/sms/send", {"from": MAIN, "to": ORDINARY, "message": "Hello"}),
    "v1_sub_entities_get": Ask("/v1/sub-entities?limit=1"),
    "v1_sub_entities_id_get": Ask(f"/v1/sub-entities/{UPTOWN}"),
    "v1_sub_entities_id_patch": Ask(f"/v1/sub-entities/{UPTOWN}", {"hipaa_enabled": True}),
    "v1_sub_entities_post": Ask("/v1/sub-entities", {"name": "Harbor Dental Downtown"}),
    "v1_usage_get": Ask("/v1/usage"),
    "v1_usage_phoneId_get": Ask("/v1/usage/1001"),
    "v1_webrtc_token_post": Ask("/v1/webrtc-token", {**PAIR, **NAMED}),
}


def client_of(**policies: Any) -> Client:
    settings = Settings(spec=PATH, seed="test", clock="frozen", rate_limit="off", policies=Policies(**policies))
    return Client(Emulator(settings, SECOND))


@pytest.fixture
def second() -> Iterator[Client]:
    """Give a client of an emulator with the second contract, which is unbroken at the end."""
    client = client_of()
    yield client
    assert client.emulator.pipeline.breaches == []


def prepared(client: Client, name: str) -> str:
    """Carry out what comes before an operation; return the target to send it to."""
    target, _, after = ASKS[name]
    first: Answer | None = None
    for step in after:
        if isinstance(step, tuple):
            answer = client(*step)
            assert answer.status < 300, f"{step[:2]}: {answer.raw.decode()}"
            first = first or answer
        elif isinstance(step, int):
            client.advance(step)
        else:
            step(client)
    return target if first is None else target.format(id=first.data.get("id") or first.data.get("document_id"))


def place(spec: Spec, name: str) -> tuple[str, str]:
    return spec.operations[name].method, spec.operations[name].path


def declared(name: str) -> tuple[int, dict[str, Any]]:
    """Return the status and the response that the document declares for an operation's success."""
    operation = SECOND.operations[name]
    ((status, response),) = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"].items()
    return int(status), response


# the document


def test_the_second_contract_has_so_many_operations_and_all_of_the_first() -> None:
    assert (len(SECOND.operations), len(SECOND.operations.keys() & SPEC.operations.keys())) == (108, 63)
    assert [place(SECOND, name) for name in SHARED] == [place(SPEC, name) for name in SHARED]


def test_the_second_contract_is_kept_without_its_prose() -> None:
    assert without_prose(DOCUMENT) == DOCUMENT


def test_success_has_another_status_in_the_second_contract_here_and_nowhere_else() -> None:
    statuses = {name: declared(name)[0] for name in SHARED}
    assert {name: status for name, status in statuses.items() if status != SPEC.operations[name].success} == CHANGED


# every operation


def test_every_shared_operation_can_be_asked_for() -> None:
    assert sorted(ASKS) == sorted(SHARED)


@pytest.mark.parametrize("name", EMULATED)
def test_a_shared_operation_answers_as_the_second_contract_says(second: Client, name: str) -> None:
    target = prepared(second, name)
    answer = second(SECOND.operations[name].method, target, ASKS[name].body)
    status, response = declared(name)
    assert answer.status == status, answer.raw.decode()
    schema = response["content"]["application/json"]["schema"]
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(answer.body)
    if "Location" in response.get("headers", {}):
        assert second.get(answer.headers["location"]).status == 200


def test_a_location_is_under_the_path_of_the_public_url() -> None:
    client = Client(Emulator(Settings(seed="test", clock="frozen", public_url="https://revdesk.example/mock"), SECOND))
    answer = client.post("/v1/phone-numbers", {})
    assert answer.headers["location"] == f"/mock/v1/phone-numbers/{answer.data['phone_record_id']}"


@pytest.mark.parametrize("name", MISSING)
def test_an_operation_without_a_handler_is_501_by_its_name(second: Client, name: str) -> None:
    operation = SECOND.operations[name]
    asked = ASKS.get(name)
    answer = second(operation.method, asked.target if asked else operation.path, asked and asked.body)
    assert (answer.status, answer.code) == (501, "not_implemented")
    assert name in answer.body["error"]["message"]


# what the second contract adds to a shared operation


def test_numbers_tell_their_agent(second: Client) -> None:
    listed = second.get("/v1/phone-numbers?limit=2").data
    assert [number["agent_id"] for number in listed] == [NEWER_AGENT, AGENT]
    assert second.get("/v1/phone-numbers/1001").data["agent_id"] == AGENT


def test_a_number_record_in_the_list_of_calls_is_a_number_there_and_a_text_here(second: Client, client: Client) -> None:
    assert [call["phone_number_id"] for call in second.get("/v1/calls").data] == [1002, 1001, 1002]
    assert [call["phone_number_id"] for call in client.get("/v1/calls").data] == ["1002", "1001", "1002"]


def test_a_bridge_from_an_exact_number_tells_how_it_was_chosen_and_that_nobody_observed_it(second: Client) -> None:
    data = second.post("/v1/calls/dial", {**PAIR, "number_set_id": "front"}).data
    assert (data["from_number"], data["selection_source"]) == (MAIN, "exact_from_number")
    assert (data["evidence_state"], data["health_warning"]) == ("NEEDS_DATA", None)


def test_a_bridge_without_a_number_to_call_from_is_refused(second: Client) -> None:
    before = second.world.dump()
    answer = second.post("/v1/calls/dial", {"to_number": ORDINARY})
    assert (answer.status, answer.fields) == (400, {"from_number": "is required, or a number_set_id"})
    answer = second.post("/v1/calls/dial", {"to_number": ORDINARY, "number_set_id": "front"})
    assert (answer.status, answer.code) == (404, "not_found")
    assert "number set with the id 'front'" in answer.body["error"]["message"]
    assert second.world.dump() == before


@pytest.mark.parametrize("path", ["/v1/calls/dial", "/v1/webrtc-token", "/v1/room-token"])
def test_a_call_keeps_what_its_client_is_called(second: Client, path: str) -> None:
    call = second.post(path, {**PAIR, **NAMED}).data["call_id"]
    for shown in (second.get(f"/v1/calls/{call}").data, second.get("/v1/calls?limit=1").data[0]):
        assert {field: shown[field] for field in NAMED} == NAMED


def test_a_field_that_the_contract_in_use_does_not_name_is_ignored_whatever_it_holds(client: Client) -> None:
    call = client.post("/v1/webrtc-token", {**PAIR, "client_name": {"first": "Sam"}, "client_label": "Room 2"})
    record = client.world.store.get("calls", call.data["call_id"])
    assert record is not None
    assert (record["client_name"], record["client_label"]) == (None, None)
    assert "client_name" not in client.get("/v1/calls").data[0]


def test_a_call_has_neither_source_nor_test_result(second: Client) -> None:
    fields = ("source", "test_result", "client_name", "client_label", "credential_type")
    assert [[call[field] for field in fields] for call in second.get("/v1/calls").data] == [[None] * 5] * 3
    tests = second.get("/v1/calls?source=spam_label_test")
    assert (tests.status, tests.data, tests.body["meta"]["total_results"]) == (200, [], 0)


@pytest.mark.parametrize("policy", ["hidden", "shown"])
def test_the_start_of_a_verification_has_no_place_for_a_code(policy: str) -> None:
    data = client_of(caller_id_code=policy).post("/v1/caller-ids", {"phone_number": ORDINARY}).data
    assert sorted(data) == ["caller_id_id", "message"]


def test_a_client_token_carries_no_other_scope_than_browser_calls(second: Client) -> None:
    asked = {"from_numbers": [MAIN], "to_numbers": [ORDINARY], "scopes": ["calls:read"]}
    answer = second.post("/v1/client-tokens", asked)
    assert (answer.status, list(answer.fields)) == (400, ["scopes.0"])


# what it does not say, the service still holds


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "101"])
@pytest.mark.parametrize("path", ["/v1/agents?limit=", "/v1/phone-numbers/search?country=US&number_type=local&limit="])
def test_a_page_without_bounds_in_the_contract_has_bounds(second: Client, path: str, limit: str) -> None:
    answer = second.get(path + limit)
    assert (answer.status, list(answer.fields)) == (400, ["limit"])


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/calls", {"phoneNumber": "911"}, "phoneNumber"),
        ("/v1/calls/dial", {**PAIR, "to_number": "+0123"}, "to_number"),
        ("/v1/calls/dial", {**PAIR, "connect_number": "reception"}, "connect_number"),
        ("/v1/webrtc-token", {**PAIR, "to_number": ""}, "to_number"),
        ("/v1/room-token", {**PAIR, "to_number": f"{ORDINARY}\n"}, "to_number"),
        ("/v1/sms/send", {"from": MAIN, "to": "3125550100", "message": "Hello"}, "to"),
        ("/v1/caller-ids", {"phone_number": "+1"}, "phone_number"),
        ("/v1/client-tokens", {"from_numbers": [MAIN], "to_numbers": [ORDINARY, "x"]}, "to_numbers.1"),
        ("/v1/client-tokens", {"from_numbers": [], "to_numbers": [ORDINARY]}, "from_numbers"),
        ("/v1/client-tokens", {"from_numbers": [MAIN], "to_numbers": [ORDINARY], "ttl_seconds": 59}, "ttl_seconds"),
        ("/v1/room-token", {**PAIR, "ttl_seconds": 1e300}, "ttl_seconds"),
        ("PATCH /v1/phone-numbers/1001", {"cnam_display_name": "HARBOR DENTAL SF"}, "cnam_display_name"),
        (f"PATCH /v1/caller-ids/{CALLER_ID}", {"cnam_display_name": "HARBOR DENTAL SF"}, "cnam_display_name"),
    ],
)
def test_what_no_record_can_hold_is_refused_by_its_field(second: Client, path: str, body: Any, field: str) -> None:
    method, target = path.split() if " " in path else ("POST", path)
    before = second.world.dump()
    answer = second(method, target, body)
    assert (answer.status, list(answer.fields)) == (400, [field])
    assert second.world.dump() == before


def test_a_private_number_that_is_none_is_not_repeated(second: Client) -> None:
    answer = second.post("/v1/calls/dial", {**PAIR, "connect_number": "my-own-phone"})
    entry = second.emulator.journal.find(answer.headers["x-request-id"])
    assert entry is not None
    assert "my-own-phone" not in f"{answer.raw.decode()} {entry.reasons}"


TEXTS = (
    *("", "a", "é😀", "x" * 300, "911", "+911", "+0123", "312", "US", "local", "1001", "QUEUED"),
    *(MAIN, ORDINARY, VERIFIED, "+13125550190", AGENT, AGENT.upper(), "JVBERi0xLjcK"),
)
FORMATS = {"uuid": (AGENT,), "email": ("sam@example.com",), "date-time": ("2026-01-05T09:00:00Z",)}
NUMBERS = (0, 1, 2, 50, 60, 100, -1, 0.5, 1e-9, 101, 14_400, 10**15, 1e300, -1e300)


def admitted(schema: Any) -> st.SearchStrategy[Any]:
    """Return a strategy of values that a schema of the second contract's requests admits."""
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    kind = schema.get("type", "string")
    if isinstance(kind, list):
        return st.one_of(*(admitted({"type": each}) for each in kind))
    if kind == "object":
        fields = {name: admitted(child) for name, child in schema["properties"].items()}
        needed = {name: fields.pop(name) for name in schema.get("required", ())}
        return st.fixed_dictionaries(needed, optional=fields)
    if kind == "array":
        return st.lists(admitted(schema["items"]), max_size=2)
    texts = FORMATS.get(schema.get("format"), TEXTS)
    return st.sampled_from({"string": texts, "number": NUMBERS, "boolean": (True, False), "null": (None,)}[kind])


WORLD = dumps._world_schema()
READS = (
    "/v1/calls",
    "/v1/caller-ids",
    "/v1/phone-numbers?limit=50",
    "/v1/agents?limit=50",
    "/v1/usage",
    "/v1/sms/config",
)


@pytest.mark.parametrize("name", EMULATED)
@hypothesis.settings(max_examples=max(5, hypothesis.settings().max_examples // 2))
@given(data=st.data())
def test_whatever_the_second_contract_admits_is_answered_and_leaves_a_sound_world(
    name: str, data: st.DataObject
) -> None:
    client, operation = client_of(), SECOND.operations[name]
    target = prepared(client, name).partition("?")[0]
    query = {field: admitted(schema) for field, schema in operation.query.items()}
    needed = {field: query.pop(field) for field in operation.required_query}
    asked = data.draw(st.fixed_dictionaries(needed, optional=query))
    body = None if operation.request is None else data.draw(admitted(operation.request))
    client(operation.method, f"{target}?{urlencode(asked)}", body)
    client.advance(data.draw(st.sampled_from([0, 5, 60])))
    assert WORLD.failures(client.world.dump()) == []
    for path in READS:
        client.get(path)
    assert client.emulator.pipeline.breaches == []
