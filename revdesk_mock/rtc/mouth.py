"""A mouth: what speaks for a participant of ours, one thing after another at its own pace."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from revdesk_mock.clock import Pace
from revdesk_mock.rtc.events import Said, Track
from revdesk_mock.rtc.packets import FRAME, RATE
from revdesk_mock.rtc.rooms import Room

BEAT = FRAME / RATE  # seconds of a packet
BREATH = 3  # packets of an echo left out after own words: what waits of them runs out, and does not delay the echo

Spoken = Sequence[tuple[bytes, int]]  # Opus packets of 20 ms, each with its level in dBov
Voice = Callable[[str], Spoken]  # a text as sound; may take a while
Turn = Callable[[], Awaitable[None]]


class Mouth:
    """Publishes a participant's track and speaks on it.

    `turned` is told True when something begins to be heard, and False when there is nothing more to say; `thinks` when
    a text is being made into sound.
    """

    def __init__(
        self,
        room: Room,
        identity: str,
        track: Track,
        voice: Voice,
        turned: Callable[[bool], None],
        thinks: Callable[[], None] = lambda: None,
    ) -> None:
        self._room = room
        self._identity = identity
        self._track = track.sid
        self._voice = voice
        self._turned = turned
        self._thinks = thinks
        self._waiting: deque[Turn] = deque()
        self._task: asyncio.Task[None] | None = None
        self._segments = 0
        self._breath = 0
        room.publish(identity, track)

    @property
    def is_speaking(self) -> bool:
        """Whether something is being said, or waits to be."""
        return self._task is not None

    @property
    def waiting(self) -> int:
        """How many things wait to be said."""
        return len(self._waiting)

    def say(self, text: str) -> None:
        """Speak a text after what is being said, and show it as it is said; a blank one is left out."""
        if text.strip():
            self._then(lambda: self._speak(text))

    def play(self, sound: Spoken) -> None:
        """Let a sound be heard after what is being said."""
        self._then(lambda: self._play(sound))

    def then(self, do: Callable[[], None]) -> None:
        """Do something once everything has been said."""

        async def turn() -> None:
            do()

        self._then(turn)

    def echo(self, packet: bytes, level: int | None) -> None:
        """Pass a packet on as it came, unless something is being said."""
        if self._task is not None:
            return
        if self._breath:
            self._breath -= 1
        else:
            self._room.sound(self._identity, self._track, packet, level)

    def stop(self) -> None:
        """Stop in the middle of a word, and forget the rest."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    def _then(self, turn: Turn) -> None:
        self._waiting.append(turn)
        if self._task is None:
            self._begin()

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._rest)  # which comes even for one that was stopped before it began

    async def _run(self) -> None:
        while self._waiting:
            await self._waiting.popleft()()

    def _rest(self, _: asyncio.Task[None]) -> None:
        self._task = None
        if self._waiting:  # since it was stopped
            self._begin()
        else:
            self._turned(False)  # that is what is told

    async def _speak(self, text: str) -> None:
        self._thinks()
        sound = await asyncio.get_running_loop().run_in_executor(None, self._voice, text)
        self._segments += 1
        segment = f"{self._track}-{self._segments}"
        self._room.tell(Said(self._identity, text, is_final=False, segment=segment))
        await self._play(sound)
        self._room.tell(Said(self._identity, text, is_final=True, segment=segment))

    async def _play(self, sound: Spoken) -> None:
        self._turned(True)  # as above
        self._breath = BREATH
        pace = Pace()
        for packet, level in sound:
            await pace.beat(BEAT)
            self._room.sound(self._identity, self._track, packet, level)
