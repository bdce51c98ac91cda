"""The emulator that `benchmarks.rooms` measures: as the command line starts it, and it answers questions about itself.

python -m benchmarks.room_server; a question is one word on a line of standard input, its answer one line of JSON.
"""

import asyncio
import json
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from revdesk_mock import Emulator, Policies, Settings
from revdesk_mock.server import Server
from tests.rtc.census import census

TICK = 0.005  # seconds between two looks at the loop


def rss() -> float:
    """Return this process's resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * resource.getpagesize() / 2**20, 1)


class Lag:
    """How late the event loop is: a timer that should come every TICK, and by how much it came later."""

    def __init__(self) -> None:
        self._late: list[float] = []

    async def watch(self) -> None:
        """Measure for ever."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            self._late.append(time.perf_counter() - before - TICK)

    def report(self) -> dict[str, float]:
        """Return milliseconds since the last report, and begin anew."""
        late, self._late = sorted(self._late), []
        if not late:
            return {}
        return {name: round(late[int(share * (len(late) - 1))] * 1000, 1) for name, share in SHARES.items()}


SHARES = {"median": 0.5, "p99": 0.99, "max": 1.0}


def main() -> None:
    policies = Policies(daily_spend_cap_cents=None, concurrency_cap=None, calls_per_minute=None)
    server = Server(Emulator(Settings(rate_limit="off", policies=policies)), port=0)
    start, lag, watching = server._uvicorn.startup, Lag(), set[asyncio.Task[None]]()  # noqa: SLF001 # to be on its loop

    async def start_and_listen(sockets: object = None) -> None:
        await start(sockets)  # type: ignore[arg-type] # as it came
        loop = asyncio.get_running_loop()

        def watch() -> dict[str, float]:
            if not watching:
                watching.add(loop.create_task(lag.watch()))
            return lag.report()

        questions: Mapping[str, Callable[[], object]] = {
            "census": lambda: {"MiB": rss(), **kept(server), **census(loop)},
            "lag": watch,
        }
        loop.add_reader(sys.stdin, lambda: answer(questions))
        print(json.dumps(server.url), flush=True)

    server._uvicorn.startup = start_and_listen  # type: ignore[method-assign] # noqa: SLF001 # as above
    server.run()


def kept(server: Server) -> dict[str, float]:
    """Return what is kept of calls on purpose: their records, and the MiB of their tapes."""
    worlds = server.emulator.worlds()
    tapes = server._uvicorn._app._recorder._size / 2**20  # noqa: SLF001 # nothing else needs to know
    return {"calls": sum(len(world.store.all("calls")) for world in worlds), "MiB of tapes": round(tapes, 1)}


def answer(questions: Mapping[str, Callable[[], object]]) -> None:
    """Answer the question that waits; stop when whoever asked is gone."""
    question = sys.stdin.readline().strip()
    if question:
        print(json.dumps(questions[question]()), flush=True)
    else:
        signal.raise_signal(signal.SIGTERM)


if __name__ == "__main__":
    main()
