"""What fails, and at which moment: the data that a rule comes down to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from revdesk_mock.ids import Dice

BEFORE_AUTH, BEFORE_COMMIT, AFTER_COMMIT, BODY = "before_auth", "before_commit", "after_commit", "body"
PHASES: Mapping[str, str] = {
    BEFORE_AUTH: "before the key is judged and counted: nothing is written, no limit moves",
    BEFORE_COMMIT: "after the request was found valid: nothing is written, no idempotency key is bound",
    AFTER_COMMIT: "after all is written and the idempotency key is bound, or a replay is about to be sent",
    BODY: "while an answer goes out, a refusal too",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error in the vendor's envelope; `retry_after` is seconds, None sends no such header."""

    status: int
    code: str
    message: str
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Storm:
    """429 for every request that the rule means, until so many milliseconds of the world's time have passed."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class Delay:
    """A wait in milliseconds of the world's time, drawn anew each time."""

    draw: Callable[[Dice], int]


@dataclass(frozen=True, slots=True)
class Breakage:
    """The answer fails on its way: see `messages.Delivery`, whose words these are."""

    how: Literal["reset", "empty", "stall", "cut", "dribble"]
    sent: int | None = None
    pieces: int = 1
    milliseconds: int = 0


@dataclass(frozen=True, slots=True)
class Spoiling:
    """The answer arrives whole, and is not what it says."""

    how: Literal["malformed", "truncated", "wrong_content_type"]


Effect = Refusal | Storm | Delay | Breakage | Spoiling


@dataclass(frozen=True, slots=True)
class Failure:
    """An effect and the phase in which it happens; `says` is both for people."""

    phase: str
    effect: Effect
    says: str
