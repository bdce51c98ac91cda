"""Servers in the background: how one gets there, and the records by which later commands find it.

A record is a file of its own for each port. Its server holds a lock on it for as long as it lives, so a record that
nobody holds is stale, whoever has its process id by now.
"""

import fcntl
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from revdesk_mock import held_file
from revdesk_mock.clock import wait_until
from revdesk_mock.commands.client import is_ready
from revdesk_mock.errors import StartError

OTHERS_WRITE = 0o022


class Running(NamedTuple):
    """A server in the background. `started_at` is Unix milliseconds; `own_keys`: it was told which keys to let in."""

    url: str
    port: int
    pid: int
    version: str
    started_at: int
    log: str
    own_keys: bool


def default_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder for records: in the user's runtime folder, or else in the one for temporary files."""
    runtime = Path(environment.get("XDG_RUNTIME_DIR") or "nowhere")
    return runtime / "revdesk-mock" if runtime.is_dir() else Path(tempfile.gettempdir(), f"revdesk-mock-{os.getuid()}")


class Records:
    """The records in a folder, made where there is none; raises StartError for one that others can write to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = folder.stat()
        except OSError as error:
            raise StartError(f"state folder {folder}: {error.strerror}") from error
        if found.st_uid != os.getuid() or found.st_mode & OTHERS_WRITE:
            raise StartError(f"state folder {folder} can be changed by other users; choose another with --state-dir")

    def log_of(self, port: int) -> Path:
        """Return the file for the log of the server at a port."""
        return self._folder / f"{port}.log"

    def keep(self, running: Running) -> None:
        """Record this process as a server, until it ends."""
        path = self._folder / f"{running.port}.json"
        unfinished = path.with_suffix(f".{running.pid}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        # Locked before it has its name, and open until the process ends, however that ends.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, json.dumps(running._asdict()).encode())
        unfinished.replace(path)

    def all(self) -> list[Running]:
        """Return the servers that run, by port."""
        ports = sorted(int(path.stem) for path in self._folder.glob("*.json") if path.stem.isdigit())
        return [found for port in ports if (found := self.find(port))]

    def find(self, port: int) -> Running | None:
        """Return the server at a port, or None; a stale record is removed."""
        said = held_file.read(self._folder / f"{port}.json")
        return None if said is None else Running(**json.loads(said))


def detach(log: Path) -> int:
    """Fork. The child gets 0, a session of its own, and a file for what it prints; this process gets the child's id."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
    os.close(output)
    return child


def became_ready(child: int, url: str, seconds: float) -> bool:
    """Wait until a server that this process forked answers; False where it ended before, or took longer."""
    ended = False

    def settled() -> bool:
        nonlocal ended
        ended = os.waitpid(child, os.WNOHANG)[0] == child
        return ended or is_ready(url)

    return wait_until(settled, seconds) and not ended
