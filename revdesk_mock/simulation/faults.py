"""Failures on order: what one request asks for in its own `X-RevDesk-Mock` header."""

from dataclasses import dataclass

import orjson

from revdesk_mock.errors import ApiError
from revdesk_mock.messages import JSON, Reason

HEADER = "x-revdesk-mock"
KNOWN = ("delay_ms", "agent")
LONGEST_DELAY = 600_000  # milliseconds


@dataclass(frozen=True, slots=True)
class Control:
    """What a request orders: `delay_ms`, a wait before anything is written, in the world's time.

    `agent` is what the agent of the call shall do, as it was sent: see `agent_modes`.
    """

    delay_ms: int = 0
    agent: JSON = None


NOTHING = Control()


def read_control(header: str | None) -> Control:
    """Read the header's JSON object; raises ApiError (400) naming a member that is not known."""
    if header is None:
        return NOTHING
    try:
        ordered = orjson.loads(header)
    except orjson.JSONDecodeError:
        ordered = None
    if not isinstance(ordered, dict):
        raise _refuse("must be one JSON object", header)
    for name in ordered:
        if name not in KNOWN:
            raise _refuse(f"does not know {name!r}; it knows {' and '.join(KNOWN)}", header)
    delay = ordered.get("delay_ms", 0)
    if not isinstance(delay, int) or isinstance(delay, bool) or not 0 <= delay <= LONGEST_DELAY:
        raise _refuse(f"delay_ms must be 0 to {LONGEST_DELAY}", header)
    if "agent" in ordered and not isinstance(ordered["agent"], dict):
        raise _refuse('agent must be an object, such as {"mode": "silent"}', header)
    return Control(delay, ordered.get("agent"))


def _refuse(message: str, header: str) -> ApiError:
    reason = Reason("control.header", "header X-RevDesk-Mock", '{"delay_ms": 250}', header[:80])
    return ApiError("validation_error", f"X-RevDesk-Mock {message}.", reason, fields={"X-RevDesk-Mock": message})
