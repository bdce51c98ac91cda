"""The transport: the world without a socket, under asyncio, trio or neither, and what a socket would have raised."""

from collections.abc import AsyncIterator, Iterator

import anyio
import httpx
import pytest

from revdesk_mock.json_body import MAX_BYTES
from revdesk_mock.testing.handle import RevDesk
from revdesk_mock.testing.remote import RevDeskServer
from revdesk_mock.testing.transport import EmulatorTransport
from tests.conftest import MAIN, ORDINARY
from tests.testing.conftest import Suite

DIAL = {"from_number": MAIN, "to_number": ORDINARY}


@pytest.fixture
def transport(server: RevDeskServer) -> EmulatorTransport:
    assert server.local is not None
    return EmulatorTransport(server.local)


@pytest.fixture
def client(world: RevDesk, transport: EmulatorTransport) -> Iterator[httpx.Client]:
    with httpx.Client(transport=transport, base_url=world.url, headers=world.headers) as made:
        yield made


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def async_client(world: RevDesk, transport: EmulatorTransport) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=transport, base_url=world.url, headers=world.headers) as made:
        yield made


def patience(do: str) -> float:
    """Return how long a client waits: where nothing comes, that is how long the test takes."""
    return 0.1 if do == "stall" else 30


def test_it_answers_as_the_socket_does(world: RevDesk, client: httpx.Client) -> None:
    for asked in ("/v1/me", "/v1/phone-numbers?limit=1", "/v1/nowhere", "/v1/calls/caf%C3%A9"):
        near, far = client.get(asked), world.client.get(asked)
        assert (near.status_code, near.json()) == (far.status_code, far.json())
    assert client.post("/v1/calls/dial", json=DIAL).is_success
    assert [call["status"] for call in world.calls.list()][-1] == "queued"


def test_a_body_over_the_limit_is_refused_as_by_the_door(world: RevDesk, client: httpx.Client) -> None:
    big = b'"' + b"x" * MAX_BYTES + b'"'
    typed = {"Content-Type": "application/json"}
    near, far = (asked.post("/v1/calls/dial", content=big, headers=typed) for asked in (client, world.client))
    assert (near.status_code, near.json()) == (far.status_code, far.json())


@pytest.mark.parametrize(
    ("do", "error"),
    [("reset", httpx.ReadError), ("empty", httpx.RemoteProtocolError), ("stall", httpx.ReadTimeout)],
)
def test_what_fails_on_the_wire_raises_what_a_socket_raises(
    world: RevDesk, client: httpx.Client, do: str, error: type[Exception]
) -> None:
    for asked in (client, world.client):
        world.faults.add("POST /v1/calls/dial", do=do)
        with pytest.raises(error):
            asked.post("/v1/calls/dial", json=DIAL, headers={"Idempotency-Key": "one"}, timeout=patience(do))
    assert len(world.calls.list()) == 4


@pytest.mark.parametrize(("do", "error"), [("cut", httpx.RemoteProtocolError), ("stall", httpx.ReadTimeout)])
def test_a_body_that_ends_early_raises_after_what_came(
    world: RevDesk, client: httpx.Client, do: str, error: type[Exception]
) -> None:
    world.faults.add("GET /v1/me", do={do: {"after": 10}}, every=1)
    for asked in (client, world.client):
        with asked.stream("GET", "/v1/me", timeout=patience(do)) as answer:
            pieces = answer.iter_raw()
            assert len(next(pieces)) == 10
            with pytest.raises(error):
                next(pieces)


def test_a_wait_in_a_standing_world_is_the_clients_timeout(world: RevDesk, client: httpx.Client) -> None:
    world.faults.add("GET /v1/me", do={"delay_ms": 1000}, first=1)
    with pytest.raises(httpx.ReadTimeout):
        client.get("/v1/me", timeout=0.1)
    assert client.get("/v1/me").is_success


@pytest.mark.anyio
async def test_asynchronous_clients_are_answered_in_any_loop(world: RevDesk, async_client: httpx.AsyncClient) -> None:
    assert (await async_client.post("/v1/calls/dial", json=DIAL)).is_success
    world.faults.add("GET /v1/me", do="reset", first=1)
    with pytest.raises(httpx.ReadError):
        await async_client.get("/v1/me")
    assert (await async_client.get("/v1/me")).is_success


@pytest.mark.anyio
async def test_an_asynchronous_client_may_go_while_it_waits(world: RevDesk, async_client: httpx.AsyncClient) -> None:
    world.faults.add("GET /v1/me", do={"delay_ms": 1000}, first=1)
    with anyio.move_on_after(0.05) as scope:
        await async_client.get("/v1/me", timeout=None)
    assert scope.cancelled_caught
    assert (await async_client.get("/v1/me")).is_success


@pytest.mark.anyio
async def test_pieces_of_a_body_come_one_by_one(async_client: httpx.AsyncClient, world: RevDesk) -> None:
    whole = (await async_client.get("/v1/me")).content
    world.clock.run()
    world.faults.add("GET /v1/me", do={"dribble": {"pieces": 4, "ms": 20}})
    async with async_client.stream("GET", "/v1/me") as answer:
        pieces = [piece async for piece in answer.aiter_raw()]
    assert len(pieces) == 4
    assert len(b"".join(pieces)) == len(whole)


def test_the_fixture_leads_into_the_world_of_the_test(suite: Suite) -> None:
    ran = suite.run(
        """
        import httpx

        def test_it(revdesk, revdesk_transport):
            with httpx.Client(transport=revdesk_transport, base_url="http://api", headers=revdesk.headers) as one:
                assert one.post("/v1/sub-entities", json={"name": "New"}).is_success
            assert revdesk.journal.count(method="POST") == 1
        """
    )
    assert ran.counts == {"passed": 1}


def test_the_fixture_needs_a_server_in_this_process(suite: Suite, server: RevDeskServer) -> None:
    ran = suite.run("def test_it(revdesk_transport): pass", f"--revdesk-url={server.url}")
    assert ran.counts == {"errors": 1}
    assert ran.says("revdesk_transport leads into a server in this process", "run this test without it")
