"""Where a peer's sockets are, and what the other side is told of them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """Loopback and any free port, unless told otherwise.

    `announced` replaces the bound addresses in what the other side reads (a container's outside address);
    `ports` is the lowest and the highest UDP port to use, one for each connection and address.
    """

    addresses: tuple[str, ...] = ("127.0.0.1",)
    announced: str | None = None
    ports: tuple[int, int] | None = None


LOOPBACK = Network()
