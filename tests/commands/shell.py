"""Our own command line as a process: how tests call it."""

import os
import subprocess
import sys
from pathlib import Path

COMMAND = [sys.executable, "-m", "revdesk_mock"]
ROOT = Path(__file__).parent.parent.parent


def environment(**variables: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REVDESK_MOCK_")}
    return {**clean, "PYTHONPATH": str(ROOT), **variables}


def run(*arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment(**variables),
        check=False,
        timeout=30,
    )
