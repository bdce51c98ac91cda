"""A person and an agent talk over the wire: turns, keys, orders, and what is kept of it when they have parted."""

import asyncio
import io
import json
import urllib.request
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.clock import parse_iso
from revdesk_mock.rtc.media import level
from revdesk_mock.rtc.packets import RATE
from revdesk_mock.server import Server
from tests.conftest import AGENT, KEY, SPEC
from tests.rtc.caller import frequency_of, live, stretch_of
from tests.rtc.hearing import heard, word_errors
from tests.rtc.test_signalling import Client, ask, client, newest, state, web_call

GREETING = "Thank you for calling."


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="test"), SPEC)) as running:
        yield running
        assert running.emulator.pipeline.breaches == []


@asynccontextmanager
async def greeted(server: Server, hertz: float = 440.0, **agent: Any) -> AsyncIterator[Client]:
    """Give a client, silent so far, whose agent has ended its greeting."""
    await ask(server, "PATCH", f"/v1/agents/{AGENT}", {"greeting": GREETING})
    async with client(hertz) as one:
        one.microphone.unmuted.clear()
        await one.join(server, await web_call(server, **agent))
        await one.told(said(GREETING))
        await one.told(lambda event: event["type"] == "closed" or state("listening")(event))
        yield one


def said(text: str) -> Callable[[Any], bool]:
    return lambda event: event["type"] == "said" and event["final"] and event["text"] == text


def speaks(who: str) -> Callable[[Any], bool]:
    return lambda event: event["type"] == "speaking" and any(one.startswith(who) for one in event["levels"])


def states(one: Client) -> list[str]:
    changes = [event["participant"] for event in one.events if event["type"] == "participant_changed"]
    return [who["attributes"]["lk.agent.state"] for who in changes if who["identity"] == "agent"]


async def speak(one: Client) -> None:
    """Speak until that was told three times, so for half a second, and then no more."""
    one.microphone.unmuted.set()
    for _ in range(3):
        one.events.clear()
        await one.told(speaks("browser-"))
    one.microphone.unmuted.clear()


async def call_agent(one: Client, method: str, payload: str = "") -> Any:
    one.say(type="rpc", id=method, to="agent", method=method, payload=payload)
    return await one.told(lambda event: event["type"] == "rpc_answer" and event["id"] == method)


async def read(server: Server, path: str) -> bytes:
    def load() -> bytes:
        with urllib.request.urlopen(server.url + path) as answer:  # noqa: S310 our own server
            return bytes(answer.read())

    return await asyncio.get_running_loop().run_in_executor(None, load)


async def ended(server: Server, one: Client) -> Any:
    """Leave, and return the call."""
    one.say(type="leave")
    await one.told(lambda event: event["type"] == "closed")
    return await newest(server)


@live
async def test_an_agent_with_a_script_says_a_line_after_each_turn(server: Server) -> None:
    async with greeted(server, mode="speak", script=["One.", "Two."]) as one:
        for line in ("One.", "Two."):
            await speak(one)
            await one.told(said(line))
            await one.told(state("listening"))
            assert states(one) == ["thinking", "speaking", "listening"]
            await one.told(speaks("agent"))


@live
async def test_an_agent_that_hangs_up_ends_the_call_so_long_after_its_greeting(server: Server) -> None:
    async with greeted(server, mode="hangup_after", seconds=0.2) as one:
        assert (await one.told(lambda event: event["type"] == "closed"))["reason"] == "completed"
        assert (await newest(server))["status"] == "COMPLETED"


@live
async def test_an_agent_sounds_a_tone_when_it_is_told_to_and_says_what_it_is_asked(server: Server) -> None:
    async with greeted(server, mode="silent") as one:
        room = (await ask(server, "GET", "/_revdesk/rooms"))[1][0]["room_name"]
        status, answer = await ask(server, "POST", f"/_revdesk/rooms/{room}/agent", {"mode": "tone"})
        assert (status, answer) == (200, {"room_name": room, "by": "agent", "mode": "tone"})
        await stretch_of(one.heard.get, 440)
        assert (await call_agent(one, "say", "Goodbye."))["error"] is None
        await one.told(said("Goodbye."))


@live
async def test_what_an_agent_hears_and_does_is_told_and_kept(server: Server) -> None:
    async with greeted(server, mode="silent") as one:
        one.say(type="dtmf", digits="12#")
        assert (await call_agent(one, "mode", '{"mode": "speak", "script": ["One."]}'))["error"] is None
        told = json.loads((await call_agent(one, "state"))["payload"])
        assert (told["mode"], told["digits"]) == ("speak", "12#")
        refused = (await call_agent(one, "mode.", "{}"), await call_agent(one, "say", ""))
        assert [answer["error"]["code"] for answer in refused] == [1400, 1500]
        [room] = (await ask(server, "GET", "/_revdesk/rooms"))[1]
        assert (room["digits"], room["behaviour"]) == ("12#", {"mode": "speak", "script": ["One."]})
        assert [words["text"] for words in room["said"]] == [GREETING]


@live
async def test_a_recording_has_the_person_on_the_left_and_the_agent_on_the_right(server: Server) -> None:
    async with greeted(server, hertz=700, mode="silent") as one:
        await speak(one)
        call = await ended(server, one)
    path = call["recording_url"].removeprefix(server.url)
    left, right = channels(await read(server, path))
    milliseconds = parse_iso(call["ended_at"]) - answered_at(server, call)
    assert len(left) == milliseconds * RATE // 1000
    assert call["duration_seconds"] == milliseconds // 1000
    loud = [part for part in np.array_split(left, len(left) // 960) if level(part) > -22]
    assert frequency_of(np.concatenate(loud)) == pytest.approx(700, abs=5)
    greeting = heard(right, [GREETING, "We are open from nine to five.", "Please hold the line."])
    assert word_errors(GREETING, greeting) == 0
    with av.open(io.BytesIO(await read(server, path.replace(".wav", ".ogg"))), "r") as file:
        samples = sum(frame.samples for frame in file.decode(audio=0))
    assert abs(samples - len(left)) <= RATE // 50


@live
async def test_a_transcript_has_what_the_agent_said_and_what_was_cut_off(server: Server) -> None:
    async with greeted(server, mode="silent") as one:
        await call_agent(one, "say", "Please hold the line for a moment.")
        await one.told(lambda event: event["type"] == "said" and event["text"].startswith("Please"))
        call = await ended(server, one)
    world = server.emulator.world(KEY)
    _, transcript = await ask(server, "GET", f"/_revdesk/worlds/{world.id}/calls/{call['id']}/transcript")
    turns = transcript["structured_transcript"]
    assert [(turn["role"], turn["text"], turn["interrupted"]) for turn in turns] == [
        ("assistant", GREETING, False),
        ("assistant", "Please hold the line for a moment.", True),
    ]
    instants = [parse_iso(turn["timestamp"]) for turn in turns]
    assert answered_at(server, call) <= instants[0] < instants[1] <= parse_iso(call["ended_at"])


def answered_at(server: Server, call: Any) -> int:
    record = server.emulator.world(KEY).store.get("calls", call["id"])
    assert record is not None
    return int(record["answered_at"])


def channels(file: bytes) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    with wave.open(io.BytesIO(file)) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, RATE)
        samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).reshape(-1, 2)
    return samples[:, 0], samples[:, 1]
