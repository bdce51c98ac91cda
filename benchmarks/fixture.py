"""What the pytest plugin costs: a session without and with its server, a world for each test, and many tests at once.

python -m benchmarks.fixture [--runs 5] [--worlds 1000] [--tests 1000] [--out benchmarks/results/fixture.json]
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import revdesk_mock

ROOT = Path(__file__).parent.parent
NOTHING = "def test_it(): pass\n"
SERVER = "def test_it(revdesk_server): revdesk_server.admin.get('/ready')\n"
MANY = """
import pytest

@pytest.mark.parametrize("number", range({tests}))
def test_it(number, revdesk):
    assert revdesk.client.get("/v1/me").is_success
"""
SIZES = ("runs", "worlds", "tests")
LIGHT = ("-q", "-p", "no:schemathesis", "-p", "no:asyncio", "-p", "no:cacheprovider")


def time_session(module: str, *options: str) -> float:
    """Return the seconds of a pytest session with one module."""
    with TemporaryDirectory() as folder:
        Path(folder, "test_it.py").write_text(module)
        started = time.perf_counter()
        command = [sys.executable, "-m", "pytest", *LIGHT, *options]
        subprocess.run(command, check=True, cwd=folder, capture_output=True)
        return time.perf_counter() - started


def time_worlds(count: int) -> dict[str, list[float]]:
    """Return the milliseconds of opening and of closing a world, once each has been done."""
    opening, closing = [], []
    with revdesk_mock.serve() as server:
        server.world().close()
        for number in range(count):
            started = time.perf_counter()
            world = server.world(seed=number)
            opened = time.perf_counter()
            world.close()
            opening.append((opened - started) * 1000)
            closing.append((time.perf_counter() - opened) * 1000)
    return {"open a world": opening, "forget it": closing}


def repeated(runs: int, measure: Callable[[], float]) -> list[float]:
    return [round(measure(), 3) for _ in range(runs)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--tests", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/fixture.json")
    options = parser.parse_args()
    sessions = {
        "without the plugin": repeated(options.runs, lambda: time_session(NOTHING, "-p", "no:revdesk_mock")),
        "with the plugin": repeated(options.runs, lambda: time_session(NOTHING)),
        "with its server": repeated(options.runs, lambda: time_session(SERVER)),
    }
    middle = {name: median(times) for name, times in sessions.items()}
    many = MANY.format(tests=options.tests)
    result = {
        "command": " ".join(["python -m benchmarks.fixture", *(f"--{name} {vars(options)[name]}" for name in SIZES)]),
        "python": platform.python_version(),
        "session_seconds": {name: {"median": middle[name], "all": times} for name, times in sessions.items()},
        "added_seconds": {
            "the plugin": round(middle["with the plugin"] - middle["without the plugin"], 3),
            "its server": round(middle["with its server"] - middle["with the plugin"], 3),
        },
        "milliseconds": {
            name: {"median": round(median(times), 3), "p95": round(sorted(times)[len(times) * 95 // 100], 3)}
            for name, times in time_worlds(options.worlds).items()
        },
        f"seconds_of_{options.tests}_tests": {
            "one process": round(time_session(many), 1),
            "two workers": round(time_session(many, "-n2"), 1),
        },
    }
    print(json.dumps(result, indent=1))
    options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
