"""The recorder: what was heard in rooms, kept as the Opus packets that came, with the instants of their arrival."""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from revdesk_mock.rtc.events import PERSON, Event, Joined
from revdesk_mock.rtc.packets import RATE, duration
from revdesk_mock.rtc.rooms import Room

A_CALL = 16 * 1024 * 1024  # bytes: half an hour of two voices
IN_ALL = 128 * 1024 * 1024
OVERHEAD = 10  # bytes that a packet's instant and length take
UNEVEN = 200 * RATE // 1000  # samples that a packet may come late and still follow on the one before
LEFT, RIGHT = 0, 1  # the person, and whoever else is there


@dataclass(slots=True)
class Strip:
    """One track's packets in the order of time; positions are samples of 48 kHz since the tape's start."""

    side: int
    end: int = 0  # where the next packet follows on
    starts: "array[int]" = field(default_factory=lambda: array("q"))
    sizes: "array[int]" = field(default_factory=lambda: array("H"))
    packets: bytearray = field(default_factory=bytearray)

    def append(self, at: int, packet: bytes, samples: int) -> None:
        """Add a packet: right after the one before, unless it comes so much later that there was a gap."""
        start = at if not self.starts or at - self.end > UNEVEN else self.end
        self.starts.append(start)
        self.sizes.append(len(packet))
        self.packets += packet
        self.end = start + samples

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        place = 0
        for start, size in zip(self.starts, self.sizes, strict=True):
            yield start, bytes(self.packets[place : place + size])
            place += size


class Tape:
    """Watches one room and keeps what everybody says, up to so many bytes; nothing is decoded.

    It knows nobody who came before it. `now` is the time in milliseconds; `grown` is told of every packet's bytes.
    """

    def __init__(self, now: Callable[[], int], most_bytes: int, grown: Callable[[int], None]) -> None:
        self._people: set[str] = set()
        self._now = now
        self._most_bytes = most_bytes
        self._grown = grown
        self._strips: dict[str, Strip] = {}  # by track
        self._is_running = True
        self.started_at = now()
        self.size = 0

    @property
    def strips(self) -> list[Strip]:
        """The tracks."""
        return list(self._strips.values())

    def hear(self, identity: str, track: str, packet: bytes, _: int | None) -> None:
        """Keep a packet; what is none is left out, and so is all that comes after the tape is full."""
        if not self._is_running:
            return
        try:
            samples = duration(packet)
        except ValueError:
            return
        size = len(packet) + OVERHEAD
        if self.size + size > self._most_bytes:
            self._is_running = False
            return
        strip = self._strips.get(track)
        if strip is None:
            strip = self._strips[track] = Strip(LEFT if identity in self._people else RIGHT)
        strip.append((self._now() - self.started_at) * RATE // 1000, packet, samples)
        self.size += size
        self._grown(size)

    def tell(self, event: Event) -> None:
        """Note who is a person."""
        match event:
            case Joined(one) if one.kind == PERSON:
                self._people.add(one.identity)

    def close(self, _: str) -> None:
        """Stop with the room."""
        self._is_running = False


class Recorder:
    """The tapes of calls, up to so many bytes of one and in all: the oldest give way."""

    def __init__(self, most_bytes_a_call: int = A_CALL, most_bytes: int = IN_ALL) -> None:
        self._most_bytes_a_call = min(most_bytes_a_call, most_bytes)
        self._most_bytes = most_bytes
        self._size = 0
        self._tapes: OrderedDict[tuple[str, str], Tape] = OrderedDict()

    def record(self, room: Room, world_id: str, call_id: str, now: Callable[[], int]) -> Tape:
        """Record a room from now on as that of a call; `now` is the time of the call's world."""
        self.erase(world_id, call_id)
        tape = self._tapes[world_id, call_id] = Tape(now, self._most_bytes_a_call, self._grow)
        room.watch(tape)
        return tape

    def find(self, world_id: str, call_id: str) -> Tape | None:
        """Return the tape of a call, or None where there is none, or none any more."""
        return self._tapes.get((world_id, call_id))

    def erase(self, world_id: str, call_id: str) -> None:
        """Forget the tape of a call, if there is one."""
        tape = self._tapes.pop((world_id, call_id), None)
        if tape is not None:
            tape.close("erased")
            self._size -= tape.size

    def _grow(self, size: int) -> None:
        self._size += size
        while self._size > self._most_bytes:
            self.erase(*next(iter(self._tapes)))
