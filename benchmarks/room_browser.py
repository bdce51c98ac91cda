"""How long Debian's Chromium with LiveKit's unmodified client waits: from a token to the first sound, and for its echo.

python -m benchmarks.room_browser COUNT URL; prints one line of JSON, times in milliseconds. Needs what the tests of
browsers need: Debian's chromium, the Python package playwright, and `npm ci` in tests/rtc.
"""

import asyncio
import json
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.room_load import At
from tests.rtc.browser import Chromium, chromium
from tests.rtc.test_signalling import web_call

# In the page: LiveKit's client as it comes, and a watch. What is heard is looked for every few milliseconds.
WATCH = """
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const hasPackets = async ({ receiver }) =>
  [...(await receiver.getStats()).values()].some((one) => one.type === "inbound-rtp" && one.packetsReceived);
const until = async (isSo) => { while (!(await isSo())) await pause(1); };
const pulse = new AnalyserNode(audio, { fftSize: 256 }); // 5 ms: the page's own is longer, and so hears later
room.on(RoomEvent.TrackSubscribed, ({ mediaStreamTrack }) =>
  audio.createMediaStreamSource(new MediaStream([mediaStreamTrack])).connect(pulse));
const loudness = () => {
  const samples = new Float32Array(pulse.fftSize);
  pulse.getFloatTimeDomainData(samples);
  return 20 * Math.log10(Math.max(1e-7, ...samples.map(Math.abs)));
};

const joins = async (url, token) => {
  const began = performance.now();
  const since = () => performance.now() - began;
  const subscribed = new Promise((resolve) => room.once(RoomEvent.TrackSubscribed, resolve));
  await room.connect(url, token);
  const times = { connected: since() };
  const track = await subscribed;
  await until(() => hasPackets(track));
  times["first packet"] = since();
  await until(() => loudness() > -60);
  times["first sample"] = since();
  await room.disconnect();
  return times;
};

const voice = new GainNode(audio, { gain: 0 });
const begin = async (url, token) => {
  await room.connect(url, token);
  const out = new MediaStreamAudioDestinationNode(audio);
  const oscillator = new OscillatorNode(audio, { frequency: 440 });
  oscillator.connect(voice).connect(out);
  oscillator.start();
  await me.publishTrack(out.stream.getAudioTracks()[0], { source: Track.Source.Microphone });
};
const echoes = async () => {
  const began = performance.now();
  voice.gain.value = 0.1;
  await until(() => loudness() > -40);
  const took = performance.now() - began;
  voice.gain.value = 0;
  await until(() => loudness() < -60);
  await pause(300);
  return took;
};
"""
WARMS_UP = 5  # echoes that are longer, for a browser's jitter buffer begins long


def measure(browser: Chromium, server: At, count: int) -> dict[str, object]:
    """Join so often on one page, and then be echoed on another."""

    def call() -> tuple[str, str]:
        return f"ws{server.url.removeprefix('http')}", asyncio.run(web_call(server))

    page, seen = browser.open("livekit.html?livekit-client", WATCH), defaultdict[str, list[float]](list)
    first: dict[str, float] = page.call("joins", *call())
    for _ in range(count):
        for moment, took in page.call("joins", *call()).items():
            seen[moment].append(took)
    page = browser.open("livekit.html?livekit-client", WATCH)
    page.call("begin", *call())
    page.told("attribute", name="lk.agent.state", value="listening")
    took = [page.call("echoes") for _ in range(WARMS_UP + count)]
    return {"a page's first join": first, "joins": seen, "echoes": took[WARMS_UP:]}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, chromium(Path(folder)) as browser:
        print(json.dumps(measure(browser, At(sys.argv[2]), int(sys.argv[1]))))
        browser.close_pages()
