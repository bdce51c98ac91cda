"""Clients in rooms that cost little: what they send is encoded already, and what they hear is counted, not decoded.

python -m benchmarks.room_load URL CLIENTS SECONDS MODE; says how long the joins took when all are in, measures
after a line of standard input, and says what it measured; both as a line of JSON.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count, pairwise
from typing import Any

from aioice import ice
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtp import RtpPacket

from revdesk_mock.clock import Pace
from tests.rtc.caller import packets_of
from tests.rtc.test_signalling import ask, web_call

AT_A_TIME = 4  # joins
VOICED = 70  # bytes: a datagram with sound is longer, one with silence is not
LEVEL = 23  # -dBov, as browsers tell it of their speech
MODES = {"echo": "echo", "echo without levels": "echo", "speech": "silent"}  # what the agent does after its greeting


class At:
    """Where an emulator is."""

    def __init__(self, url: str) -> None:
        self.url = url


def is_media(data: bytes) -> bool:
    """Whether a datagram is RTP, and no RTCP (RFC 5761), DTLS or STUN."""
    return 127 < data[0] < 192 and not 64 <= data[1] & 0x7F < 96


class Client:
    """One client: ICE, DTLS and SRTP are aiortc's, its sound is not."""

    def __init__(self) -> None:
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._section = self._connection.addTransceiver("audio", "sendrecv")
        self._connection.createDataChannel("events")
        self._transport: Any = self._section.sender.transport
        self._speaking: asyncio.Task[None] | None = None
        self.arrived: list[tuple[float, int]] = []  # seconds, bytes

    async def join(
        self,
        server: At,
        token: str,
        next_packet: Callable[[int], bytes],
        *,
        level: int | None = LEVEL,
        hears: Callable[[bytes], None] | None = None,
    ) -> None:
        """Come in and speak, packets by number; with `hears` what comes is decrypted, and it is told each payload."""
        await self._connection.setLocalDescription()
        offer = {"sdp": self._connection.localDescription.sdp}
        status, answer = await ask(server, "POST", "/rtc/offer", offer, token)
        if status != 200:
            raise SystemExit(f"a join was refused: {answer}")
        connected = asyncio.Event()
        self._connection.on("connectionstatechange", connected.set)
        await self._connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        async with asyncio.timeout(20):
            while self._connection.connectionState != "connected":
                connected.clear()
                await connected.wait()
        self._listen(hears)
        self._speaking = asyncio.create_task(self._speak(next_packet, level))

    async def close(self) -> None:
        """Go without a word."""
        if self._speaking is not None:
            self._speaking.cancel()
        await self._connection.close()

    def _listen(self, hears: Callable[[bytes], None] | None) -> None:
        wire = self._transport.transport._connection  # noqa: SLF001 # before anything is decrypted
        go_on = wire.data_received

        def note(data: bytes, component: int) -> None:
            if is_media(data):
                self.arrived.append((time.perf_counter(), len(data)))
            else:
                go_on(data, component)

        async def decrypted(data: bytes, **_: int) -> None:
            if hears:
                hears(RtpPacket.parse(data).payload)

        if hears:
            self._transport._handle_rtp_data = decrypted  # noqa: SLF001
        else:
            wire.data_received = note

    async def _speak(self, next_packet: Callable[[int], bytes], level: int | None) -> None:
        [kind] = {codec.payloadType or 0 for codec in self._section._codecs if codec.name == "opus"}  # noqa: SLF001
        ssrc, pace = self._section.sender._ssrc, Pace()  # noqa: SLF001
        with suppress(ConnectionError):
            for number in count():
                await pace.beat(0.02)
                packet = RtpPacket(kind, 0, number & 0xFFFF, number * 960 & 0xFFFFFFFF, ssrc, next_packet(number))
                packet.extensions.mid = self._section.mid
                packet.extensions.audio_level = None if level is None else (True, level)
                data = packet.serialize(self._transport._rtp_header_extensions_map)  # noqa: SLF001
                await self._transport._send_rtp(data)  # noqa: SLF001


async def enter(server: At, clients: list[Client], mode: str) -> None:
    """Let clients in, a few at a time, each into a room of its own."""
    packets, turn = packets_of(440, 1.0), asyncio.Semaphore(AT_A_TIME)
    level = None if mode == "echo without levels" else LEVEL

    async def join(client: Client) -> None:
        async with turn:
            token = await web_call(server, mode=MODES[mode])
            await client.join(server, token, lambda number: packets[number % len(packets)], level=level)

    async with asyncio.TaskGroup() as joining:
        for client in clients:
            joining.create_task(join(client))


async def measure(clients: list[Client], seconds: float) -> dict[str, object]:
    """Return the gaps between packets, in milliseconds, and how many of the packets were sound."""
    for client in clients:
        client.arrived.clear()
    busy = time.process_time()
    await asyncio.sleep(seconds)
    gaps = [(after - before) * 1000 for client in clients for (before, _), (after, _) in pairwise(client.arrived)]
    sounds = sum(size > VOICED for client in clients for _, size in client.arrived)
    return {"gaps": gaps, "sounds": sounds, "cores": (time.process_time() - busy) / seconds}


async def main(url: str, number: int, seconds: float, mode: str) -> None:
    """Come in, wait to be told, measure, and go."""
    server, clients = At(url), [Client() for _ in range(number)]
    began = time.perf_counter()
    await enter(server, clients, mode)
    print(json.dumps(time.perf_counter() - began), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print(json.dumps(await measure(clients, seconds)), flush=True)
    await asyncio.gather(*(client.close() for client in clients))


if __name__ == "__main__":
    ice.get_host_addresses = lambda **_: ["127.0.0.1"]
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]))
