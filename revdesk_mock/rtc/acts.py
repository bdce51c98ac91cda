"""What an agent does after its greeting, one act for each mode."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import cycle

from revdesk_mock import clock
from revdesk_mock.rtc.mouth import BEAT, Mouth, Spoken
from revdesk_mock.simulation.agent_modes import ECHO, HANGUP_AFTER, SILENT, SPEAK, TONE, Behaviour

Later = Callable[[float, Callable[[], None]], clock.Timer]


@dataclass(frozen=True, slots=True)
class Means:
    """What acts work with: a mouth, a second of a tone that can be repeated (it may take a while), and the receiver."""

    mouth: Mouth
    tone: Callable[[], Spoken]
    hang_up: Callable[[], None]
    later: Later = clock.later


class Act:
    """One mode of an agent; this one is silent."""

    def __init__(self, behaviour: Behaviour, means: Means) -> None:
        self._behaviour = behaviour
        self._means = means

    def begin(self) -> None:
        """Start: the greeting is over."""

    def hear(self, packet: bytes, level: int | None) -> None:
        """Take 20 ms of what somebody says."""

    def answer(self) -> None:
        """Take one's turn: a person has stopped speaking."""

    def stop(self) -> None:
        """End: another act follows, or the room is closed."""


class Echo(Act):
    """Says back what it hears, as it came."""

    def hear(self, packet: bytes, level: int | None) -> None:
        """Pass it on at once."""
        self._means.mouth.echo(packet, level)


class Speak(Act):
    """Says the lines of a script, one after each turn of a person; after the last it is silent."""

    def __init__(self, behaviour: Behaviour, means: Means) -> None:
        super().__init__(behaviour, means)
        self._lines = deque(behaviour.script)

    def answer(self) -> None:
        """Say the next line."""
        if self._lines:
            self._means.mouth.say(self._lines.popleft())


class Tone(Act):
    """Lets a steady tone be heard, except while something is said."""

    _task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start the tone."""
        self._task = asyncio.create_task(self._sound())

    def stop(self) -> None:
        """End the tone."""
        if self._task is not None:
            self._task.cancel()

    async def _sound(self) -> None:
        second = await asyncio.get_running_loop().run_in_executor(None, self._means.tone)
        pace = clock.Pace()
        for packet, level in cycle(second):
            await pace.beat(BEAT)
            self._means.mouth.echo(packet, level)


class HangUpAfter(Act):
    """Ends the call, so many seconds of real time after its greeting."""

    _timer: clock.Timer | None = None

    def begin(self) -> None:
        """Start to count."""
        self._timer = self._means.later(self._behaviour.seconds, self._means.hang_up)

    def stop(self) -> None:
        """Count no more."""
        if self._timer is not None:
            self._timer.cancel()


ACTS: Mapping[str, type[Act]] = {ECHO: Echo, SPEAK: Speak, TONE: Tone, SILENT: Act, HANGUP_AFTER: HangUpAfter}


def act_of(behaviour: Behaviour, means: Means) -> Act:
    """Return the act of a mode."""
    return ACTS[behaviour.mode](behaviour, means)
