"""Clients of LiveKit's protocol come in by its WebSockets, in both versions, and are told why when they may not."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from livekit.protocol import models, rtc
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from revdesk_mock import Emulator, Settings
from revdesk_mock.rtc.livekit.door import LiveKit
from revdesk_mock.rtc.switchboard import Switchboard
from revdesk_mock.server import Server
from tests.conftest import AGENT, MAIN, SPEC, Client
from tests.rtc.caller import SOON, live, until
from tests.rtc.livekit.client import LiveKitClient, livekit_client, wrapped
from tests.rtc.test_signalling import ask, newest, web_call

WAYS = pytest.mark.parametrize("is_dual", [False, True], ids=["one connection", "two connections"])
GOODBYE = rtc.LeaveRequest()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="test"), SPEC)) as running:
        yield running
        assert running.emulator.pipeline.breaches == []


async def refused(address: str) -> tuple[int, str]:
    """Return with which status and words a WebSocket does not open."""
    with pytest.raises(InvalidStatus) as refusal:
        await connect(address)
    response = refusal.value.response
    return response.status_code, (response.body or b"").decode()


async def validated(server: Server, token: str, path: str = "/rtc/validate") -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET {path}?access_token={token} HTTP/1.0\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1]), body


@WAYS
@live
async def test_who_joins_is_told_first_of_the_room_and_of_the_agent_there(server: Server, *, is_dual: bool) -> None:
    async with livekit_client(server, await web_call(server), is_dual=is_dual) as ann:
        join = await ann.join()
        assert ann.told[0].HasField("join")
        assert join.room.name.startswith("room_")
        assert (join.participant.sid[:3], join.participant.state) == ("PA_", models.ParticipantInfo.State.JOINED)
        [agent] = join.other_participants
        assert (agent.kind, agent.tracks[0].type) == (models.ParticipantInfo.Kind.AGENT, models.TrackType.AUDIO)
        assert (join.subscriber_primary, list(join.ice_servers)) == (is_dual, [])
        await ann.sees(join.participant.identity, state=models.ParticipantInfo.State.ACTIVE)


@WAYS
@live
async def test_the_microphone_is_echoed_on_the_agents_track(server: Server, *, is_dual: bool) -> None:
    async with livekit_client(server, await web_call(server), is_dual=is_dual, hertz=700) as ann:
        join = await ann.join()
        track = await ann.publish()
        assert (track.sid[:3], track.name) == ("TR_", "voice")
        await ann.subscriber.hears(700)
        [agent] = join.other_participants
        [heard] = ann.subscriber.tracks
        assert heard.id == agent.tracks[0].sid
        assert (await ann.hears_of("track_subscribed")).track_subscribed.track_sid == track.sid


@live
async def test_clients_may_announce_their_microphone_when_they_join(server: Server) -> None:
    async with livekit_client(server, await web_call(server)) as ann:
        await ann.join(add_track_requests=[ann.microphone()], metadata="front", participant_attributes={"room": "2"})
        assert (await ann.hears_of("track_published")).track_published.cid == ann.publisher.microphone.id
        me = next(message for message in ann.told if message.HasField("join")).join.participant
        assert (me.metadata, dict(me.attributes)) == ("front", {"room": "2"})


@WAYS
@live
async def test_words_come_as_the_older_packet_and_as_a_text_stream(server: Server, *, is_dual: bool) -> None:
    async with livekit_client(server, await web_call(server), is_dual=is_dual) as ann:
        await ann.join()
        [segment] = (await ann.gets("transcription")).transcription.segments
        assert segment.text == "Hello, this is Harbor Dental. How can I help you?"
        header = (await ann.gets("stream_header")).stream_header
        assert (header.topic, header.attributes["lk.segment_id"]) == ("lk.transcription", segment.id)
        assert (await ann.gets("stream_chunk")).stream_chunk.content.decode() == segment.text
        await ann.gets("stream_trailer")


@live
async def test_a_remote_procedure_call_is_acknowledged_and_answered(server: Server) -> None:
    async with livekit_client(server, await web_call(server)) as ann:
        await ann.join()
        request = models.RpcRequest(id="one", method="say", payload="Good bye.", version=1)
        await ann.send(rpc_request=request, destination_identities=["agent"])
        await ann.gets("rpc_response")
        [acknowledged, answered] = [packet for packet in ann.packets if packet.WhichOneof("value")[:3] == "rpc"]
        assert acknowledged.rpc_ack.request_id == answered.rpc_response.request_id == "one"
        assert not answered.rpc_response.HasField("error")


@live
async def test_a_call_to_nobody_fails_as_clients_know_it(server: Server) -> None:
    async with livekit_client(server, await web_call(server)) as ann:
        await ann.join()
        await ann.send(rpc_request=models.RpcRequest(id="one", method="say"), destination_identities=["nobody"])
        assert (await ann.gets("rpc_response")).rpc_response.error.code == 1401


@live
async def test_a_pressed_key_reaches_the_others_as_tones(server: Server) -> None:
    token = await web_call(server)
    async with livekit_client(server, token) as ann, livekit_client(server, await guest(server, "bob")) as bob:
        await ann.join()
        await bob.join()
        await ann.send(sip_dtmf=models.SipDTMF(code=5, digit="5"))
        assert (await bob.gets("sip_dtmf")).sip_dtmf.digit == "5"


async def guest(server: Server, identity: str, **grants: bool) -> str:
    """Return another token for the newest call."""
    call = (await newest(server))["id"]
    _, answer = await ask(server, "POST", f"/_revdesk/calls/{call}/guests", {"identity": identity, **grants})
    return str(answer["token"])


@WAYS
@live
async def test_several_in_one_room_hear_and_write_to_one_another(server: Server, *, is_dual: bool) -> None:
    token = await web_call(server)
    async with (
        livekit_client(server, token, is_dual=is_dual, hertz=500) as ann,
        livekit_client(server, await guest(server, "bob"), is_dual=is_dual, hertz=900) as bob,
    ):
        await ann.join()
        await ann.publish()
        join = await bob.join()
        assert {one.identity for one in join.other_participants} == {"agent", next(iter_identities(join))}
        await bob.publish()
        track = await ann.sees("bob", is_publisher=True)
        assert track.tracks[0].name == "voice"
        if not is_dual:
            assert (await ann.hears_of("media_sections_requirement")).media_sections_requirement.num_audios == 1
            ann.publisher.connection.addTransceiver("audio", "recvonly")
            await ann.offer()
        await ann.until(lambda: len(ann.subscriber.tracks) == 2)
        await ann.send(user=models.UserPacket(payload=b"hello", topic="chat"), destination_identities=["bob"])
        await bob.until(lambda: any(packet.user.payload == b"hello" for packet in bob.packets))


@WAYS
@live
async def test_permissions_come_from_the_token(server: Server, *, is_dual: bool) -> None:
    token = await web_call(server)
    mute = await guest(server, "mute", can_publish=False, can_publish_data=False)
    deaf = await guest(server, "deaf", can_subscribe=False)
    async with (
        livekit_client(server, token, is_dual=is_dual) as ann,
        livekit_client(server, mute, is_dual=is_dual) as bob,
        livekit_client(server, deaf, is_dual=is_dual) as cy,
    ):
        await ann.join()
        permission = (await bob.join()).participant.permission
        assert (permission.can_publish, permission.can_subscribe, permission.can_publish_data) == (False, True, False)
        await bob.signal(add_track=bob.microphone())
        response = (await bob.hears_of("request_response")).request_response
        assert response.reason == rtc.RequestResponse.Reason.NOT_ALLOWED
        await cy.join()
        await cy.publish()
        await ann.sees("deaf", is_publisher=True)
        assert cy.subscriber.heard.empty()


@live
async def test_a_client_hears_only_what_it_wants_to(server: Server) -> None:
    async with livekit_client(server, await web_call(server), hertz=650) as ann:
        [agent] = (await ann.join()).other_participants
        await ann.publish()
        await ann.subscriber.hears(650)
        for subscribe in (False, True):
            await ann.signal(subscription=rtc.UpdateSubscription(track_sids=[agent.tracks[0].sid], subscribe=subscribe))
            await ann.offer()
            told = next(message.answer for message in reversed(ann.told) if message.HasField("answer"))
            assert (agent.tracks[0].sid in told.mid_to_track_id.values()) is subscribe
        await ann.subscriber.hears(650)


def iter_identities(join: rtc.JoinResponse) -> Iterator[str]:
    return (one.identity for one in join.other_participants if one.identity != "agent")


@live
async def test_a_muted_microphone_shows_and_is_not_said_back(server: Server) -> None:
    async with livekit_client(server, await web_call(server)) as ann:
        me = (await ann.join()).participant.identity
        track = await ann.publish()
        await ann.sees(me, is_publisher=True)
        await ann.signal(mute=rtc.MuteTrackRequest(sid=track.sid, muted=True))
        await ann.until(lambda: any(one.tracks and one.tracks[0].muted for one in news(ann, me)))
        assert not any(message.HasField("mute") for message in ann.told)


def news(client: LiveKitClient, identity: str) -> list[models.ParticipantInfo]:
    return [one for message in client.told for one in message.update.participants if one.identity == identity]


@live
async def test_metadata_and_attributes_change_for_everybody_and_the_request_is_answered(server: Server) -> None:
    async with livekit_client(server, await web_call(server)) as ann:
        me = (await ann.join()).participant.identity
        asked = rtc.UpdateParticipantMetadata(request_id=7, name="Ann", metadata="m", attributes={"mood": "good"})
        await ann.signal(update_metadata=asked)
        response = (await ann.hears_of("request_response")).request_response
        assert (response.request_id, response.reason) == (7, rtc.RequestResponse.Reason.OK)
        assert dict((await ann.sees(me, name="Ann", metadata="m")).attributes) == {"mood": "good"}


@live
async def test_a_camera_is_refused_at_once_with_a_reason(server: Server) -> None:
    async with livekit_client(server, await web_call(server)) as ann:
        join = await ann.join()
        assert list(join.participant.permission.can_publish_sources) == [models.TrackSource.MICROPHONE]
        await ann.signal(add_track=rtc.AddTrackRequest(cid="c", type=models.TrackType.VIDEO))
        response = (await ann.hears_of("request_response")).request_response
        assert (response.reason, response.message) == (
            rtc.RequestResponse.Reason.UNSUPPORTED_TYPE,
            "a call has no pictures: publish a microphone",
        )


@live
async def test_pings_are_answered_with_their_time(server: Server) -> None:
    async with livekit_client(server, await web_call(server)) as ann:
        await ann.join()
        await ann.signal(ping=5)
        await ann.signal(ping_req=rtc.Ping(timestamp=5))
        assert (await ann.hears_of("pong")).pong > 5
        assert (await ann.hears_of("pong_resp")).pong_resp.last_ping_timestamp == 5


@WAYS
@live
async def test_a_client_whose_socket_dropped_resumes_with_its_sound(server: Server, *, is_dual: bool) -> None:
    async with livekit_client(server, await web_call(server), is_dual=is_dual, hertz=600) as ann:
        sid = (await ann.join()).participant.sid
        await ann.publish()
        await ann.subscriber.hears(600)
        await ann.socket.close()
        assert await ann.resume(sid) == "reconnect"
        await ann.sees("agent")
        await ann.subscriber.hears(600)
        assert (await newest(server))["status"] == "IN_PROGRESS"


@live
async def test_who_resumes_while_the_old_socket_still_stands_takes_its_place(server: Server) -> None:
    async with livekit_client(server, await web_call(server)) as ann:
        sid = (await ann.join()).participant.sid
        old = ann.socket
        assert await ann.resume(sid) == "reconnect"
        await old.wait_closed()


@live
async def test_who_resumes_what_is_gone_is_told_to_join_anew_and_may(server: Server) -> None:
    token = await web_call(server)
    async with livekit_client(server, token) as ann:
        await ann.join()
        await ann.signal(simulate=rtc.SimulateScenario(node_failure=True))
        await ann.until(lambda: ann.closed_with)
        assert await ann.resume("PA_unknown") == "leave"
        assert ann.told[0].leave.action == rtc.LeaveRequest.Action.RECONNECT
    async with livekit_client(server, token) as again:
        await again.join()


@live
async def test_a_client_that_reconnects_in_full_says_goodbye_first_and_is_let_in_again(server: Server) -> None:
    token = await web_call(server)
    async with livekit_client(server, token) as ann:
        await ann.join()
        await ann.publish()
        await ann.signal(leave=GOODBYE)
        async with livekit_client(server, token, hertz=800) as again:
            join = await again.join()
            assert list(join.participant.tracks) == []
            await again.publish()
            await again.subscriber.hears(800)


@live
async def test_leaving_ends_the_call_within_a_second(server: Server) -> None:
    async with livekit_client(server, await web_call(server)) as ann:
        await ann.join()
        [world] = server.emulator.worlds()
        await ann.signal(leave=GOODBYE)
        async with asyncio.timeout(1):
            await until(lambda: all(call["ended_at"] for call in world.store.all("calls")))


@live
async def test_hanging_up_by_the_api_is_told_and_closes_the_socket(server: Server) -> None:
    async with livekit_client(server, await web_call(server)) as ann:
        await ann.join()
        call = await newest(server)
        await ask(server, "POST", f"/v1/calls/{call['id']}/hangup")
        leave = (await ann.hears_of("leave")).leave
        assert leave.action == rtc.LeaveRequest.Action.DISCONNECT
        assert leave.reason == models.DisconnectReason.ROOM_DELETED
        await ann.until(lambda: ann.closed_with == 1000)


@pytest.mark.parametrize(
    ("number", "reason"), [("+13125550102", "USER_REJECTED"), ("+13125550106", "USER_UNAVAILABLE")]
)
@live
async def test_a_called_party_that_is_not_reached_ends_the_room_with_what_it_did(
    server: Server, number: str, reason: str
) -> None:
    _, answer = await ask(server, "POST", "/v1/room-token", {"from_number": MAIN, "to_number": number})
    async with livekit_client(server, answer["data"]["token"]) as ann:
        [phone] = (await ann.join()).other_participants
        assert (phone.identity, phone.kind) == ("phone", models.ParticipantInfo.Kind.SIP)
        assert phone.attributes["sip.phoneNumber"] == number
        await ask(server, "POST", "/_revdesk/clock", {"advance_seconds": 10})
        assert (await ann.hears_of("leave")).leave.reason == models.DisconnectReason.Value(reason)


@live
async def test_a_browser_dials_through_the_same_sockets(server: Server) -> None:
    _, answer = await ask(server, "POST", "/v1/webrtc-token", {"from_number": MAIN, "to_number": "+13125550108"})
    async with livekit_client(server, answer["data"]["token"]) as ann:
        await ann.join()
        for key, number in (("1", "+13125550101"), ("2", "+13125550108")):
            request = models.RpcRequest(id=key, method="dial", payload=number)
            await ann.send(rpc_request=request, destination_identities=["phone"])
            await ann.until(lambda key=key: any(packet.rpc_response.request_id == key for packet in ann.packets))
        refused_, dialed = [packet.rpc_response for packet in ann.packets if packet.HasField("rpc_response")]
        assert (refused_.error.code, dialed.HasField("error")) == (403, False)
        await ann.sees("phone")
        await ann.gets("transcription")


@live
async def test_of_a_hundred_joins_at_once_one_gets_in(server: Server) -> None:
    client = LiveKitClient(server, await web_call(server), is_dual=True)

    async def knock() -> ClientConnection | int:
        try:
            return await connect(client.address())
        except InvalidStatus as refusal:
            return refusal.response.status_code

    answers = await asyncio.gather(*(knock() for _ in range(100)))
    [inside] = [answer for answer in answers if isinstance(answer, ClientConnection)]
    assert answers.count(401) == 99
    await inside.close()


@live
async def test_a_client_of_which_nothing_is_heard_is_cut_off_and_may_come_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    emulator = Emulator(Settings(seed="test"), SPEC)
    client = Client(emulator)
    token = (await client.send("POST", f"/v1/agents/{AGENT}/web-call")).data["token"]
    switchboard = Switchboard(emulator, lambda *_: None)
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"} if not sent else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/rtc", "query_string": f"access_token={token}".encode(), "headers": []}
    door = LiveKit(switchboard, patience=0.05)
    async with asyncio.timeout(SOON):
        await Starlette(routes=door.routes())(scope, receive, send)
    assert [message["type"] for message in sent[-2:]] == ["websocket.send", "websocket.close"]
    assert "nothing came for 0.05 s" in caplog.text
    switchboard.check(token)
    await door.close()


@live
async def test_a_second_join_is_refused_with_the_reason_in_the_handshake_and_after_it(server: Server) -> None:
    token = await web_call(server)
    async with livekit_client(server, token) as ann, livekit_client(server, token) as second_ann:
        await ann.join()
        why = "The token is joined: it joins one call, once."
        assert await refused(ann.address()) == (401, why)
        assert await refused(second_ann.address()) == (401, why)
        assert await validated(server, token) == await validated(server, token, "/rtc/v1/validate") == (401, why)


@live
async def test_a_good_token_validates_and_is_not_used_up(server: Server) -> None:
    token = await web_call(server)
    assert await validated(server, token) == (200, "success")
    async with livekit_client(server, token) as ann:
        await ann.join()


@pytest.mark.parametrize("token", ["", "eyJ.nonsense", "rvw_unknown"])
@live
async def test_nobody_comes_in_without_a_token(server: Server, token: str) -> None:
    status, why = await refused(LiveKitClient(server, token).address())
    assert (status, bool(why)) == (401, True)


@live
async def test_a_join_request_that_cannot_be_read_is_refused_and_uses_nothing_up(server: Server) -> None:
    token = await web_call(server)
    client = LiveKitClient(server, token)
    status, why = await refused(client.address(join_request="!"))
    assert (status, "WrappedJoinRequest" in why) == (400, True)
    assert await validated(server, token) == (200, "success")


@live
async def test_an_offer_that_cannot_be_used_puts_its_client_out(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    request = rtc.JoinRequest(publisher_offer=rtc.SessionDescription(type="offer", sdp="v=1", id=1))
    async with livekit_client(server, await web_call(server)) as ann:
        await ann.open(ann.address(join_request=wrapped(request)))
        leave = (await ann.hears_of("leave")).leave
        assert leave.reason == models.DisconnectReason.MEDIA_FAILURE
    assert "a client cannot be connected" in caplog.text
    assert (await newest(server))["ended_at"] is not None


@pytest.mark.parametrize("frame", [b"\xff\xff", "text"])
@live
async def test_a_frame_that_makes_no_sense_cuts_off_its_sender_who_may_resume(
    server: Server, caplog: pytest.LogCaptureFixture, frame: Any
) -> None:
    async with livekit_client(server, await web_call(server)) as ann:
        sid = (await ann.join()).participant.sid
        await ann.socket.send(frame)
        await ann.until(lambda: ann.closed_with == 1001)
        assert "a client is cut off" in caplog.text
        assert await ann.resume(sid) == "reconnect"


@live
async def test_stopping_the_server_says_goodbye_to_everybody() -> None:
    with Server(Emulator(Settings(seed="test"), SPEC)) as server:
        async with livekit_client(server, await web_call(server)) as ann:
            await ann.join()
            await asyncio.get_running_loop().run_in_executor(None, server.stop)
            assert (await ann.hears_of("leave")).leave.reason == models.DisconnectReason.SERVER_SHUTDOWN


@live
async def test_the_token_of_a_refused_join_is_in_no_log(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    token = await web_call(server)
    async with livekit_client(server, token) as ann:
        await ann.join()
        await refused(ann.address())
    assert token not in caplog.text
