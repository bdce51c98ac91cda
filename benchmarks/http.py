"""POST /v1/room-token with everything on, against a bare Starlette route that returns the same bytes.

    python benchmarks/http.py [--seconds 4] [--rounds 5] [--out benchmarks/results/http.json]

Needs `wrk` (Debian: apt install wrk). Both servers run under the same uvicorn settings, in turn, on one
core, loaded from the other; what counts is the ratio of the medians within one run.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Run as a file, this folder comes first on the path, and its http.py hides the standard package.
sys.path[:] = [str(ROOT), *(entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).parent)]

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
from statistics import median

BODY = '{"from_number":"+14155550100","to_number":"+13125550100"}'
KEY = "revdesk_benchmark"
CONNECTIONS = 32

# Everything is on: the limits count and compare, but are out of reach.
SERVE = """
from revdesk_mock.cli import main
huge = str(10**9)
main(["--port", "{port}", "--rate-limit", huge, "--policy", "daily_spend_cap_cents=" + huge,
      "--policy", "concurrency_cap=" + huge, "--policy", "calls_per_minute=" + huge])
"""
BARE = """
import gc, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
BYTES = {answer!r}
async def answer(request):
    await request.body()
    return Response(BYTES, media_type="application/json")
app = Starlette(routes=[Route("/v1/room-token", answer, methods=["POST"])])
gc.freeze()
uvicorn.run(app, port={port}, access_log=False, log_level="warning", lifespan="off", server_header=False)
"""
SCRIPT = f"""
wrk.method = "POST"
wrk.body = '{BODY}'
wrk.headers["Authorization"] = "Bearer {KEY}"
wrk.headers["Content-Type"] = "application/json"
"""


def start(code: str, port: int, log: Path) -> subprocess.Popen[bytes]:
    """Start a server on the first core and wait for its first answer."""
    with log.open("wb") as stream:
        server = subprocess.Popen(
            ["taskset", "-c", "0", sys.executable, "-c", code],  # noqa: S607 from the path
            cwd=ROOT,
            stdout=stream,
            stderr=stream,
            env={name: value for name, value in os.environ.items() if not name.startswith("REVDESK_MOCK_")},
        )
    for _ in range(200):
        try:
            ask(port)
        except OSError:
            time.sleep(0.05)
        else:
            return server
    raise SystemExit(f"no answer on port {port}; see {log}")


def ask(port: int) -> bytes:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/room-token",
        BODY.encode(),
        {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return bytes(answer.read())


def load(port: int, seconds: int, script: Path) -> float:
    """Load a server from the second core; return answers with a 2xx a second."""
    url = f"http://127.0.0.1:{port}/v1/room-token"
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), url]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in printed:
        raise SystemExit(f"refused while measuring:\n{printed}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    if found is None:
        raise SystemExit(f"wrk said:\n{printed}")
    return float(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/http.json")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt install wrk")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "room_token.lua"
        script.write_text(SCRIPT)
        rates: dict[str, list[float]] = {"bare": [], "revdesk-mock": []}
        for _ in range(options.rounds):
            ours = start(SERVE.format(port=18501), 18501, Path(folder) / "ours.log")
            answer = ask(18501)
            rates["revdesk-mock"].append(load(18501, options.seconds, script))
            stop(ours)
            bare = start(BARE.format(port=18502, answer=answer), 18502, Path(folder) / "bare.log")
            rates["bare"].append(load(18502, options.seconds, script))
            stop(bare)
    ratios = [ours / bare for ours, bare in zip(rates["revdesk-mock"], rates["bare"], strict=True)]
    result = {
        "command": f"python benchmarks/http.py --seconds {options.seconds} --rounds {options.rounds}",
        "python": platform.python_version(),
        "requests_per_second": {
            name: {"median": round(median(seen)), "all": [round(r) for r in seen]} for name, seen in rates.items()
        },
        "ratio": {"median": round(median(ratios), 3), "all": [round(ratio, 3) for ratio in ratios]},
    }
    print(json.dumps(result, indent=1))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")


def stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait()


if __name__ == "__main__":
    main()
