"""A client in a process of its own: it joins a web call, and tells as JSON once it hears its echo.

Takes the emulator's address; on the loopback it binds nothing else. It stays until its standard input ends.
"""

import asyncio
import json
import sys
from typing import Any

from aioice import ice

from tests.rtc.test_signalling import Client, client, state, web_call


class At:
    """Where an emulator is."""

    def __init__(self, url: str) -> None:
        self.url = url


def paths(one: Client) -> set[str]:
    """Return the addresses that the media goes between."""
    [transport] = {it.receiver.transport.transport for it in one.connection.getTransceivers()}
    pairs: Any = transport._connection._nominated.values()
    return {f"{pair.local_addr[0]} {pair.remote_addr[0]}" for pair in pairs}


async def main(url: str) -> None:
    async with client(hertz=700) as one:
        await one.join(At(url), await web_call(At(url)))
        await one.told(state("listening"))
        await one.hears(700)
        print(json.dumps({"hears": 700, "paths": sorted(paths(one))}), flush=True)  # noqa: T201 # what it is for
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    if "//127.0.0.1" in sys.argv[1]:
        ice.get_host_addresses = lambda **_: ["127.0.0.1"]  # as conftest does
    asyncio.run(main(sys.argv[1]))
