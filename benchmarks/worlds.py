"""What a world of its own costs: opening, forking, keeping and restoring it.

python -m benchmarks.worlds [--runs 500] [--out benchmarks/results/worlds.json]
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import TypeVar

from revdesk_mock import Emulator, Settings, World
from revdesk_mock.ids import random_key

CALLS = 1000
Made = TypeVar("Made")


def timed(runs: int, verb: Callable[[], Made], leave: Callable[[Made], object] = lambda _: None) -> dict[str, float]:
    """Return the milliseconds of a verb, median and 95th percentile; what it made is left in between, untimed."""
    took = []
    for _ in range(runs):
        started = time.perf_counter()
        made = verb()
        took.append((time.perf_counter() - started) * 1000)
        leave(made)
    return {"median_ms": round(median(took), 3), "p95_ms": round(quantiles(took, n=20)[-1], 3)}


def fill(world: World) -> None:
    """Give a world a thousand calls."""
    call = world.store.all("calls")[0]
    with world.store.transaction():
        while world.store.size("calls") < CALLS:
            world.store.insert("calls", {**call, "id": world.dice.uuid(), "room_name": world.dice.hex(12)})


def measure(world: World, emulator: Emulator, runs: int) -> dict[str, object]:
    """Return what the verbs cost with as many records as a world has."""
    snapshot = world.snapshot()
    measured = {
        "fork": timed(runs, lambda: emulator.fork(world)[0], emulator.discard),
        "fork_of_a_snapshot": timed(runs, lambda: emulator.fork(world, snapshot)[0], emulator.discard),
        "snapshot": timed(runs, world.snapshot),
        "restore": timed(runs // 5, lambda: world.restore(snapshot.dump)),
    }
    return {"records": sum(world.store.sizes().values()), **measured}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    emulator = Emulator(Settings(clock="frozen"))
    opened = timed(options.runs, lambda: emulator.world(random_key("revdesk_")), emulator.discard)
    usual, full = emulator.world("revdesk_usual"), emulator.world("revdesk_full")
    fill(full)
    result = {
        "python": platform.python_version(),
        "open": opened,
        "default_fixture": measure(usual, emulator, options.runs),
        "1000_calls": measure(full, emulator, options.runs),
    }
    text = json.dumps(result, indent=2) + "\n"
    print(text, end="")
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
