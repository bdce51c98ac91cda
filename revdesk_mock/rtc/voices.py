"""Voices: who is speaking in a room, told from how loud each packet is."""

from collections.abc import Callable
from dataclasses import dataclass, field

from revdesk_mock import clock
from revdesk_mock.rtc.events import Changed, Event, Gone, Participant, Speaking
from revdesk_mock.rtc.media import QUIETEST, Decoder, level
from revdesk_mock.rtc.rooms import Room

# Levels in dBov of a packet that may begin speech, and of one that carries it on. Speech is about -23, a comfort noise
# of 12 steps -74; between words a voice falls below -45.
LOUD, AUDIBLE = -45.0, -55.0
ONSET = 3  # loud packets that make speech, with pauses no longer than HANGOVER between them: less is a click
HANGOVER = 25  # quiet packets, 0.5 s, that end it: the beeps of a browser's fake microphone are one speech
BEAT = 0.25  # seconds between two reports while somebody speaks
LOST = 2  # whole beats without a packet that end it: a sender that stopped, or is muted on its own side

Later = Callable[[float, Callable[[], None]], clock.Timer]


@dataclass(slots=True)
class Activity:
    """How one participant has sounded lately."""

    is_speaking: bool = False
    loudest: float = QUIETEST  # since the last report
    loud: int = 0
    quiet: int = 0
    silent_beats: int = 0
    decoder: Decoder | None = None

    def take(self, loudness: float) -> bool:
        """Take a packet's level; return whether speech begins or ends with it."""
        before = self.is_speaking
        self.silent_beats = 0
        self.loudest = max(self.loudest, loudness)
        if loudness >= (AUDIBLE if before else LOUD):
            self.loud, self.quiet = self.loud + 1, 0
            self.is_speaking = before or self.loud >= ONSET
        else:
            self.quiet += 1
            if self.quiet >= HANGOVER:
                self.stop()
        return self.is_speaking != before

    def measure(self, packet: bytes) -> float:
        """Return the level of a packet whose sender does not tell it; this takes 0.1 ms."""
        self.decoder = self.decoder or Decoder()
        try:
            return level(self.decoder.decode(packet))
        except ValueError:
            return QUIETEST

    def stop(self) -> None:
        """End speech, if it is on."""
        self.is_speaking, self.loud = False, 0

    def report(self) -> float:
        """Return the loudest level since the last report as a share of full scale."""
        loudest, self.loudest = self.loudest, QUIETEST
        return round(10 ** (loudest / 20), 3)


@dataclass(slots=True)
class Voices:
    """Watches a room, and tells it `Speaking` when that changes who speaks, and every `BEAT` while somebody does."""

    room: Room
    later: Later = clock.later
    _heard: dict[str, Activity] = field(default_factory=dict)  # by identity
    _timer: clock.Timer | None = None

    def hear(self, identity: str, _: str, packet: bytes, loudness: int | None) -> None:
        """Take a packet of anybody's."""
        voice = self._heard.get(identity)
        if voice is None:
            voice = self._heard[identity] = Activity()
        if voice.take(voice.measure(packet) if loudness is None else loudness):
            self._report()

    def tell(self, event: Event) -> None:
        """Let somebody who left or was muted be silent at once."""
        match event:
            case Gone(participant):
                self._silence(self._heard.pop(participant.identity, None))
            case Changed(participant) if not _can_be_heard(participant):
                self._silence(self._heard.get(participant.identity))

    def close(self, _: str) -> None:
        """End with the room."""
        self._rest()

    def _silence(self, voice: Activity | None) -> None:
        if voice is not None and voice.is_speaking:
            voice.stop()
            self._report()

    def _report(self) -> None:
        """Tell who speaks now, and again in a while if somebody does."""
        self._rest()
        levels = {identity: voice.report() for identity, voice in self._heard.items() if voice.is_speaking}
        if levels:
            self._timer = self.later(BEAT, self._beat)
        self.room.tell(Speaking(dict(sorted(levels.items(), key=lambda one: -one[1]))))

    def _beat(self) -> None:
        for voice in self._heard.values():
            voice.silent_beats += 1  # a packet sets it back
            if voice.silent_beats > LOST:
                voice.stop()
        self._report()

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _can_be_heard(participant: Participant) -> bool:
    return any(not track.is_muted for track in participant.tracks.values())
