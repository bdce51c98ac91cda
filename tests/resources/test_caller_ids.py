"""Caller IDs: a call reads out a code, and the code makes the number one to call from."""

from typing import Any

import pytest

from revdesk_mock import Emulator
from tests.conftest import MAIN, ORDINARY, VERIFIED, Answer, Client, emulator_with

MINE = "+13125550177"


def start(client: Client, number: str = MINE) -> Answer:
    return client.post("/v1/caller-ids", {"phone_number": number})


def started(client: Client, number: str = MINE) -> str:
    answer = start(client, number)
    assert answer.status == 200, answer.raw
    return str(answer.data["caller_id_id"])


def code_of(client: Client, caller_id: str) -> str:
    record = client.world.store.get("caller_ids", caller_id)
    assert record is not None
    return str(record["code"])


def wrong_code(client: Client, caller_id: str) -> str:
    return "000000" if code_of(client, caller_id) != "000000" else "000001"


def hand_in(client: Client, caller_id: str, code: str) -> Answer:
    return client.post(f"/v1/caller-ids/{caller_id}/verify", {"verification_code": code})


def look(client: Client, caller_id: str) -> Any:
    return next(shown for shown in client.get("/v1/caller-ids").data if shown["caller_id_id"] == caller_id)


def verified(client: Client, number: str = MINE) -> str:
    caller_id = started(client, number)
    assert hand_in(client, caller_id, code_of(client, caller_id)).data["verified"] is True
    return caller_id


def test_the_right_code_verifies_and_the_number_may_call(client: Client) -> None:
    call = {"from_number": MINE, "to_number": ORDINARY}
    assert client.post("/v1/calls/dial", call).status == 422
    caller_id = started(client)
    assert client.post("/v1/calls/dial", call).status == 422
    client.advance(30)
    assert hand_in(client, caller_id, f" {code_of(client, caller_id)} ").data["verified"] is True
    shown = look(client, caller_id)
    assert (shown["status"], shown["active"], shown["certification_method"]) == ("VERIFIED", True, "phone_call")
    assert shown["verified_at"] == "2026-01-05T09:00:30.000Z"
    assert client.post("/v1/calls/dial", call).status == 200


def test_the_code_is_not_in_any_answer(client: Client) -> None:
    answer = start(client)
    code = code_of(client, answer.data["caller_id_id"])
    assert answer.data["validation_code"] == "******"
    assert code not in answer.data["message"]
    assert code.encode() not in client.get("/v1/caller-ids").raw


def test_a_wrong_code_is_told_and_counted(client: Client) -> None:
    caller_id = started(client)
    answer = hand_in(client, caller_id, wrong_code(client, caller_id))
    assert answer.data == {"verified": False, "message": "The code is wrong. 4 tries left."}
    assert look(client, caller_id)["status"] == "PENDING"


def test_the_fifth_wrong_code_ends_it(client: Client) -> None:
    caller_id = started(client)
    for _ in range(5):
        assert hand_in(client, caller_id, wrong_code(client, caller_id)).data["verified"] is False
    assert look(client, caller_id)["status"] == "FAILED"
    assert hand_in(client, caller_id, code_of(client, caller_id)).status == 409
    client.advance(3600)
    assert look(client, caller_id)["status"] == "FAILED"


def test_a_code_lives_ten_minutes(client: Client) -> None:
    caller_id = started(client)
    client.advance(599.999)
    assert look(client, caller_id)["status"] == "PENDING"
    client.advance(0.001)
    assert look(client, caller_id)["status"] == "EXPIRED"
    assert look(client, caller_id)["updated_at"] == "2026-01-05T09:10:00.000Z"
    answer = hand_in(client, caller_id, code_of(client, caller_id))
    assert (answer.status, answer.code) == (409, "conflict")
    assert "has expired" in answer.body["error"]["message"]


def test_starting_again_replaces_what_is_open(client: Client) -> None:
    first, second = started(client), started(client)
    assert hand_in(client, first, "000000").status == 404
    assert hand_in(client, second, code_of(client, second)).data["verified"] is True


def test_after_a_failure_one_can_start_again(client: Client) -> None:
    started(client)
    client.advance(600)
    assert verified(client)


def test_a_verified_number_is_not_verified_again(client: Client) -> None:
    answer = start(client, VERIFIED)
    assert (answer.status, answer.code) == (409, "conflict")


def test_handing_in_a_code_twice_is_no_harm(client: Client) -> None:
    caller_id = verified(client)
    assert hand_in(client, caller_id, "anything").data["verified"] is True


@pytest.mark.parametrize("number", ["+911", "+112"])
def test_emergency_numbers_are_not_called_for_a_code(client: Client, number: str) -> None:
    assert start(client, number).status == 403


def test_a_demo_key_verifies_fictional_numbers_only(emulator: Emulator) -> None:
    demo = Client(emulator, "revdesk_demo_1")
    assert start(demo, "+14155552671").status == 403
    assert start(demo).status == 200


def test_the_list_is_newest_first_and_counts(client: Client) -> None:
    mine = started(client)
    answer = client.get("/v1/caller-ids")
    assert [shown["phone_number"] for shown in answer.data] == [MINE, VERIFIED]
    assert answer.data[0]["caller_id_id"] == mine
    assert answer.body["meta"] == {"total_results": 2, "page_size": 2}


def test_cnam_is_for_verified_ones_only(client: Client) -> None:
    caller_id = started(client)
    assert client("PATCH", f"/v1/caller-ids/{caller_id}", {"cnam_display_name": "Harbor"}).status == 409


def test_cnam_is_pending_until_it_has_spread(client: Client) -> None:
    caller_id = verified(client)
    shown = client("PATCH", f"/v1/caller-ids/{caller_id}", {"cnam_display_name": "Harbor"}).data
    assert (shown["cnam_display_name"], shown["cnam_status"]) == ("Harbor", "PENDING")
    client.advance(48 * 3600)
    assert look(client, caller_id)["cnam_status"] == "APPROVED"
    assert look(client, caller_id)["status"] == "VERIFIED"
    ended = client("PATCH", f"/v1/caller-ids/{caller_id}", {"cnam_display_name": ""}).data
    assert (ended["cnam_display_name"], ended["cnam_status"]) == (None, None)


def test_a_cnam_of_sixteen_characters_is_refused(client: Client) -> None:
    answer = client("PATCH", f"/v1/caller-ids/{verified(client)}", {"cnam_display_name": "x" * 16})
    assert (answer.status, list(answer.fields)) == (400, ["cnam_display_name"])


def test_a_refused_start_leaves_no_trace(client: Client) -> None:
    before = client.world.dump()
    assert client.post("/v1/caller-ids", {"phone_number": "312"}).status == 400
    assert start(client, "+911").status == 403
    assert start(client, VERIFIED).status == 409
    assert client.world.dump() == before


def test_by_policy_the_answer_shows_the_code() -> None:
    client = Client(emulator_with(caller_id_code="shown"))
    answer = start(client)
    assert answer.data["validation_code"] == code_of(client, answer.data["caller_id_id"])


def test_an_own_number_may_be_verified_as_well(client: Client) -> None:
    assert verified(client, MAIN)
