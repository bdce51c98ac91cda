"""The peer connections of one client of LiveKit's protocol: one for both ways, or one each way."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from revdesk_mock.clock import later
from revdesk_mock.rtc.events import LOSSY, RELIABLE
from revdesk_mock.rtc.network import Network
from revdesk_mock.rtc.packets import PacketQueue
from revdesk_mock.rtc.peer import Listener, Peer, ignore

CHANNELS = {RELIABLE: "_reliable", LOSSY: "_lossy"}  # their labels, by what a packet asks for
LAST_WORD = 1.0  # seconds in which a client whose connection is closed may still say good-bye: native ones do it then
DATA_TRACKS = "_data_track"  # a third that clients wait for; nothing is sent on it


class Transports:
    """What the client sends comes to `publisher`, what it hears goes through `subscriber`: one peer, or two.

    `connected` is called when the client can be reached, `lost` once, when a connection is closed and the client had
    time to say good-bye.
    """

    def __init__(
        self,
        listener: Listener,
        network: Network,
        *,
        is_dual: bool,
        connected: Callable[[], None],
        lost: Callable[[], None],
    ) -> None:
        self.is_dual = is_dual
        self._connected = connected
        self._lost: Callable[[], None] = lost
        self._is_closed = asyncio.Event()
        self._queues: dict[str, PacketQueue] = {}
        self._owners: dict[str, str] = {}
        state = self._lose_if_closed if is_dual else self._note
        self.publisher = Peer(replace(listener, state=state), network)
        self.subscriber = Peer(Listener(state=self._note), network) if is_dual else self.publisher
        if is_dual:
            self.subscriber.open_channel(CHANNELS[LOSSY], ordered=False, retransmits=0)
            self.subscriber.open_channel(CHANNELS[RELIABLE])
            self.subscriber.open_channel(DATA_TRACKS, ordered=False, retransmits=0)

    def subscribe(self, participant: str, track: str) -> bool:
        """Let the client hear a track, by the sids of it and its owner; return whether it is new to it."""
        if track in self._queues:
            return False
        self._owners[track] = participant
        self._queues[track] = PacketQueue(lead=2)  # a live voice comes unevenly
        self.subscriber.publish(f"{participant}|{track}", track, self._queues[track])
        return True

    def unsubscribe(self, track: str) -> None:
        """Let the client not hear a track any more."""
        del self._queues[track], self._owners[track]
        self.subscriber.unpublish(track)

    def hear(self, track: str, packet: bytes) -> None:
        """Send the client 20 ms of a track that it hears."""
        queue = self._queues.get(track)
        if queue is not None:
            queue.push(packet)

    def send(self, kind: str, packet: bytes) -> None:
        """Send a data packet, reliably or not."""
        self.subscriber.send(CHANNELS[kind], packet)

    def heard_of(self, participant: str) -> list[str]:
        """Return the tracks of a participant that the client hears, by sid."""
        return [track for track, owner in self._owners.items() if owner == participant]

    @property
    def homeless(self) -> int:
        """How many tracks wait for a media section of the client's."""
        return sum(track.section is None for track in self.subscriber.tracks.values())

    @property
    def mids(self) -> dict[str, str]:
        """The tracks by the media sections that carry them."""
        return {track.mid: sid for sid, track in self.subscriber.tracks.items() if track.mid is not None}

    async def close(self, reason: str, *, farewell: float) -> None:
        """Close all; `lost` is not called for that.

        The client has some seconds to do it itself: closed from this end, it would be an accident to a browser.
        """
        self._lost = ignore
        with suppress(TimeoutError):
            async with asyncio.timeout(farewell):
                await self._is_closed.wait()
        await asyncio.gather(*(peer.close(reason) for peer in {self.publisher, self.subscriber}))

    def _note(self, state: str) -> None:
        if state == "connected":
            self._connected()
        self._lose_if_closed(state)

    def _lose_if_closed(self, state: str) -> None:
        if state == "closed":
            self._is_closed.set()
            lost, self._lost = self._lost, ignore
            later(LAST_WORD, lost)
