"""Whom a process contacts that holds a server, rooms and a client: itself, by the loopback, and nobody else."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from aioice import ice

from revdesk_mock import Emulator, Settings
from revdesk_mock.server import Server
from tests.rtc.test_signalling import ask, client, state, web_call

ROOT = Path(__file__).parents[2]
FOREIGN = """\
a=candidate:1 1 udp 2122260223 192.0.2.66 50000 typ host generation 0
a=candidate:2 1 udp 2122194687 0c2b1f6e-8d57-4a30-9a41-5e7d1c0f9b26.local 50001 typ host generation 0
a=candidate:3 1 udp 2122194687 2001:db8::66 50002 typ host generation 0
a=candidate:4 1 tcp 1518280447 192.0.2.67 9 typ host tcptype active generation 0
a=candidate:5 1 udp 1686052607 198.51.100.7 50003 typ srflx raddr 192.0.2.66 rport 50000 generation 0
a=candidate:6 1 udp 41885439 203.0.113.7 3478 typ relay raddr 0.0.0.0 rport 0 generation 0
a=end-of-candidates
a=ice-ufrag:"""


def test_candidates_of_the_other_side_are_not_contacted_and_no_name_is_looked_up() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.rtc.test_contacts"], check=True, capture_output=True, text=True, cwd=ROOT
    )
    contacts = [tuple(contact) for contact in json.loads(done.stdout)]
    assert {event for event, _ in contacts} >= {"socket.bind", "socket.connect", "socket.sendto"}
    assert {host for _, host in contacts} == {"127.0.0.1"}


async def join(url: Server) -> None:
    """Join a room with an offer full of foreign addresses, until the agent has been heard."""
    async with client() as one:
        offer = (await one.offer()).replace("a=ice-ufrag:", FOREIGN)
        _, answer = await ask(url, "POST", "/rtc/offer", {"sdp": offer}, await web_call(url))
        await one.accept(answer["sdp"])
        await one.told(state("listening"))
        await one.hears(440)


def main() -> None:
    """Print every address that Python's sockets were given."""
    contacts: list[tuple[str, str]] = []

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event in {"socket.bind", "socket.connect", "socket.sendto", "socket.sendmsg"}:
            contacts.append((event, arguments[1][0]))
        elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
            contacts.append((event, arguments[0]))

    ice.get_host_addresses = lambda **_: ["127.0.0.1"]  # as conftest does, for the client
    sys.modules["uvloop"] = None  # type: ignore[assignment] # its sockets are not Python's
    sys.addaudithook(note)
    with Server(Emulator(Settings(seed="test"))) as server:
        asyncio.run(join(server))
    print(json.dumps(contacts))  # noqa: T201 # for the test


if __name__ == "__main__":
    main()
