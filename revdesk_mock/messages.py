"""What travels through the emulator: requests, responses, records and the reasons behind a refusal."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# JSON as Python holds it: dict, list, str, int, float, bool or None.
JSON = Any
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, free of any web framework.

    `path` is the raw path, still percent-encoded, without the query; header names are lower case.
    `body` is None where the door stopped reading because the body was over the size limit.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = b""
    scheme: str = "http"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer fails on its way to the client.

    `reset` and `empty` end the connection with and without an error before anything is sent; `stall` sends no more and
    leaves it open; `cut` ends it in mid-body; `dribble` sends the body in `pieces` over so many `milliseconds`.
    `sent` is how many bytes of the body go out after the head, None where not even that does. `wait` waits
    milliseconds in the time of the request's world.
    """

    how: Literal["reset", "empty", "stall", "cut", "dribble"]
    wait: Callable[[int], Awaitable[None]]
    sent: int | None = None
    pieces: int = 1
    milliseconds: int = 0


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response: status, header pairs in the order sent, and the body's bytes.

    `delivery` None sends it whole and at once. The status is 0 where a request is lost before it came to an answer.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    delivery: Delivery | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a request was refused, for the person who has to mend it.

    `rule` names the rule (`schema.pattern`, `guardrail.spend_cap`), `where` the place in the request
    (`body /to_number`, `header Authorization`), `expected` and `got` the two sides of the difference.
    """

    rule: str
    where: str
    expected: str = ""
    got: str = ""
