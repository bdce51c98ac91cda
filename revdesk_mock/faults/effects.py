"""The effects as rules name them: the phases that each makes sense in, and how it is read from JSON."""

import math
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import NamedTuple

import orjson

from revdesk_mock.clock import SECOND
from revdesk_mock.errors import CODES, STATUS, StartError
from revdesk_mock.faults.failures import (
    AFTER_COMMIT,
    BEFORE_AUTH,
    BEFORE_COMMIT,
    BODY,
    PHASES,
    Breakage,
    Delay,
    Effect,
    Failure,
    Refusal,
    Spoiling,
    Storm,
)
from revdesk_mock.messages import JSON
from revdesk_mock.settings import suggestion

BEFORE = (BEFORE_COMMIT, BEFORE_AUTH, AFTER_COMMIT)  # the first is the default
AFTER = (AFTER_COMMIT, BEFORE_AUTH, BEFORE_COMMIT)
LONGEST = 600_000  # milliseconds of any wait
LARGEST = 1_048_576  # bytes of an answer
MOST_PIECES = 1_000
WIDEST = 5  # sigma: with this, one wait in a hundred is a hundred thousand times the median

# What is said with a status where nothing else is ordered.
NAMED: Mapping[int, str] = {
    **CODES,
    405: "method_not_allowed",
    429: "rate_limited",
    500: "internal_error",
    501: "not_implemented",
    502: "unavailable",
    503: "unavailable",
    504: "unavailable",
}


class Kind(NamedTuple):
    """One effect as rules name it: its phases (the first is the default), what it does, an example, how it is read.

    `read` gets the options: None where the effect was given by its name alone.
    """

    phases: tuple[str, ...]
    says: str
    example: JSON
    read: Callable[[JSON], Effect]


def read(do: JSON, phase: JSON = None) -> Failure:
    """Read `do` and `phase`; raises StartError saying what would do."""
    if phase is not None and (not isinstance(phase, str) or phase not in PHASES):
        raise StartError(f"phase: {phase!r:.40} is none of {', '.join(PHASES)}{suggestion(str(phase), PHASES)}")
    name, options = _named(do)
    kind = EFFECTS[name]
    effect = kind.read(options)
    phases = (BODY,) if isinstance(effect, Breakage) and effect.sent is not None else kind.phases
    phase = phases[0] if phase is None else phase
    if phase not in phases:
        raise StartError(f"phase: {name} makes no sense in {phase}; it goes with {' or '.join(phases)}")
    return Failure(phase, effect, f"{phase}: {name}{_shown(name, options)}")


def _named(do: JSON) -> tuple[str, JSON]:
    """Return the effect's name and its options, those of `status` with the status among them."""
    if isinstance(do, dict) and "status" in do:
        return "status", do
    name, options = do, None
    if isinstance(do, dict) and len(do) == 1:
        [(name, options)] = do.items()
    if not isinstance(name, str):
        raise StartError(f'do: it takes a name, such as "reset", or an object with one, such as {_written("delay_ms")}')
    if name not in EFFECTS:
        raise StartError(f"do: there is no {name!r:.40}{suggestion(name, EFFECTS)}; there are {', '.join(EFFECTS)}")
    return name, options


def _written(name: str) -> str:
    return orjson.dumps(EFFECTS[name].example).decode()


def _shown(name: str, options: JSON) -> str:
    if name == "status":
        return f" {options['status']}"
    return "" if options is None else f" {orjson.dumps(options).decode()}"


def _word(phases: tuple[str, ...], says: str, effect: Breakage | Spoiling) -> Kind:
    """Return the kind of an effect that has no options."""

    def read(options: JSON) -> Effect:
        if options is not None:
            raise StartError(f"do: {effect.how} takes no options; write {_written(effect.how)}")
        return effect

    return Kind(phases, says, effect.how, read)


def _members(name: str, options: JSON, known: str) -> dict[str, JSON]:
    """Return an effect's options as an object with known members only."""
    if not isinstance(options, dict):
        raise StartError(f"do: {name} takes an object; write {_written(name)}")
    for member in options:
        if member not in known.split():
            raise StartError(f"do: {name} has no {member!r:.40}{suggestion(member, dict.fromkeys(known.split()))}")
    return options


