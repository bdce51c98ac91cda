import asyncio
import gc
import threading
from typing import Any

import pytest
from aiortc import RTCRtpReceiver
from aiortc.rtcdtlstransport import State
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtp import RtcpByePacket, RtpPacket

from revdesk_mock.rtc import versions
from revdesk_mock.rtc.descriptions import as_lite, without_candidates
from revdesk_mock.rtc.network import LOOPBACK
from revdesk_mock.rtc.packets import SILENCE, Digit, PacketQueue
from revdesk_mock.rtc.patches import LocalConnection, PacketReceiver
from revdesk_mock.rtc.peer import Listener, Peer
from revdesk_mock.rtc.sockets import MOST_DATAGRAMS, DropOldest
from tests.rtc.caller import SOON, call, live, packets_of, until

CONNECT = "_RTCPeerConnection__connect"
OPUS = RTCRtpCodecParameters("audio/opus", 48000, 2, 96)
KEYS = RTCRtpCodecParameters("audio/telephone-event", 48000, 1, 110)


def connection_of(peer: Peer) -> Any:
    """Return aioice's side of a peer that has exchanged descriptions."""
    [transport] = peer._connection._transports
    return transport.transport._connection


@pytest.mark.parametrize(("library", "fitting"), [("aiortc", "1.16"), ("aioice", "0.13")])
def test_other_versions_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, library: str, fitting: str) -> None:
    versions.require_versions()
    installed = {"aiortc": "1.16.9", "aioice": "0.13.9", library: "9.9.0"}
    monkeypatch.setattr(versions, "version", installed.get)
    with pytest.raises(ImportError, match=rf"rooms need {library} {fitting}.x, and 9.9.0 is installed"):
        versions.require_versions()


@live
async def test_the_librarys_own_classes_stay_as_they_are() -> None:
    async with call() as (peer, caller):
        caller.speak()
        await caller.call(peer)
        [section] = caller.connection.getTransceivers()
        assert type(section.receiver) is RTCRtpReceiver
        assert "telephone-event" not in caller.connection.localDescription.sdp


@live
async def test_only_the_given_addresses_are_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    async with call() as (peer, caller):
        caller.speak()
        offer = await caller.offer()
        monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: ["127.0.0.1", "127.0.0.2"])
        answer = await peer.answer(offer)
        assert [line.split()[4] for line in answer.splitlines() if line.startswith("a=candidate")] == ["127.0.0.1"]
        [protocol] = connection_of(peer)._protocols
        assert protocol.transport.get_extra_info("sockname")[0] == "127.0.0.1"


@live
async def test_no_server_is_asked_where_we_are() -> None:
    async with call() as (peer, caller):
        caller.speak()
        await caller.call(peer)
        assert (connection_of(peer).stun_server, connection_of(peer).turn_server) == (None, None)


@live
async def test_the_other_sides_candidates_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise AssertionError("a candidate was used")

    joined = asyncio.Event()
    async with call(Listener(state=lambda _: joined.set())) as (peer, caller), asyncio.timeout(SOON):
        caller.speak()
        offer = await caller.offer()
        offer += "a=candidate:1 1 udp 2130706431 192.0.2.9 9 typ host\r\n"
        offer += "a=candidate:2 1 udp 2130706431 0f9d.local 9 typ host\r\na=end-of-candidates\r\n"
        monkeypatch.setattr("aioice.Connection.add_remote_candidate", refuse)
        answer = await peer.answer(offer)
        monkeypatch.undo()
        await caller.accept(answer)
        await joined.wait()
        assert [it.type for it in connection_of(peer).remote_candidates] == ["prflx"]


def test_descriptions_lose_candidates_and_gain_a_mark_and_nothing_else() -> None:
    text = "v=0\r\nt=0 0\r\nm=audio 9 x 96\r\na=candidate:1 1 udp\r\na=mid:0\r\na=end-of-candidates\r\n"
    assert without_candidates(text) == "v=0\r\nt=0 0\r\nm=audio 9 x 96\r\na=mid:0\r\n"
    assert as_lite(text) == text.replace("m=audio", "a=ice-lite\r\nm=audio")


@pytest.mark.parametrize("offers", [True, False])
@live
async def test_the_caller_controls_the_connection_whoever_offers(offers: bool) -> None:  # noqa: FBT001
    async with call() as (peer, caller):
        peer.publish("PA_agent", "TR_voice", PacketQueue())
        if offers:
            offer = await peer.offer()
            assert offer.index("a=ice-lite") < offer.index("m=audio")
            await peer.accept(await caller.answer(offer))
        else:
            caller.speak()
            answer = await peer.answer(await caller.offer())
            assert "a=ice-lite" not in answer
            await caller.accept(answer)
        [section] = caller.connection.getTransceivers()
        assert section.receiver.transport.transport.role == "controlling"
        assert not connection_of(peer).ice_controlling


