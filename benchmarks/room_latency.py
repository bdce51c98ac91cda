"""How long a client waits: from its token to the first sound, and from what it says to its echo.

python -m benchmarks.room_latency joins|echoes COUNT URL...; prints one line of JSON, times in milliseconds. With
several servers the first is for warming the client up, and the others are joined once.
"""

import asyncio
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import aioice
from aioice import ice

from benchmarks.room_load import At, Client, is_media
from revdesk_mock.clock import Pace
from revdesk_mock.rtc.media import level
from revdesk_mock.rtc.packets import SILENCE
from tests.rtc import test_signalling
from tests.rtc.caller import Caller, packets_of
from tests.rtc.livekit.client import livekit_client
from tests.rtc.test_signalling import state, web_call

HEARD = -60.0  # dBov: a greeting is louder, the silence before it is not
TONE = -40.0  # dBov: an echo is louder
QUIET = 25  # packets, 0.5 s, between two tones
PROBE = b"\xfc"  # an Opus packet of 20 ms begins so; the rest is a number

Seen = dict[str, list[float]]


class Watch:
    """Milliseconds since it was made, by name: the first of each."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self.times: dict[str, float] = {}

    def note(self, name: str) -> None:
        """Note that something happens now."""
        self.times.setdefault(name, (time.perf_counter() - self._began) * 1000)


@contextmanager
def watching() -> Iterator[Watch]:
    """Give a watch that notes the first media packet that comes to this process."""
    watch, go_on = Watch(), aioice.Connection.data_received

    def received(connection: aioice.Connection, data: bytes, component: int) -> None:
        if is_media(data):
            watch.note("first packet")
        go_on(connection, data, component)

    aioice.Connection.data_received = received  # type: ignore[assignment,method-assign]
    try:
        yield watch
    finally:
        aioice.Connection.data_received = go_on  # type: ignore[method-assign]


async def hear(caller: Caller, loud: float) -> None:
    """Wait for a decoded frame that is louder."""
    async with asyncio.timeout(10):
        while level(await caller.heard.get()) < loud:
            pass


async def join_plainly(server: At) -> dict[str, float]:
    """Join by one POST."""
    token = await web_call(server)
    async with test_signalling.client() as one:
        with watching() as watch:
            await one.join(server, token)
            watch.note("answer")
            await hear(one, HEARD)
            watch.note("first sample")
        one.say(type="leave")
        await one.told(lambda event: event["type"] == "closed")
    return watch.times


async def join_by_livekit(server: At, *, is_dual: bool) -> dict[str, float]:
    """Join by LiveKit's protocol."""
    async with livekit_client(server, await web_call(server), is_dual=is_dual) as one:
        with watching() as watch:
            await one.join()
            watch.note("answer")
            await hear(one.subscriber, HEARD)
            watch.note("first sample")
    return watch.times


WAYS: Mapping[str, Callable[[At], Coroutine[None, None, dict[str, float]]]] = {
    "POST /rtc/offer": join_plainly,
    "LiveKit, one connection": partial(join_by_livekit, is_dual=False),
    "LiveKit, two connections": partial(join_by_livekit, is_dual=True),
}


async def joins(count: int, servers: list[At]) -> dict[str, Seen]:
    """Join every server so often in each way; of several servers the first does not count."""
    seen: dict[str, Seen] = {name: defaultdict(list) for name in WAYS}
    for server in servers:
        for name, join in WAYS.items():
            for _ in range(count):
                for moment, milliseconds in (await join(server)).items():
                    seen[name][moment].append(milliseconds)
            if len(servers) > 1:
                break  # a cold server is cold once
        if len(servers) > 1 and server is servers[0]:
            seen = {name: defaultdict(list) for name in WAYS}
    return seen


async def echo_of_packets(count: int, server: At) -> list[float]:
    """Return how long each packet takes from this client's socket into its echo, back at the socket."""
    client, sent, took, enough = Client(), dict[bytes, float](), list[float](), asyncio.Event()

    def arrived(payload: bytes) -> None:
        if payload in sent:
            took.append((time.perf_counter() - sent.pop(payload)) * 1000)
        if len(took) == count:
            enough.set()

    def next_packet(number: int) -> bytes:
        packet = PROBE + number.to_bytes(40, "big")
        sent[packet] = time.perf_counter()
        return packet

    await client.join(server, await web_call(server, mode="echo"), next_packet, hears=arrived)
    async with asyncio.timeout(count / 50 + 30):
        await enough.wait()
    await client.close()
    return took[:count]


async def echo_of_tones(count: int, server: At) -> list[float]:
    """Return how long each tone takes, from what an aiortc client begins to send to the first frame it decodes."""
    tone, took = packets_of(440, 1.0), list[float]()
    async with test_signalling.client() as one:
        one.microphone.packets = [SILENCE]
        await one.join(server, await web_call(server, mode="echo"))
        await one.told(state("listening"))
        pace = Pace()
        for _ in range(count):
            for _ in range(QUIET):
                await pace.beat(0.02)
            while not one.heard.empty():
                one.heard.get_nowait()
            one.microphone.packets, began = tone, time.perf_counter()
            await hear(one, TONE)
            took.append((time.perf_counter() - began) * 1000)
            one.microphone.packets = [SILENCE]
    return took


async def echoes(count: int, servers: list[At]) -> dict[str, list[float]]:
    """Measure echoes: of packets in several rooms, as each has a phase of its own, and of tones in one."""
    packets = await asyncio.gather(*(echo_of_packets(50, servers[0]) for _ in range(count)))
    return {
        "packet to packet": [took for room in packets for took in room],
        "tone to tone, aiortc": await echo_of_tones(count, servers[0]),
    }


MEASURES: Mapping[str, Callable[[int, list[At]], Coroutine[None, None, object]]] = {"joins": joins, "echoes": echoes}

if __name__ == "__main__":
    ice.get_host_addresses = lambda **_: ["127.0.0.1"]
    print(json.dumps(asyncio.run(MEASURES[sys.argv[1]](int(sys.argv[2]), [At(url) for url in sys.argv[3:]]))))
