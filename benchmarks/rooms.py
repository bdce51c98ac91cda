"""What rooms cost: joins, echoes, rooms on a core, and whether anything is left of a thousand calls.

    python -m benchmarks.rooms [--parts joins echoes browser rooms leak] [--out benchmarks/results/rooms.json]

The emulator runs in a process of its own, clients in others, on the same two cores. Parts that are not asked for keep
what they measured before. `browser` needs Chromium and npm's packages, as its tests do.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.conftest import AGENT, KEY

ROOT = Path(__file__).parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
# A core, and gaps that a browser's jitter buffer still bridges.
MOST_CORES, LONGEST_GAP = 1.0, 40.0
ROOMS = 20, 40, 80, 120, 160, 200, 240, 280
SETTLES = 5.0  # seconds that short greetings take
LONG = ("The quick brown fox jumps over the lazy dog near the bank of the river. " * 14)[:1000]  # a minute
CALMS_WITHIN = 30.0  # seconds: a connection that dropped is kept for 10

Result = dict[str, Any]


def command(module: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]


class Process:
    """A process of ours that answers a line by a line of JSON."""

    def __init__(self, module: str, *arguments: object) -> None:
        self.process = subprocess.Popen(
            command(module, *arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self._in, self._out = self.process.stdin, self.process.stdout

    def say(self, line: str = "") -> None:
        """Send it a line."""
        if self._in:
            print(line, file=self._in, flush=True)

    def hear(self) -> Any:
        """Wait for a line of it."""
        return json.loads(self._out.readline() if self._out else "")

    def ask(self, question: str) -> Any:
        """Send it a line, and wait for the answer."""
        self.say(question)
        return self.hear()

    def cpu(self) -> float:
        """Return the seconds of a processor that it took so far."""
        spent = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(spent[11]) + int(spent[12])) / TICKS

    def stop(self) -> float:
        """End it, and return how many milliseconds that took."""
        began = time.perf_counter()
        self.process.terminate()
        self.process.wait()
        return (time.perf_counter() - began) * 1000


@contextmanager
def emulator() -> Iterator[tuple[Process, str]]:
    """Give a fresh emulator, and where it is."""
    server = Process("room_server")
    try:
        yield server, server.hear()
    finally:
        server.stop()


def run(module: str, *arguments: object) -> Any:
    """Let a process do its work, and return what it prints."""
    return json.loads(subprocess.run(command(module, *arguments), cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def spread(seen: Iterable[float]) -> Result:
    """Return the middle and the end of what was measured, in milliseconds."""
    values = sorted(seen)
    found = {"median": median(values), "p95": at(values, 0.95), "max": values[-1]}
    return {**{name: round(value, 1) for name, value in found.items()}, "count": len(values)}


def at(values: list[float], share: float) -> float:
    return values[int(share * (len(values) - 1))]


def measure_joins() -> Result:
    """Measure from the token to the first sound, with an aiortc client, on a server joined before and on fresh ones."""
    with emulator() as (_, url):
        run("room_latency", "joins", 2, url)
        warm = run("room_latency", "joins", 50, url)
    with ExitStack() as servers:
        fresh = [servers.enter_context(emulator())[1] for _ in range(6)]
        cold = run("room_latency", "joins", 1, *fresh)
    return {
        "warm": {way: {moment: spread(took) for moment, took in seen.items()} for way, seen in warm.items()},
        "cold": {moment: spread(took) for moment, took in cold["POST /rtc/offer"].items()},
    }


def measure_echoes() -> Result:
    """Measure from what a client sends to its echo: at its socket, and where it has been decoded."""
    with emulator() as (_, url):
        return {what: spread(took) for what, took in run("room_latency", "echoes", 20, url).items()}


def measure_browser() -> Result:
    """Measure both in Chromium with livekit-client."""
    with emulator() as (_, url):
        run("room_latency", "joins", 1, url)
        seen = run("room_browser", 50, url)
    joins = {moment: spread(took) for moment, took in seen["joins"].items()}
    first = {moment: round(took, 1) for moment, took in seen["a page's first join"].items()}
    return {"joins": joins, "a page's first join": first, "echoes": spread(seen["echoes"])}


def measure_rooms() -> Result:
    """Fill more and more rooms, as long as they take no more than a core and sound without holes."""
    return {
        "echo": rooms_on_a_core("echo"),
        "speech without end": rooms_on_a_core("speech"),
        "echo, clients tell no levels": [fill("echo without levels", 40)],
    }


def rooms_on_a_core(mode: str) -> list[Result]:
    filled: list[Result] = []
    for rooms in ROOMS:
        filled.append(fill(mode, rooms))
        print(json.dumps({mode: filled[-1]}), flush=True)
        if filled[-1]["cores"] > MOST_CORES or filled[-1]["gap"]["p99"] >= LONGEST_GAP:
            break
    return filled


def fill(mode: str, rooms: int, seconds: float = 10.0) -> Result:
    """Open so many rooms with a client each, and measure what the server takes and how evenly packets come."""
    with emulator() as (server, url):
        greet(url, LONG if mode == "speech" else "Hello.")
        run("room_latency", "joins", 1, url)  # loads what is loaded once
        before = server.ask("census")["MiB"]
        server.ask("lag")
        halves = [Process("room_load", url, rooms // 2, seconds, mode) for _ in range(2)]
        joined = max(half.hear() for half in halves)
        lag = server.ask("lag")
        time.sleep(SETTLES)
        taken, began = server.cpu(), time.perf_counter()
        for half in halves:
            half.say()
        seen = [half.hear() for half in halves]
        cores = (server.cpu() - taken) / (time.perf_counter() - began)
        gaps = sorted(gap for one in seen for gap in one["gaps"])
        mib = server.ask("census")["MiB"] - before
        stopped = server.stop()
        for half in halves:
            half.process.wait()
    due = rooms * seconds * 50
    return {
        "rooms": rooms,
        "cores": round(cores, 2),
        "gap": {"median": round(median(gaps), 1), "p99": round(at(gaps, 0.99), 1), "max": round(gaps[-1], 1)},
        "packets": round(len(gaps) / due, 3),
        "with sound": round(sum(one["sounds"] for one in seen) / due, 3),
        "cores of the clients": round(sum(one["cores"] for one in seen), 2),
        "MiB a room": round(mib / rooms, 2),
        "joins a second, 8 at a time": round(rooms / joined, 1),
        "loop late meanwhile": lag,
        "SIGTERM to exit": round(stopped),
    }


def greet(url: str, greeting: str) -> None:
    """Let the agent greet so."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    body = json.dumps({"greeting": greeting}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{url}/v1/agents/{AGENT}", body, headers, method="PATCH")).close()


