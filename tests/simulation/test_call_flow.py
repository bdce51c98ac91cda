"""The life of a call on the clock: each magic number from the first ring to the last record of it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock.clock import iso
from revdesk_mock.simulation import call_flow
from revdesk_mock.simulation.call_flow import magic_table, script_for
from tests.conftest import MAIN, ORDINARY, RECALL, Answer, Client, emulator_with, reopened

Timeline = list[tuple[float, str]]  # seconds after placing, status from then on

QUEUED, RINGING, TALKING = (0, "QUEUED"), (1, "RINGING"), "IN_PROGRESS"
HOURS = 3600
CONNECT = "+17035550155"


def magic(digits: int) -> str:
    return f"+1312555{100 + digits:04d}"


# The last two digits of the called number, and what the call does from the moment it is placed.
LIVES: dict[int, Timeline] = {
    0: [QUEUED, RINGING, (4, TALKING), (34, "COMPLETED")],
    1: [QUEUED, RINGING, (4, TALKING), (14, "COMPLETED")],
    2: [QUEUED, RINGING, (2, "BUSY")],
    3: [QUEUED, RINGING, (31, "NO_ANSWER")],
    4: [QUEUED, RINGING, (21, TALKING), (33, "VOICEMAIL")],
    5: [QUEUED, RINGING, (5, "DECLINED")],
    6: [QUEUED, (1, "UNREACHABLE")],
    7: [QUEUED, RINGING, (26, TALKING), (56, "COMPLETED")],
    8: [QUEUED, (1, TALKING), (31, "COMPLETED")],
    9: [QUEUED, RINGING, (4, TALKING), (4 + 45 * 60, "COMPLETED")],
    10: [QUEUED, RINGING, (4, TALKING), (6, "COMPLETED")],
    11: [QUEUED, RINGING, (4, TALKING), (4 + 4 * HOURS, "COMPLETED")],
    12: [QUEUED, RINGING, (4, TALKING), (34, "COMPLETED")],
    95: [QUEUED, RINGING, (4, TALKING), (34, "COMPLETED")],
}
REFUSED = {90, 91, 92, 93, 94}

# What the person's phone does, what the destination does, and what becomes of the bridge of both.
BRIDGES: dict[str, tuple[int | None, int, Timeline]] = {
    "the person is on the line": (None, 0, LIVES[0]),
    "both are ordinary": (0, 0, LIVES[0]),
    "the person answers last": (7, 0, LIVES[7]),
    "the destination answers last": (0, 7, LIVES[7]),
    "both at once": (8, 8, LIVES[8]),
    "the person is busy": (2, 7, LIVES[2]),
    "the person does not answer": (3, 0, LIVES[3]),
    "the person declines": (5, 0, LIVES[5]),
    "the person cannot be reached": (6, 0, LIVES[6]),
    "the destination cannot be reached": (0, 6, LIVES[6]),
    "nobody can be reached": (6, 6, LIVES[6]),
    "unreachable comes before no answer": (3, 6, LIVES[6]),
    "busy comes before declined": (5, 2, LIVES[2]),
    "the person hangs up first": (1, 9, LIVES[1]),
    "the destination hangs up first": (9, 10, LIVES[10]),
    "the person's voicemail": (4, 0, LIVES[4]),
    "the destination's voicemail": (None, 4, LIVES[4]),
    "a late answer shortens no talk": (7, 1, [QUEUED, RINGING, (26, TALKING), (36, "COMPLETED")]),
}


def ai_call(client: Client, number: str) -> str:
    return str(client.post("/v1/calls", {"phoneNumber": number}).data["call_id"])


def bridge(client: Client, connect: int | None, to: int, **body: Any) -> str:
    body |= {"from_number": MAIN, "to_number": magic(to)}
    if connect is not None:
        body["connect_number"] = f"+1703555{100 + connect:04d}"
    return str(client.post("/v1/calls/dial", body).data["call_id"])


def look(client: Client, call_id: str) -> Any:
    return client.get(f"/v1/calls/{call_id}").data


def watch(client: Client, call_id: str, timeline: Timeline) -> None:
    """Follow a call that was placed now: each status begins at its millisecond and not one before."""
    start = client.world.clock.now()
    before = ""
    for seconds, status in timeline:
        at = start + round(seconds * 1000)
        if before:
            client.advance((at - 1 - client.world.clock.now()) / 1000)
            assert look(client, call_id)["status"] == before
        client.advance((at - client.world.clock.now()) / 1000)
        assert look(client, call_id)["status"] == status
        before = status
    client.advance(24 * HOURS)
    assert look(client, call_id)["status"] == before


def instants(timeline: Timeline) -> tuple[float, float | None, float]:
    """Tell when a call of this timeline starts, is answered and ends."""
    answered = next((at for at, status in timeline if status == TALKING), None)
    return timeline[1][0], answered, timeline[-1][0]


def check_end(client: Client, call_id: str, start: int, timeline: Timeline, *, transcribed: bool) -> None:
    """Assert what an ended call says of itself."""
    started, answered, ended = instants(timeline)
    call = look(client, call_id)
    duration = 0 if answered is None else ended - answered
    assert call["started_at"] == iso(start + round(started * 1000))
    assert call["ended_at"] == iso(start + round(ended * 1000))
    assert call["duration_seconds"] == duration
    assert call["has_recording"] == (call["recording_url"] is not None) == (answered is not None)
    assert call["has_transcript"] == (transcribed and answered is not None)


# magic numbers


@pytest.mark.parametrize("digits", LIVES)
def test_a_call_of_an_agent_lives_as_its_number_says(client: Client, digits: int) -> None:
    watch(client, ai_call(client, magic(digits)), LIVES[digits])


@pytest.mark.parametrize("digits", LIVES)
def test_an_ended_call_has_instants_duration_and_flags(client: Client, digits: int) -> None:
    start, call_id = client.world.clock.now(), ai_call(client, magic(digits))
    client.advance(24 * HOURS)  # in one leap: everything is dated as it was due
    check_end(client, call_id, start, LIVES[digits], transcribed=True)


def test_every_magic_number_has_its_life_or_refusal_here() -> None:
    assert set(call_flow.MAGIC) == LIVES.keys() - {0, 12, 95} | REFUSED


@pytest.mark.parametrize("number", ["+14155552671", "+442079460001", "+13125560101", "+131255501010", "+1312555010"])
def test_the_last_digits_of_a_number_that_is_not_fictional_mean_nothing(client: Client, number: str) -> None:
    watch(client, ai_call(client, number), LIVES[0])


@pytest.mark.parametrize("area", ["201", "312", "989"])
def test_a_magic_number_is_magic_in_every_area_code(area: str) -> None:
    assert script_for(f"+1{area}5550102") is call_flow.MAGIC[2]


def test_the_table_tells_of_every_magic_number_and_of_all_others() -> None:
    table = dict(magic_table())
    assert len(table) == len(call_flow.MAGIC) + 1
    assert table["+1 NXX 555 0103"].summary == "rings 30 s, nobody answers"
    assert table["any other number"] is call_flow.ORDINARY


def test_an_ordinary_call_talks_as_long_as_the_policy_says() -> None:
    client = Client(emulator_with(talk_seconds=90))
    watch(client, ai_call(client, ORDINARY), [QUEUED, RINGING, (4, TALKING), (94, "COMPLETED")])


def test_a_script_that_hangs_up_is_not_prolonged_by_the_policy() -> None:
    client = Client(emulator_with(talk_seconds=90))
    watch(client, ai_call(client, magic(1)), LIVES[1])


# bridges


@pytest.mark.parametrize(("connect", "to", "timeline"), BRIDGES.values(), ids=BRIDGES)
def test_a_bridge_is_connected_when_both_have_answered(
    client: Client, connect: int | None, to: int, timeline: Timeline
) -> None:
    watch(client, bridge(client, connect, to), timeline)


@pytest.mark.parametrize(("connect", "to", "timeline"), BRIDGES.values(), ids=BRIDGES)
def test_an_ended_bridge_has_instants_duration_and_flags(
    client: Client, connect: int | None, to: int, timeline: Timeline
) -> None:
    start, call_id = client.world.clock.now(), bridge(client, connect, to)
    client.advance(24 * HOURS)
    check_end(client, call_id, start, timeline, transcribed=False)


def test_a_number_of_ones_own_is_no_magic_number_at_the_persons_end(client: Client) -> None:
    client.post("/v1/phone-numbers", {"phone_number": "+13125550102"})
    client.advance(60)
    body = {"from_number": "+13125550102", "to_number": ORDINARY}
    watch(client, client.post("/v1/calls/dial", body).data["call_id"], LIVES[0])


@given(st.sampled_from(sorted(LIVES)), st.sampled_from(sorted(LIVES)))
def test_a_bridge_rings_both_ways_alike(one: int, other: int) -> None:
    emulator = emulator_with()
    there, back = Client(emulator, "one"), Client(emulator, "other")
    calls = look_after_a_day(there, bridge(there, one, other)), look_after_a_day(back, bridge(back, other, one))
    shown = [[call[field] for field in ("started_at", "ended_at", "duration_seconds")] for call in calls]
    assert shown[0] == shown[1]


def look_after_a_day(client: Client, call_id: str) -> Any:
    client.advance(24 * HOURS)
    return look(client, call_id)


# recordings


def test_a_recording_exists_from_the_end_of_the_call_on(client: Client) -> None:
    call_id = ai_call(client, ORDINARY)
    client.advance(33.999)
    assert (look(client, call_id)["has_recording"], look(client, call_id)["recording_url"]) == (False, None)
    client.advance(0.001)
    call = look(client, call_id)
    assert call["has_recording"]
    assert call_id in call["recording_url"]


def test_a_bridge_is_not_recorded_where_it_was_asked_not_to_be(client: Client) -> None:
    assert not look_after_a_day(client, bridge(client, None, 0, record=False))["has_recording"]


@pytest.mark.parametrize(
    ("setting", "flag", "other"),
    [
        ("recording_enabled", "has_recording", "has_transcript"),
        ("transcription_enabled", "has_transcript", "has_recording"),
    ],
)
def test_an_agents_call_keeps_what_its_number_is_set_to_keep(
    client: Client, setting: str, flag: str, other: str
) -> None:
    client("PATCH", "/v1/phone-numbers/1002", {setting: False})
    call = look_after_a_day(client, ai_call(client, ORDINARY))
    assert (call["from_number"], call[flag], call[other]) == (RECALL, False, True)


# hanging up


def hang_up(client: Client, call_id: str) -> Answer:
    return client.post(f"/v1/calls/{call_id}/hangup")


@pytest.mark.parametrize(
    ("seconds", "digits", "status", "duration", "has_recording"),
    [
        (0, 0, "CANCELED", 0, False),
        (0.5, 0, "CANCELED", 0, False),
        (0.5, 6, "CANCELED", 0, False),
        (1, 0, "CANCELED", 0, False),
        (20, 3, "CANCELED", 0, False),
        (4, 0, "COMPLETED", 0, True),
        (4.999, 0, "COMPLETED", 0, True),
        (5, 0, "COMPLETED", 1, True),
        (14.999, 0, "COMPLETED", 10, True),
        (22, 4, "COMPLETED", 1, True),
        (100, 11, "COMPLETED", 96, True),
    ],
)
def test_hanging_up_ends_a_call_at_whatever_stage_it_is(
    client: Client,
    seconds: float,
    digits: int,
    status: str,
    duration: int,
    *,
    has_recording: bool,
) -> None:
    call_id = ai_call(client, magic(digits))
    client.advance(seconds)
    answer = hang_up(client, call_id)
    assert (answer.status, answer.data) == (200, {"call_id": call_id, "status": status})
    call = look(client, call_id)
    assert (call["status"], call["duration_seconds"], call["has_recording"]) == (status, duration, has_recording)
    assert call["ended_at"] == iso(client.world.clock.now())
    assert call["started_at"] <= call["ended_at"]


@pytest.mark.parametrize("seconds", [0, 2, 10])
def test_a_call_that_was_hung_up_stays_as_it_is(client: Client, seconds: float) -> None:
    call_id = ai_call(client, ORDINARY)
    client.advance(seconds)
    hang_up(client, call_id)
    ended = look(client, call_id)
    assert look_after_a_day(client, call_id) == ended


@pytest.mark.parametrize("digits", LIVES)
def test_hanging_up_what_has_ended_answers_the_same_success_and_changes_nothing(client: Client, digits: int) -> None:
    call_id = ai_call(client, magic(digits))
    ended = look_after_a_day(client, call_id)
    before = client.world.dump()
    answers = [hang_up(client, call_id) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert {answer.data["status"] for answer in answers} == {ended["status"]}
    assert client.world.dump() == before


def test_hanging_up_one_call_leaves_the_others_alone(client: Client) -> None:
    first, second = ai_call(client, ORDINARY), ai_call(client, ORDINARY)
    client.advance(10)
    hang_up(client, first)
    assert look(client, second)["status"] == TALKING


# live calls in an export

MOMENTS = [0, 0.5, 1, 4, 20.999, 34]


@pytest.mark.parametrize("seconds", MOMENTS)
def test_a_live_call_goes_on_after_an_export_as_if_nothing_had_happened(tmp_path: Path, seconds: float) -> None:
    client = Client(emulator_with())
    calls = [ai_call(client, magic(digits)) for digits in LIVES] + [bridge(client, 7, 4), bridge(client, None, 1)]
    client.advance(seconds)
    restored = reopened(client, tmp_path)
    for pause in (0, 0.5, 3, 30, 24 * HOURS):
        client.advance(pause)
        restored.advance(pause)
        assert [look(restored, call) for call in calls] == [look(client, call) for call in calls]


def test_a_live_call_can_be_hung_up_after_an_export(tmp_path: Path) -> None:
    client = Client(emulator_with())
    call_id = ai_call(client, ORDINARY)
    client.advance(10)
    restored = reopened(client, tmp_path)
    assert hang_up(restored, call_id).data["status"] == "COMPLETED"
    assert look(restored, call_id)["duration_seconds"] == 6
