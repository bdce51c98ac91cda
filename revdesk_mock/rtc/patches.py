"""Where aiortc and aioice are bent to our use: in classes of our own, so that a test's own aiortc client stays itself.

Everything here and in `sockets` leans on names that the libraries keep to themselves; `versions` says of which
releases, and each bend has a test that fails without it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCRtpTransceiver,
)
from aiortc.codecs import get_capabilities
from aiortc.exceptions import InvalidStateError
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtcrtpsender import RTCEncodedFrame
from aiortc.rtp import RtpPacket

from revdesk_mock.clock import Pace
from revdesk_mock.rtc.network import Network
from revdesk_mock.rtc.packets import FRAME, RATE, SILENCE, Digit, PacketQueue, TelephoneEvents, duration
from revdesk_mock.rtc.sockets import MOST_DATAGRAMS, DropOldest, gather

CREATE_DTLS = "_RTCPeerConnection__createDtlsTransport"
CREATE_SCTP = "_RTCPeerConnection__createSctpTransport"
CREATE_TRANSCEIVER = "_RTCPeerConnection__createTransceiver"
CONNECT = "_RTCPeerConnection__connect"


class Ears(Protocol):
    """Who is told of what arrives; both are called at once and must not block."""

    def audio(self, mid: str, packet: bytes, level: int | None) -> None:
        """Take 20 ms or so of Opus from a media section; the level is in dBov, -127 to 0, where the sender tells it."""

    def digit(self, mid: str, digit: Digit) -> None:
        """Take a key that was pressed."""


class PacketTrack(MediaStreamTrack):
    """What aiortc takes for a track: a name for the session description, and where the packets are."""

    kind = "audio"

    def __init__(self, name: str, packets: PacketQueue) -> None:
        super().__init__()
        self._id = name
        self.packets = packets

    async def recv(self) -> None:  # type: ignore[override] # never asked: PacketSender takes packets
        """Refuse; there are no frames here."""
        raise MediaStreamError


class PacketSender(RTCRtpSender):
    """Sends Opus packets as they are, on one clock: aiortc would measure and encode frames, at ten times the cost."""

    def __init__(self, kind: str, transport: RTCDtlsTransport) -> None:
        super().__init__(kind, transport)
        self._pace = Pace()
        self._timestamp = 0
        self._lasted = 0  # samples of the packet before

    @property
    def tasks(self) -> list[asyncio.Task[None] | None]:
        """What runs for it: sending and reporting."""
        return [vars(self)[f"_RTCRtpSender__{name}_task"] for name in ("rtp", "rtcp")]

    def forget(self) -> None:
        """Let go of what was sent last, which is kept to be sent again."""
        vars(self)["_RTCRtpSender__rtp_history"].clear()

    async def _next_encoded_frame(self, codec: RTCRtpCodecParameters) -> RTCEncodedFrame | None:  # noqa: ARG002 # it is Opus
        left_out = await self._pace.beat(self._lasted / RATE)
        self._timestamp += self._lasted + int(left_out * RATE) // FRAME * FRAME
        packet = self.track.packets.take() if isinstance(self.track, PacketTrack) else SILENCE
        self._lasted = duration(packet)
        return RTCEncodedFrame([packet], self._timestamp & 0xFFFFFFFF, None) if self._enabled else None  # type: ignore[arg-type] # None: no level is sent


class PacketReceiver(RTCRtpReceiver):
    """Hands on Opus packets as they come.

    aiortc's own has a decoder thread for each track, an unbounded queue behind it, a jitter buffer that turns one lost
    packet into a hole of 320 ms and a lasting delay, no ear for telephone events, and is deaf after an RTCP BYE.
    """

    def __init__(self, kind: str, transport: RTCDtlsTransport, ears: Ears) -> None:
        super().__init__(kind, transport)
        self._ears = ears
        self._codecs: dict[int | None, str] = {}
        self._events = TelephoneEvents(RATE)
        self._mid = ""
        self._last = (0, 0)  # SSRC, sequence number
        self.task: asyncio.Task[None] | None = None
        self._streams: dict[int, StreamStatistics] = vars(self)["_RTCRtpReceiver__remote_streams"]

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """Begin to receive; no thread is started."""
        if self.task is None:
            self._mid = parameters.muxId
            self._codecs = {codec.payloadType: codec.name for codec in parameters.codecs}
            for codec in parameters.codecs:
                if codec.name == "telephone-event":
                    self._events = TelephoneEvents(codec.clockRate)
            self.transport._register_rtp_receiver(self, parameters)
            self.task = asyncio.create_task(self._run_rtcp())

    async def stop(self) -> None:
        """End, and wait until it has."""
        if self.task is not None:
            self.transport._unregister_rtp_receiver(self)
            self.task.cancel()
            await asyncio.wait([self.task])

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:  # noqa: ARG002 # for video
        codec = self._codecs.get(packet.payload_type)
        if codec is None or not self._enabled or self._is_late(packet):
            return
        if packet.ssrc not in self._streams:
            self._streams.clear()  # a track has one stream at a time
            self._streams[packet.ssrc] = StreamStatistics(RATE)
        self._streams[packet.ssrc].add(packet)
        if codec == "telephone-event":
            digit, passed = self._events.read(packet.payload, packet.timestamp)
            if passed:  # the tone stands in the place of sound
                self._ears.audio(self._mid, SILENCE, None)
            if digit:
                self._ears.digit(self._mid, digit)
            return
        try:
            duration(packet.payload)
        except ValueError:
            return
        level = packet.extensions.audio_level
        self._ears.audio(self._mid, packet.payload, -level[1] if level else None)

    def _is_late(self, packet: RtpPacket) -> bool:
        """Whether a later packet of the stream was here before, or the same: its time is past."""
        ssrc, sequence = self._last
        ahead = (packet.sequence_number - sequence) & 0xFFFF
        if ssrc == packet.ssrc and (ahead == 0 or ahead > 0x8000):
            return True
        self._last = packet.ssrc, packet.sequence_number
        return False


class LocalConnection(RTCPeerConnection):
    """A peer connection on given addresses alone, which decodes nothing and asks no STUN server.

    aiortc's default is a public one. The other side controls the transport, for it knows when its network changes,
    and aioice in control would not look for a new path.
    """

    def __init__(self, network: Network, ears: Ears) -> None:
        super().__init__(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._network = network
        self._ears = ears
        self._connecting = asyncio.Lock()
        self._joining: set[asyncio.Task[None]] = set()
        self._transports: list[RTCDtlsTransport] = []

    def _RTCPeerConnection__createDtlsTransport(self) -> RTCDtlsTransport:  # noqa: N802 # aiortc's name
        made: RTCDtlsTransport = getattr(super(), CREATE_DTLS)()
        ice = made.transport
        connection = ice._connection
        vars(connection)["get_component_candidates"] = lambda component, **_: gather(
            connection, component, self._network
        )
        vars(connection)["_queue"] = DropOldest(MOST_DATAGRAMS)
        connection.ice_controlling = False
        ice._role_set = True
        self._transports.append(made)
        return made

    def _RTCPeerConnection__createSctpTransport(self) -> None:  # noqa: N802 # aiortc's name
        """Lose what is still to be sent when the other side has closed; aiortc's tasks, that it forgets, would fail."""
        getattr(super(), CREATE_SCTP)()
        for name in ("_data_channel_flush", "_transmit", "_transmit_reconfig"):
            vars(self.sctp)[name] = unless_closed(getattr(self.sctp, name))

    def _RTCPeerConnection__createTransceiver(  # noqa: N802 # aiortc's name
        self, direction: str, kind: str, **_: None
    ) -> RTCRtpTransceiver:
        made: RTCRtpTransceiver = getattr(super(), CREATE_TRANSCEIVER)(direction, kind)
        transport = made.receiver.transport
        sender, receiver = PacketSender(kind, transport), PacketReceiver(kind, transport, self._ears)
        receiver._set_rtcp_ssrc(sender._ssrc)
        ours = RTCRtpTransceiver(kind, receiver, sender, direction)
        ours._bundled = made._bundled
        if kind == "audio":  # the packets are Opus, whatever the other side would like better
            ours.setCodecPreferences([it for it in get_capabilities(kind).codecs if it.mimeType == "audio/opus"])
        vars(self)["_RTCPeerConnection__transceivers"][-1] = ours
        return ours

    async def _RTCPeerConnection__connect(self) -> None:  # noqa: N802 # aiortc's name
        """Connect as aiortc does, in a task that it forgets; here it can be ended.

        After a second exchange it would start the new sections only if the transports stand by then, and else never:
        here that waits for the first.
        """
        if task := asyncio.current_task():
            self._joining.add(task)
            task.add_done_callback(self._joining.discard)
        connect: Callable[[], asyncio.Future[None]] = getattr(super(), CONNECT)
        async with self._connecting:
            with suppress(InvalidStateError):  # closed meanwhile
                await connect()

    async def abandon(self) -> None:
        """End what a close() may have left: tasks that still join, send and report, and sockets.

        What is left then are objects that know each other in circles, until the garbage collector finds them; what they
        hold outside of Python, some 100 KB, is let go now.
        """
        media = [it for section in self.getTransceivers() for it in (section.sender, section.receiver)]
        left = {*self._joining, *(it.task for it in media if isinstance(it, PacketReceiver))}
        left |= {task for it in media if isinstance(it, PacketSender) for task in it.tasks}
        tasks = [task for task in left if task is not None and not task.done()]
        for task in tasks:
            task.cancel()
        for transport in self._transports:
            await transport.transport._connection.close()
        if tasks:
            await asyncio.wait(tasks)
        for one in media:
            if isinstance(one, PacketSender):
                one.forget()
        for transport in self._transports:
            vars(transport).update(_ssl=None, _rx_srtp=None, _tx_srtp=None)


