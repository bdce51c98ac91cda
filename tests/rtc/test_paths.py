"""The three ways to a phone, over the wire: a browser dials, joins what RevDesk dialed, or stands for a phone."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import numpy as np
import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.rtc.media import Frame, level
from revdesk_mock.server import Server
from tests.conftest import AGENT, MAIN, SPEC
from tests.rtc.caller import SOON, live, stretch_of
from tests.rtc.hearing import heard, word_errors
from tests.rtc.test_signalling import Client, ask, client, newest, state
from tests.rtc.test_tones import loudest_of

ANSWERS_AT_ONCE, VOICEMAIL, RINGS_LONG = "+13125550108", "+13125550104", "+13125550107"
CONNECT = "+17035550155"
SENTENCES = [
    "Hello, this is the test number ending in zero one zero eight.",
    "Hello, this is the test number ending in zero one zero four.",
    "Hello, this is the test phone. You are connected.",
    "Please leave a message after the tone.",
]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="test"), SPEC)) as running:
        yield running
        assert running.emulator.pipeline.breaches == []


async def token(server: Server, path: str, to: str) -> str:
    _, answer = await ask(server, "POST", path, {"from_number": MAIN, "to_number": to})
    return str(answer["data"]["token"])


async def leg_token(server: Server, call_id: str, role: str) -> str:
    status, answer = await ask(server, "POST", f"/_revdesk/calls/{call_id}/legs/{role}/token")
    assert status == 200, answer
    return str(answer["token"])


async def advance(server: Server, seconds: float) -> None:
    await ask(server, "POST", "/_revdesk/clock", {"advance_seconds": seconds})


async def status(one: Client, wanted: str) -> None:
    await one.told(lambda event: f'"status":"{wanted}"' in event.get("payload", ""))


async def closed(one: Client) -> str:
    return str((await one.told(lambda event: event["type"] == "closed"))["reason"])


async def sentence(one: Client) -> str:
    """Wait until the called party has said its sentence, and return what is recognised of it."""
    await one.told(lambda event: event["type"] == "said" and event["from"] == "phone")  # it begins, and has its time
    await one.told(lambda event: event["type"] == "said" and event["from"] == "phone" and event["final"])
    sound = np.concatenate([one.heard.get_nowait() for _ in range(one.heard.qsize())])
    return heard(sound, SENTENCES)


def phone_of(answer: Any) -> Any:
    [phone] = [other for other in answer["participants"] if other["kind"] == "sip"]
    return phone["attributes"]


@live
async def test_a_browser_dials_its_number_talks_to_it_and_hangs_up(server: Server) -> None:
    async with client(hertz=700) as one:
        one.microphone.unmuted.clear()
        joined = await one.join(server, await token(server, "/v1/webrtc-token", ANSWERS_AT_ONCE))
        assert phone_of(joined) == {"sip.phoneNumber": ANSWERS_AT_ONCE}
        await status(one, "QUEUED")
        one.say(type="dial", to_number="+13125550101")
        refused = await one.told(lambda event: event["type"] == "error")
        assert refused["message"] == f"This token calls {ANSWERS_AT_ONCE} and no other number."
        one.say(type="rpc", id="1", to="phone", method="dial", payload=ANSWERS_AT_ONCE)
        assert (await one.told(lambda event: event["type"] == "rpc_answer"))["error"] is None
        assert word_errors(SENTENCES[0], await sentence(one)) == 0
        one.microphone.unmuted.set()
        await one.hears(700)
        one.say(type="rpc", id="2", to="phone", method="hangup", payload="")
        assert await closed(one) == "completed"
        call = await newest(server)
        assert (call["status"], call["to_number"]) == ("COMPLETED", ANSWERS_AT_ONCE)


@live
async def test_no_agent_joins_a_call_that_the_browser_dials(server: Server) -> None:
    async with client() as one:
        joined = await one.join(server, await token(server, "/v1/webrtc-token", ANSWERS_AT_ONCE))
        path = f"/_revdesk/rooms/{joined['room']['name']}/agents"
        refused, answer = await ask(server, "POST", path, {"agent_id": AGENT})
        assert (refused, "straight from the browser" in answer["error"]["message"]) == (409, True)


@live
async def test_who_joins_a_placed_call_hears_it_ring_and_the_voicemail_answer(server: Server) -> None:
    async with client() as one:
        one.microphone.unmuted.clear()
        joined = await one.join(server, await token(server, "/v1/room-token", VOICEMAIL))
        assert phone_of(joined) == {"sip.phoneNumber": VOICEMAIL, "sip.callStatus": "dialing"}
        await status(one, "RINGING")
        assert loudest_of(await loud(one), 2) == [440, 480]
        one.say(type="dial", to_number="+13125550101")
        refused = await one.told(lambda event: event["type"] == "error")
        assert refused["message"] == "RevDesk placed this call: its destination cannot be changed."
        await advance(server, 20)
        assert word_errors(SENTENCES[3], await spoken_before_the_beep(one)) == 0
        await advance(server, 12)
        assert await closed(one) == "voicemail"


async def loud(one: Client) -> Frame:
    """Wait for half a second of something loud."""
    stretch: list[Frame] = []
    async with asyncio.timeout(SOON):
        while len(stretch) < 30 or min(map(level, stretch)) < -25:
            stretch = [*stretch, await one.heard.get()][-30:]
    return np.concatenate(stretch)


async def spoken_before_the_beep(one: Client) -> str:
    """Wait for the beep, and return what is recognised before it."""
    while not one.heard.empty():
        one.heard.get_nowait()
    sound: list[Frame] = []

    async def next_frame() -> Frame:
        sound.append(await one.heard.get())
        return sound[-1]

    await stretch_of(next_frame, 1000)
    return heard(np.concatenate(sound[:-25]), SENTENCES)


@live
async def test_an_agent_is_put_on_a_placed_call_and_greets(server: Server) -> None:
    async with client() as one:
        joined = await one.join(server, await token(server, "/v1/room-token", RINGS_LONG))
        path = f"/_revdesk/rooms/{joined['room']['name']}/agents"
        await status(one, "RINGING")
        assert (await ask(server, "POST", path, {"agent_id": "nobody"}))[0] == 404
        assert (await ask(server, "POST", path, {"agent": AGENT}))[0] == 400
        assert (await ask(server, "POST", path, {"agent_id": AGENT}))[0] == 200
        assert (await ask(server, "POST", path, {"agent_id": AGENT}))[0] == 409
        said = await one.told(lambda event: event["type"] == "said" and event["from"] == "agent")
        assert said["text"].startswith("Hello, this is Harbor Dental.")
        await one.told(state("speaking"))


@live
async def test_two_people_stand_for_the_phones_of_a_bridge(server: Server) -> None:
    numbers = {"from_number": MAIN, "to_number": ANSWERS_AT_ONCE, "connect_number": CONNECT}
    _, answer = await ask(server, "POST", "/v1/calls/dial", numbers)
    call_id = answer["data"]["call_id"]
    async with AsyncExitStack() as stack:
        staff, called = [await stack.enter_async_context(client(hertz)) for hertz in (600, 900)]
        staff.microphone.unmuted.clear()
        joined = await staff.join(server, await leg_token(server, call_id, "connect"))
        assert phone_of(joined)["sip.phoneNumber"] == MAIN
        assert word_errors(SENTENCES[2], await sentence(staff)) == 0
        staff.microphone.unmuted.set()
        await called.join(server, await leg_token(server, call_id, "destination"))
        left = await staff.told(lambda event: event["type"] == "participant_left")
        assert left["identity"] == "phone"
        await called.hears(600)
        await ask(server, "POST", f"/v1/calls/{call_id}/hangup")
        assert [await closed(one) for one in (staff, called)] == ["completed", "completed"]
        assert not any(CONNECT[1:] in str(one.events) for one in (staff, called))
