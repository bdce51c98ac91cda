"""A plain client joins a room over the wire: it hears the agent, is echoed, and room and API agree."""

import asyncio
import http.client
import json
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import numpy as np
import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.json_body import MAX_BYTES
from revdesk_mock.rtc.media import level
from revdesk_mock.rtc.network import Network
from revdesk_mock.server import Server
from tests.conftest import AGENT, KEY, MAIN, SPEC
from tests.rtc.caller import SOON, Caller, live
from tests.rtc.hearing import heard, word_errors
from tests.rtc.rest import Rest


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="test"), SPEC)) as running:
        yield running
        assert running.emulator.pipeline.breaches == []


class Door(Protocol):
    """Where an emulator is."""

    url: str


async def ask(
    server: Door, method: str, path: str, body: Any = None, bearer: str = KEY, **more: str
) -> tuple[int, Any]:
    raw = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json", **more}
    request = urllib.request.Request(server.url + path, raw, headers, method=method)  # noqa: S310 our own server

    def send() -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310 as above
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    return await asyncio.get_running_loop().run_in_executor(None, send)


async def web_call(server: Door, **agent: Any) -> str:
    """Start a web call, whose agent behaves as ordered, and return the token."""
    order = {"X-RevDesk-Mock": json.dumps({"agent": agent})} if agent else {}
    _, answer = await ask(server, "POST", f"/v1/agents/{AGENT}/web-call", **order)
    return str(answer["data"]["token"])


async def newest(server: Door) -> Any:
    _, answer = await ask(server, "GET", "/v1/calls?limit=1")
    return answer["data"][0]


class Client(Caller):
    """A caller with a channel of events."""

    def __init__(self, hertz: float = 440.0) -> None:
        super().__init__(hertz)
        self.connection.addTransceiver(self.microphone, "sendrecv")
        self.channel = self.connection.createDataChannel("events")
        self.events: list[Any] = []
        self.came = asyncio.Event()
        self.channel.on("message", self._note)

    def _note(self, message: str) -> None:
        self.events.append(json.loads(message))
        self.came.set()

    async def join(self, server: Door, token: str) -> Any:
        status, answer = await ask(server, "POST", "/rtc/offer", {"sdp": await self.offer()}, token)
        assert status == 200, answer
        await self.accept(answer["sdp"])
        return answer

    def say(self, **message: Any) -> None:
        self.channel.send(json.dumps(message))

    async def told(self, wanted: Callable[[Any], bool]) -> Any:
        """Wait for an event."""
        async with asyncio.timeout(SOON):
            while not any(map(wanted, self.events)):
                self.came.clear()
                await self.came.wait()
        return next(filter(wanted, self.events))


@asynccontextmanager
async def client(hertz: float = 440.0) -> AsyncIterator[Client]:
    made = Client(hertz)
    try:
        yield made
    finally:
        await made.close()


def state(wanted: str) -> Callable[[Any], bool]:
    return lambda event: (
        event["type"] == "participant_changed" and event["participant"]["attributes"].get("lk.agent.state") == wanted
    )


@live
async def test_who_joins_is_greeted_and_then_echoed(server: Server) -> None:
    async with client(hertz=700) as one:
        answer = await one.join(server, await web_call(server))
        assert [other["identity"] for other in answer["participants"]] == ["agent"]
        said = await one.told(lambda event: event["type"] == "said" and event["final"])
        assert said["text"] == "Hello, this is Harbor Dental. How can I help you?"
        loudest = max(level(one.heard.get_nowait()) for _ in range(one.heard.qsize()))
        assert loudest > -30
        await one.told(state("listening"))
        await one.hears(700)


@live
async def test_a_greeting_is_understood_and_the_next_call_uses_a_new_one(server: Server) -> None:
    choices = [
        "Thank you for calling Harbor Dental.",
        "Please hold the line for a moment.",
        "We are open from nine to five.",
    ]
    for greeting in choices[:2]:
        await ask(server, "PATCH", f"/v1/agents/{AGENT}", {"greeting": greeting})
        async with client() as one:
            one.microphone.unmuted.clear()
            await one.join(server, await web_call(server))
            await one.told(lambda event: event["type"] == "said" and event["final"])
            await one.told(state("listening"))
            sound = np.concatenate([one.heard.get_nowait() for _ in range(one.heard.qsize())])
        assert word_errors(greeting, heard(sound, choices)) == 0


@live
async def test_every_change_of_the_call_is_told(server: Server) -> None:
    async with client() as one:
        await one.join(server, await web_call(server))
        answered = await one.told(lambda event: "IN_PROGRESS" in event.get("payload", ""))
        assert (answered["topic"], answered["from"]) == ("callUpdate", None)
        assert (await newest(server))["status"] == "IN_PROGRESS"


@live
async def test_a_second_join_is_refused_with_a_reason(server: Server) -> None:
    token = await web_call(server)
    async with client() as one:
        await one.join(server, token)
        again = {"sdp": one.connection.localDescription.sdp}
        status, answer = await ask(server, "POST", "/rtc/offer", again, token)
        assert (status, answer["error"]["message"]) == (401, "The token is joined: it joins one call, once.")


@live
async def test_an_offer_that_cannot_be_read_is_refused_and_uses_nothing_up(server: Server) -> None:
    token = await web_call(server)
    for body in ({"sdp": "v=0"}, {"sdp": 7}, {}):
        status, answer = await ask(server, "POST", "/rtc/offer", body, token)
        assert (status, list(answer["error"]["fields"])) == (400, ["sdp"])
    async with client() as one:
        await one.join(server, token)


