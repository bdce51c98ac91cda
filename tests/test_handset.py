"""A call driven by hand: every step from every state, and what the call does afterwards."""

from pathlib import Path

import pytest

from revdesk_mock import ApiError, handset
from revdesk_mock.messages import Record
from tests.conftest import AGENT, MAIN, ORDINARY, Client, reopened

MINUTE, HOUR = 60, 3600
MADE: dict[str, tuple[str, ...]] = {
    "queued": (),
    "ringing": ("ring",),
    "in_progress": ("ring", "answer"),
    "completed": ("ring", "answer", "hang-up"),
    "busy": ("busy",),
    "no_answer": ("ring", "no-answer"),
    "declined": ("ring", "decline"),
    "canceled": ("hang-up",),
}
LEADS: dict[tuple[str, str], str] = {
    ("queued", "ring"): "ringing",
    ("queued", "busy"): "busy",
    ("queued", "hang-up"): "canceled",
    ("ringing", "answer"): "in_progress",
    ("ringing", "busy"): "busy",
    ("ringing", "no-answer"): "no_answer",
    ("ringing", "decline"): "declined",
    ("ringing", "hang-up"): "canceled",
    ("in_progress", "hang-up"): "completed",
}


def record(client: Client, call_id: str) -> Record:
    client.world.run_due()
    call = client.world.store.get("calls", call_id)
    assert call is not None
    return call


def dialed(client: Client, *steps: str) -> str:
    numbers = {"from_number": MAIN, "to_number": ORDINARY}
    call_id = str(client.post("/v1/calls/dial", numbers).data["call_id"])
    for step in steps:
        handset.take(client.world, record(client, call_id), step)
    return call_id


@pytest.mark.parametrize("step", handset.STEPS)
@pytest.mark.parametrize("state", MADE)
def test_a_step_leads_on_from_the_states_in_which_it_makes_sense_alone(client: Client, state: str, step: str) -> None:
    call_id = dialed(client, *MADE[state])
    call = record(client, call_id)
    assert call["status"] == state
    if (state, step) in LEADS:
        assert handset.take(client.world, call, step)["status"] == LEADS[state, step]
        return
    with pytest.raises(ApiError) as caught:
        handset.take(client.world, call, step)
    assert (caught.value.status, caught.value.code) == (409, "conflict")
    assert f"This call is {state}" in caught.value.message
    assert record(client, call_id) == call


def test_a_call_that_rings_by_hand_waits_half_a_minute_for_a_hand(client: Client) -> None:
    call_id = dialed(client, "ring")
    client.advance(29)
    assert record(client, call_id)["status"] == "ringing"
    client.advance(1)
    assert record(client, call_id)["status"] == "no_answer"


def test_a_call_that_is_answered_by_hand_talks_until_somebody_hangs_up(client: Client) -> None:
    call_id = dialed(client, "ring")
    client.advance(7)
    handset.take(client.world, record(client, call_id), "answer")
    client.advance(HOUR)
    call = client.get(f"/v1/calls/{call_id}").data
    assert call["status"] == "IN_PROGRESS"
    handset.take(client.world, record(client, call_id), "hang-up")
    call = client.get(f"/v1/calls/{call_id}").data
    assert (call["status"], call["duration_seconds"], call["has_recording"]) == ("COMPLETED", HOUR, True)
    client.advance(4 * HOUR)
    assert record(client, call_id)["duration_seconds"] == HOUR


def test_a_call_that_nobody_hangs_up_ends_after_four_hours(client: Client) -> None:
    call_id = dialed(client, "ring", "answer")
    client.advance(4 * HOUR)
    assert (record(client, call_id)["status"], record(client, call_id)["duration_seconds"]) == ("completed", 4 * HOUR)


def test_a_call_goes_on_by_hand_after_an_export(client: Client, tmp_path: Path) -> None:
    call_id = dialed(client, "ring", "answer")
    later = reopened(client, tmp_path)
    later.advance(HOUR)
    assert record(later, call_id)["status"] == "in_progress"


def test_a_call_that_waits_for_its_browser_can_only_be_hung_up(client: Client) -> None:
    client.post("/v1/webrtc-token", {"from_number": MAIN, "to_number": ORDINARY})
    call = client.world.store.all("calls")[-1]
    for step in handset.STEPS.keys() - {"hang-up"}:
        with pytest.raises(ApiError, match="This call is waiting"):
            handset.take(client.world, call, step)
    assert handset.take(client.world, call, "hang-up")["status"] == "canceled"


def test_keys_are_noted_in_a_call_that_is_in_progress(client: Client) -> None:
    call_id = dialed(client, "ring")
    with pytest.raises(ApiError, match="This call is ringing: digits takes a call that is in_progress"):
        handset.press(client.world, record(client, call_id), "1")
    handset.take(client.world, record(client, call_id), "answer")
    handset.press(client.world, record(client, call_id), "12#")
    assert handset.press(client.world, record(client, call_id), "a")["digits"] == "12#A"


def test_an_agents_call_is_driven_as_any_other(client: Client) -> None:
    order = {"phoneNumber": ORDINARY, "script": "Good day", "agentId": AGENT}
    call_id = str(client.post("/v1/calls", order).data["call_id"])
    for step in ("ring", "answer", "hang-up"):
        handset.take(client.world, record(client, call_id), step)
    assert client.get(f"/v1/calls/{call_id}").data["has_transcript"] is True
