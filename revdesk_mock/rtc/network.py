"""Where a peer's sockets are, and what the other side is told of them."""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

HIGHEST_PORT = 65_535


@dataclass(frozen=True)
class Network:
    """Loopback and any free port, unless told otherwise.

    `addresses` are bound, `0.0.0.0` and `::` standing for each of this machine's but the loopback. The other side is
    told of those, and of the `announced` as well: a container's outside address. `ports` is the lowest and the highest
    UDP port to use, one for each connection and address.
    """

    addresses: tuple[str, ...] = ("127.0.0.1",)
    announced: tuple[str, ...] = ()
    ports: tuple[int, int] | None = None

    def advice(self) -> str:
        """Say what to try where the other side does not reach the sockets."""
        ports = "any free UDP port" if self.ports is None else f"the UDP ports {self.ports[0]} to {self.ports[1]}"
        announced = f", are also said to be at {' and '.join(self.announced)}" if self.announced else ""
        return (
            f"rooms listen on {' and '.join(self.addresses)}{announced}, and use {ports}. Firefox and other machines "
            "need --media-host with an address they reach; from outside a container or NAT, give --media-ip with that "
            "address too, and publish the ports of --media-ports"
        )


LOOPBACK = Network()


def read_bound(text: str) -> str:
    """Return an address for rooms to bind; raises ValueError unless it is one of this machine's, or all of them."""
    address = _read(text, "the address of this machine, such as 192.0.2.7, or 0.0.0.0 for all but the loopback")
    with socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError as error:
            raise ValueError(f"{text} is no address of this machine ({error.strerror})") from error
    return str(address)


def read_announced(text: str) -> str:
    """Return an address for clients to be told; raises ValueError for what nobody can send to."""
    address = _read(text, "the address at which clients reach this machine, such as 192.0.2.7")
    if address.is_unspecified:
        raise ValueError(f"nobody can send to {text}; give the address at which clients reach this machine")
    return str(address)


def read_ports(text: str) -> tuple[int, int]:
    """Return the lowest and the highest port of a range; raises ValueError for what is none."""
    low, _, high = text.partition("-")
    if not (low.isascii() and low.isdigit() and high.isascii() and high.isdigit()):
        raise ValueError(f"{text!r} is no range of ports, such as 50000-50100")
    if not 0 < int(low) <= int(high) <= HIGHEST_PORT:
        raise ValueError(f"{text!r} is no range of ports: from 1 to {HIGHEST_PORT}, the lower one first")
    return int(low), int(high)


def _read(text: str, wanted: str) -> IPv4Address | IPv6Address:
    try:
        address = ip_address(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no IP address; give {wanted}") from error
    if address.is_multicast or str(address) == "255.255.255.255":
        raise ValueError(f"{text} is no address of one machine; give {wanted}")
    return address
