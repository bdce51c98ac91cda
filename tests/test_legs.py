"""Legs that a person picks up: who may, how long it rings for them, and what becomes of the call."""

from pathlib import Path
from typing import Any

import pytest

from revdesk_mock import ApiError, legs, placement
from revdesk_mock.messages import Record
from tests.conftest import MAIN, ORDINARY, Client, emulator_with, reopened

CONNECT = "+17035550155"
HOUR = 3600


def bridge(client: Client, to: str = ORDINARY, connect: str = CONNECT) -> str:
    numbers = {"from_number": MAIN, "to_number": to, "connect_number": connect}
    return str(client.post("/v1/calls/dial", numbers).data["call_id"])


def record(client: Client, call_id: str) -> Record:
    client.world.run_due()
    call = client.world.store.get("calls", call_id)
    assert call is not None
    return call


def hand_over(client: Client, call_id: str, role: str = "connect") -> str:
    return legs.hand_over(client.world, record(client, call_id), role)[0]


def pick_up(client: Client, token: str) -> None:
    placement.join(client.world, token)


def look(client: Client, call_id: str) -> Any:
    return client.get(f"/v1/calls/{call_id}").data


def status_after(client: Client, call_id: str, *seconds: float) -> list[str]:
    seen = []
    for pause in seconds:
        client.advance(pause)
        seen.append(str(look(client, call_id)["status"]))
    return seen


def refusal(client: Client, call_id: str, role: str = "connect") -> tuple[int, str]:
    """Ask in vain, leaving no trace."""
    call, before = record(client, call_id), client.world.dump()
    with pytest.raises(ApiError) as caught:
        legs.hand_over(client.world, call, role)
    assert client.world.dump() == before
    assert CONNECT not in caught.value.message
    return caught.value.status, caught.value.message


# ringing for a person


def test_a_leg_rings_thirty_seconds_for_its_person_and_then_nobody_has_answered(client: Client) -> None:
    call_id = bridge(client)
    hand_over(client, call_id)
    assert status_after(client, call_id, 1, 29.999, 0.001) == ["RINGING", "RINGING", "NO_ANSWER"]


def test_the_persons_own_phone_answers_no_more_and_declines_no_more(client: Client) -> None:
    for connect in ("+17035550105", "+17035550106", "+17035550108"):
        call_id = bridge(client, connect=connect)
        hand_over(client, call_id)
        assert status_after(client, call_id, 10) == ["RINGING"]


def test_the_call_is_answered_when_the_person_joins_a_phone_that_has_answered(client: Client) -> None:
    call_id = bridge(client)
    token = hand_over(client, call_id)
    client.advance(10)
    pick_up(client, token)
    assert status_after(client, call_id, 0, 30) == ["IN_PROGRESS", "COMPLETED"]
    assert look(client, call_id)["duration_seconds"] == 30


def test_a_person_who_is_early_waits_until_the_phone_answers(client: Client) -> None:
    call_id = bridge(client, to="+13125550107")
    pick_up(client, hand_over(client, call_id))
    assert status_after(client, call_id, 1, 24.999, 0.001) == ["RINGING", "RINGING", "IN_PROGRESS"]


def test_the_other_phone_goes_by_its_number_all_the_while(client: Client) -> None:
    call_id = bridge(client, to="+13125550102")
    pick_up(client, hand_over(client, call_id))
    assert status_after(client, call_id, 2) == ["BUSY"]


def test_two_people_talk_when_both_have_picked_up(client: Client) -> None:
    call_id = bridge(client)
    tokens = [hand_over(client, call_id, role) for role in ("connect", "destination")]
    for token in tokens:
        assert status_after(client, call_id, 5) == ["RINGING"]
        pick_up(client, token)
    assert status_after(client, call_id, 0, 2 * HOUR) == ["IN_PROGRESS", "IN_PROGRESS"]


