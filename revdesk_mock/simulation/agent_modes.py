"""What an agent does in its room after its greeting: the modes with their options, and how an order for one is read."""

from collections.abc import Mapping
from dataclasses import dataclass

from revdesk_mock.errors import ApiError
from revdesk_mock.messages import JSON, Reason, Record

ECHO, SPEAK, TONE, SILENT, HANGUP_AFTER = "echo", "speak", "tone", "silent", "hangup_after"

# The options of each mode, with what they are when nothing else is said.
OPTIONS: Mapping[str, Mapping[str, JSON]] = {
    ECHO: {},
    SPEAK: {"script": ["I see.", "Could you tell me a little more?", "Thank you. We will call you back."]},
    TONE: {},
    SILENT: {},
    HANGUP_AFTER: {"seconds": 5},
}
MOST_LINES, LONGEST_LINE = 100, 1_000  # of a script; characters of a line, as of a greeting
LONGEST_WAIT = 14_400  # seconds: the longest call

IN_A_ROOM = frozenset({"v1_agents_id_web_call_post"})  # the operations that put an agent into a room
EXAMPLE = '{"agent": {"mode": "speak", "script": ["Hello.", "Goodbye."]}}'


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A mode and its options.

    `script` has one line for each turn of a person; `seconds` are those from the greeting's end to hanging up.
    """

    mode: str = ECHO
    script: tuple[str, ...] = ()
    seconds: float = 0

    def written(self) -> dict[str, JSON]:
        """Return it as JSON, with the options of its mode."""
        values = {"script": list(self.script), "seconds": self.seconds}
        return {"mode": self.mode, **{option: values[option] for option in OPTIONS[self.mode]}}


def read(order: JSON) -> Behaviour:
    """Read `{"mode": ..., OPTION: ...}`; raises ValueError saying what would do. Options may be left out."""
    mode = order.get("mode") if isinstance(order, dict) else order
    if not isinstance(mode, str) or mode not in OPTIONS:
        raise ValueError(f"mode must be one of {', '.join(OPTIONS)}, not {mode!r:.40}")
    known = OPTIONS[mode]
    for name in order:
        if name != "mode" and name not in known:
            takes = f"takes {' and '.join(known)}" if known else "takes no options"
            raise ValueError(f"mode {mode} does not know {name!r:.40}; it {takes}")
    chosen = {**known, **order}
    if mode == SPEAK:
        return Behaviour(mode, script=_script(chosen["script"]))
    return Behaviour(mode, seconds=_seconds(chosen["seconds"])) if mode == HANGUP_AFTER else Behaviour(mode)


def ordered(order: JSON, operation: str) -> Behaviour | None:
    """Read what a request orders for its agent, None if nothing.

    Raises ApiError (400) where that is no good, and where the operation puts no agent into a room.
    """
    if order is None:
        return None
    if operation not in IN_A_ROOM:
        raise _refused(f"is for what puts an agent into a room: {', '.join(sorted(IN_A_ROOM))}", order)
    try:
        return read(order)
    except ValueError as error:
        raise _refused(str(error), order) from error


def choose(order: Behaviour | None, agent: Record, mode: str) -> dict[str, JSON]:
    """Return what an agent will do: as ordered for this call, else as its record says, else in the mode given."""
    by_record = agent.get("behaviour") or {"mode": mode}
    return (order or read(by_record)).written()


def _refused(message: str, order: JSON) -> ApiError:
    reason = Reason("control.agent", "header X-RevDesk-Mock", EXAMPLE, f"{order!r:.80}")
    fields = {"X-RevDesk-Mock": f"agent: {message}"}
    return ApiError("validation_error", f"X-RevDesk-Mock agent: {message}.", reason, fields=fields)


def _script(lines: JSON) -> tuple[str, ...]:
    if not isinstance(lines, list) or not 0 < len(lines) <= MOST_LINES or not all(map(_is_line, lines)):
        raise ValueError(f"script must be 1 to {MOST_LINES} texts of 1 to {LONGEST_LINE} characters")
    return tuple(lines)


def _is_line(line: JSON) -> bool:
    return isinstance(line, str) and 0 < len(line) <= LONGEST_LINE and not line.isspace()


def _seconds(value: JSON) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_WAIT:
        raise ValueError(f"seconds must be 0 to {LONGEST_WAIT}")
    return value
