"""How long a start takes: import, process to first answer, and stop.

python -m benchmarks.start [--runs 9] [--out benchmarks/results/start.json]
"""

import argparse
import json
import platform
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
IMPORT = "import time; t = time.perf_counter(); import revdesk_mock; print((time.perf_counter() - t) * 1000)"


def time_import() -> float:
    """Return the milliseconds of `import revdesk_mock` in a fresh interpreter."""
    run = subprocess.run([sys.executable, "-c", IMPORT], check=True, capture_output=True, text=True, cwd=ROOT)
    return float(run.stdout)


def time_process() -> tuple[float, float]:
    """Return the milliseconds from starting the process to its first 200, and from SIGTERM to its end."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "revdesk_mock", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)
    url = next(line.split()[-1] for line in server.stdout or () if "address" in line)
    request = urllib.request.Request(f"{url}/v1/me", headers={"Authorization": "Bearer revdesk_benchmark"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        answer.read()
    answered = time.perf_counter()
    server.terminate()
    server.wait()
    return (answered - started) * 1000, (time.perf_counter() - answered) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/start.json")
    options = parser.parse_args()
    processes = [time_process() for _ in range(options.runs)]
    seen = {
        "import revdesk_mock": [time_import() for _ in range(options.runs)],
        "process to first 200": [first for first, _ in processes],
        "SIGTERM to exit": [stop for _, stop in processes],
    }
    result = {
        "command": f"python -m benchmarks.start --runs {options.runs}",
        "python": platform.python_version(),
        "milliseconds": {
            name: {"median": round(median(times), 1), "all": [round(t, 1) for t in times]}
            for name, times in seen.items()
        },
    }
    print(json.dumps(result, indent=1))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
