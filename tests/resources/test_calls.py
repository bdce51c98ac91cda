"""Calls: AI calls, bridges of two phones, the list in pages, whose a call is, and hang-up."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import AGENT, MAIN, NEWER_AGENT, ORDINARY, RECALL, VERIFIED, Answer, Client, emulator_with

ORGANIZATION, USER = "6f1c2a9e-3b57-4c1d-9a84-0f5e7d2b6c31", "0b9d7e54-8a26-4f3c-b1e7-5c2d9a6f8e40"
KNOWN_CONTACT = "5e0c7b1a-94d2-4f68-a3b7-d1c8e62f0a95"
UNKNOWN_AGENT = "00000000-0000-4000-8000-000000000000"
BUSY, VOICEMAIL = "+13125550102", "+13125550104"
PERSON = "+17035550100"
FOR_SALE = "+13125550142"
FIXTURE = ["call_fixture00000003", "call_fixture00000002", "call_fixture00000001"]


def ai_call(client: Client, to: str = ORDINARY, **body: Any) -> Answer:
    return client.post("/v1/calls", {"phoneNumber": to, **body})


def dial(client: Client, to: str = ORDINARY, caller: str = MAIN, **body: Any) -> Answer:
    return client.post("/v1/calls/dial", {"from_number": caller, "to_number": to, **body})


def room(client: Client, to: str = ORDINARY, caller: str = MAIN) -> Answer:
    return client.post("/v1/room-token", {"from_number": caller, "to_number": to})


def browser(client: Client, to: str = ORDINARY, caller: str = MAIN) -> Answer:
    return client.post("/v1/webrtc-token", {"from_number": caller, "to_number": to})


def shown(client: Client, placed: Answer) -> dict[str, Any]:
    return dict(client.get(f"/v1/calls/{placed.data['call_id']}").data)


def status(client: Client, placed: Answer) -> str:
    return str(shown(client, placed)["status"])


def record(client: Client, placed: Answer) -> dict[str, Any]:
    found = client.world.store.get("calls", placed.data["call_id"])
    assert found is not None
    return found


def release(client: Client, record_id: str) -> None:
    assert client("DELETE", f"/v1/phone-numbers/{record_id}").status == 200


PATHS: dict[str, Callable[..., Answer]] = {"ai": ai_call, "dial": dial, "room": room, "browser": browser}
every_path = pytest.mark.parametrize("path", PATHS)


# AI calls


def test_an_ai_call_answers_its_ids_and_is_queued(client: Client) -> None:
    answer = ai_call(client)
    assert answer.data["status"] == "QUEUED"
    assert shown(client, answer)["id"] == answer.data["call_id"]


def test_without_an_assistant_the_newest_agent_calls_from_its_number(client: Client) -> None:
    call = ai_call(client)
    assert record(client, call)["agent_id"] == NEWER_AGENT
    assert shown(client, call)["from_number"] == RECALL


def test_an_assistant_calls_from_its_own_number(client: Client) -> None:
    call = ai_call(client, assistantId=AGENT.upper())
    assert record(client, call)["agent_id"] == AGENT
    assert shown(client, call)["from_number"] == MAIN


def test_an_agent_whose_number_is_pending_calls_from_the_newest_active_one(client: Client) -> None:
    client.post("/v1/phone-numbers", {"phone_number": FOR_SALE})
    assert shown(client, ai_call(client))["from_number"] == RECALL
    client.advance(5)
    assert shown(client, ai_call(client))["from_number"] == FOR_SALE


def test_an_agent_without_a_number_calls_from_the_newest_active_one(client: Client) -> None:
    release(client, "1001")
    assert shown(client, ai_call(client, assistantId=AGENT))["from_number"] == RECALL


@pytest.mark.parametrize("agent", [UNKNOWN_AGENT, "", "nobody"])
def test_an_unknown_assistant_is_not_found(client: Client, agent: str) -> None:
    answer = ai_call(client, assistantId=agent)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("body", [{"assistantId": NEWER_AGENT}, {}], ids=["named", "by-default"])
def test_an_agent_that_is_switched_off_makes_no_call(client: Client, body: dict[str, str]) -> None:
    client("PATCH", f"/v1/agents/{NEWER_AGENT}", {"enabled": False})
    before = client.world.dump()
    answer = ai_call(client, **body)
    assert (answer.status, answer.code) == (409, "conflict")
    assert client.world.dump() == before


def test_without_an_active_number_there_is_no_call(client: Client) -> None:
    release(client, "1001")
    release(client, "1002")
    client.post("/v1/phone-numbers", {"phone_number": FOR_SALE})
    before = client.world.dump()
    answer = ai_call(client)
    assert (answer.status, answer.code) == (409, "conflict")
    assert client.world.dump() == before


def test_calls_to_one_number_share_a_contact(client: Client) -> None:
    first, second, other = ai_call(client), ai_call(client), ai_call(client, BUSY)
    assert first.data["contact_id"] == second.data["contact_id"] != other.data["contact_id"]


def test_a_contact_that_is_known_is_used(client: Client) -> None:
    assert ai_call(client, "+13125550101").data["contact_id"] == KNOWN_CONTACT


def test_a_refused_call_leaves_no_contact(client: Client) -> None:
    assert ai_call(client, "+13125550190").status == 403
    assert all(contact["phone_number"] != "+13125550190" for contact in client.world.store.all("contacts"))


def test_a_script_replaces_the_greeting(client: Client) -> None:
    assert record(client, ai_call(client, script="Your crown is ready."))["opening"] == "Your crown is ready."
    assert record(client, ai_call(client))["opening"] == "Good day, this is Harbor Dental with a reminder."


# bridges of two phones


def test_a_bridge_answers_both_numbers_and_the_carriers_id(client: Client) -> None:
    data = dial(client, connect_number=PERSON).data
    assert (data["from_number"], data["to_number"], data["status"]) == (MAIN, ORDINARY, "QUEUED")
    assert data["provider_call_sid"].startswith("CA")


def test_a_bridge_has_two_legs_that_are_both_shown_the_callers_number(client: Client) -> None:
    legs = record(client, dial(client, connect_number=PERSON))["legs"]
    assert [(leg["role"], leg["number"], leg["caller_id"]) for leg in legs] == [
        ("connect", PERSON, MAIN),
        ("destination", ORDINARY, MAIN),
    ]
    assert client.world.guardrails.channels_in_use() == 2


def test_the_persons_own_number_is_nowhere_in_what_is_shown_of_the_call(client: Client) -> None:
    placed = dial(client, connect_number=PERSON)
    path = f"/v1/calls/{placed.data['call_id']}"
    client.advance(10)
    answers = [placed, client.get(path), client.get("/v1/calls?limit=1"), client.post(f"{path}/hangup")]
    assert all(PERSON.encode() not in answer.raw for answer in answers)


def test_without_a_connect_number_the_person_is_on_the_callers_number(client: Client) -> None:
    call = dial(client)
    assert [leg["number"] for leg in record(client, call)["legs"]] == [MAIN, ORDINARY]
    client.advance(4)
    assert status(client, call) == "IN_PROGRESS"


@pytest.mark.parametrize(
    ("person", "to", "seconds", "expected"),
    [
        (BUSY, ORDINARY, 2, "BUSY"),
        (ORDINARY, BUSY, 2, "BUSY"),
        ("+17035550107", ORDINARY, 25, "RINGING"),
        ("+17035550107", ORDINARY, 26, "IN_PROGRESS"),
        (ORDINARY, "+17035550110", 6, "COMPLETED"),
        ("+17035550110", ORDINARY, 6, "COMPLETED"),
        (ORDINARY, "+17035550106", 1, "UNREACHABLE"),
        ("+17035550108", "+17035550108", 1, "IN_PROGRESS"),
    ],
    ids=["person-busy", "busy", "person-rings", "person-answers", "drops", "person-drops", "unreachable", "at-once"],
)
def test_a_bridge_goes_as_both_phones_do(client: Client, person: str, to: str, seconds: int, expected: str) -> None:
    call = dial(client, to, connect_number=person)
    client.advance(seconds)
    assert status(client, call) == expected


def test_a_call_from_a_number_of_somebody_else_is_refused(client: Client) -> None:
    answer = dial(client, caller=FOR_SALE)
    assert (answer.status, answer.code) == (422, "caller_id_not_verified")
    assert set(answer.fields) == {"from_number"}


# what becomes of a call


@every_path
def test_a_call_is_attributed_to_organization_user_and_both_numbers(client: Client, path: str) -> None:
    data = shown(client, PATHS[path](client, "+13125550107"))
    caller = RECALL if path == "ai" else MAIN
    assert (data["organization_id"], data["user_id"]) == (ORGANIZATION, USER)
    assert (data["from_number"], data["to_number"], data["direction"]) == (caller, "+13125550107", "outbound")
    assert data["phone_number_id"] == (1002 if path == "ai" else 1001)


def test_a_numbers_record_id_is_text_in_the_list_and_a_number_by_id(client: Client) -> None:
    call = dial(client)
    assert client.get("/v1/calls?limit=1").data[0]["phone_number_id"] == "1001"
    assert shown(client, call)["phone_number_id"] == 1001


def test_a_verified_caller_id_has_no_record_id(client: Client) -> None:
    call = dial(client, caller=VERIFIED)
    assert client.get("/v1/calls?limit=1").data[0]["phone_number_id"] is None
    assert shown(client, call)["phone_number_id"] is None


def test_a_call_is_dated_as_it_goes_on(client: Client) -> None:
    call = ai_call(client, "+13125550101")
    fields = ("started_at", "ended_at", "duration_seconds")
    assert [shown(client, call)[field] for field in fields] == [None, None, None]
    client.advance(1)
    assert [shown(client, call)[field] for field in fields] == ["2026-01-05T09:00:01.000Z", None, None]
    client.advance(60)
    assert [shown(client, call)[field] for field in fields] == [
        "2026-01-05T09:00:01.000Z",
        "2026-01-05T09:00:14.000Z",
        10,
    ]


@pytest.mark.parametrize(
    ("digits", "steps"),
    [
        ("00", [(0, "QUEUED"), (1, "RINGING"), (4, "IN_PROGRESS"), (34, "COMPLETED")]),
        ("01", [(0, "QUEUED"), (1, "RINGING"), (4, "IN_PROGRESS"), (14, "COMPLETED")]),
        ("02", [(0, "QUEUED"), (1, "RINGING"), (2, "BUSY")]),
        ("03", [(0, "QUEUED"), (1, "RINGING"), (31, "NO_ANSWER")]),
        ("04", [(0, "QUEUED"), (1, "RINGING"), (21, "IN_PROGRESS"), (33, "VOICEMAIL")]),
        ("05", [(0, "QUEUED"), (1, "RINGING"), (5, "DECLINED")]),
        ("06", [(0, "QUEUED"), (1, "UNREACHABLE")]),
        ("08", [(0, "QUEUED"), (1, "IN_PROGRESS"), (31, "COMPLETED")]),
    ],
)
def test_an_ai_call_goes_as_the_magic_number_says(client: Client, digits: str, steps: list[tuple[int, str]]) -> None:
    call = ai_call(client, f"+131255501{digits}")
    passed = 0
    for at, expected in steps:
        if at:
            client.advance(at - passed - 0.001)
            before = status(client, call)
            assert before != expected
            client.advance(0.001)
        passed = at
        assert status(client, call) == expected


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ({}, "DECLINED"),
        ({"failed_call_status": "failed"}, "FAILED"),
        ({"call_status_case": "lower"}, "declined"),
        ({"failed_call_status": "failed", "call_status_case": "lower"}, "failed"),
    ],
)
def test_the_spelling_of_a_status_is_a_policy(policies: dict[str, str], expected: str) -> None:
    client = Client(emulator_with(**policies))
    call = ai_call(client, "+13125550105")
    client.advance(60)
    assert status(client, call) == expected
    assert [each["id"] for each in client.get(f"/v1/calls?status={expected}").data] == [call.data["call_id"]]


# recordings and transcripts


@pytest.mark.parametrize(
    ("path", "to", "recording", "transcript"),
    [
        ("ai", ORDINARY, True, True),
        ("ai", VOICEMAIL, True, True),
        ("ai", BUSY, False, False),
        ("dial", ORDINARY, True, False),
        ("dial", BUSY, False, False),
        ("room", ORDINARY, True, False),
    ],
)
def test_recording_and_transcript_come_when_the_call_has_ended(
    client: Client, path: str, to: str, *, recording: bool, transcript: bool
) -> None:
    call = PATHS[path](client, to)
    fields = ("has_recording", "has_transcript")
    for _ in range(4):  # queued, ringing, and talking where it is answered
        if shown(client, call)["ended_at"] is None:
            assert [shown(client, call)[field] for field in fields] == [False, False]
            assert shown(client, call)["recording_url"] is None
        client.advance(1)
    client.advance(60)
    assert [shown(client, call)[field] for field in fields] == [recording, transcript]
    assert (shown(client, call)["recording_url"] is not None) is recording


def test_a_recordings_address_is_where_the_client_reached_the_api(client: Client) -> None:
    call = ai_call(client)
    client.advance(60)
    url = shown(client, call)["recording_url"]
    assert url.startswith("http://127.0.0.1:8473/")
    assert call.data["call_id"] in url
    assert client.get("/v1/calls?limit=1").data[0]["recording_url"] == url


def test_a_bridge_is_recorded_unless_it_says_otherwise(client: Client) -> None:
    call = dial(client, record=False)
    client.advance(60)
    assert shown(client, call)["has_recording"] is False


@pytest.mark.parametrize(
    ("setting", "flag"), [("recording_enabled", "has_recording"), ("transcription_enabled", "has_transcript")]
)
def test_an_ai_call_keeps_what_its_number_is_set_to_keep(client: Client, setting: str, flag: str) -> None:
    client("PATCH", "/v1/phone-numbers/1002", {setting: False})
    call = ai_call(client)
    client.advance(60)
    flags = {"has_recording": True, "has_transcript": True, flag: False}
    assert {name: shown(client, call)[name] for name in flags} == flags


def test_an_agent_without_a_greeting_is_transcribed_all_the_same(client: Client) -> None:
    client("PATCH", f"/v1/agents/{NEWER_AGENT}", {"greeting": None})
    call = ai_call(client)
    client.advance(60)
    assert shown(client, call)["has_transcript"] is True


def test_a_room_call_is_not_recorded_where_its_number_is_not(client: Client) -> None:
    client("PATCH", "/v1/phone-numbers/1001", {"recording_enabled": False})
    call = room(client)
    client.advance(60)
    assert shown(client, call)["has_recording"] is False


# hang-up


def hang_up(client: Client, call: Answer) -> dict[str, Any]:
    answer = client.post(f"/v1/calls/{call.data['call_id']}/hangup")
    assert answer.status == 200
    return dict(answer.data)


@pytest.mark.parametrize(
    ("to", "seconds", "expected"),
    [
        (ORDINARY, 0, "CANCELED"),
        (ORDINARY, 2, "CANCELED"),
        (ORDINARY, 10, "COMPLETED"),
        (VOICEMAIL, 25, "COMPLETED"),
        (VOICEMAIL, 60, "VOICEMAIL"),
        (BUSY, 60, "BUSY"),
    ],
    ids=["queued", "ringing", "talking", "recording-voicemail", "voicemail", "busy"],
)
def test_hanging_up_ends_a_call_and_leaves_an_ended_one(client: Client, to: str, seconds: int, expected: str) -> None:
    call = ai_call(client, to)
    client.advance(seconds)
    assert hang_up(client, call) == {"call_id": call.data["call_id"], "status": expected}


@every_path
def test_hanging_up_again_changes_nothing(client: Client, path: str) -> None:
    call = PATHS[path](client)
    client.advance(10)
    first, ended = hang_up(client, call), shown(client, call)
    client.advance(100)
    assert hang_up(client, call) == first
    assert shown(client, call) == ended


def test_a_call_lasts_from_the_answer_to_the_hang_up(client: Client) -> None:
    call = ai_call(client)
    client.advance(10.9)
    hang_up(client, call)
    data = shown(client, call)
    assert (data["duration_seconds"], data["ended_at"]) == (6, "2026-01-05T09:00:10.900Z")


def test_a_call_that_was_hung_up_before_the_answer_lasted_no_time(client: Client) -> None:
    call = ai_call(client)
    client.advance(2)
    hang_up(client, call)
    data = shown(client, call)
    assert (data["duration_seconds"], data["has_recording"], data["has_transcript"]) == (0, False, False)


def test_hanging_up_frees_the_channels(client: Client) -> None:
    call = dial(client)
    hang_up(client, call)
    assert client.world.guardrails.channels_in_use() == 0


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/hangup")])
def test_an_unknown_call_is_not_found(client: Client, method: str, path: str) -> None:
    answer = client(method, f"/v1/calls/call_nobody{path}")
    assert (answer.status, answer.code) == (404, "not_found")


# the list


def walk(client: Client, query: str) -> list[dict[str, Any]]:
    """Return the records of all pages of GET /v1/calls."""
    records: list[dict[str, Any]] = []
    answer = client.get(f"/v1/calls?{query}")
    while True:
        assert answer.body["meta"]["page_size"] == len(answer.data)
        records += answer.data
        cursor = answer.body["meta"].get("cursor")
        if cursor is None:
            return records
        answer = client.get(f"/v1/calls?{query}&cursor={cursor}")


def test_the_list_has_the_newest_first(client: Client) -> None:
    call = dial(client)
    assert [each["id"] for each in client.get("/v1/calls").data] == [call.data["call_id"], *FIXTURE]


def test_the_list_shows_what_the_call_shows_but_for_the_owners(client: Client) -> None:
    call = client.get("/v1/calls").data[0]
    by_id = client.get(f"/v1/calls/{call['id']}").data
    owners = {"organization_id": ORGANIZATION, "user_id": USER}
    assert by_id == {**call, **owners, "phone_number_id": int(call["phone_number_id"])}


def test_the_last_page_has_no_cursor(client: Client) -> None:
    assert client.get("/v1/calls?limit=3").body["meta"] == {"page_size": 3, "total_results": 3}
    assert "cursor" in client.get("/v1/calls?limit=2").body["meta"]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_the_pages_together_are_the_list(client: Client, limit: int) -> None:
    assert [call["id"] for call in walk(client, f"limit={limit}")] == FIXTURE


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=nonsense", "cursor="])
def test_a_page_that_cannot_be_is_refused(client: Client, query: str) -> None:
    answer = client.get(f"/v1/calls?{query}")
    assert answer.status == 400
    assert set(answer.fields) == {query.partition("=")[0]}


@pytest.mark.parametrize("wanted", ["COMPLETED", "completed", "Completed"])
def test_a_status_is_compared_without_regard_to_case(client: Client, wanted: str) -> None:
    answer = client.get(f"/v1/calls?status={wanted}")
    assert [call["id"] for call in answer.data] == FIXTURE[1:]
    assert answer.body["meta"] == {"page_size": 2, "total_results": 2}


def test_a_status_that_no_call_has_lists_nothing(client: Client) -> None:
    answer = client.get("/v1/calls?status=RINGING")
    assert (answer.data, answer.body["meta"]) == ([], {"page_size": 0, "total_results": 0})


def test_a_filtered_list_comes_in_pages_too(client: Client) -> None:
    answer = client.get("/v1/calls?status=completed&limit=1")
    assert answer.body["meta"]["total_results"] == 2
    assert [call["id"] for call in walk(client, "status=completed&limit=1")] == FIXTURE[1:]


CALLERS = {"1001": MAIN, "1002": RECALL, "": VERIFIED}
ADD, RELEASE_MAIN, RELEASE_RECALL = "add", "1001", "1002"


@given(
    owners=st.lists(st.sampled_from(sorted(CALLERS)), max_size=12),
    limit=st.integers(1, 5),
    between=st.lists(st.sampled_from([ADD, ADD, RELEASE_MAIN, RELEASE_RECALL]), max_size=8),
)
def test_no_call_is_lost_or_repeated_while_calls_come_and_go_between_pages(
    owners: Sequence[str], limit: int, between: Sequence[str]
) -> None:
    client = Client(emulator_with())
    placed = [(room(client, caller=CALLERS[owner]).data["call_id"], owner) for owner in owners]
    there = [*reversed(placed), (FIXTURE[0], "1002"), (FIXTURE[1], "1001"), (FIXTURE[2], "1002")]
    events, released = iter(between), set[str]()
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get(f"/v1/calls?limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        seen += [call["id"] for call in answer.data]
        cursor = answer.body["meta"].get("cursor")
        event = next(events, None)
        if event == ADD:
            room(client, caller=VERIFIED)
        elif event is not None and event not in released:
            release(client, event)
            released.add(event)
    # Each call once, in order; of those that were erased on the way, any number may have been shown.
    lasting = [call for call, owner in there if owner not in released]
    assert [call for call in seen if call in lasting] == lasting
    assert seen == [call for call, _ in there if call in seen]
