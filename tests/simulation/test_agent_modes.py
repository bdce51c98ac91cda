"""The modes of an agent: which there are, what an order for one may hold, and which of several counts."""

from typing import Any

import orjson
import pytest

from revdesk_mock.settings import shipped
from revdesk_mock.simulation.agent_modes import MOST_LINES, OPTIONS, Behaviour, choose, read
from revdesk_mock.validation import Schema
from tests.conftest import AGENT, MAIN, ORDINARY, Client

ORDERS: list[tuple[Any, Behaviour]] = [
    ({"mode": "echo"}, Behaviour("echo")),
    ({"mode": "tone"}, Behaviour("tone")),
    ({"mode": "silent"}, Behaviour("silent")),
    ({"mode": "speak", "script": ["One.", "Two."]}, Behaviour("speak", ("One.", "Two."))),
    ({"mode": "hangup_after", "seconds": 0.5}, Behaviour("hangup_after", seconds=0.5)),
    ({"mode": "hangup_after", "seconds": 0}, Behaviour("hangup_after", seconds=0)),
]
NO_ORDERS: list[tuple[Any, str]] = [
    (None, "mode must be one of echo, speak"),
    ([], "mode must be"),
    ({}, "mode must be one of echo, speak, tone, silent, hangup_after, not None"),
    ({"mode": "dance"}, "not 'dance'"),
    ({"mode": ["echo"]}, "mode must be"),
    ({"mode": "echo", "script": ["One."]}, "mode echo does not know 'script'; it takes no options"),
    ({"mode": "speak", "seconds": 3}, "mode speak does not know 'seconds'; it takes script"),
    ({"mode": "speak", "lines": []}, "does not know 'lines'"),
    ({"mode": "speak", "script": []}, "script must be"),
    ({"mode": "speak", "script": "One."}, "script must be"),
    ({"mode": "speak", "script": ["One.", 2]}, "script must be"),
    ({"mode": "speak", "script": [" "]}, "script must be"),
    ({"mode": "speak", "script": ["x" * 1001]}, "script must be"),
    ({"mode": "speak", "script": ["x"] * (MOST_LINES + 1)}, "script must be"),
    ({"mode": "hangup_after", "seconds": -1}, "seconds must be 0 to 14400"),
    ({"mode": "hangup_after", "seconds": "5"}, "seconds must be"),
    ({"mode": "hangup_after", "seconds": 10**18}, "seconds must be"),
    ({"mode": "hangup_after", "seconds": True}, "seconds must be"),
    ({"mode": "hangup_after", "seconds": float("nan")}, "seconds must be"),
]
SILENT, TONE = {"mode": "silent"}, {"mode": "tone"}


@pytest.mark.parametrize(("order", "behaviour"), ORDERS, ids=[str(order) for order, _ in ORDERS])
def test_an_order_is_read_and_written_back(order: Any, behaviour: Behaviour) -> None:
    assert read(order) == behaviour
    assert behaviour.written() == order


@pytest.mark.parametrize("mode", OPTIONS)
def test_options_may_be_left_out(mode: str) -> None:
    assert read({"mode": mode}).written() == {"mode": mode, **OPTIONS[mode]}


@pytest.mark.parametrize(("order", "message"), NO_ORDERS, ids=[f"{order!r:.60}" for order, _ in NO_ORDERS])
def test_anything_else_is_refused_with_what_would_do(order: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        read(order)


FIXTURES = orjson.loads(shipped("fixtures/world.schema.json").read_bytes())
OF_A_FIXTURE = Schema({"$ref": "#/$defs/behaviour", "$defs": FIXTURES["$defs"]})


@pytest.mark.parametrize("order", [order for order, _ in (*ORDERS, *NO_ORDERS)], ids=lambda order: f"{order!r:.60}")
def test_a_fixture_may_say_what_an_order_may(order: Any) -> None:
    said = orjson.loads(orjson.dumps(order))
    try:
        read(said)
    except ValueError:
        assert not OF_A_FIXTURE.is_valid(said)
    else:
        assert OF_A_FIXTURE.is_valid(said)


def test_the_calls_order_is_stronger_than_the_agents_record_and_that_than_the_policy() -> None:
    assert choose(Behaviour("tone"), {"behaviour": SILENT}, "echo") == TONE
    assert choose(None, {"behaviour": SILENT}, "echo") == SILENT
    assert choose(None, {}, "tone") == TONE


def web_call(client: Client, header: str | None = None) -> Any:
    """Start a web call and return what its agent is to do."""
    assert client.post(f"/v1/agents/{AGENT}/web-call", x_revdesk_mock=header).status == 200
    return client.world.store.all("calls")[-1]["behaviour"]


def test_a_web_call_keeps_what_was_ordered_for_its_agent(client: Client) -> None:
    assert web_call(client, '{"agent": {"mode": "speak", "script": ["One."]}}') == {"mode": "speak", "script": ["One."]}
    assert web_call(client, '{"delay_ms": 0, "agent": {"mode": "tone"}}') == TONE
    assert web_call(client) == {"mode": "echo"}


def test_a_web_call_does_what_the_record_of_its_agent_says(client: Client) -> None:
    agent = client.world.store.get("agents", AGENT)
    assert agent is not None
    with client.world.store.transaction():
        client.world.store.update("agents", agent, behaviour=SILENT)
    client("PATCH", f"/v1/agents/{AGENT}", {"greeting": "Good day."})
    assert web_call(client) == SILENT
    assert web_call(client, '{"agent": {"mode": "tone"}}') == TONE


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ('{"agent": "speak"}', "agent must be an object"),
        ('{"agent": null}', "agent must be an object"),
        ('{"agent": {"mode": "dance"}}', "agent: mode must be one of"),
        ('{"agent": {"mode": "tone", "seconds": 3}}', "agent: mode tone does not know 'seconds'"),
    ],
)
def test_an_order_that_is_no_good_is_refused_and_starts_no_call(client: Client, header: str, message: str) -> None:
    before = client.world.dump()
    answer = client.post(f"/v1/agents/{AGENT}/web-call", x_revdesk_mock=header)
    assert (answer.status, answer.code) == (400, "validation_error")
    assert answer.fields["X-RevDesk-Mock"].startswith(message)
    assert client.world.dump() == before


def test_an_operation_without_an_agent_in_a_room_refuses_an_order_for_one(client: Client) -> None:
    pair = {"from_number": MAIN, "to_number": ORDINARY}
    for answer in (
        client.get("/v1/me", x_revdesk_mock='{"agent": {"mode": "tone"}}'),
        client.post("/v1/webrtc-token", pair, x_revdesk_mock='{"agent": {"mode": "tone"}}'),
    ):
        assert (answer.status, answer.code) == (400, "validation_error")
        assert "v1_agents_id_web_call_post" in answer.fields["X-RevDesk-Mock"]
