"""One server for all workers of a run: the first to need it starts it, and stops it when nobody uses it any more."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import IO

from revdesk_mock import held_file
from revdesk_mock.testing.remote import RevDeskServer, attach

Serve = Callable[[], AbstractContextManager[RevDeskServer]]


@contextmanager
def shared(folder: Path, name: str, serve: Serve) -> Iterator[RevDeskServer]:
    """Give the server of this name in a folder that all workers see; where there is none yet, this process serves.

    Users hold one lock together, and who serves waits at the end until it is free. Who serves holds a lock on its
    record for as long as it lives: a record that nobody holds is left from a worker that died, and does not count.
    """
    start, users, record = (folder / f"{name}.{kind}" for kind in ("start", "users", "url"))
    with ExitStack() as stack:
        in_use = stack.enter_context(_locked(users, fcntl.LOCK_SH))
        with _locked(start, fcntl.LOCK_EX):
            url = held_file.read(record)
            if url is None:
                server = stack.enter_context(serve())
                stack.callback(fcntl.flock, in_use, fcntl.LOCK_EX)
                stack.enter_context(_recorded(record, server.url, start))
            else:
                server = attach(url)
                stack.callback(server.admin.close)
        yield server


@contextmanager
def _recorded(record: Path, url: str, start: Path) -> Iterator[None]:
    """Tell others of a server while the block runs."""
    with _locked(record, fcntl.LOCK_EX) as file:
        file.write(url)
        file.flush()
        yield
        with _locked(start, fcntl.LOCK_EX):
            record.unlink()


@contextmanager
def _locked(path: Path, how: int) -> Iterator[IO[str]]:
    with path.open("a+") as file:
        fcntl.flock(file, how)
        yield file
