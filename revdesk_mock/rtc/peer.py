"""One participant's WebRTC connection: session descriptions in and out, audio as Opus packets, messages as they are."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from aiortc import RTCDataChannel, RTCRtpTransceiver, RTCSessionDescription
from aiortc.exceptions import InvalidStateError, OperationError
from aiortc.sdp import MediaDescription, SessionDescription

from revdesk_mock.rtc import patches
from revdesk_mock.rtc.channels import Channel, Message
from revdesk_mock.rtc.descriptions import as_lite, without_candidates
from revdesk_mock.rtc.network import LOOPBACK, Network
from revdesk_mock.rtc.packets import Digit, PacketQueue
from revdesk_mock.rtc.versions import require_versions

require_versions()

log = logging.getLogger("revdesk_mock")

LONGEST_DESCRIPTION = 256 * 1024  # characters; a room of fifty needs some 40,000
MOST_SECTIONS = 200
UNREADABLE = (ArithmeticError, AssertionError, AttributeError, LookupError, StopIteration, TypeError, ValueError)


class PeerError(ValueError):
    """The other side's session description cannot be used; the message says why."""


def ignore(*_: object) -> None:
    """Do nothing with what was told."""


@dataclass(frozen=True)
class Listener:
    """Whom a peer tells, always on the event loop, and never waiting for an answer.

    A media section of the other side's is known by its `mid`. Audio comes as (mid, Opus packet, level in dBov or None
    where the sender does not tell it); a state is "connected" or "closed".
    """

    audio: Callable[[str, bytes, int | None], None] = ignore
    digit: Callable[[str, Digit], None] = ignore
    message: Callable[[str, Message], None] = ignore
    state: Callable[[str], None] = ignore


SILENT = Listener()


@dataclass
class Track:
    """Audio on its way to the other side: feed `packets`; `mid` is its media section once it has one."""

    stream_id: str
    track_id: str
    packets: PacketQueue
    section: RTCRtpTransceiver | None = None

    @property
    def mid(self) -> str | None:
        """The media section that carries it; None while the other side has offered no room for it."""
        return self.section.mid if self.section else None


class Peer:
    """A connection to one participant, closed once and for good; the other side never has to be polite.

    It is made in a running event loop. `join_within` is how many seconds the other side has to connect.
    """

    def __init__(self, listener: Listener = SILENT, network: Network = LOOPBACK, *, join_within: float = 15.0) -> None:
        self._listener = listener
        self._network = network
        self._connection = patches.LocalConnection(network, listener)
        self._connection.on("datachannel", self._opened)
        self._connection.on("connectionstatechange", self._changed)
        self._join_within = join_within
        self._connected = asyncio.Event()
        self._join: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()  # one exchange of descriptions at a time
        self._channels: dict[str, Channel] = {}
        self._unopened: list[Callable[[], RTCDataChannel]] = []
        self.tracks: dict[str, Track] = {}
        self.inbound: dict[str, str] = {}  # mid -> "stream track", as the other side names it
        self.reason: str | None = None  # why it was closed

    async def answer(self, offer: str) -> str:
        """Take an offer and return the answer; raises PeerError, and OSError where no socket can be had."""
        described = read(offer)
        async with self._turn:
            await self._take(offer, "offer", described)
            self._place_in_offer()
            self._open_channels()
            return await self._describe()

    async def offer(self) -> str:
        """Return an offer with every track and channel of ours; raises PeerError, and OSError as `answer` does."""
        async with self._turn:
            for track in self.tracks.values():
                if track.section is None:
                    self._place(track, self._unused() or self._connection.addTransceiver("audio", "sendonly"))
            self._open_channels(create=True)  # after the first section, or aiortc never connects
            return as_lite(await self._describe())

    async def accept(self, answer: str) -> None:
        """Take the answer to our offer; raises PeerError."""
        described = read(answer)
        async with self._turn:
            await self._take(answer, "answer", described)

    def publish(self, stream_id: str, track_id: str, packets: PacketQueue) -> Track:
        """Add a track; it is heard after the next exchange of descriptions, if the other side has room for it."""
        track = Track(stream_id, track_id, packets)
        self.tracks[track_id] = track
        return track

    def unpublish(self, track_id: str) -> None:
        """Take a track away; silent at once, and gone after the next exchange of descriptions."""
        section = self.tracks.pop(track_id).section
        if section is not None:
            section.sender.replaceTrack(None)
            section.direction = "recvonly" if section.mid in self.inbound else "inactive"

    def open_channel(self, label: str, *, ordered: bool = True, retransmits: int | None = None) -> None:
        """Open a data channel from our side, with the next exchange of descriptions if there was none yet."""
        self._unopened.append(
            partial(self._connection.createDataChannel, label, ordered=ordered, maxRetransmits=retransmits)
        )
        self._open_channels()

    def send(self, label: str, message: Message) -> None:
        """Send on a data channel, once one of that label is open, whoever opened it."""
        self._channel(label).send(message)

    async def close(self, reason: str = "closed", *, within: float = 2.0) -> None:
        """Close, and leave nothing behind; returns after `within` seconds even if the library does not."""
        self._end(reason, within)
        if self._closing is not None:
            await asyncio.shield(self._closing)

    # Descriptions

    async def _take(self, text: str, kind: str, described: SessionDescription) -> None:
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(without_candidates(text), kind))
        except (InvalidStateError, OperationError, ValueError) as error:
            raise PeerError(f"this {kind} cannot be used: {error}") from error
        media = {section.rtp.muxId: section for section in described.media}
        for section in self._connection.getTransceivers():
            if kind == "offer" and section.mid in media:
                if section.kind == "audio":
                    patches.understand_digits(section, media[section.mid].rtp.codecs)
                else:
                    section.direction = "inactive"  # no cameras
        self.inbound = {mid: section.msid or "" for mid, section in media.items() if is_speaking(section)}

    async def _describe(self) -> str:
        try:
            await self._connection.setLocalDescription()
        except InvalidStateError as error:
            raise PeerError(f"there is nothing to describe any more: {error}") from error
        if self._join is None:
            self._join = asyncio.create_task(self._wait_for_the_other_side())
        return self._connection.localDescription.sdp

    def _place_in_offer(self) -> None:
        """Put tracks that have no section yet where the offer has room."""
        free = patches.free_sections(self._connection)
        waiting = (track for track in self.tracks.values() if track.section is None)
        for track, section in zip(waiting, free, strict=False):
            self._place(track, section)

    def _place(self, track: Track, section: RTCRtpTransceiver) -> None:
        patches.name_track(section, track.stream_id, patches.PacketTrack(track.track_id, track.packets))
        section.direction = "sendrecv" if section.direction in {"recvonly", "sendrecv"} else "sendonly"
        track.section = section

    def _unused(self) -> RTCRtpTransceiver | None:
        """Return a section of ours that an earlier track has left, and of which the other side knows."""
        sections = self._connection.getTransceivers()
        unused = (it for it in sections if it.kind == "audio" and it.currentDirection == "inactive")
        return next((it for it in unused if patches.without_track(it)), None)

    # Channels

    def _channel(self, label: str) -> Channel:
        if label not in self._channels:
            self._channels[label] = Channel(label, self._listener.message)
        return self._channels[label]

    def _opened(self, wire: RTCDataChannel) -> None:
        self._channel(wire.label).attach(wire)

    def _open_channels(self, *, create: bool = False) -> None:
        if self._connection.sctp or create:
            for opening in self._unopened:
                self._opened(opening())
            self._unopened.clear()

    # Life

    async def _wait_for_the_other_side(self) -> None:
        try:
            async with asyncio.timeout(self._join_within):
                await self._connected.wait()
        except TimeoutError:
            reason = f"the other side did not connect within {self._join_within:g} s"
            log.warning("a join failed: %s; %s", reason, self._network.advice())
            self._end(reason)

    def _changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected":
            self._connected.set()
            self._listener.state("connected")
        elif state in {"failed", "closed"}:
            self._end("the connection was lost" if state == "failed" else "the other side closed the connection")

    def _end(self, reason: str, within: float = 2.0) -> None:
        if self._closing is None:
            self.reason = reason
            self._closing = asyncio.create_task(self._shut(within))

    async def _shut(self, within: float) -> None:
        self._connected.set()
        try:
            async with asyncio.timeout(within):
                await self._connection.close()
        except TimeoutError:
            log.warning("a connection did not close within %g s; its sockets are closed now", within)
        await self._connection.abandon()
        self._listener.state("closed")


