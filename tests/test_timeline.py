"""A timeline keeps the last events of a world in order, and tells them on."""

from revdesk_mock.timeline import CLOCK, Event, Timeline, describe


def timeline(size: int = 10) -> Timeline:
    return Timeline("w1", lambda: 1_767_225_600_000, size)


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


def test_listeners_hear_what_happens_from_then_on() -> None:
    line, heard = timeline(), list[Event]()
    line.add(CLOCK, "a")
    line.on_event(heard.append)
    line.add(CLOCK, "b")
    assert [event.says for event in heard] == ["b"]
