"""The UDP sockets of a connection: the given addresses and ports, and a bound on what waits to be read."""

import asyncio

from aioice import Candidate, Connection
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


async def bind(connection: Connection, address: str, network: Network) -> StunProtocol:
    """Open one UDP socket of a connection; raises OSError if no port is free there."""
    low, high = network.ports or (0, 0)  # 0: any
    refusal = OSError(f"no UDP port from {low} to {high} is free on {address}")
    for port in range(low, high + 1):
        try:
            _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: StunProtocol(connection), local_addr=(address, port)
            )
        except OSError as error:
            refusal.__cause__ = error
        else:
            return protocol
    raise refusal


async def gather(connection: Connection, component: int, network: Network) -> list[Candidate]:
    """Bind the given addresses alone: aioice would bind every address of the machine except the loopback."""
    candidates = []
    for address in network.addresses:
        protocol = await bind(connection, address, network)
        host, port = protocol.transport.get_extra_info("sockname")[:2]
        connection._protocols.append(protocol)
        protocol.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host"),
            host=network.announced or host,
            port=port,
            type="host",
        )
        candidates.append(protocol.local_candidate)
    return candidates
