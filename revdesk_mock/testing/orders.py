"""Which world a test orders: the arguments of `world()` and of the marker, read before anything is made."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

from revdesk_mock.errors import StartError
from revdesk_mock.messages import JSON
from revdesk_mock.opening import FIXTURES
from revdesk_mock.settings import suggestion


class WorldOrder(TypedDict, total=False):
    """What a world can be opened with; all of it may be left out.

    `data` is the name of a shipped fixture, a dump, or the path of a file that holds one; `seed` makes ids repeat;
    `clock` is `real`, `frozen` or an instant to stand at; `policy` settles open questions by name; `faults` are rules
    of what is to fail; `scopes` are those of the key; `demo` and `kind` (`organization`, `user`) say what key it is.
    """

    data: str | Path | Mapping[str, JSON]
    seed: str | int
    clock: str
    policy: Mapping[str, str | int | None]
    faults: Sequence[Any]
    scopes: Sequence[str]
    demo: bool
    kind: Literal["organization", "user"]


def read(arguments: Mapping[str, Any], folder: Path | None = None) -> dict[str, JSON]:
    """Return an order as `POST /_revdesk/worlds` takes it; raises StartError naming an unknown argument or bad file.

    A relative path of `data` starts at `folder`, by default the working directory.
    """
    known = WorldOrder.__annotations__
    for name in arguments:
        if name not in known:
            raise StartError(f"a world has no {name!r}{suggestion(name, known)}; it takes {', '.join(known)}")
    order = dict(arguments)
    if isinstance(order.get("data"), str | Path) and order["data"] not in FIXTURES:
        order["data"] = _load(order["data"], folder or Path())
    return order


def _load(name: str | Path, folder: Path) -> JSON:
    path = folder / name
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        likely = suggestion(str(name), dict.fromkeys(FIXTURES))
        shipped = ", ".join(FIXTURES)
        raise StartError(
            f"data: no file {path}, and no fixture {str(name)!r} comes with the product{likely}; those are {shipped}"
        ) from error
    except OSError as error:
        raise StartError(f"data: {path}: {error.strerror}") from error
    except ValueError as error:
        raise StartError(f"data: {path} is not JSON: {error}") from error
