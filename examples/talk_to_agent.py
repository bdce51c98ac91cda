"""Talk to an agent in a real room, with LiveKit's own Python SDK: `pip install livekit`, and a server to talk to.

It starts a browser call with the newest agent, hears its greeting, says something (a tone) and hears the echo, asks
for a sentence, presses a key, and leaves. REVDESK_API_URL and REVDESK_API_KEY say where and who.
"""

import asyncio
import json
import os
from array import array
from itertools import pairwise
from math import pi, sin
from typing import Any
from urllib.request import Request, urlopen

from livekit import rtc

URL = os.environ.get("REVDESK_API_URL", "http://127.0.0.1:8473")
KEY = os.environ.get("REVDESK_API_KEY", "revdesk_test_key")
RATE, FRAME = 48_000, 960  # samples a second, and of 20 ms


def api(method: str, path: str) -> Any:
    """Return the data of an answer."""
    headers = {"Authorization": f"Bearer {KEY}"}
    with urlopen(Request(URL + path, headers=headers, method=method)) as answer:  # noqa: S310 our own server
        return json.load(answer)["data"]


def tone(hertz: float) -> rtc.AudioFrame:
    """Return 20 ms of a tone."""
    wave = array("h", (round(8_000 * sin(2 * pi * hertz * at / RATE)) for at in range(FRAME)))
    return rtc.AudioFrame(wave.tobytes(), RATE, 1, FRAME)


async def speak(source: rtc.AudioSource) -> None:
    """Let a tone of 1 kHz be heard until nobody wants it any more."""
    frame = tone(1_000)
    while True:
        await source.capture_frame(frame)


async def hear_tone(track: rtc.Track) -> None:
    """Wait until what is heard crosses zero about as often as 1 kHz does."""
    async for event in rtc.AudioStream(track, sample_rate=RATE, num_channels=1):
        samples = event.frame.data
        crossings = sum((one < 0) != (other < 0) for one, other in pairwise(samples))
        if max(samples) > 2_000 and abs(crossings - 2_000 * len(samples) // RATE) <= 2:
            return


async def visit() -> None:
    """Talk to the agent, and print what was heard."""
    agent = api("GET", "/v1/agents?limit=1")[0]
    call = api("POST", f"/v1/agents/{agent['id']}/web-call")
    room = rtc.Room()
    said: asyncio.Queue[str] = asyncio.Queue()
    tracks: asyncio.Queue[rtc.Track] = asyncio.Queue()

    @room.on("track_subscribed")
    def _(track: rtc.Track, *_: Any) -> None:
        tracks.put_nowait(track)

    @room.on("transcription_received")
    def _(segments: list[rtc.TranscriptionSegment], *_: Any) -> None:
        for segment in segments:
            if segment.final:
                said.put_nowait(segment.text)

    await room.connect(call["room_url"], call["token"])
    track = await tracks.get()
    print(f"The agent: {await said.get()}")

    source = rtc.AudioSource(RATE, 1)
    await room.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("microphone", source))
    speaking = asyncio.create_task(speak(source))
    await hear_tone(track)
    print("It says back what it hears.")

    await room.local_participant.perform_rpc(destination_identity="agent", method="say", payload="Thank you.")
    print(f"The agent: {await said.get()}")
    await room.local_participant.publish_dtmf(code=5, digit="5")
    state = await room.local_participant.perform_rpc(destination_identity="agent", method="state", payload="")
    print(f"Pressed: {json.loads(state)['digits']}")

    speaking.cancel()
    await room.disconnect()
    while not (record := api("GET", "/v1/calls?limit=1")[0])["ended_at"]:
        await asyncio.sleep(0.1)
    print(f"The call: {record['status']}, recorded: {record['has_recording']}.")


async def main() -> None:
    """Give the visit half a minute."""
    async with asyncio.timeout(30):
        await visit()


if __name__ == "__main__":
    asyncio.run(main())