def measure_leak(calls: int = 1000) -> Result:
    """Count what is there before and after calls by each signalling: nothing of them may be left."""
    with emulator() as (server, url):
        greet(url, "Hello.")
        for signalling in ("plain", "one", "two"):
            run("room_leak", url, 30, signalling)
        time.sleep(CALMS_WITHIN / 2)
        before = server.ask("census")
        counts = {"before": told(before, before)}
        for signalling, share in (("plain", calls // 2), ("one", calls // 4), ("two", calls // 4)):
            run("room_leak", url, share, signalling)
            counts[f"after {share} by {signalling}"] = told(calm(server, before), before)
            print(json.dumps(counts), flush=True)
    return counts


def calm(server: Process, wanted: Mapping[str, int]) -> Result:
    """Return the census once it is as wanted but for memory, or after a while."""
    began = time.perf_counter()
    while True:
        found: Result = server.ask("census")
        if time.perf_counter() - began > CALMS_WITHIN or without_memory(found) == without_memory(wanted):
            return found
        time.sleep(1)


def told(census: Result, before: Result) -> Result:
    """Return what is kept on purpose, and in what else a census is another than before."""
    plain = {name: census[name] for name in ("MiB", "calls", "MiB of tapes", "open files", "threads", "tasks")}
    now, then = without_memory(census), without_memory(before)
    left = {name: now.get(name, 0) - then.get(name, 0) for name in now | then}
    return {**plain, "left": {name: number for name, number in left.items() if number}}


def without_memory(census: Mapping[str, Any]) -> Result:
    return {name: count for name, count in census.items() if "MiB" not in name and name != "calls"}


PARTS: Mapping[str, Callable[[], Result]] = {
    "joins": measure_joins,
    "echoes": measure_echoes,
    "browser": measure_browser,
    "rooms": measure_rooms,
    "leak": measure_leak,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/rooms.json")
    options = parser.parse_args()
    result: Result = json.loads(options.out.read_text()) if options.out.exists() else {}
    result |= {"command": "python -m benchmarks.rooms", "python": platform.python_version(), "cores": os.cpu_count()}
    for part in options.parts:
        load = round(os.getloadavg()[0], 2)  # of others, for the parts before ours were not much
        result[part] = {"load before": load, **PARTS[part]()}
        print(json.dumps({part: result[part]}, indent=1))
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
