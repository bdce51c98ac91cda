"""The sockets of a connection: on the given addresses and ports alone, and announced as told."""

import errno
import socket

import pytest

from revdesk_mock.rtc.network import LOOPBACK, Network
from revdesk_mock.rtc.sockets import addresses_of, bind, require_port
from tests.rtc.caller import Caller, call, live


def test_every_address_is_each_of_them_but_the_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {True: ["10.0.0.2", "10.1.0.2"], False: ["fd00::2"]}
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda *, use_ipv4, use_ipv6: found[use_ipv4 and not use_ipv6])
    assert addresses_of(Network(("0.0.0.0",))) == ["10.0.0.2", "10.1.0.2"]
    assert addresses_of(Network(("127.0.0.1", "0.0.0.0", "10.0.0.2", "::"))) == [
        "127.0.0.1",
        "10.0.0.2",
        "10.1.0.2",
        "fd00::2",
    ]


def test_every_address_of_a_machine_without_a_network_is_the_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: [])
    assert addresses_of(Network(("0.0.0.0", "::"))) == ["127.0.0.1", "::1"]


def test_the_lowest_free_port_of_the_range_is_taken() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with bind("127.0.0.1", Network(ports=(port, port + 20))) as bound:
            assert port < bound.getsockname()[1] <= port + 20
        with pytest.raises(OSError, match=f"no UDP port from {port} to {port} is free on 127.0.0.1; widen --media-"):
            require_port(Network(ports=(port, port)))
    require_port(Network(ports=(port, port)))
    require_port(LOOPBACK)


def test_an_address_that_is_gone_is_said() -> None:
    with pytest.raises(OSError, match=r"no UDP socket on 203\.0\.113\.9: .*; see --media-host") as caught:
        require_port(Network(("203.0.113.9",), ports=(50_000, 50_100)))
    assert caught.value.errno == errno.EADDRNOTAVAIL


async def told(caller: Caller, answer: str) -> set[str]:
    await caller.accept(answer)
    return {line.split()[4] for line in answer.splitlines() if line.startswith("a=candidate:")}


@live
async def test_outside_addresses_are_told_beside_the_bound_ones() -> None:
    async with call(network=Network(("127.0.0.1", "127.0.0.2"), ("192.0.2.7",))) as (peer, caller):
        caller.speak()
        answer = await peer.answer(await caller.offer())
        assert await told(caller, answer) == {"127.0.0.1", "127.0.0.2", "192.0.2.7"}
