"""A file that counts for as long as a process holds it: what is left of one that died is no news of it."""

import fcntl
from pathlib import Path


def read(path: Path) -> str | None:
    """Return what a held file says, or None where there is none; one that nobody holds any more is removed.

    Who writes one holds an exclusive `flock` on it until it ends, however that comes.
    """
    try:
        file = path.open(encoding="utf-8")
    except FileNotFoundError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read()
    path.unlink(missing_ok=True)
    return None