def unless_closed(send: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Return a function that sends as `send` does, where there is a connection."""

    async def try_to_send() -> None:
        with suppress(ConnectionError):
            await send()

    return try_to_send


def understand_digits(transceiver: RTCRtpTransceiver, offered: list[RTCRtpCodecParameters]) -> None:
    """Accept the telephone events that an offer has; aiortc knows none, and browsers then refuse to send digits."""
    events = [codec for codec in offered if codec.name.lower() == "telephone-event"]
    if events:
        codec = next((it for it in events if it.clockRate == RATE), events[0])
        transceiver._codecs.append(
            RTCRtpCodecParameters(
                "audio/telephone-event", codec.clockRate, 1, codec.payloadType, parameters={"0-15": None}
            )
        )


def name_track(transceiver: RTCRtpTransceiver, stream_id: str, track: PacketTrack) -> None:
    """Put a track on a media section under `stream_id` too; aiortc has one random stream for a whole connection."""
    transceiver.sender.replaceTrack(track)
    transceiver.sender._stream_id = stream_id


def free_sections(connection: RTCPeerConnection) -> list[RTCRtpTransceiver]:
    """Return the sections of the other side's last offer that have room for a track, those that only listen first.

    aiortc's addTrack would take the first section of all, also one on which the other side alone speaks.
    """
    free = [it for it in connection.getTransceivers() if it.kind == "audio" and without_track(it)]
    return [it for way in ("sendonly", "sendrecv") for it in free if it._offerDirection == way]  # seen from here


def without_track(transceiver: RTCRtpTransceiver) -> bool:
    """Whether nothing is sent here; aiortc's types do not know of that."""
    return not isinstance(transceiver.sender.track, MediaStreamTrack)
