"""The UDP sockets of a connection: the given addresses and ports, and a bound on what waits to be read."""

import asyncio
import errno
import socket
from ipaddress import ip_address

from aioice import Candidate, Connection, ice
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import StunProtocol

from revdesk_mock.rtc.network import Network

MOST_DATAGRAMS = 512  # that wait to be read from one connection


class DropOldest(asyncio.Queue[tuple[bytes, int] | None]):
    """aioice keeps every datagram until it is read, also those that nobody authenticated; this queue has a bound."""

    def put_nowait(self, item: tuple[bytes, int] | None) -> None:
        """Add a datagram; the oldest makes room."""
        if self.full():
            self.get_nowait()
        super().put_nowait(item)


def bind(address: str, network: Network) -> socket.socket:
    """Return a UDP socket on an address; raises OSError that says what to do if none can be had."""
    low, high = network.ports or (0, 0)  # 0: any
    for port in range(low, high + 1):
        bound = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        bound.setblocking(False)
        try:
            bound.bind((address, port))
        except OSError as error:
            bound.close()
            if error.errno != errno.EADDRINUSE or network.ports is None:
                advice = f"no UDP socket on {address}: {error.strerror}; see --media-host and --media-ports"
                raise OSError(error.errno, advice) from error
        else:
            return bound
    raise OSError(errno.EADDRINUSE, f"no UDP port from {low} to {high} is free on {address}; widen --media-ports")


def addresses_of(network: Network) -> list[str]:
    """Return the addresses to bind.

    A socket on `0.0.0.0` would answer from whichever address the route has, and clients drop an answer that comes
    from another than they asked. So it stands for one socket on each address, but the loopback if there are others.
    """
    addresses: list[str] = []
    for text in network.addresses:
        address = ip_address(text)
        found = [text]
        if address.is_unspecified:
            is_four = address.version == 4
            found = ice.get_host_addresses(use_ipv4=is_four, use_ipv6=not is_four)
            found = found or ["127.0.0.1" if is_four else "::1"]
        addresses += found
    return list(dict.fromkeys(addresses))


def require_port(network: Network) -> None:
    """Raise OSError, as `bind` does, if there is no port for one more connection."""
    for address in addresses_of(network):
        bind(address, network).close()


async def gather(connection: Connection, component: int, network: Network) -> list[Candidate]:
    """Bind the given addresses alone: aioice would bind every address of the machine except the loopback."""
    candidates: dict[tuple[str, int], Candidate] = {}
    for address in addresses_of(network):
        _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: StunProtocol(connection), sock=bind(address, network)
        )
        host, port = protocol.transport.get_extra_info("sockname")[:2]
        connection._protocols.append(protocol)
        told = [_candidate(component, it, port) for it in (host, *network.announced)]
        protocol.local_candidate = told[0]
        candidates |= {(it.host, it.port): it for it in told}
    return list(candidates.values())


def _candidate(component: int, host: str, port: int) -> Candidate:
    return Candidate(
        foundation=candidate_foundation("host", "udp", host),
        component=component,
        transport="udp",
        priority=candidate_priority(component, "host"),
        host=host,
        port=port,
        type="host",
    )
