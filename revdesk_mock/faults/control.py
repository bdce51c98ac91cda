"""What one request orders for itself in its `X-RevDesk-Mock` header."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from revdesk_mock.errors import ApiError, StartError
from revdesk_mock.faults import effects, rules
from revdesk_mock.faults.failures import BEFORE_COMMIT, Failure, Storm
from revdesk_mock.messages import JSON, Reason
from revdesk_mock.settings import suggestion

HEADER = "x-revdesk-mock"
KNOWN = ("delay_ms", "agent", "fault")


@dataclass(frozen=True, slots=True)
class Control:
    """What a request orders: what fails, in this order, and what the agent of its call shall do.

    `agent` is as it was sent: see `agent_modes`.
    """

    failures: tuple[Failure, ...] = ()
    agent: JSON = None


NOTHING = Control()


def read(header: str | None) -> Control:
    """Read the header's JSON object; raises ApiError (400) naming what is wrong in it."""
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
            raise _refuse(
                f"does not know {name!r}{suggestion(name, dict.fromkeys(KNOWN))}; it knows {', '.join(KNOWN)}", header
            )
    if "agent" in ordered and not isinstance(ordered["agent"], dict):
        raise _refuse('agent must be an object, such as {"mode": "silent"}', header)
    try:
        return Control(tuple(_failures(ordered)), ordered.get("agent"))
    except StartError as error:
        raise _refuse(str(error), header) from error


def _failures(ordered: Mapping[str, JSON]) -> list[Failure]:
    failures = []
    if "delay_ms" in ordered:
        failures.append(effects.read({"delay_ms": ordered["delay_ms"]}, BEFORE_COMMIT))
    if "fault" in ordered:
        failures.append(rules.read_failure(ordered["fault"]))
        if isinstance(failures[-1].effect, Storm):
            raise StartError('rate_limit goes on for other requests: make it a rule, or send {"status": 429}')
    return failures


def _refuse(message: str, header: str) -> ApiError:
    reason = Reason("control.header", "header X-RevDesk-Mock", '{"fault": {"do": "reset"}}', header[:80])
    return ApiError("validation_error", f"X-RevDesk-Mock {message}.", reason, fields={"X-RevDesk-Mock": message})
