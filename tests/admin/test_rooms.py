"""The admin API of rooms: who is there, what was noted, and orders for their agents."""

from collections.abc import Iterator
from typing import Any

import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.server import Server
from tests.conftest import AGENT, MAIN, ORDINARY, SPEC
from tests.rtc.caller import live
from tests.rtc.test_signalling import Client, ask, client, web_call


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="test"), SPEC)) as running:
        yield running
        assert running.emulator.pipeline.breaches == []


async def room_of(server: Server, one: Client, token: str) -> str:
    """Join, and return the path of the room."""
    return f"/_revdesk/rooms/{(await one.join(server, token))['room']['name']}"


@live
async def test_a_room_shows_its_call_and_what_was_noted(server: Server) -> None:
    async with client() as one:
        path = await room_of(server, one, await web_call(server, mode="tone"))
        _, room = await ask(server, "GET", path)
        assert [who["identity"].partition("-")[0] for who in room["participants"]] == ["agent", "browser"]
        assert room["call_id"] == room["room_name"].replace("room_", "call_")
        assert (room["behaviour"], room["digits"]) == ({"mode": "tone"}, "")


@pytest.mark.parametrize("order", [{}, {"mode": "dance"}, {"mode": "tone", "seconds": 5}])
def test_an_order_that_is_no_good_is_refused_with_what_would_do(server: Server, order: Any) -> None:
    @live
    async def ordered() -> None:
        async with client() as one:
            path = await room_of(server, one, await web_call(server))
            status, answer = await ask(server, "POST", f"{path}/agent", order)
            assert (status, answer["error"]["code"]) == (400, "validation_error")
            assert "mode" in answer["error"]["fields"]["body"]
            assert (await ask(server, "GET", path))[1]["behaviour"] == {"mode": "echo"}

    ordered()


@live
async def test_a_text_that_is_too_long_is_refused(server: Server) -> None:
    async with client() as one:
        path = await room_of(server, one, await web_call(server))
        status, answer = await ask(server, "POST", f"{path}/say", {"text": "x" * 5000})
        assert (status, "4000 characters" in answer["error"]["message"]) == (400, True)


@live
async def test_where_no_agent_is_none_can_be_ordered(server: Server) -> None:
    _, answer = await ask(server, "POST", "/v1/room-token", {"from_number": MAIN, "to_number": ORDINARY})
    async with client() as one:
        path = await room_of(server, one, answer["data"]["token"])
        assert (await ask(server, "POST", f"{path}/agent", {"mode": "tone"}))[0] == 404
        assert (await ask(server, "POST", f"{path}/say", {"text": "Hello."}))[0] == 404


@live
async def test_a_room_that_is_not_open_is_404(server: Server) -> None:
    assert (await ask(server, "POST", f"/v1/agents/{AGENT}/web-call"))[0] == 200
    for method, path in (("GET", ""), ("POST", "/agent"), ("POST", "/say")):
        body = None if method == "GET" else {"mode": "tone"}
        assert (await ask(server, method, f"/_revdesk/rooms/room_x{path}", body))[0] == 404


@live
async def test_who_is_in_a_room_hears_the_keys_that_are_pressed_by_hand_and_its_agent_knows_them(
    server: Server,
) -> None:
    async with client() as one:
        path = await room_of(server, one, await web_call(server))
        call = (await ask(server, "GET", path))[1]["call_id"]
        status, told = await ask(server, "POST", f"/_revdesk/calls/{call}/digits", {"digits": "7#"})
        assert (status, told["digits"]) == (200, "7#")
        assert (await ask(server, "GET", path))[1]["digits"] == "7#"
        await one.told(lambda message: message == {"type": "dtmf", "digits": "7#", "from": "phone"})
