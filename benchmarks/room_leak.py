"""Many calls, one after the other and some at a time, by each signalling and with each end but the slow one.

python -m benchmarks.room_leak URL CALLS plain|one|two; prints their number when all have ended.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from aioice import ice

from benchmarks.room_load import At
from tests.rtc.test_leaks import ENDS, livekit_call, plain_call

AT_A_TIME = 8
QUICK = [end for end in ENDS if end != "vanishes"]  # that one is noticed after 30 s
CALLS: Mapping[str, Callable[[At, str], Awaitable[None]]] = {
    "plain": plain_call,
    "one": partial(livekit_call, is_dual=False),
    "two": partial(livekit_call, is_dual=True),
}


async def main(url: str, calls: int, signalling: str) -> None:
    """Make the calls."""
    turn, server = asyncio.Semaphore(AT_A_TIME), At(url)

    async def call(number: int) -> None:
        async with turn:
            await CALLS[signalling](server, QUICK[number % len(QUICK)])

    async with asyncio.TaskGroup() as calling:
        for number in range(calls):
            calling.create_task(call(number))
    print(json.dumps(calls))


if __name__ == "__main__":
    ice.get_host_addresses = lambda **_: ["127.0.0.1"]
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
