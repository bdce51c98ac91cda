import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revdesk_mock.rtc.channels import MOST_WAITING
from revdesk_mock.rtc.media import Decoder, Frame, level
from revdesk_mock.rtc.network import Network
from revdesk_mock.rtc.packets import PacketQueue
from revdesk_mock.rtc.peer import Listener, PeerError
from tests.conftest import PROFILE
from tests.rtc.caller import SOON, call, live, packets_of, stretch_of
from tests.rtc.census import open_files


def playing(hertz: float) -> PacketQueue:
    queue = PacketQueue(most=200)
    for packet in packets_of(hertz, 4.0):
        queue.push(packet)
    return queue


@live
async def test_a_caller_hears_the_tone_that_a_peer_sends() -> None:
    async with call() as (peer, caller):
        caller.connection.addTransceiver("audio", "recvonly")
        track = peer.publish("PA_agent", "TR_voice", playing(660))
        await caller.call(peer)
        assert level(await caller.hears(660)) == pytest.approx(-20, abs=1)
        assert (track.mid, caller.tracks[0].id) == ("0", "TR_voice")


@live
async def test_a_peer_hears_the_tone_that_a_caller_sends() -> None:
    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
    async with call(Listener(audio=lambda mid, packet, _: heard.put_nowait((mid, packet)))) as (peer, caller):
        caller.speak()
        await caller.call(peer)
        decoder = Decoder()

        async def next_frame() -> Frame:
            mid, packet = await heard.get()
            assert mid == "0"
            return decoder.decode(packet)

        samples = await stretch_of(next_frame, 440)
        assert level(samples) == pytest.approx(-20, abs=1)
        assert peer.inbound["0"].endswith(caller.microphone.id)


@live
async def test_an_echo_is_the_packets_themselves_looped_back() -> None:
    queue = PacketQueue(most=5, lead=2)
    async with call(Listener(audio=lambda _, packet, __: queue.push(packet))) as (peer, caller):
        caller.speak()
        peer.publish("PA_agent", "TR_echo", queue)
        await caller.call(peer)
        assert level(await caller.hears(440)) == pytest.approx(-20, abs=1)


@live
async def test_a_muted_caller_is_heard_again_after_the_pause() -> None:
    arrived = asyncio.Event()
    count = 0

    def hear(_mid: str, _packet: bytes, _level: int | None) -> None:
        nonlocal count
        count += 1
        arrived.set()

    async with call(Listener(audio=hear)) as (peer, caller), asyncio.timeout(SOON):
        caller.speak()
        await caller.call(peer)
        await arrived.wait()
        caller.microphone.unmuted.clear()
        await caller.quiet_for(lambda: count)
        arrived.clear()
        caller.microphone.unmuted.set()
        await arrived.wait()


@live
async def test_messages_go_both_ways_on_channels_that_either_side_opened() -> None:
    heard: asyncio.Queue[tuple[str, bytes | str]] = asyncio.Queue()
    async with (
        call(Listener(message=lambda label, message: heard.put_nowait((label, message)))) as (peer, caller),
        asyncio.timeout(SOON),
    ):
        theirs = caller.connection.createDataChannel("_reliable")
        caller.listen(theirs)
        theirs.on("open", lambda: theirs.send(b"from the caller"))
        peer.open_channel("events", retransmits=0, ordered=False)
        peer.send("events", "sent before it was open")
        peer.send("_reliable", b"on their channel")
        await caller.call(peer)
        assert await heard.get() == ("_reliable", b"from the caller")
        assert {await caller.messages.get() for _ in range(2)} == {
            ("events", "sent before it was open"),
            ("_reliable", b"on their channel"),
        }


@live
async def test_too_many_messages_before_the_channel_opens_drop_the_oldest() -> None:
    async with call() as (peer, caller), asyncio.timeout(SOON):
        caller.listen(caller.connection.createDataChannel("_reliable"))
        for number in range(MOST_WAITING + 5):
            peer.send("_reliable", str(number))
        await caller.call(peer)
        assert (await caller.messages.get())[1] == "5"


