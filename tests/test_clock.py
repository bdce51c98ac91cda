"""A clock runs with the wall or stands, hands out due events in order, and wakes who sleeps in its time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import World
from revdesk_mock import clock as time_of
from revdesk_mock.clock import EPOCH, Clock, Pace, iso, month_of, parse_iso
from revdesk_mock.messages import Record
from tests.conftest import Client, emulator_with

YEAR_10000 = 253_402_300_800_000  # the first instant that ISO 8601 has no four digits for


@dataclass
class Wall:
    """A wall clock that a test moves."""

    at: int = EPOCH

    def __call__(self) -> int:
        return self.at


class Broken(Exception):
    """What a test's step fails with."""


def fail(_: World, __: Record) -> None:
    raise Broken


def drain(clock: Clock) -> list[tuple[int, str, int]]:
    """Pop what is due: (instant, record, the clock's time meanwhile)."""
    popped = []
    while (due := clock.pop_due()) is not None:
        popped.append((due[0], due[3], clock.now()))
    return popped


async def asleep(clock: Clock, milliseconds: int) -> asyncio.Task[None]:
    task = asyncio.create_task(clock.sleep(milliseconds))
    assert not await awake(task)
    return task


async def awake(task: asyncio.Task[None]) -> bool:
    """Let the loop settle and look."""
    await asyncio.wait({task}, timeout=0)
    return task.done()


# instants as text


@given(st.integers(0, YEAR_10000 - 1))
def test_an_instant_survives_being_written_and_read(at: int) -> None:
    assert parse_iso(iso(at)) == at


def test_an_instant_is_written_in_utc_with_milliseconds() -> None:
    assert iso(EPOCH) == "2026-01-01T00:00:00.000Z"
    assert iso(EPOCH + 7) == "2026-01-01T00:00:00.007Z"
    assert iso(EPOCH - 1) == "2025-12-31T23:59:59.999Z"


def test_milliseconds_may_be_left_out() -> None:
    assert parse_iso("2026-01-01T00:00:01Z") == EPOCH + 1000


@pytest.mark.parametrize("text", ["", "today", "2026-01-01T00:00:00", "2026-01-01", "2026-02-30T00:00:00Z", "17672256"])
def test_anything_but_an_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_iso(text)


def test_an_instant_without_a_zone_is_refused_with_the_cure() -> None:
    with pytest.raises(ValueError, match="end it with Z"):
        parse_iso("2026-01-01T00:00:00")