def test_a_person_who_picks_up_during_the_dialing_is_there_when_it_rings(client: Client) -> None:
    call_id = bridge(client, to="+13125550108")
    pick_up(client, hand_over(client, call_id))
    assert status_after(client, call_id, 0, 1) == ["QUEUED", "IN_PROGRESS"]


# taking a leg over


def test_a_call_under_way_goes_on_by_itself_until_the_person_takes_over(client: Client) -> None:
    call_id = bridge(client)
    client.advance(5)
    hand_over(client, call_id)
    assert status_after(client, call_id, 28, 1) == ["IN_PROGRESS", "COMPLETED"]


def test_who_takes_a_leg_over_talks_as_long_as_they_like(client: Client) -> None:
    call_id = bridge(client, to="+13125550101", connect="+17035550111")
    client.advance(5)
    pick_up(client, hand_over(client, call_id, "destination"))
    assert status_after(client, call_id, HOUR) == ["IN_PROGRESS"]


def test_a_leg_taken_over_leaves_the_others_script_as_it_was(client: Client) -> None:
    call_id = bridge(client, to="+13125550101")
    client.advance(5)
    pick_up(client, hand_over(client, call_id))
    assert status_after(client, call_id, 8.999, 0.001) == ["IN_PROGRESS", "COMPLETED"]
    assert look(client, call_id)["duration_seconds"] == 10


def test_a_person_who_is_on_the_line_without_a_phone_can_come_into_the_room_too(client: Client) -> None:
    call_id = str(client.post("/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY}).data["call_id"])
    pick_up(client, hand_over(client, call_id))
    assert status_after(client, call_id, 4) == ["IN_PROGRESS"]


# refusals


def test_a_call_that_is_no_bridge_has_no_leg_to_pick_up(client: Client) -> None:
    call_id = client.post("/v1/room-token", {"from_number": MAIN, "to_number": ORDINARY}).data["call_id"]
    assert refusal(client, call_id, "destination")[0] == 409


@pytest.mark.parametrize("role", ["agent", "Connect", "third"])
def test_a_leg_that_there_is_not_is_not_found(client: Client, role: str) -> None:
    assert refusal(client, bridge(client), role)[0] == 404


def test_a_call_that_has_ended_is_not_picked_up(client: Client) -> None:
    call_id = bridge(client)
    client.post(f"/v1/calls/{call_id}/hangup")
    assert refusal(client, call_id) == (409, "This call has ended.")


def test_a_leg_goes_to_one_person(client: Client) -> None:
    call_id = bridge(client)
    token = hand_over(client, call_id)
    assert refusal(client, call_id) == (409, "A token for this leg is out already.")
    pick_up(client, token)
    assert refusal(client, call_id) == (409, "A person has this leg.")
    hand_over(client, call_id, "destination")


def test_a_leg_whose_token_ran_out_is_free_again() -> None:
    client = Client(emulator_with(room_token_ttl_seconds=60))
    call_id = bridge(client, to="+13125550109", connect="+17035550111")
    client.advance(5)
    token = hand_over(client, call_id)
    client.advance(60)
    with pytest.raises(ApiError, match="expired"):
        pick_up(client, token)
    pick_up(client, hand_over(client, call_id))


# dumps


def test_a_leg_that_waits_for_a_person_waits_on_after_an_export(tmp_path: Path) -> None:
    client = Client(emulator_with())
    call_id = bridge(client)
    hand_over(client, call_id)
    client.advance(10)
    restored = reopened(client, tmp_path)
    assert status_after(restored, call_id, 20.999, 0.001) == ["RINGING", "NO_ANSWER"]


def test_what_waits_for_a_person_is_the_room_of_the_call(client: Client) -> None:
    call_id = bridge(client)
    claims = client.world.join_tokens._signer.read(hand_over(client, call_id))
    assert claims["video"]["room"] == f"room_{call_id.removeprefix('call_')}"
    assert claims["sub"] == f"connect-{call_id}"
