"""LiveKit's Python SDK as a program of its own, with the verbs and the events of pages/livekit.js.

It reads orders, {"do": a verb, "given": its arguments}, and writes what it notes, {"kind": ..., ...}, a JSON text a
line; an order is answered by {"kind": "did", "value": what came of it} or {"kind": "did", "error": why it failed}.
"""

import asyncio
import json
import os
import sys
from collections.abc import Coroutine
from itertools import count
from typing import Any

import numpy as np
from livekit import rtc

RATE, FRAME, WINDOW = 48_000, 960, 32_768
MICROPHONE = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
CAMERA = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA)
SOURCES = {rtc.TrackSource.SOURCE_MICROPHONE: "microphone", rtc.TrackSource.SOURCE_CAMERA: "camera"}
SCENARIOS = {
    "signal-reconnect": rtc.SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT,
    "full-reconnect": rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT,
}


def note(kind: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"kind": kind, **fields}) + "\n")
    sys.stdout.flush()


def described(one: rtc.Participant) -> dict[str, Any]:
    is_agent = one.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    plain = {"identity": one.identity, "name": one.name, "metadata": one.metadata, "isAgent": is_agent}
    return {**plain, "attributes": dict(one.attributes)}


class Ear:
    """The last two thirds of a second of everything that is heard, added up."""

    def __init__(self) -> None:
        self._tracks: dict[str, np.ndarray] = {}
        self.heard = asyncio.Event()

    async def listen(self, track: rtc.Track) -> None:
        async for event in rtc.AudioStream(track, sample_rate=RATE, num_channels=1):
            before = self._tracks.get(track.sid, np.zeros(WINDOW))
            self._tracks[track.sid] = np.concatenate([before, np.frombuffer(event.frame.data, np.int16)])[-WINDOW:]
            self.heard.set()

    def forget(self, sid: str) -> None:
        self._tracks.pop(sid, None)

    def level(self) -> float:
        return float(10 * np.log10(np.mean(np.square(self._sum()[-2048:])) + 1e-12))

    def peaks(self) -> list[float]:
        spectrum = 20 * np.log10(np.abs(np.fft.rfft(self._sum() * np.blackman(WINDOW))) / WINDOW + 1e-12)
        clear = np.flatnonzero(spectrum > max(-60.0, spectrum.max() - 20))
        peaks = [at for at in clear if spectrum[at] >= spectrum[max(0, at - 40) : at + 41].max()]
        return [float(at * RATE / WINDOW) for at in sorted(peaks, key=lambda at: -spectrum[at])]

    def _sum(self) -> np.ndarray:
        return sum(self._tracks.values(), start=np.zeros(WINDOW)) / 32_768