@pytest.mark.parametrize(
    ("inside", "first", "after"),
    [
        ("2026-01-05T09:00:00Z", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        ("2026-01-31T23:59:59.999Z", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        ("2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("2026-12-31T23:59:59.999Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ],
    ids=["middle", "first instant", "last instant", "leap day", "December"],
)
def test_a_month_goes_from_its_first_instant_to_the_next_months(inside: str, first: str, after: str) -> None:
    assert month_of(parse_iso(inside)) == (parse_iso(first), parse_iso(after))


# running and standing


def test_a_clock_starts_with_the_wall() -> None:
    before = time_of.wall()
    assert before <= Clock().now() <= time_of.wall()
    assert not Clock().frozen


def test_the_stopwatch_never_runs_back() -> None:
    started = time_of.stopwatch()
    assert time_of.stopwatch() >= started


def test_a_running_clock_follows_its_wall() -> None:
    wall = Wall()
    clock = Clock(source=wall)
    wall.at += 250
    assert clock.now() == EPOCH + 250


def test_a_frozen_clock_stands_while_the_wall_goes_on() -> None:
    wall = Wall()
    clock = Clock(frozen_at=5, source=wall)
    wall.at += 250
    assert (clock.now(), clock.frozen) == (5, True)


def test_freezing_stops_time_where_it_is() -> None:
    wall = Wall()
    clock = Clock(source=wall)
    clock.set(1000)
    wall.at += 250
    clock.freeze()
    wall.at += 250
    assert (clock.now(), clock.frozen) == (1250, True)


def test_running_again_goes_on_from_where_time_stood() -> None:
    wall = Wall()
    clock = Clock(frozen_at=1000, source=wall)
    clock.run()
    assert (clock.now(), clock.frozen) == (1000, False)
    wall.at += 250
    assert clock.now() == 1250


@pytest.mark.parametrize("frozen_at", [None, EPOCH], ids=["running", "frozen"])
@pytest.mark.parametrize("to", [EPOCH + 5000, EPOCH - 5000], ids=["forward", "back"])
def test_time_is_set_in_either_direction(frozen_at: int | None, to: int) -> None:
    wall = Wall()
    clock = Clock(frozen_at=frozen_at, source=wall)
    clock.set(to)
    assert clock.now() == to
    wall.at += 250
    assert clock.now() == (to + 250 if frozen_at is None else to)


# due events


@given(st.lists(st.integers(0, 20), max_size=12), st.integers(0, 20))
def test_due_events_come_by_instant_then_as_scheduled_each_at_its_own_time(instants: list[int], now: int) -> None:
    clock = Clock(frozen_at=now)
    for number, at in enumerate(instants):
        clock.schedule(at, "calls", str(number))
    expected = sorted((at, number) for number, at in enumerate(instants) if at <= now)
    assert drain(clock) == [(at, str(number), at) for at, number in expected]
    assert clock.now() == now
    assert clock.next_due() == min((at for at in instants if at > now), default=None)


def test_an_event_is_due_at_its_very_instant_and_not_before() -> None:
    clock = Clock(frozen_at=999)
    clock.schedule(1000, "calls", "one")
    assert clock.pop_due() is None
    clock.set(1000)
    assert clock.pop_due() == (1000, 1, "calls", "one")


def test_an_event_that_follows_from_another_takes_its_place_in_the_order() -> None:
    clock = Clock(frozen_at=100)
    clock.schedule(10, "calls", "first")
    clock.schedule(30, "calls", "last")
    assert clock.pop_due() is not None
    clock.schedule(clock.now() + 10, "calls", "middle")
    clock.schedule(clock.now() + 1000, "calls", "much later")
    assert [record for _, record, _ in drain(clock)] == ["middle", "last"]
    assert clock.next_due() == 1010


def test_while_the_clock_runs_events_become_due_with_the_wall() -> None:
    wall = Wall()
    clock = Clock(source=wall)
    clock.schedule(EPOCH + 100, "calls", "one")
    assert drain(clock) == []
    wall.at += 150
    assert drain(clock) == [(EPOCH + 100, "one", EPOCH + 100)]
    assert clock.now() == EPOCH + 150


def test_a_clock_without_events_has_no_next_one() -> None:
    clock = Clock(frozen_at=0)
    assert clock.next_due() is None
    assert clock.pop_due() is None


def test_a_step_that_fails_leaves_the_time_as_it_is() -> None:
    world = Client(emulator_with()).world
    world._steps = {"notes": fail}
    with world.store.transaction():
        world.store.insert("notes", {"id": "1", "due_at": world.clock.now() + 1000})
    arrival = world.clock.now() + 60_000
    with pytest.raises(Broken):
        world.advance(60)
    assert world.clock.now() == arrival


# sleepers


@pytest.mark.parametrize("frozen_at", [None, EPOCH], ids=["running", "frozen"])
@pytest.mark.parametrize(
    "rouse",
    [lambda clock: clock.set(clock.now() + 60_000), lambda clock: clock.release()],
    ids=["set", "release"],
)
def test_a_sleeper_wakes_when_its_time_is_reached_or_all_are_released(
    frozen_at: int | None, rouse: Callable[[Clock], None]
) -> None:
    async def scenario() -> bool:
        clock = Clock(frozen_at=frozen_at, source=Wall())
        sleeper = await asleep(clock, 60_000)
        rouse(clock)
        return await awake(sleeper)

    assert asyncio.run(scenario())


def test_a_frozen_clock_wakes_nobody_before_their_time() -> None:
    async def scenario() -> list[bool]:
        clock = Clock(frozen_at=0)
        early, late = await asleep(clock, 1000), await asleep(clock, 2000)
        clock.set(999)
        seen = [await awake(early)]
        clock.set(1000)
        seen += [await awake(early), await awake(late)]
        clock.release()
        return [*seen, await awake(late)]

    assert asyncio.run(scenario()) == [False, True, False, True]


def test_sleepers_wake_in_the_order_of_their_instants() -> None:
    async def scenario() -> list[str]:
        clock = Clock(frozen_at=0)
        woken: list[str] = []

        async def nap(name: str, milliseconds: int) -> None:
            await clock.sleep(milliseconds)
            woken.append(name)

        naps = [asyncio.create_task(nap(name, after)) for name, after in (("b", 20), ("c", 20), ("a", 10))]
        assert not await awake(naps[0])
        clock.set(20)
        await asyncio.gather(*naps)
        return woken

    assert asyncio.run(scenario()) == ["a", "b", "c"]


@pytest.mark.parametrize("milliseconds", [0, -1])
def test_sleeping_for_no_time_ends_at_once(milliseconds: int) -> None:
    asyncio.run(asyncio.wait_for(Clock(frozen_at=0).sleep(milliseconds), 1))


def test_a_running_clock_wakes_its_sleepers_with_the_wall() -> None:
    clock = Clock()
    started = clock.now()
    asyncio.run(asyncio.wait_for(clock.sleep(3), 5))
    assert clock.now() >= started + 3


def test_a_sleeper_waits_on_while_the_wall_has_not_come_so_far() -> None:
    async def scenario() -> None:
        wall = Wall()
        clock = Clock(source=wall)
        sleeper = await asleep(clock, 2)
        await asyncio.wait({sleeper}, timeout=0.01)
        assert not sleeper.done()
        wall.at += 2
        await asyncio.wait_for(sleeper, 5)

    asyncio.run(scenario())


def test_a_clock_that_runs_again_wakes_who_fell_asleep_while_it_stood() -> None:
    async def scenario() -> None:
        clock = Clock(frozen_at=0)
        sleeper = await asleep(clock, 2)
        clock.run()
        await asyncio.wait_for(sleeper, 5)

    asyncio.run(scenario())


def test_freezing_keeps_asleep_who_fell_asleep_while_time_ran() -> None:
    async def scenario() -> list[bool]:
        clock = Clock(source=Wall())
        sleeper = await asleep(clock, 1)
        clock.freeze()
        await asyncio.wait({sleeper}, timeout=0.01)
        seen = [sleeper.done()]
        clock.set(clock.now() + 1)
        return [*seen, await awake(sleeper)]

    assert asyncio.run(scenario()) == [False, True]


@pytest.mark.parametrize(
    "move", [lambda clock: clock.set(clock.now() + 1), lambda clock: clock.release()], ids=["set", "release"]
)
def test_a_sleeper_that_gave_up_is_no_burden_to_the_clock(move: Callable[[Clock], None]) -> None:
    clock = Clock(source=Wall())

    async def give_up() -> None:
        (await asleep(clock, 60_000)).cancel()

    asyncio.run(give_up())
    move(clock)
    assert asyncio.run(asyncio.wait_for(clock.sleep(0), 1)) is None


class Standstill(asyncio.SelectorEventLoop):
    """An event loop whose clock a test can move."""

    moved = 0.0

    def time(self) -> float:
        return super().time() + self.moved


def test_a_pace_catches_up_a_little_and_leaves_out_what_is_more() -> None:
    loop = Standstill()

    async def play() -> list[float]:
        pace = Pace()
        left_out = [await pace.beat(0.01), await pace.beat(0.01)]
        loop.moved += 0.1
        before = loop.time()
        left_out += [await pace.beat(0.01) for _ in range(10)]
        assert loop.time() - before < 0.05  # ten beats, caught up
        loop.moved += 3
        return [*left_out, await pace.beat(0.01), await pace.beat(0.01)]

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        *none, much, last = runner.run(play())
    assert set(none) == {0.0}
    assert much == pytest.approx(3, abs=0.1)
    assert last == 0
