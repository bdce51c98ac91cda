"""Clients that do not say good-bye, and a server that stops: everything is cleaned up, and on time."""

import asyncio
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import uvicorn

from revdesk_mock import Emulator, Settings
from revdesk_mock.clock import stopwatch
from revdesk_mock.rtc.peer import Peer
from revdesk_mock.server import Server
from tests.conftest import KEY, SPEC
from tests.rtc.caller import live
from tests.rtc.test_signalling import ask, client, newest, state, web_call

ROOT = Path(__file__).parents[2]


def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a lost connection be noticed in 3 s instead of 30, and come back within 0.1 s instead of 10."""
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.01)
    monkeypatch.setattr("revdesk_mock.rtc.switchboard.GRACE", 0.1)


async def end_of_the_call(server: Server) -> str:
    """Wait until the newest call has ended."""
    async with asyncio.timeout(10):
        while not (call := await newest(server))["ended_at"]:
            pass
    return str(call["status"])


def test_the_call_of_a_client_that_is_killed_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    soon(monkeypatch)
    with Server(Emulator(Settings(seed="test", rate_limit="off"), SPEC)) as server:
        with subprocess.Popen(
            [sys.executable, "-m", "tests.rtc.far_client", server.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.kill()
        assert asyncio.run(end_of_the_call(server)) == "COMPLETED"
        assert server._uvicorn._app._signalling._lines == set()


@live
async def test_the_call_of_a_client_that_never_connects_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    soon(monkeypatch)
    monkeypatch.setattr("revdesk_mock.rtc.line.Peer", partial(Peer, join_within=0.1))
    with Server(Emulator(Settings(seed="test", rate_limit="off"), SPEC)) as server:
        async with client() as one:
            await ask(server, "POST", "/rtc/offer", {"sdp": await one.offer()}, await web_call(server))
            await end_of_the_call(server)
        assert "a join failed: the other side did not connect within 0.1 s; rooms listen on 127.0.0.1" in caplog.text
        assert server._uvicorn._app._signalling._lines == set()


@live
async def test_a_server_stops_with_people_in_its_rooms_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left: list[set[str]] = []
    stop = uvicorn.Server.shutdown

    async def look(server: uvicorn.Server, sockets: object = None) -> None:
        await stop(server, sockets)  # type: ignore[arg-type] # as it came
        left.append({str(task) for task in asyncio.all_tasks() - {asyncio.current_task()}})

    monkeypatch.setattr("uvicorn.Server.shutdown", look)
    with Server(Emulator(Settings(seed="test"), SPEC)) as server:
        async with client() as one, client() as two, client() as three, client() as deaf:
            await ask(server, "POST", "/rtc/offer", {"sdp": await deaf.offer()}, await web_call(server))
            for each in (one, two, three):
                await each.join(server, await web_call(server))
            for each in (one, two, three):
                await each.told(state("speaking"))
            started = stopwatch()
            await asyncio.get_running_loop().run_in_executor(None, server.stop)
            assert stopwatch() - started < 2
            for each in (one, two, three):
                assert (await each.told(lambda event: event["type"] == "closed"))["reason"] == "shutdown"
    assert left == [set()]
    assert server.emulator.world(KEY).clock._watcher is None
