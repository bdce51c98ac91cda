"""A timeline keeps the last events of a world in order, and tells them on."""

from revdesk_mock.timeline import CLOCK, Event, Listener, Timeline, describe, text
from tests.conftest import MAIN, ORDINARY, Client


def timeline(size: int = 10) -> Timeline:
    return Timeline("w1", lambda: 1_767_225_600_000, size=size)


def test_events_are_numbered_and_dated_in_the_worlds_time() -> None:
    line = timeline()
    line.add(CLOCK, "time stands", frozen=True)
    (event,) = line.events()
    assert (event.number, event.at, event.world) == (1, 1_767_225_600_000, "w1")
    said = describe(event)
    assert (said["at"], said["kind"], said["says"], said["frozen"]) == (
        "2026-01-01T00:00:00.000Z",
        CLOCK,
        "time stands",
        True,
    )


def test_the_oldest_gives_way_and_numbers_go_on() -> None:
    line = timeline(2)
    for says in "abc":
        line.add(CLOCK, says)
    assert [(event.number, event.says) for event in line.events()] == [(2, "b"), (3, "c")]
    line.clear()
    line.add(CLOCK, "d")
    assert [event.number for event in line.events()] == [4]


def test_the_audience_hears_what_happens_while_it_listens() -> None:
    heard: list[Event] = []
    audience: list[Listener] = []
    line = Timeline("w1", lambda: 0, audience)
    line.add(CLOCK, "a")
    audience.append(heard.append)
    line.add(CLOCK, "b")
    assert [event.says for event in heard] == ["b"]


def test_an_event_is_put_into_words_when_somebody_asks() -> None:
    asked: list[int] = []

    def tell(number: int) -> tuple[str, dict[str, int]]:
        asked.append(number)
        return f"number {number}", {}

    line = timeline()
    line.note(CLOCK, tell, 1)
    assert asked == []
    assert [event.says for event in line.events()] == ["number 1"]


# as a table


def test_the_table_counts_seconds_of_the_worlds_time_from_the_first_event(client: Client) -> None:
    call = client.post(
        "/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY}, content_type="application/json"
    ).data["call_id"]
    client.advance(12.5)
    client.get("/v1/me")
    assert text(client.world.timeline.events()) == (
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
    assert text(line.events()) == ""
    line.add(CLOCK, "one")
    now[0] = 3_500
    line.add(CLOCK, "two")
    assert text(line.events()) == "+0.000 s  clock    one\n-1.500 s  clock    two\n"
