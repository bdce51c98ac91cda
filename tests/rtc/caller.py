"""A caller: an aiortc client in the test's process, on loopback, that sends a tone and counts what it hears."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from fractions import Fraction
from functools import wraps
from itertools import count
from typing import Any, ParamSpec

import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtpPacket
from av import AudioFrame, Packet

from revdesk_mock.clock import Pace
from revdesk_mock.rtc.media import Encoder, Frame, frames_of, level, tone
from revdesk_mock.rtc.network import LOOPBACK, Network
from revdesk_mock.rtc.packets import RATE
from revdesk_mock.rtc.peer import SILENT, Listener, Peer

SOON = 5.0  # seconds that anything may take at most
P = ParamSpec("P")


def live(test: Callable[P, Coroutine[None, None, None]]) -> Callable[P, None]:
    """Run a test on an event loop of its own, in which every task has to end by itself."""

    async def watched(*args: P.args, **kwargs: P.kwargs) -> None:
        await test(*args, **kwargs)
        if left := asyncio.all_tasks() - {asyncio.current_task()}:  # an aiortc client ends some a little later
            assert not (await asyncio.wait(left, timeout=1))[1]

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(watched(*args, **kwargs))

    return run


def packets_of(hertz: float, seconds: float) -> list[bytes]:
    encoder = Encoder()
    return [encoder.encode(frame) for frame in frames_of(tone(hertz, seconds))]


def frequency_of(samples: Frame) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * RATE / len(samples)


async def stretch_of(next_frame: Callable[[], Awaitable[Frame]], hertz: float, seconds: float = 0.4) -> Frame:
    """Wait until a stretch of sound is this tone, and return it."""
    stretch: list[Frame] = []
    async with asyncio.timeout(SOON):
        while True:
            stretch = [*stretch, await next_frame()][-round(seconds * 50) :]
            samples = np.concatenate(stretch)
            if len(stretch) * 0.02 >= seconds and level(samples) > -21 and abs(frequency_of(samples) - hertz) < 5:
                return samples


async def until(happened: Callable[[], object]) -> None:
    """Wait until something is so, and let everything else run meanwhile."""
    async with asyncio.timeout(SOON):
        while not happened():
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)


class Microphone(MediaStreamTrack):
    """Sends the same packets over and over; nothing at all while it is muted."""

    kind = "audio"

    def __init__(self, packets: list[bytes]) -> None:
        super().__init__()
        self.packets = packets
        self.unmuted = asyncio.Event()
        self.unmuted.set()
        self._pace = Pace()
        self._numbers = count()

    async def recv(self) -> "Packet[Any]":
        await self._pace.beat(0.02)
        await self.unmuted.wait()
        number = next(self._numbers)
        packet = Packet(self.packets[number % len(self.packets)])
        packet.pts, packet.time_base = number * 960, Fraction(1, RATE)
        return packet


class Caller:
    def __init__(self, hertz: float = 440.0) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self.microphone = Microphone(packets_of(hertz, 1.0))
        self.heard: asyncio.Queue[Frame] = asyncio.Queue()
        self.messages: asyncio.Queue[tuple[str, bytes | str]] = asyncio.Queue()
        self.tracks: list[MediaStreamTrack] = []
        self._numbers = count()
        self._ears: list[asyncio.Task[None]] = []
        self.connection.on("track", self._track)
        self.connection.on("datachannel", self.listen)

    def _track(self, track: MediaStreamTrack) -> None:
        self.tracks.append(track)
        self._ears.append(asyncio.create_task(self._hear(track)))

    async def _hear(self, track: MediaStreamTrack) -> None:
        with suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, AudioFrame)
                self.heard.put_nowait(frame.to_ndarray().reshape(-1, 2)[:, 0].astype(np.int16))

    def listen(self, channel: object) -> None:
        channel.on("message", lambda message: self.messages.put_nowait((channel.label, message)))  # type: ignore[attr-defined]

    async def offer(self) -> str:
        await self.connection.setLocalDescription()
        return self.connection.localDescription.sdp

    async def accept(self, answer: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def answer(self, offer: str) -> str:
        await self.connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self.connection.setLocalDescription()
        return self.connection.localDescription.sdp

    async def call(self, peer: Peer) -> None:
        await self.accept(await peer.answer(await self.offer()))

    def speak(self) -> None:
        self.connection.addTransceiver(self.microphone, "sendrecv")

    async def press(self, key: int) -> None:
        """Send a key's telephone events as a browser does: 100 ms, the end three times; aiortc cannot."""
        [transport] = {it.receiver.transport for it in self.connection.getTransceivers()}
        for step in (1, 2, 3, 4, 5, 5, 5):
            packet = RtpPacket(payload_type=110, sequence_number=next(self._numbers), timestamp=key * RATE)
            packet.ssrc = 110
            packet.payload = bytes([key, 10 | (0x80 if step == 5 else 0)]) + (step * 960).to_bytes(2, "big")
            await transport._send_rtp(packet.serialize())

    async def hears(self, hertz: float) -> Frame:
        return await stretch_of(self.heard.get, hertz)

    async def quiet_for(self, count: Callable[[], int], seconds: float = 0.15) -> None:
        """Wait until a count has stood still this long."""
        pace = Pace()
        before, still = -1, 0.0
        while still < seconds:
            await pace.beat(0.02)
            before, still = count(), still + 0.02 if count() == before else 0.0

    async def close(self) -> None:
        await self.connection.close()
        for ear in self._ears:
            ear.cancel()
        await asyncio.gather(*self._ears, return_exceptions=True)


@asynccontextmanager
async def call(
    listener: Listener = SILENT, network: Network = LOOPBACK, *, join_within: float = 10.0
) -> AsyncIterator[tuple[Peer, Caller]]:
    """Give a peer and a caller who does not know it yet; both are closed at the end."""
    peer, caller = Peer(listener, network, join_within=join_within), Caller()
    try:
        yield peer, caller
    finally:
        await caller.close()
        await peer.close()