@live
async def test_datagrams_that_nobody_reads_are_bounded() -> None:
    async with call() as (peer, caller):
        caller.speak()
        await peer.answer(await caller.offer())
        for number in range(MOST_DATAGRAMS + 10):
            connection_of(peer).data_received(b"%d" % number, 1)
        queue = connection_of(peer)._queue
        assert isinstance(queue, DropOldest)
        assert (queue.qsize(), queue.get_nowait()) == (MOST_DATAGRAMS, (b"10", 1))


@live
async def test_packets_are_sent_as_they_were_given() -> None:
    given = packets_of(660, 0.4)
    arrived: asyncio.Queue[bytes] = asyncio.Queue()
    async with call() as (peer, caller), asyncio.timeout(SOON):
        caller.connection.addTransceiver("audio", "recvonly")
        packets = PacketQueue(most=len(given))
        peer.publish("PA_agent", "TR_voice", packets)
        [section] = caller.connection.getTransceivers()

        async def take(packet: RtpPacket, **_: int) -> None:
            arrived.put_nowait(packet.payload)

        vars(section.receiver)["_handle_rtp_packet"] = take
        await caller.call(peer)
        assert await arrived.get() == SILENCE  # there was nothing to say
        for packet in given:
            packets.push(packet)
        got = [packet for packet in [await arrived.get() for _ in range(2 * len(given))] if packet != SILENCE]
        assert got == given


@live
async def test_a_callers_favourite_codec_does_not_make_us_send_opus_under_its_name() -> None:
    async with call() as (peer, caller):
        caller.speak()
        offer = await caller.offer()
        assert "SAVPF 96 9 0 8" in offer
        answer = await peer.answer(offer.replace("SAVPF 96 9 0 8", "SAVPF 8 0 9 96"))
        assert [line for line in answer.splitlines() if line.startswith("a=rtpmap")] == ["a=rtpmap:96 opus/48000/2"]


@live
async def test_a_track_has_the_stream_that_was_asked_for() -> None:
    async with call() as (peer, caller):
        for _ in range(2):
            caller.connection.addTransceiver("audio", "recvonly")
        peer.publish("PA_one", "TR_one", PacketQueue())
        peer.publish("PA_two", "TR_two", PacketQueue())
        answer = await peer.answer(await caller.offer())
        assert [line for line in answer.splitlines() if "msid:" in line] == [
            "a=msid:PA_one TR_one",
            "a=msid:PA_two TR_two",
        ]


class Ear:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.packets: list[tuple[str, bytes, int | None]] = []
        self.digits: list[Digit] = []

    def audio(self, mid: str, packet: bytes, level: int | None) -> None:
        self.packets.append((mid, packet, level))

    def digit(self, _mid: str, digit: Digit) -> None:
        self.digits.append(digit)


class Receiving:
    """A receiver that is fed by hand."""

    def __init__(self, ear: Ear) -> None:
        self.connection = LocalConnection(LOOPBACK, ear)
        section = self.connection.addTransceiver("audio")
        assert isinstance(section.receiver, PacketReceiver)
        self.receiver = section.receiver

    async def start(self) -> "Receiving":
        await self.receiver.receive(RTCRtpReceiveParameters(codecs=[OPUS, KEYS], muxId="7"))
        return self

    async def feed(self, number: int, payload: bytes = SILENCE, *, kind: int = 96, time: int = 0) -> None:
        packet = RtpPacket(payload_type=kind, sequence_number=number, timestamp=time)
        packet.ssrc, packet.payload = 5, payload
        packet.extensions.audio_level = (True, 33)
        await self.receiver._handle_rtp_packet(packet, arrival_time_ms=0)


@live
async def test_a_lost_packet_delays_no_other_and_a_late_one_is_dropped() -> None:
    ear = Ear()
    receiving = await Receiving(ear).start()
    for number in (65_534, 65_535, 1, 0, 1, 2):  # 0 comes late, 1 twice
        await receiving.feed(number, b"\xf8%d" % number)
    assert [packet for _, packet, _ in ear.packets] == [b"\xf865534", b"\xf865535", b"\xf81", b"\xf82"]
    assert ear.packets[0] == ("7", b"\xf865534", -33)
    await receiving.connection.close()


@live
async def test_a_goodbye_does_not_make_deaf_and_no_thread_is_started() -> None:
    ear, threads = Ear(), threading.active_count()
    receiving = await Receiving(ear).start()
    await receiving.feed(1)
    await receiving.receiver._handle_rtcp_packet(RtcpByePacket(sources=[5]))
    await receiving.feed(2)
    assert len(ear.packets) == 2
    assert threading.active_count() == threads
    await receiving.connection.close()