@live
async def test_a_slow_caller_does_not_fill_the_memory() -> None:
    async with call() as (peer, caller), asyncio.timeout(SOON):
        caller.listen(caller.connection.createDataChannel("_reliable"))
        await caller.call(peer)
        peer.send("_reliable", "first")
        await caller.messages.get()
        for number in range(3 * MOST_WAITING):  # 6 MB at once, within one turn of the loop
            peer.send("_reliable", b"%04d" % number + bytes(2000))
        arrived = 0
        while (await caller.messages.get())[1][:4] != b"2999":
            arrived += 1
        assert MOST_WAITING <= arrived < MOST_WAITING + 200


@live
async def test_a_peer_can_offer_tracks_and_channels_and_more_of_them_later() -> None:
    async with call() as (peer, caller), asyncio.timeout(SOON):
        peer.open_channel("_reliable")  # before the first track
        peer.send("_reliable", "hello")
        peer.publish("PA_agent", "TR_one", playing(660))
        await peer.accept(await caller.answer(await peer.offer()))
        await caller.hears(660)
        assert await caller.messages.get() == ("_reliable", "hello")
        peer.unpublish("TR_one")
        await peer.accept(await caller.answer(await peer.offer()))
        track = peer.publish("PA_other", "TR_two", playing(880))
        offer = await peer.offer()
        assert "a=msid:PA_other TR_two" in offer
        assert offer.count("m=audio") == 1  # the section that the first one left
        await peer.accept(await caller.answer(offer))
        await caller.hears(880)
        assert track.mid == "0"


@live
async def test_a_track_waits_until_the_caller_offers_room_for_it() -> None:
    async with call() as (peer, caller):
        caller.connection.addTransceiver(caller.microphone, "sendonly")
        track = peer.publish("PA_agent", "TR_voice", playing(660))
        await caller.call(peer)
        assert peer.tracks["TR_voice"].mid is None
        caller.connection.addTransceiver("audio", "recvonly")
        await caller.call(peer)
        assert track.mid == "1"
        await caller.hears(660)


@live
async def test_cameras_are_declined_and_microphones_beside_them_heard() -> None:
    heard = asyncio.Event()
    async with call(Listener(audio=lambda *_: heard.set())) as (peer, caller), asyncio.timeout(SOON):
        caller.speak()
        caller.connection.addTransceiver("video", "sendonly")
        await caller.call(peer)
        await heard.wait()
        assert [it.currentDirection for it in caller.connection.getTransceivers()] == ["sendonly", "inactive"]


@live
async def test_a_caller_who_never_connects_is_closed_in_time() -> None:
    states: asyncio.Queue[str] = asyncio.Queue()
    async with call(Listener(state=states.put_nowait), join_within=0.1) as (peer, caller), asyncio.timeout(SOON):
        caller.speak()
        await peer.answer(await caller.offer())
        assert await states.get() == "closed"
        assert peer.reason == "the other side did not connect within 0.1 s"


@live
async def test_a_caller_who_leaves_closes_the_peer() -> None:
    states: asyncio.Queue[str] = asyncio.Queue()
    async with call(Listener(state=states.put_nowait)) as (peer, caller), asyncio.timeout(SOON):
        caller.speak()
        await caller.call(peer)
        assert await states.get() == "connected"
        await caller.connection.close()
        assert await states.get() == "closed"
        assert peer.reason == "the other side closed the connection"


@live
async def test_closing_takes_no_longer_than_allowed_and_still_closes_the_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with call() as (peer, caller), asyncio.timeout(SOON):
        caller.speak()
        await caller.call(peer)
        monkeypatch.setattr("aiortc.RTCRtpTransceiver.stop", lambda _: asyncio.Event().wait())
        await peer.close("enough", within=0.05)
        monkeypatch.undo()
        assert peer.reason == "enough"


