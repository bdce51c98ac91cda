"""A census of what calls in rooms are made of: what is there before a call has to be all that is there after it."""

import asyncio
import gc
import threading
from collections import Counter
from pathlib import Path

HOMES = ("revdesk_mock.rtc.", "aiortc.", "aioice.", "pylibsrtp", "OpenSSL.SSL")
# What is kept on purpose, within bounds, and what stands for the doors and the voice box themselves.
KEPT = frozenset(
    "Tape Strip Recorder Casting Speech Espeak Tones Switchboard Signalling LiveKit JoinTokens Network Grants".split()
)
LENT = "asyncio_", "uvloop_"  # threads that loops keep for what would block them: a few, and no call's


def open_files() -> int:
    """Count this process's open files, where the system shows them."""
    shown = Path("/proc/self/fd")
    return len(list(shown.iterdir())) if shown.exists() else 0


def objects() -> dict[str, int]:
    """Count the objects of calls by their class, ours and those of the libraries below."""
    gc.collect()
    kinds = (type(one) for one in gc.get_objects())
    counted = Counter(kind.__name__ for kind in kinds if str(kind.__module__).startswith(HOMES))
    return {name: number for name, number in sorted(counted.items()) if name not in KEPT}


def census(loop: asyncio.AbstractEventLoop) -> dict[str, int]:
    """Count objects of calls, open files, threads, and the tasks of a loop."""
    threads = [thread for thread in threading.enumerate() if not thread.name.startswith(LENT)]
    tasks = len(asyncio.all_tasks(loop))
    return {"open files": open_files(), "threads": len(threads), "tasks": tasks, **objects()}
