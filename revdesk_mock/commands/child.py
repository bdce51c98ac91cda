"""Runs a command as if it stood in our place: signals go through to it, and its exit code comes back."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

NOT_EXECUTABLE, NOT_FOUND, SIGNALLED = 126, 127, 128  # exit codes, as shells have them
PASSED_ON = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
TYPED = (signal.SIGINT, getattr(signal, "SIGQUIT", None))  # a terminal sends these to everybody in its foreground


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end and return its exit code, or 128 + n where signal n ended it.

    Raises OSError where it cannot be run; `code_of` says which code shells have for that.
    """
    code = asyncio.run(_run(command, environment))
    return SIGNALLED - code if code < 0 else code


def code_of(error: OSError) -> int:
    """Return the exit code that shells have for a command that could not be run."""
    return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE


async def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    # Heard from before the command is there: what comes early waits for it.
    signals: asyncio.Queue[int] = asyncio.Queue()
    for number in _signals():
        asyncio.get_running_loop().add_signal_handler(number, signals.put_nowait, number)
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    passing_on = asyncio.ensure_future(_pass_on(signals, process))
    try:
        return await process.wait()
    finally:
        passing_on.cancel()


def _signals() -> Iterator[int]:
    """Yield the signals to pass on, where a system has such; what we are to ignore (nohup), the command inherits."""
    if os.name == "posix":
        numbers = (getattr(signal, name) for name in PASSED_ON)
        yield from (number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN)


async def _pass_on(signals: asyncio.Queue[int], process: Process) -> None:
    while True:
        number = await signals.get()
        if number not in TYPED or not _in_foreground():
            with suppress(ProcessLookupError):
                process.send_signal(number)


def _in_foreground() -> bool:
    """Whether what is typed at a terminal reaches this process, and so the command as well."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)
