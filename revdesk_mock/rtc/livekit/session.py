"""One client of LiveKit's protocol: between its signalling and connections, and its place in a room."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from livekit.protocol import rtc

from revdesk_mock.clock import wall
from revdesk_mock.rtc.events import (
    LOST,
    RELIABLE,
    SHUTDOWN,
    UNUSABLE,
    Changed,
    Data,
    Event,
    Gone,
    Joined,
    Participant,
    Pressed,
    Relayed,
    Speaking,
)
from revdesk_mock.rtc.livekit import messages
from revdesk_mock.rtc.livekit.data_packets import Sent, packets, post
from revdesk_mock.rtc.livekit.joining import Joining
from revdesk_mock.rtc.livekit.negotiation import Negotiation
from revdesk_mock.rtc.livekit.subscriptions import Subscriptions
from revdesk_mock.rtc.livekit.transports import CHANNELS, Transports
from revdesk_mock.rtc.livekit.uploads import Uploads
from revdesk_mock.rtc.livekit.wire import GONE, OVER, Wire
from revdesk_mock.rtc.network import Network
from revdesk_mock.rtc.packets import Digit
from revdesk_mock.rtc.peer import Listener
from revdesk_mock.rtc.switchboard import Seat, Switchboard

log = logging.getLogger("revdesk_mock")

FAREWELL = 0.5  # seconds in which a client that was put out may close its connections itself


class Session:
    """What a client's participant hangs on. It outlives its WebSocket by the grace time, for a client that resumes.

    `ended` is called once, when its connections are closed.
    """

    seat: Seat  # from `hold` on

    def __init__(
        self, switchboard: Switchboard, network: Network, ended: Callable[["Session"], None], *, is_dual: bool
    ) -> None:
        self._switchboard = switchboard
        self._ended = ended
        self._held_by: Wire | None = None  # who has the place
        self._wire: Wire | None = None  # the same, once it may be sent to
        self._early: list[Data] = []  # what was told before it could be passed on
        self._has_begun = False
        self._uploads = Uploads()
        self._speaking: frozenset[str] = frozenset()  # sids
        self.ending: asyncio.Task[None] | None = None
        listener = Listener(audio=self._audio, digit=self._digit, message=self._message)
        self.transports = Transports(
            listener, network, is_dual=is_dual, connected=self._activate, lost=self._lose_media
        )
        self._subscriptions = Subscriptions(self.transports)
        self._negotiation = Negotiation(self.transports, self.send, self._give_up)

    # coming and going

    def hold(self, seat: Seat, wire: Wire) -> None:
        """Have a place in a room, which a WebSocket holds from now on."""
        self.seat, self._held_by = seat, wire

    async def begin(self, joining: Joining) -> None:
        """Tell the client who is there, and answer its first offer."""
        room, identity = self.seat.room, self.seat.identity
        for track in self.me.tracks:  # of a connection before this one
            room.unpublish(identity, track)
        room.describe(identity, metadata=joining.metadata or None, attributes=joining.attributes)
        self._wire, self._has_begun = self._held_by, True
        self.send(messages.joined(room, self.me, self._others, is_dual=joining.is_dual))
        for other in self._others:
            self._expect(other)
        for event in self._early:
            self.tell(event)
        for request in joining.tracks:
            self._announce(request)
        if joining.offer is not None:
            await self._answer(joining.offer)
        elif joining.is_dual:
            self._negotiation.offer()

    def resume(self) -> None:
        """Go on with a new WebSocket; the client is told how everybody is now."""
        self._wire = self._held_by
        self.send(messages.resumed())
        self.send(messages.update(*self.seat.room.participants))
        self._negotiation.repeat()

    def let_go(self, wire: Wire | None = None) -> None:
        """Take note that a WebSocket is closed, or close the one that holds the place; the client may come back."""
        if wire not in {None, self._held_by}:
            return  # another one holds the place by now
        if self._held_by is not None:
            self._held_by.close()
        self._held_by = self._wire = None
        self._switchboard.drop(self.seat, self)

    def send(self, message: rtc.SignalResponse) -> None:
        """Signal something to the client, if it can be reached now."""
        if self._wire is not None:
            self._wire.send(message)

    @property
    def me(self) -> Participant:
        """The client as the others see it; raises LookupError once it has left."""
        me = self.seat.room.find(self.seat.identity)
        if me is None:
            raise LookupError("this client has left its room")
        return me

    @property
    def _others(self) -> list[Participant]:
        return [one for one in self.seat.room.participants if one.identity != self.seat.identity]

    # from the room

    def tell(self, event: Event) -> None:
        """Pass an event on; who is there is told when it begins."""
        if not self._has_begun:
            self._early += [event] if isinstance(event, Data) else []
            return
        match event:
            case Joined(one) | Changed(one):
                self.send(messages.update(one))
                self._expect(one)
            case Gone(one, reason):
                self.send(messages.update(one, gone_because=reason))
                self._subscriptions.forget(one)
            case Speaking(levels):
                self._show_speakers(levels)
            case Data() | Relayed():
                self._send_packets(event, event.kind)
            case _:
                self._send_packets(event, RELIABLE)

    def hear(self, _: str, track: str, packet: bytes, __: int | None) -> None:
        """Pass sound on, as it came."""
        self.transports.hear(track, packet)

    def close(self, reason: str) -> None:
        """Say why, and end."""
        self._end(reason, messages.leave(reason))

    def _expect(self, one: Participant) -> None:
        is_heard = one.identity != self.seat.identity and self.me.grants.can_subscribe
        if is_heard and self._subscriptions.follow(one):
            self._negotiation.renew()

    def _show_speakers(self, levels: Mapping[str, float]) -> None:
        found = {identity: self.seat.room.find(identity) for identity in levels}
        heard = {one.sid: levels[identity] for identity, one in found.items() if one is not None}
        self.send(messages.speakers({**dict.fromkeys(self._speaking - heard.keys(), 0.0), **heard}))
        self._speaking = frozenset(heard)

    def _send_packets(self, event: Sent, kind: str) -> None:
        for packet in packets(event, self.seat.room):
            self.transports.send(kind, packet.SerializeToString())

    # from the client: its connections

    def _activate(self) -> None:
        self.seat.room.activate(self.seat.identity)

    def _audio(self, mid: str, packet: bytes, level: int | None) -> None:
        track = self._uploads.track_in(mid)
        if track is not None:
            self.seat.room.sound(self.seat.identity, track, packet, level)

    def _digit(self, _: str, digit: Digit) -> None:
        self.seat.room.send(Pressed(self.seat.identity, digit.key))

    def _message(self, label: str, message: bytes | str) -> None:
        kind = next((kind for kind, name in CHANNELS.items() if name == label), None)
        if kind is None or isinstance(message, str) or self.ending is not None:
            return
        try:
            for answer in post(message, kind, self.seat.room, self.seat.identity):
                self.transports.send(RELIABLE, answer.SerializeToString())
        except ValueError as error:
            log.info("a client sent data that cannot be used: %s", str(error))

    def _lose_media(self) -> None:
        """Take note that a connection is closed: who was once reached joins anew, who never was has left."""
        if self.ending is not None:
            return
        if self.me.is_active:
            self._restart(messages.leave(LOST, comes_back=True))
        else:
            self._switchboard.leave(self.seat, LOST)

    def _give_up(self, error: Exception) -> None:
        """Put out a client with which no connection can be made, unless it is going anyway."""
        if self.ending is None:
            log.warning("a client cannot be connected: %s", str(error))
            self._switchboard.leave(self.seat, UNUSABLE)

    # from the client: what it signals

    async def receive(self, request: rtc.SignalRequest) -> None:
        """Do what the client asks for; what is about pictures or needs nothing done is left alone."""
        match request.WhichOneof("message"):
            case "offer":
                await self._answer(request.offer)
            case "answer":
                await self._negotiation.accept(request.answer)
            case "add_track":
                self._announce(request.add_track)
            case "subscription":
                self._subscriptions.choose(request.subscription, self._others)
                self._negotiation.renew()
            case "leave":
                self._switchboard.part(self.seat, self)
                self._end("the client left")
            case "simulate":
                self._simulate(request.simulate)
            case _:
                self._note(request)

    def _note(self, request: rtc.SignalRequest) -> None:
        """Take note of what a client says of itself and its tracks, and that it is there."""
        room, identity = self.seat.room, self.seat.identity
        match request.WhichOneof("message"):
            case "mute":  # not said back: some clients would answer that, and so on
                room.mute(identity, request.mute.sid, is_muted=request.mute.muted)
            case "update_metadata":
                asked = request.update_metadata
                room.describe(identity, name=asked.name, metadata=asked.metadata, attributes=asked.attributes)
                done = rtc.RequestResponse(request_id=asked.request_id, update_metadata=asked)
                self.send(messages.request_response(done, rtc.RequestResponse.Reason.OK))
            case "ping":
                self.send(rtc.SignalResponse(pong=wall()))
            case "ping_req":
                pong = rtc.Pong(last_ping_timestamp=request.ping_req.timestamp, timestamp=wall())
                self.send(rtc.SignalResponse(pong_resp=pong))

    async def _answer(self, offer: rtc.SessionDescription) -> None:
        if await self._negotiation.answer(offer):
            room, identity = self.seat.room, self.seat.identity
            new, ended = self._uploads.carry(self.transports.publisher.inbound)
            for track in ended:
                room.unpublish(identity, track.sid)
            for track in new:
                room.publish(identity, track)
                self.send(rtc.SignalResponse(track_subscribed=rtc.TrackSubscribed(track_sid=track.sid)))

    def _announce(self, asked: rtc.AddTrackRequest) -> None:
        self.send(self._uploads.announce(asked, self.me, self.seat.room.name_track()))

    def _simulate(self, scenario: rtc.SimulateScenario) -> None:
        """Play a mishap, as the tests of LiveKit's clients ask for them."""
        match scenario.WhichOneof("scenario"):
            case "speaker_update":
                self._show_speakers({self.seat.identity: 1.0})
            case "server_leave":
                self._switchboard.leave(self.seat, SHUTDOWN)
            case "node_failure":
                self._restart()
            case "leave_request_full_reconnect":
                self._restart(messages.leave(SHUTDOWN, comes_back=True))

    # the end

    def _restart(self, last: rtc.SignalResponse | None = None) -> None:
        """Close everything, and keep the place for a client that joins anew."""
        self._switchboard.drop(self.seat, self)
        self._end("the client joins anew", last)

    def _end(self, reason: str, last: rtc.SignalResponse | None = None) -> None:
        """Close everything, after a last message."""
        if self.ending is None:
            if self._held_by is not None:
                if last is not None:
                    self._held_by.send(last)
                self._held_by.close(OVER if last is not None else GONE)
            self._held_by = self._wire = None
            self.ending = asyncio.create_task(self._close_connections(reason, is_told=last is not None))

    async def _close_connections(self, reason: str, *, is_told: bool) -> None:
        self._negotiation.close()
        await self.transports.close(reason, farewell=FAREWELL if is_told else 0.0)
        self._ended(self)
