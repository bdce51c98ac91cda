"""SMS: texts on their way, and the workspace's auto-reply settings."""

from typing import Any

import pytest

from tests.conftest import MAIN, ORDINARY, VERIFIED, Answer, Client, emulator_with

OFF = {"auto_reply_enabled": False, "reply_delay_seconds": 0, "default_prompt": None}
UNREACHABLE = "+13125550106"


def send(client: Client, to: str = ORDINARY, sender: str = MAIN, **body: Any) -> Answer:
    return client.post("/v1/sms/send", {"from": sender, "to": to, "message": "See you at ten.", **body})


def configure(client: Client, **changes: Any) -> Answer:
    return client("PATCH", "/v1/sms/config", changes)


def state(client: Client, sent: Answer) -> str:
    message = client.world.store.get("messages", sent.data["message_id"])
    assert message is not None
    return str(message["status"])


# settings


def test_auto_reply_is_off_until_somebody_turns_it_on(client: Client) -> None:
    assert client.get("/v1/sms/config").data == OFF


@pytest.mark.parametrize(
    ("field", "value"),
    [("auto_reply_enabled", True), ("reply_delay_seconds", 300), ("default_prompt", "Be brief.")],
)
def test_an_update_changes_what_is_given_and_nothing_else(client: Client, field: str, value: Any) -> None:
    assert configure(client, **{field: value}).data == {**OFF, field: value}
    assert client.get("/v1/sms/config").data == {**OFF, field: value}


def test_updates_add_up(client: Client) -> None:
    configure(client, auto_reply_enabled=True, default_prompt="Be brief.")
    configure(client, reply_delay_seconds=5)
    data = configure(client, default_prompt=None).data
    assert data == {"auto_reply_enabled": True, "reply_delay_seconds": 5, "default_prompt": None}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reply_delay_seconds", -1),
        ("reply_delay_seconds", 301),
        ("reply_delay_seconds", None),
        ("default_prompt", "x" * 2001),
        ("auto_reply_enabled", "yes"),
    ],
)
def test_an_update_out_of_bounds_is_refused(client: Client, field: str, value: Any) -> None:
    answer = configure(client, **{field: value})
    assert answer.status == 400
    assert set(answer.fields) == {field}
    assert client.get("/v1/sms/config").data == OFF


def test_the_workspaces_settings_make_no_override(client: Client) -> None:
    configure(client, auto_reply_enabled=True)
    assert client.get("/v1/phone-numbers/1001/sms-config").data["has_override"] is False


# texts


def test_a_text_is_queued(client: Client) -> None:
    data = send(client).data
    assert data.pop("message_id").startswith("msg_")
    assert data == {"to": ORDINARY, "from": MAIN, "status": "queued"}


@pytest.mark.parametrize(("to", "expected"), [(ORDINARY, "delivered"), (UNREACHABLE, "failed")])
def test_a_text_is_sent_and_then_delivered_or_failed(client: Client, to: str, expected: str) -> None:
    text = send(client, to)
    seen = []
    for seconds in (0.999, 0.001, 1.999, 0.001, 60):
        client.advance(seconds)
        seen.append(state(client, text))
    assert seen == ["queued", "sent", "sent", expected, expected]


@pytest.mark.parametrize("sender", [VERIFIED, "+13125550142"], ids=["verified-caller-id", "not-owned"])
def test_a_text_comes_from_an_owned_number_only(client: Client, sender: str) -> None:
    answer = send(client, sender=sender)
    assert (answer.status, answer.code) == (422, "caller_id_not_verified")
    assert set(answer.fields) == {"from"}


@pytest.mark.parametrize(
    ("to", "status", "code"),
    [
        ("+13125550190", 403, "destination_not_allowed"),
        ("+13125550193", 409, "carrier_rejected"),
        ("+13125550191", 403, "spend_cap_exceeded"),
        ("+1911", 403, "destination_not_allowed"),
    ],
    ids=["blocked", "carrier", "spend-cap", "emergency"],
)
def test_a_refused_text_is_not_written(client: Client, to: str, status: int, code: str) -> None:
    before = client.world.dump()
    answer = send(client, to)
    assert (answer.status, answer.code) == (status, code)
    assert client.world.dump() == before


def test_texting_needs_approval_where_the_policy_says_so() -> None:
    client = Client(emulator_with(texting_approval="required"))
    assert send(client).status == 200
    client.post("/v1/phone-numbers", {"phone_number": "+13125550142"})
    client.advance(5)
    answer = send(client, sender="+13125550142")
    assert (answer.status, answer.code) == (409, "conflict")


def test_a_text_costs_money_and_holds_no_channel(client: Client) -> None:
    before = client.world.guardrails.spent_today()
    send(client)
    assert client.world.guardrails.spent_today() > before
    assert client.world.guardrails.channels_in_use() == 0
