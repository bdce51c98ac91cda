"""A small client of LiveKit's protocol: aiortc for sound and data, protobuf over a WebSocket for the rest."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiortc import RTCDataChannel
from livekit.protocol import models, rtc
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.rtc.caller import SOON, Caller, until
from tests.rtc.test_signalling import Door

RELIABLE = "_reliable"
VOICE = "voice"  # its own name for its microphone


class LiveKitClient:
    """Joins by either version of the protocol, publishes a tone, and notes what it is told."""

    def __init__(self, server: Door, token: str, *, is_dual: bool = False, hertz: float = 440.0) -> None:
        self.server = server
        self.token = token
        self.is_dual = is_dual
        self.publisher = Caller(hertz)
        self.subscriber = Caller() if is_dual else self.publisher
        self._changed = asyncio.Event()
        self.told: list[rtc.SignalResponse] = []
        self.packets: list[models.DataPacket] = []
        self.publisher.connection.addTransceiver("audio", "recvonly")  # before the channel, or aiortc never connects
        self.channel: RTCDataChannel = self.publisher.connection.createDataChannel(RELIABLE)
        self.subscriber.connection.on("datachannel", self._listen)
        self._listen(self.channel)
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._offers = 0
        self.closed_with: int | None = None

    @property
    def socket(self) -> ClientConnection:
        assert self._socket is not None
        return self._socket

    def address(self, **more: str) -> str:
        path = "/rtc" if self.is_dual else "/rtc/v1"
        query = "".join(f"&{name}={value}" for name, value in more.items())
        return f"ws{self.server.url.removeprefix('http')}{path}?access_token={self.token}{query}"

    async def join(self, **fields: Any) -> rtc.JoinResponse:
        """Come in; a client with one connection has room for one track in its first offer."""
        if self.is_dual:
            await self.open(self.address())
        else:
            request = rtc.JoinRequest(publisher_offer=await self._describe(), **fields)
            await self.open(self.address(join_request=wrapped(request)))
        join = (await self.hears_of("join")).join
        await stands(self.subscriber)
        return join

    async def resume(self, sid: str) -> str:
        """Come back on a new WebSocket; return what is said first."""
        more = {"reconnect": "1", "sid": sid}
        if not self.is_dual:
            more = {"join_request": wrapped(rtc.JoinRequest(reconnect=True, participant_sid=sid))}
        await self.open(self.address(**more))
        await self.until(lambda: self.told)
        return str(self.told[0].WhichOneof("message"))

    async def open(self, address: str) -> None:
        socket = await connect(address)
        self.told.clear()
        self._socket = socket  # what comes by one before is not listened to any more
        self._reading = asyncio.create_task(self._read(self._socket))

    async def publish(self) -> models.TrackInfo:
        await self.signal(add_track=self.microphone())
        published = (await self.hears_of("track_published")).track_published
        self.publisher.connection.addTransceiver(self.publisher.microphone, "sendonly")
        await self.offer()
        await stands(self.publisher)
        return published.track

    def microphone(self) -> rtc.AddTrackRequest:
        source, kind = models.TrackSource.MICROPHONE, models.TrackType.AUDIO
        return rtc.AddTrackRequest(cid=self.publisher.microphone.id, name=VOICE, type=kind, source=source)

    async def offer(self) -> None:
        """Offer, and wait for the answer."""
        self.told = [message for message in self.told if not message.HasField("answer")]
        await self.signal(offer=await self._describe())
        await self.hears_of("answer")

    async def signal(self, **message: Any) -> None:
        await self.socket.send(rtc.SignalRequest(**message).SerializeToString())

    async def send(self, **packet: Any) -> None:
        await self.until(lambda: self.channel.readyState == "open")
        self.channel.send(models.DataPacket(**packet).SerializeToString())

    async def hears_of(self, kind: str) -> rtc.SignalResponse:
        await self.until(lambda: any(message.HasField(kind) for message in self.told))
        return next(message for message in self.told if message.HasField(kind))

    async def gets(self, kind: str) -> models.DataPacket:
        await self.until(lambda: any(packet.HasField(kind) for packet in self.packets))
        return next(packet for packet in self.packets if packet.HasField(kind))

    async def sees(self, identity: str, **fields: Any) -> models.ParticipantInfo:
        """Wait for news of a participant in which these fields are so."""

        def found() -> list[models.ParticipantInfo]:
            news = (one for message in self.told for one in message.update.participants if one.identity == identity)
            return [one for one in news if all(getattr(one, name) == value for name, value in fields.items())]

        await self.until(found)
        return found()[-1]

    async def until(self, happened: Any) -> None:
        async with asyncio.timeout(SOON):
            while not happened():
                self._changed.clear()
                await self._changed.wait()

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._reading is not None:
            await self._reading
        for side in {self.publisher, self.subscriber}:
            await side.close()

    async def _describe(self) -> rtc.SessionDescription:
        self._offers += 1
        return rtc.SessionDescription(type="offer", sdp=await self.publisher.offer(), id=self._offers)

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for frame in socket:
                assert isinstance(frame, bytes)
                message = rtc.SignalResponse.FromString(frame)
                if socket is not self._socket:
                    continue
                if message.HasField("answer"):
                    assert message.answer.id == self._offers
                    await self.publisher.accept(message.answer.sdp)
                elif message.HasField("offer"):
                    sdp = await self.subscriber.answer(message.offer.sdp)
                    await self.signal(answer=rtc.SessionDescription(type="answer", sdp=sdp, id=message.offer.id))
                self.told.append(message)
                self._changed.set()
        except ConnectionClosed:
            pass
        self.closed_with = socket.close_code
        self._changed.set()

    def _listen(self, channel: RTCDataChannel) -> None:
        channel.on("message", self._note)
        channel.on("open", self._changed.set)

    def _note(self, message: bytes) -> None:
        self.packets.append(models.DataPacket.FromString(message))
        self._changed.set()


async def stands(side: Caller) -> None:
    """Wait until a connection stands: closed before that, aiortc's would go on trying."""
    await until(lambda: side.connection.connectionState == "connected")


def wrapped(request: rtc.JoinRequest) -> str:
    packed = rtc.WrappedJoinRequest(join_request=request.SerializeToString()).SerializeToString()
    return urlsafe_b64encode(packed).decode().rstrip("=")


@asynccontextmanager
async def livekit_client(
    server: Door, token: str, *, is_dual: bool = False, hertz: float = 440.0
) -> AsyncIterator[LiveKitClient]:
    made = LiveKitClient(server, token, is_dual=is_dual, hertz=hertz)
    try:
        yield made
    finally:
        await made.close()
