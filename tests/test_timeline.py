"""The timeline as a table for people."""

from revdesk_mock import timeline
from revdesk_mock.timeline import Timeline
from tests.conftest import MAIN, ORDINARY, Client


def test_the_table_counts_seconds_of_the_worlds_time_from_the_first_event(client: Client) -> None:
    call = client.post(
        "/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY}, content_type="application/json"
    ).data["call_id"]
    client.advance(12.5)
    client.get("/v1/me")
    assert timeline.text(client.world.timeline.events()) == (
        f" +0.000 s  record   calls {call} created: queued\n"
        " +0.000 s  request  POST /v1/calls/dial 200\n"
        "+12.500 s  clock    time is 2026-01-05T09:00:12.500Z\n"
        f" +1.000 s  record   calls {call} changed: ringing\n"
        f" +4.000 s  record   calls {call} changed: in_progress\n"
        "+12.500 s  request  GET /v1/me 200\n"
    )


def test_a_table_of_nothing_is_empty_and_time_may_go_back() -> None:
    now = [5_000]
    line = Timeline("w", lambda: now[0])
    assert timeline.text(line.events()) == ""
    line.add(timeline.CLOCK, "one")
    now[0] = 3_500
    line.add(timeline.CLOCK, "two")
    assert timeline.text(line.events()) == "+0.000 s  clock    one\n-1.500 s  clock    two\n"
