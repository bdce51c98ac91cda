"""What LiveKit's clients send one another becomes events, and events become what they understand."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models

from revdesk_mock.rtc.events import LOSSY, RELIABLE, Answered, Asked, Data, Grants, Participant, Pressed, Relayed, Said
from revdesk_mock.rtc.livekit.data_packets import CHUNK, packets, post
from revdesk_mock.rtc.rooms import Room
from tests.rtc.test_rooms import Ear, somebody


def room_of(*identities: str) -> tuple[Room, dict[str, Ear]]:
    room, ears = Room("room_1", "RM_1"), {identity: Ear() for identity in identities}
    for identity, ear in ears.items():
        room.join(somebody(identity), ear)
        ear.told.clear()
    for ear in ears.values():
        ear.told.clear()
    return room, ears


def posted(room: Room, sender: str = "ann", kind: str = RELIABLE, **packet: object) -> list[models.DataPacket]:
    sent = models.DataPacket(**packet)  # type: ignore[arg-type] # one of its fields
    return list(post(sent.SerializeToString(), kind, room, sender))


@pytest.mark.parametrize("kind", [RELIABLE, LOSSY])
def test_a_users_packet_goes_to_everybody_else_or_to_some(kind: str) -> None:
    room, ears = room_of("ann", "bob", "cy")
    posted(room, kind=kind, user=models.UserPacket(payload=b"1", topic="t"))
    posted(room, kind=kind, user=models.UserPacket(payload=b"2", topic="t"), destination_identities=["cy"])
    posted(room, kind=kind, user=models.UserPacket(payload=b"3", topic="t", destination_identities=["bob"]))
    all_, cy, bob = (Data("t", payload, "ann", kind) for payload in (b"1", b"2", b"3"))
    assert (ears["bob"].told, ears["cy"].told, ears["ann"].told) == ([all_, bob], [all_, cy], [])


def test_a_tone_is_a_pressed_key() -> None:
    room, ears = room_of("ann", "bob")
    posted(room, sip_dtmf=models.SipDTMF(code=11, digit="#"))
    assert ears["bob"].told == [Pressed("ann", "#")]
    [packet] = packets(Pressed("ann", "#"), room)
    assert (packet.sip_dtmf.code, packet.sip_dtmf.digit, packet.participant_sid) == (11, "#", "PA_ann")


def test_a_question_is_acknowledged_before_it_can_be_answered() -> None:
    room, ears = room_of("ann", "bob")
    request = models.RpcRequest(id="1", method="m", payload="p")
    answers = post(
        models.DataPacket(rpc_request=request, destination_identities=["bob"]).SerializeToString(),
        RELIABLE,
        room,
        "ann",
    )
    assert next(answers).rpc_ack.request_id == "1"
    assert ears["bob"].told == []
    assert list(answers) == []
    assert ears["bob"].told == [Asked("1", "ann", "m", "p")]


def test_a_question_to_nobody_is_answered_with_an_error() -> None:
    room, _ = room_of("ann")
    [answer] = posted(room, rpc_request=models.RpcRequest(id="1", method="m"), destination_identities=["bob"])
    assert (answer.rpc_response.request_id, answer.rpc_response.error.code) == ("1", 1401)


@pytest.mark.parametrize("error", [None, (1500, "no")])
def test_an_answer_comes_to_who_asked_with_its_error(error: tuple[int, str] | None) -> None:
    room, ears = room_of("ann", "bob")
    [packet] = packets(Answered("1", "bob", "" if error else "fine", error), room)
    packet.destination_identities.append("ann")
    list(post(packet.SerializeToString(), RELIABLE, room, "bob"))
    assert ears["ann"].told == [Answered("1", "bob", "" if error else "fine", error)]


def test_streams_are_passed_on_as_they_are_with_their_sender() -> None:
    room, ears = room_of("ann", "bob")
    posted(room, stream_chunk=models.DataStream.Chunk(stream_id="s", content=b"abc"), participant_identity="mallory")
    [relayed] = ears["bob"].told
    assert isinstance(relayed, Relayed)
    [packet] = packets(relayed, room)
    assert (packet.stream_chunk.content, packet.participant_identity, packet.participant_sid) == (
        b"abc",
        "ann",
        "PA_ann",
    )


def test_who_may_not_send_is_not_heard() -> None:
    room, ears = room_of("bob")
    room.join(Participant("PA_ann", "ann", grants=Grants(can_publish_data=False)), Ear())
    ears["bob"].told.clear()
    posted(room, user=models.UserPacket(payload=b"1"))
    posted(room, rpc_request=models.RpcRequest(id="1"), destination_identities=["bob"])
    assert ears["bob"].told == []


@given(st.binary(max_size=60))
def test_any_bytes_are_a_packet_or_refused(payload: bytes) -> None:
    room, _ = room_of("ann", "bob")
    with suppress(ValueError):
        list(post(payload, RELIABLE, room, "ann"))
    assert [one.identity for one in room.participants] == ["ann", "bob"]


@given(st.text(alphabet="aé漢🙂 ", max_size=20), st.booleans())
def test_words_come_whole_out_of_a_text_stream(text: str, is_final: bool) -> None:  # noqa: FBT001 # given by position
    room, _ = room_of("ann")
    said = text * (CHUNK // 10)
    header, *chunks, trailer = (
        packet for packet in packets(Said("ann", said, is_final, "s"), room) if not packet.HasField("transcription")
    )
    content = b"".join(packet.stream_chunk.content for packet in chunks)
    assert content.decode() == said
    assert header.stream_header.total_length == len(content)
    assert [packet.stream_chunk.chunk_index for packet in chunks] == list(range(len(chunks)))
    assert {header.stream_header.stream_id, *(one.stream_chunk.stream_id for one in chunks)} == {
        trailer.stream_trailer.stream_id
    }