def read(text: str) -> SessionDescription:
    """Read a session description; raises PeerError, where aiortc would fail in many ways, some of them later."""
    if len(text) > LONGEST_DESCRIPTION:
        raise PeerError(f"a session description has up to {LONGEST_DESCRIPTION} characters; this one has {len(text)}")
    try:
        described = SessionDescription.parse(without_candidates(text))
    except UNREADABLE as error:
        raise PeerError(f"this is no session description: {str(error) or type(error).__name__}") from error
    if not 0 < len(described.media) <= MOST_SECTIONS:
        raise PeerError(f"a session description has 1 to {MOST_SECTIONS} media sections, not {len(described.media)}")
    mids = [section.rtp.muxId for section in described.media]
    if "" in mids or len(set(mids)) < len(mids):
        raise PeerError("every media section has an a=mid of its own")
    bundled = {mid for group in described.group if group.semantic == "BUNDLE" for mid in group.items}
    if bundled != set(mids) and (bundled or len(mids) > 1):
        raise PeerError("all media sections are in one a=group:BUNDLE, for they share one connection")
    for section in described.media:
        check_section(section)
    return described


def check_section(section: MediaDescription) -> None:
    """Raise PeerError for what aiortc would stumble over later, or not at all and wait for ever."""
    mid = section.rtp.muxId
    if section.kind not in {"audio", "video", "application"}:
        raise PeerError(f"a media section is audio, video or application, not {section.kind!r}")
    if not section.dtls or not section.dtls.fingerprints:
        raise PeerError(f"media section {mid} has no a=fingerprint or no a=setup")
    if section.kind == "application":
        if section.profile != "DTLS/SCTP" and section.sctp_port is None:
            raise PeerError(f"media section {mid} has no a=sctp-port")
        return
    if section.direction is None:
        raise PeerError(f"media section {mid} has no direction, such as a=sendrecv")
    if section.kind == "audio" and "opus" not in {codec.name.lower() for codec in section.rtp.codecs}:
        raise PeerError(f"media section {mid} has no Opus, the one audio codec here")


def is_speaking(section: MediaDescription) -> bool:
    """Whether the other side sends audio in this section."""
    return section.kind == "audio" and section.direction in {"sendonly", "sendrecv"}