@live
async def test_after_twenty_calls_nothing_is_left() -> None:
    calls = 200 if PROFILE == "nightly" else 20
    before, threads = open_files(), threading.active_count()
    for _ in range(calls):
        joined = asyncio.Event()
        async with (
            call(Listener(audio=lambda *_, joined=joined: joined.set())) as (peer, caller),
            asyncio.timeout(SOON),
        ):
            caller.speak()
            caller.connection.createDataChannel("_reliable")
            peer.publish("PA_agent", "TR_voice", PacketQueue())
            await caller.call(peer)
            await joined.wait()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert threading.active_count() <= threads + 1  # the client's executor for sound
    assert open_files() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: "", "1 to 200 media sections, not 0"),
        (lambda _: "m=hello", "no session description"),
        (lambda offer: offer.replace("m=audio", "m=text"), "audio, video or application, not 'text'"),
        (lambda offer: offer.replace("a=ice-pwd:", "a=other:"), "ICE username fragment or password is missing"),
        (lambda offer: offer.replace("a=fingerprint:", "a=other:"), "no a=fingerprint"),
        (lambda offer: offer.replace("a=setup:", "a=other:"), "no a=setup"),
        (lambda offer: offer.replace("a=mid:", "a=other:"), "a=mid of its own"),
        (lambda offer: offer.replace("a=group:BUNDLE 0", "a=group:BUNDLE 7"), "in one a=group:BUNDLE"),
        (lambda offer: offer.replace("a=sendrecv", "a=other"), "has no direction"),
        (lambda offer: offer.replace("a=sctp-port", "a=other"), "no a=sctp-port"),
        (lambda offer: offer.replace("opus/48000", "unheard/48000"), "Opus"),
        (lambda offer: offer.replace("a=setup:actpass", "a=setup:holdconn"), "holdconn"),
        (lambda offer: offer + "a=x\r\n" * 100_000, "up to 262144 characters"),
    ],
)
@live
async def test_an_offer_that_cannot_be_used_is_refused_with_a_reason(
    change: Callable[[str], str], message: str
) -> None:
    async with call() as (peer, caller):
        caller.speak()
        caller.connection.createDataChannel("_reliable")
        offer = await caller.offer()
        with pytest.raises(PeerError, match=message):
            await peer.answer(change(offer))
        await caller.accept(await peer.answer(offer))  # and a good one is still taken


@live
async def test_an_answer_that_nobody_asked_for_is_refused() -> None:
    async with call() as (peer, caller):
        caller.speak()
        with pytest.raises(PeerError, match="this answer cannot be used"):
            await peer.accept(await caller.offer())


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_broken_offer_is_answered_or_refused(data: st.DataObject) -> None:
    @live
    async def run() -> None:
        async with call(join_within=0.01) as (peer, caller):
            caller.speak()
            caller.connection.createDataChannel("_reliable")
            lines = (await caller.offer()).splitlines()
            for _ in range(data.draw(st.integers(1, 3))):
                at = data.draw(st.integers(0, len(lines) - 1))
                lines[at : at + 1] = data.draw(
                    st.sampled_from([[], [lines[at]] * 2, [lines[at][:5]], [lines[at].replace("0", "x")]])
                )
            with suppress(PeerError):
                assert (await peer.answer("\r\n".join(lines))).startswith("v=0")

    run()


@live
async def test_two_calls_at_once_have_ports_of_their_own_in_the_given_range() -> None:
    network = Network(ports=(45_200, 45_203))
    async with call(network=network) as (one, first), call(network=network) as (two, second):
        first.speak()
        second.speak()
        answers = [await one.answer(await first.offer()), await two.answer(await second.offer())]
        found = [line for text in answers for line in text.splitlines() if line.startswith("a=candidate:")]
        assert [line.split()[4] for line in found] == ["127.0.0.1"] * 2
        ports = {int(line.split()[5]) for line in found}
        assert len(ports) == 2
        assert ports <= set(range(45_200, 45_204))


@live
async def test_a_full_range_of_ports_is_said() -> None:
    network = Network(ports=(45_210, 45_210))
    async with call(network=network) as (one, first), call(network=network) as (two, second):
        first.speak()
        second.speak()
        await one.answer(await first.offer())
        with pytest.raises(OSError, match=r"no UDP port from 45210 to 45210 is free .* widen --media-ports"):
            await two.answer(await second.offer())
