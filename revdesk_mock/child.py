"""Runs a command as if it stood in our place: signals go through to it, and its exit code comes back."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any, Self

NOT_EXECUTABLE, NOT_FOUND, SIGNALLED = 126, 127, 128  # exit codes, as shells have them
PASSED_ON = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")  # not every system has all
TYPED = ("SIGINT", "SIGQUIT")  # a terminal sends these to everybody in its foreground


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end and return its exit code, or 128 + n where signal n ended it.

    Raises OSError where it cannot be run; `code_of` says which code shells have for that.
    """
    with _Relay() as relay:
        process = subprocess.Popen(command, env=environment)  # noqa: S603 the user's own
        relay.lead_to(process)
        code = process.wait()
    return SIGNALLED - code if code < 0 else code


def code_of(error: OSError) -> int:
    """Return the exit code that shells have for a command that could not be run."""
    return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE


class _Relay:
    """Passes on the signals that this process gets; those that come before there is a command wait for it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (getattr(signal, name) for name in PASSED_ON if hasattr(signal, name)):
            # What we are to ignore (nohup), the command inherits.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._pass_on)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def lead_to(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        for number in self._early:
            process.send_signal(number)

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        if self._process is None:
            self._early.append(number)
        elif signal.Signals(number).name not in TYPED or not _in_foreground():
            self._process.send_signal(number)


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