@live
async def test_leaving_ends_the_call(server: Server) -> None:
    async with client() as one:
        await one.join(server, await web_call(server))
        await one.told(lambda event: "IN_PROGRESS" in event.get("payload", ""))
        one.say(type="leave")
        assert (await one.told(lambda event: event["type"] == "closed"))["reason"] == "left"
        assert (await newest(server))["status"] == "COMPLETED"


@live
async def test_hanging_up_by_the_api_empties_the_room(server: Server) -> None:
    async with client() as one:
        await one.join(server, await web_call(server))
        await one.told(state("speaking"))
        _, hung_up = await ask(server, "POST", f"/v1/calls/{(await newest(server))['id']}/hangup")
        closed = await one.told(lambda event: event["type"] == "closed")
        assert closed["reason"] == hung_up["data"]["status"].lower()


@live
async def test_a_placed_calls_room_closes_with_what_became_of_the_called_party(server: Server) -> None:
    _, answer = await ask(server, "POST", "/v1/room-token", {"from_number": MAIN, "to_number": "+13125550106"})
    async with client() as one:
        joined = await one.join(server, answer["data"]["token"])
        assert [other["kind"] for other in joined["participants"]] == ["sip"]
        await one.told(lambda event: "UNREACHABLE" in event.get("payload", ""))
        assert (await one.told(lambda event: event["type"] == "closed"))["reason"] == "unreachable"


@live
async def test_what_makes_no_sense_on_the_channel_is_answered_with_what_would(server: Server) -> None:
    async with client() as one:
        await one.join(server, await web_call(server))
        await one.told(state("speaking"))
        one.channel.send("dance")
        one.say(type="attributes", attributes={"mood": 7})
        one.say(type="attributes", attributes={"mood": "fine"})
        await one.told(lambda event: event["type"] == "error" and "offer, mute" in event["message"])
        await one.told(lambda event: event.get("participant", {}).get("attributes") == {"mood": "fine"})


@live
async def test_muted_sound_is_not_echoed(server: Server) -> None:
    async with client(hertz=600) as one:
        await one.join(server, await web_call(server))
        await one.told(state("listening"))
        await one.hears(600)
        one.say(type="mute", muted=True)
        await one.told(lambda event: any(track["muted"] for track in event.get("participant", {}).get("tracks", ())))
        async with asyncio.timeout(SOON):
            while level(await one.heard.get()) > -60:
                pass


@live
async def test_the_agent_says_what_it_is_asked_to(server: Server) -> None:
    async with client() as one:
        await one.join(server, await web_call(server))
        await one.told(state("listening"))
        one.say(type="rpc", id="1", to="agent", method="say", payload="Good morning.")
        assert (await one.told(lambda event: event["type"] == "rpc_answer"))["error"] is None
        await one.told(lambda event: event["type"] == "said" and event["text"] == "Good morning." and event["final"])
        one.say(type="rpc", id="2", to="nobody", method="say", payload="Good morning.")
        answer = await one.told(lambda event: event["type"] == "rpc_answer" and event["id"] == "2")
        assert answer["error"] == {"code": 1401, "message": "Recipient not found"}


@live
async def test_keys_and_attributes_of_one_reach_the_other(server: Server) -> None:
    async with client() as one, client() as other:
        token = await web_call(server)
        [second] = await asyncio.to_thread(Rest(server).tokens, "second")
        me = (await one.join(server, token))["participant"]["identity"]
        await other.join(server, second)
        await other.told(state("listening"))
        one.say(type="dtmf", digits="5")
        pressed = await other.told(lambda event: event["type"] == "dtmf")
        assert (pressed["digits"], pressed["from"]) == ("5", me)
        one.say(type="attributes", attributes={"mood": "fine"})
        await other.told(lambda event: event.get("participant", {}).get("attributes") == {"mood": "fine"})


def test_nobody_comes_in_without_a_token_for_a_call(server: Server) -> None:
    for bearer in (KEY, "eyJ.e30.x", f"rvw_{'0' * 48}"):
        assert asyncio.run(ask(server, "POST", "/rtc/offer", {"sdp": "v=0"}, bearer))[0] == 401


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"\xff\xfe", "is not UTF-8"),
        (b"v=0", "is not valid JSON"),
        (b'["v=0"]', "must be a JSON object"),
        (b"{" * 70_000, "is not valid JSON"),
        (b" " * (MAX_BYTES + 1), "is over 1048576 bytes"),
        (b"", "is required"),
    ],
)
def test_a_body_that_is_no_offer_is_refused_and_uses_nothing_up(server: Server, body: bytes, message: str) -> None:
    token = asyncio.run(web_call(server))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SOON)
    for _ in range(2):
        connection.request("POST", "/rtc/offer", body, {"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        assert (answer.status, json.load(answer)["error"]["fields"]["body"][: len(message)]) == (400, message)
    connection.close()


def test_a_client_that_leaves_in_the_middle_of_its_offer_is_forgotten(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=SOON) as line:
        line.sendall(b"POST /rtc/offer HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert asyncio.run(ask(server, "POST", "/rtc/offer", {}))[0] == 401


@live
async def test_a_join_for_which_no_port_is_left_is_refused_and_uses_nothing_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with Server(Emulator(Settings(seed="test"), SPEC), network=Network(ports=(port, port))) as server:
            token = await web_call(server)
            async with client() as one:
                status, answer = await ask(server, "POST", "/rtc/offer", {"sdp": await one.offer()}, token)
                assert (status, answer["error"]["code"]) == (503, "unavailable")
                advice = f"no UDP port from {port} to {port} is free on 127.0.0.1; widen --media-ports"
                assert advice in answer["error"]["message"]
                assert f"a join failed: {advice}" in caplog.text
            taken.close()
            async with client() as one:
                await one.join(server, token)
                await one.told(state("speaking"))
