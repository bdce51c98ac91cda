"""JSON in a file that somebody names: read, or refused in words that name it."""

from pathlib import Path

import orjson

from revdesk_mock.errors import StartError
from revdesk_mock.messages import JSON


def read(path: Path, name: str | None = None) -> JSON:
    """Return what a file holds; raises StartError, with the file under a name for people, where it holds no JSON."""
    name = name or str(path)
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        raise StartError(f"{name}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise StartError(f"{name} is not JSON: {error}") from error
