"""Where the time of POST /v1/room-token goes inside the process, by file: own time under cProfile, as shares.

    python -m benchmarks.shares [--requests 4000] [--out benchmarks/results/shares.json]

The profiler makes calls dearer than they are, so these are shares to compare, not times.
"""

import argparse
import asyncio
import cProfile
import json
import pstats
from collections import Counter
from pathlib import Path

from revdesk_mock import Emulator, Policies, Settings
from revdesk_mock.app import App
from revdesk_mock.request_log import RequestLog

ROOT = Path(__file__).parent.parent
BODY = b'{"from_number":"+14155550100","to_number":"+13125550100"}'
HUGE = 10**9
SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/v1/room-token",
    "raw_path": b"/v1/room-token",
    "query_string": b"",
    "scheme": "http",
    "headers": [
        (b"host", b"127.0.0.1:8473"),
        (b"authorization", b"Bearer revdesk_benchmark"),
        (b"content-type", b"application/json"),
    ],
}


async def receive() -> dict[str, object]:
    return {"type": "http.request", "body": BODY, "more_body": False}


async def send(_: object) -> None:
    pass


def app() -> App:
    policies = Policies(daily_spend_cap_cents=HUGE, concurrency_cap=HUGE, calls_per_minute=HUGE)
    emulator = Emulator(Settings(rate_limit=HUGE, policies=policies))
    log = RequestLog(Path("/dev/null").open("w"), "info", as_json=False, colour=False)  # noqa: SIM115 for the whole run
    emulator.journal.on_entry(log.add)
    return App(emulator)


async def run(served: App, requests: int) -> None:
    for number in range(requests):
        await served(dict(SCOPE), receive, send)
        if number % 16 == 0:
            await asyncio.sleep(0)  # the loop turns, and the log is written


def place_of(file: str) -> str:
    for library in ("jwt", "json/", "base64", "hmac"):
        if f"/{library}" in file:
            return "PyJWT and what it calls"
    if "revdesk_mock/" in file:
        return file.partition("revdesk_mock/")[2].rpartition("revdesk_mock/")[2] or file
    return "built-in functions" if file == "~" else "standard library and Starlette"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/shares.json")
    options = parser.parse_args()
    served = app()
    asyncio.run(run(served, 200))
    profiler = cProfile.Profile(builtins=False)  # a built-in's time belongs to whoever calls it
    profiler.enable()
    asyncio.run(run(served, options.requests))
    profiler.disable()
    own: Counter[str] = Counter()
    for (file, _, _), (_, _, seconds, _, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined] # untyped
        own[place_of(file)] += seconds
    total = sum(own.values())
    shares = {place: round(seconds / total * 100, 1) for place, seconds in own.most_common() if seconds / total > 0.005}
    result = {"command": f"python -m benchmarks.shares --requests {options.requests}", "percent of own time": shares}
    print(json.dumps(result, indent=1))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
