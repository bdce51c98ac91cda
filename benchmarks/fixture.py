"""What the pytest plugin costs: a session without and with its server, a world for each test, and many tests at once.

python -m benchmarks.fixture [--runs 5] [--worlds 1000] [--tests 1000] [--out benchmarks/results/fixture.json]
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
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


def time_session(environment: Mapping[str, str], module: str, *options: str) -> tuple[float, float]:
    """Return the seconds of a pytest session with one module, by the wall and of the processor."""
    with TemporaryDirectory() as folder:
        Path(folder, "test_it.py").write_text(module)
        started, worked = time.perf_counter(), worked_so_far()
        command = [sys.executable, "-m", "pytest", *LIGHT, *options]
        subprocess.run(command, check=True, cwd=folder, capture_output=True, env=environment)
        return time.perf_counter() - started, worked_so_far() - worked


def worked_so_far() -> float:
    """Return the processor's seconds for all our ended processes: less than the wall's shaken by what else runs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


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


def repeated(runs: int, environment: Mapping[str, str], module: str, *options: str) -> dict[str, object]:
    """Return the medians of some sessions, after one that compiles what the others find compiled."""
    time_session(environment, module, *options)
    sessions = [time_session(environment, module, *options) for _ in range(runs)]
    walls, cpus = ([round(time, 3) for time in times] for times in zip(*sessions, strict=True))
    return {"wall": median(walls), "cpu": median(cpus), "all walls": walls}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--tests", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/fixture.json")
    options = parser.parse_args()
    with TemporaryDirectory() as compiled:
        result = measured(options, {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": compiled})
    print(json.dumps(result, indent=1))
    options.out.write_text(json.dumps(result, indent=1) + "\n")


def measured(options: argparse.Namespace, environment: Mapping[str, str]) -> dict[str, object]:
    many = MANY.format(tests=options.tests)
    return {
        "command": " ".join(["python -m benchmarks.fixture", *(f"--{name} {vars(options)[name]}" for name in SIZES)]),
        "python": platform.python_version(),
        "seconds_of_a_session": {
            "without the plugin": repeated(options.runs, environment, NOTHING, "-p", "no:revdesk_mock"),
            "with the plugin": repeated(options.runs, environment, NOTHING),
            "with its server": repeated(options.runs, environment, SERVER),
        },
        "milliseconds": {
            name: {"median": round(median(times), 3), "p95": round(sorted(times)[len(times) * 95 // 100], 3)}
            for name, times in time_worlds(options.worlds).items()
        },
        f"seconds_of_{options.tests}_tests, wall and cpu": {
            "one process": [round(seconds, 1) for seconds in time_session(environment, many)],
            "two workers": [round(seconds, 1) for seconds in time_session(environment, many, "-n2")],
        },
    }


if __name__ == "__main__":
    main()