class Guest:
    """One participant. Its public methods are the verbs."""

    def __init__(self, *, is_single: bool) -> None:
        self._options = rtc.RoomOptions(single_peer_connection=is_single)
        self._room = rtc.Room()
        self._ear = Ear()
        self._tasks: set[asyncio.Task[None]] = set()
        self._track: rtc.LocalAudioTrack | None = None
        for name in dir(self):
            if name.startswith("_on_"):
                self._room.on(name.removeprefix("_on_"), getattr(self, name))  # type: ignore[arg-type] # one of its names
        for topic in ("lk.transcription", "lk.chat"):
            self._room.register_text_stream_handler(topic, self._read)

    # verbs

    async def enter(self, url: str, token: str) -> list[dict[str, Any]]:
        try:
            await self._room.connect(url, token, self._options)
        except rtc.ConnectError as error:
            raise RuntimeError(error.message) from error
        self._me.register_rpc_method("ask", self._answer)
        return [described(one) for one in self._room.remote_participants.values()]

    async def speak(self, is_on: bool = True) -> None:  # noqa: FBT001, FBT002 # as in the page
        if self._track is None:
            await self.sound(440)
        elif is_on:
            self._track.unmute()
        else:
            self._track.mute()

    async def sound(self, hertz: float) -> None:
        source = rtc.AudioSource(RATE, 1, queue_size_ms=100)
        self._track = rtc.LocalAudioTrack.create_audio_track("tone", source)
        self._start(self._hum(source, hertz))
        await self._me.publish_track(self._track, MICROPHONE)

    async def hush(self) -> None:
        assert self._track is not None
        track, self._track = self._track, None
        await self._me.unpublish_track(track.sid)

    async def film(self) -> None:
        track = rtc.LocalVideoTrack.create_video_track("film", rtc.VideoSource(64, 64))
        await self._me.publish_track(track, CAMERA)

    async def send(self, text: str, topic: str, is_reliable: bool) -> None:  # noqa: FBT001 # as in the page
        await self._me.publish_data(text, topic=topic, reliable=is_reliable)

    async def write(self, text: str, topic: str) -> None:
        await self._me.send_text(text, topic=topic)

    async def press(self, code: int, digit: str) -> None:
        await self._me.publish_dtmf(code=code, digit=digit)

    async def ask(self, to: str, method: str, payload: str) -> str:
        return await self._me.perform_rpc(destination_identity=to, method=method, payload=payload)

    async def present(self, name: str, metadata: str, attributes: dict[str, str]) -> None:
        await self._me.set_name(name)
        await self._me.set_metadata(metadata)
        await self._me.set_attributes(attributes)

    async def simulate(self, scenario: str) -> None:
        await self._room.simulate_scenario(SCENARIOS[scenario])

    async def leave(self) -> None:
        await self._room.disconnect()

    async def hears(self, hertz: float) -> None:
        while not any(abs(peak - hertz) < 5 for peak in self._ear.peaks()):
            await self._more()

    async def is_quiet(self) -> None:
        while self._ear.level() > -60:
            await self._more()

    # what it is told

    def _on_disconnected(self, reason: rtc.DisconnectReason.ValueType) -> None:
        note("disconnected", reason=rtc.DisconnectReason.Name(reason))

    def _on_reconnecting(self) -> None:
        note("reconnecting")

    def _on_reconnected(self) -> None:
        note("reconnected")

    def _on_participant_connected(self, one: rtc.RemoteParticipant) -> None:
        note("participantConnected", **{"from": one.identity})

    def _on_participant_disconnected(self, one: rtc.RemoteParticipant) -> None:
        note("participantDisconnected", **{"from": one.identity})

    def _on_track_published(self, track: rtc.RemoteTrackPublication, one: rtc.RemoteParticipant) -> None:
        note("trackPublished", source=SOURCES[track.source], **{"from": one.identity})

    def _on_track_subscribed(self, track: rtc.Track, _: object, one: rtc.RemoteParticipant) -> None:
        note("trackSubscribed", **{"from": one.identity})
        self._start(self._ear.listen(track))

    def _on_track_unsubscribed(self, track: rtc.Track, _: object, __: object) -> None:
        self._ear.forget(track.sid)

    def _on_track_muted(self, one: rtc.Participant, track: rtc.TrackPublication) -> None:
        note("trackMuted", source=SOURCES[track.source], **{"from": one.identity})

    def _on_local_track_published(self, track: rtc.LocalTrackPublication, _: object) -> None:
        note("localTrackPublished", source=SOURCES[track.source])

    def _on_local_track_unpublished(self, track: rtc.LocalTrackPublication) -> None:
        note("localTrackUnpublished", source=SOURCES[track.source])

    def _on_active_speakers_changed(self, speakers: list[rtc.Participant]) -> None:
        for one in speakers:
            note("speaking", me=one is self._me, **{"from": one.identity})

    def _on_data_received(self, packet: rtc.DataPacket) -> None:
        sender = packet.participant and packet.participant.identity
        if packet.topic == "callUpdate":
            note(**{**json.loads(packet.data), "kind": "callUpdate", "from": sender})
        else:
            is_lossy = packet.kind == rtc.DataPacketKind.KIND_LOSSY
            note("data", topic=packet.topic, text=packet.data.decode(), isLossy=is_lossy, **{"from": sender})

    def _on_sip_dtmf_received(self, key: rtc.SipDTMF) -> None:
        note("dtmf", digit=key.digit, code=key.code, **{"from": key.participant and key.participant.identity})

    def _on_transcription_received(
        self, segments: list[rtc.TranscriptionSegment], one: rtc.Participant | None, _: object
    ) -> None:
        for segment in segments:
            note("transcription", text=segment.text, final=segment.final, **{"from": one and one.identity})

    def _on_participant_attributes_changed(self, changed: dict[str, str], one: rtc.Participant) -> None:
        for name, value in changed.items():
            note("attribute", name=name, value=value, **{"from": one.identity})

    def _on_participant_metadata_changed(self, one: rtc.Participant, _: object, metadata: str) -> None:
        note("metadata", metadata=metadata, **{"from": one.identity})

    def _on_participant_name_changed(self, one: rtc.Participant, _: object, name: str) -> None:
        note("name", name=name, **{"from": one.identity})

    # what it does of itself

    @property
    def _me(self) -> rtc.LocalParticipant:
        return self._room.local_participant

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(work))

    async def _hum(self, source: rtc.AudioSource, hertz: float) -> None:
        for number in count():
            at = np.arange(number * FRAME, (number + 1) * FRAME) / RATE
            samples = (3000 * np.sin(2 * np.pi * hertz * at)).astype(np.int16)
            await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, FRAME))

    async def _answer(self, question: rtc.RpcInvocationData) -> str:
        return f"{question.caller_identity} asked {question.payload}"

    def _read(self, reader: rtc.TextStreamReader, identity: str) -> None:
        self._start(self._read_all(reader, identity))

    async def _read_all(self, reader: rtc.TextStreamReader, identity: str) -> None:
        text = await reader.read_all()
        note("stream", topic=reader.info.topic, text=text, attributes=reader.info.attributes, **{"from": identity})

    async def _more(self) -> None:
        self._ear.heard.clear()
        await self._ear.heard.wait()


async def main(mode: str) -> None:
    guest = Guest(is_single=mode == "single")
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        try:
            note("did", value=await getattr(guest, order["do"])(*order["given"]))
        except Exception as error:  # noqa: BLE001 # whatever it is, it is told
            note("did", error=str(error) or type(error).__name__)
    await guest.leave()
    os._exit(0)  # the SDK's own end may take its time, or fail


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