def _whole(name: str, value: JSON, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise StartError(f"do: {name} takes a whole number from {low} to {high}, not {value!r:.40}")
    return value


def _refusal(options: JSON) -> Refusal:
    order = _members("status", options, "status code message retry_after")
    status = _whole("status", order.get("status"), 400, 599)
    code = order.get("code", NAMED.get(status))
    if code is None:
        raise StartError(f"do: no code goes with the status {status}; name one, of {', '.join(STATUS)}")
    if not isinstance(code, str) or code not in STATUS:
        raise StartError(f"do: there is no code {code!r:.40}{suggestion(str(code), STATUS)}; see docs/behaviour.md")
    message = order.get("message", _phrase(status))
    if not isinstance(message, str) or not message:
        raise StartError(f"do: message takes a text, not {message!r:.40}")
    wait = order.get("retry_after")
    return Refusal(status, code, message, None if wait is None else _whole("retry_after", wait, 0, 86_400))


def _phrase(status: int) -> str:
    try:
        return f"{HTTPStatus(status).phrase}."
    except ValueError:
        return f"Status {status}."


def _storm(options: JSON) -> Storm:
    order = _members("rate_limit", options, "seconds")
    return Storm(_whole("rate_limit.seconds", order.get("seconds"), 1, 86_400) * SECOND)


def _delay(options: JSON) -> Delay:
    match options:
        case {"uniform": [low, high], **rest} if not rest:
            least = _whole("uniform", low, 0, LONGEST)
            most = _whole("uniform", high, least, LONGEST)
            return Delay(lambda dice: dice.integer(least, most))
        case {"log_normal": {"median": int() | float() as median, "sigma": int() | float() as sigma, **others}, **rest}:
            if rest or others or not 0 < median <= LONGEST or not 0 <= sigma <= WIDEST:
                raise StartError(f"do: log_normal takes a median over 0 to {LONGEST} and a sigma of 0 to {WIDEST}")
            return Delay(lambda dice: min(LONGEST, round(median * math.exp(sigma * dice.normal()))))
        case dict() | list() | str() | None:
            shapes = '250, {"uniform": [100, 900]} or {"log_normal": {"median": 200, "sigma": 0.6}}'
            raise StartError(f"do: delay_ms takes {shapes}, not {options!r:.60}")
        case _:
            milliseconds = _whole("delay_ms", options, 0, LONGEST)
            return Delay(lambda _: milliseconds)


def _stall(options: JSON) -> Breakage:
    if options is None:
        return Breakage("stall")
    after = _members("stall", options, "after").get("after")
    return Breakage("stall", None if after is None else _whole("stall.after", after, 0, LARGEST))


def _cut(options: JSON) -> Breakage:
    return Breakage("cut", _whole("cut.after", _members("cut", options, "after").get("after"), 0, LARGEST))


def _dribble(options: JSON) -> Breakage:
    order = _members("dribble", options, "ms pieces")
    pieces = _whole("dribble.pieces", order.get("pieces", 10), 2, MOST_PIECES)
    return Breakage("dribble", 0, pieces, _whole("dribble.ms", order.get("ms"), 1, LONGEST))


EFFECTS: Mapping[str, Kind] = {
    "reset": _word(AFTER, "the connection is reset (RST), nothing is sent", Breakage("reset")),
    "empty": _word(AFTER, "the connection is closed (FIN), nothing is sent", Breakage("empty")),
    "stall": Kind(
        AFTER,
        "nothing is sent until the client gives up; with `after`, no more than the head and so many bytes (`body`)",
        {"stall": {"after": 10}},
        _stall,
    ),
    "status": Kind(
        BEFORE,
        "an error in the vendor's envelope, 400 to 599; `code`, `message` and `retry_after` may be added",
        {"status": 503, "code": "unavailable", "message": "Back soon.", "retry_after": 2},
        _refusal,
    ),
    "delay_ms": Kind(
        BEFORE,
        "a wait in the world's time, and on: milliseconds, or drawn: `uniform` or `log_normal`",
        {"delay_ms": {"log_normal": {"median": 200, "sigma": 0.6}}},
        _delay,
    ),
    "rate_limit": Kind(
        (BEFORE_AUTH,),
        "429 for all that the rule means, from its first hit until so much of the world's time has passed, "
        "with headers that tell the true end",
        {"rate_limit": {"seconds": 30}},
        _storm,
    ),
    "malformed": _word((BODY,), "the body is no JSON", Spoiling("malformed")),
    "truncated": _word(
        (BODY,), "the body is the first half of its JSON, and its length says so", Spoiling("truncated")
    ),
    "wrong_content_type": _word((BODY,), "the answer calls itself `text/html`", Spoiling("wrong_content_type")),
    "cut": Kind(
        (BODY,),
        "the connection is closed after the head and so many bytes of the body, fewer than its length says",
        {"cut": {"after": 20}},
        _cut,
    ),
    "dribble": Kind(
        (BODY,),
        "the body comes in `pieces` (10) over so many milliseconds of the world's time",
        {"dribble": {"ms": 2000, "pieces": 10}},
        _dribble,
    ),
}
