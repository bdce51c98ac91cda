"""The acts of an agent: what each mode does with the voice it hears, its turns, and the end of the greeting."""

from collections.abc import Callable
from typing import Any

from revdesk_mock.rtc.acts import ACTS, Means, act_of
from revdesk_mock.rtc.events import Participant, Track
from revdesk_mock.rtc.mouth import BREATH, Mouth
from revdesk_mock.rtc.rooms import Room
from revdesk_mock.simulation.agent_modes import ECHO, HANGUP_AFTER, OPTIONS, SILENT, TONE, Behaviour
from tests.rtc.caller import live, until
from tests.rtc.test_rooms import Ear


class Stage:
    """A room with an agent's mouth in it, a listener, and timers that are noted."""

    def __init__(self) -> None:
        self.room, self.ear = Room("room_1", "RM_1"), Ear()
        self.room.join(Participant("PA_ann", "ann"), self.ear)
        self.room.join(Participant("PA_agent", "agent"), Ear())
        self.mouth = Mouth(self.room, "agent", Track("TR_1", "agent"), lambda _: [(b"word", -20)], lambda _: None)
        self.timers: list[Any] = []
        self.hung_up = 0
        self.means = Means(self.mouth, lambda: [(b"a", -20), (b"b", -20)], self.hang_up, self.later)

    def hang_up(self) -> None:
        self.hung_up += 1

    def later(self, seconds: float, call: Callable[[], None]) -> Any:
        self.timers.append((seconds, call))
        return Cancel(self.timers)

    @property
    def heard(self) -> list[bytes]:
        return [packet for _, _, packet in self.ear.heard]


class Cancel:
    def __init__(self, timers: list[Any]) -> None:
        self._timers = timers

    def cancel(self) -> None:
        self._timers.clear()


def test_there_is_an_act_for_every_mode() -> None:
    assert ACTS.keys() == OPTIONS.keys()


def test_a_silent_one_does_nothing_whatever_happens() -> None:
    stage = Stage()
    act = act_of(Behaviour(SILENT), stage.means)
    act.begin()
    act.hear(b"mine", -20)
    act.answer()
    act.stop()
    assert (stage.heard, stage.mouth.is_speaking) == ([], False)


@live
async def test_an_echo_waits_while_something_is_said_and_a_breath_after_it() -> None:
    stage = Stage()
    act = act_of(Behaviour(ECHO), stage.means)
    stage.mouth.say("Hello")
    act.hear(b"lost", -20)
    await until(lambda: not stage.mouth.is_speaking)
    for packet in (*[b"lost"] * BREATH, b"mine"):
        act.hear(packet, None)
    assert stage.heard == [b"word", b"mine"]


@live
async def test_a_tone_is_repeated_until_it_is_stopped() -> None:
    stage = Stage()
    act = act_of(Behaviour(TONE), stage.means)
    act.stop()
    act.begin()
    await until(lambda: len(stage.heard) > 4)
    act.stop()
    assert stage.heard[:4] == [b"a", b"b", b"a", b"b"]


def test_one_that_hangs_up_does_so_in_time_and_not_after_another_act_followed() -> None:
    stage = Stage()
    act = act_of(Behaviour(HANGUP_AFTER, seconds=7), stage.means)
    act.stop()
    act.begin()
    [(seconds, run_out)] = stage.timers
    assert (seconds, stage.hung_up) == (7, 0)
    run_out()
    assert stage.hung_up == 1
    act.stop()
    assert stage.timers == []