@live
async def test_what_is_no_opus_or_of_an_unknown_kind_is_dropped() -> None:
    ear = Ear()
    receiving = await Receiving(ear).start()
    await receiving.feed(1, b"")
    await receiving.feed(2, b"\xfb\x00")
    await receiving.feed(3, kind=63)
    assert ear.packets == []
    await receiving.connection.close()


@live
async def test_digits_are_heard_and_silence_stands_in_their_place() -> None:
    ear = Ear()
    receiving = await Receiving(ear).start()
    number = 0
    for key in (1, 2, 3, 11):
        for step in (1, 2, 3, 4, 5, 5, 5):  # the end comes three times
            ended = 0x80 if step == 5 else 0
            payload = bytes([key, 10 | ended]) + (step * 960).to_bytes(2, "big")
            await receiving.feed(number, payload, kind=110, time=key * 48000)
            number += 1
    assert ear.digits == [Digit(key, 100) for key in "123#"]
    assert ear.packets == [("7", SILENCE, None)] * 20
    await receiving.connection.close()


@live
async def test_an_offer_with_telephone_events_is_answered_with_them() -> None:
    async with call() as (peer, caller):
        caller.speak()
        lines = "a=rtpmap:101 telephone-event/8000\r\na=rtpmap:110 telephone-event/48000\r\n"
        offer = (await caller.offer()).replace("SAVPF 96", "SAVPF 110 101 96")
        offer = offer.replace("a=rtpmap:96", lines + "a=rtpmap:96")
        answer = await peer.answer(offer)
        assert "SAVPF 96 110\r\n" in answer
        assert "a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\n" in answer


@live
async def test_digits_of_a_caller_arrive() -> None:
    heard: asyncio.Queue[Digit] = asyncio.Queue()
    joined = asyncio.Event()
    listener = Listener(audio=lambda *_: joined.set(), digit=lambda _, digit: heard.put_nowait(digit))
    async with call(listener) as (peer, caller), asyncio.timeout(SOON):
        caller.speak()
        offer = (await caller.offer()).replace("SAVPF 96", "SAVPF 96 110")
        offer = offer.replace("a=rtpmap:96", "a=rtpmap:110 telephone-event/48000\r\na=rtpmap:96")
        await caller.accept(await peer.answer(offer))
        await joined.wait()
        caller.microphone.unmuted.clear()
        for key in (1, 2, 3, 11):
            await caller.press(key)
        assert "".join([(await heard.get()).key for _ in range(4)]) == "123#"


@live
async def test_a_connection_that_is_closed_while_it_joins_leaves_no_task() -> None:
    async with call() as (peer, caller):
        caller.speak()
        caller.connection.createDataChannel("_reliable")
        await peer.answer(await caller.offer())
        before = asyncio.all_tasks()
        await peer.close()
        assert asyncio.all_tasks() < before
        assert not peer._connection._joining
        await getattr(peer._connection, CONNECT)()  # as what waited for its turn does; aiortc alone would fail


@live
async def test_a_closed_connection_holds_nothing_outside_of_python_and_no_packets() -> None:
    async with call() as (peer, caller):
        caller.speak()
        peer.publish("PA_agent", "TR_voice", PacketQueue())
        await caller.call(peer)
        await caller.heard.get()
        [transport], [section] = peer._connection._transports, peer._connection.getTransceivers()
        held = vars(transport)
        history = vars(section.sender)["_RTCRtpSender__rtp_history"]
        assert held["_ssl"]
        assert history
        await peer.close()
        assert [held["_ssl"], held["_rx_srtp"], held["_tx_srtp"], history] == [None, None, None, {}]


@live
async def test_a_message_on_its_way_when_the_connection_is_lost_fails_nowhere() -> None:
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
    async with call() as (peer, caller), asyncio.timeout(SOON):
        caller.listen(caller.connection.createDataChannel("events"))
        await caller.call(peer)
        peer.send("events", "first")
        await caller.messages.get()
        [transport] = peer._connection._transports
        peer.send("events", "last")  # aiortc sends it in a task, which nobody waits for
        transport._set_state(State.CLOSED)
    gc.collect()
    assert complaints == []


@live
async def test_sections_of_a_second_exchange_are_started_though_the_first_still_connects() -> None:
    heard = asyncio.Event()
    async with call(Listener(audio=lambda *_: heard.set())) as (peer, caller):
        caller.connection.createDataChannel("events")
        await caller.call(peer)
        caller.speak()
        answer = await peer.answer(await caller.offer())
        assert peer._connection.connectionState != "connected"
        await until(lambda: caller.connection.connectionState == "connected")  # the caller is aiortc as it comes
        await caller.accept(answer)
        async with asyncio.timeout(SOON):
            await heard.wait()
