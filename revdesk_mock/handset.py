"""A call driven by hand: it rings, is answered, ends or hears keys when somebody says so, not when its number would."""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from revdesk_mock.errors import ApiError
from revdesk_mock.messages import Reason, Record
from revdesk_mock.rtc.packets import DIGITS
from revdesk_mock.simulation.call_flow import BUSY, DECLINED, IN_PROGRESS, NO_ANSWER, QUEUED, RINGING
from revdesk_mock.world import World

MOST_DIGITS = 1_000  # of a call; what comes after is not kept
WAITING = "waiting"  # what a queued call is until its browser dials it


class Step(NamedTuple):
    """Something that can be done to a call, and the states in which it makes sense."""

    states: Collection[str]
    take: Callable[[World, Record], Record]


# A call that rings or is answered by hand goes on by hand: it rings 30 s at most, and talks until somebody hangs up.
STEPS: Mapping[str, Step] = {
    "ring": Step([QUEUED], lambda world, call: world.calls.ring(call)),
    "answer": Step([RINGING], lambda world, call: world.calls.answer(call)),
    "busy": Step([QUEUED, RINGING], lambda world, call: world.calls.end(call, BUSY)),
    "no-answer": Step([RINGING], lambda world, call: world.calls.end(call, NO_ANSWER)),
    "decline": Step([RINGING], lambda world, call: world.calls.end(call, DECLINED)),
    "hang-up": Step([WAITING, QUEUED, RINGING, IN_PROGRESS], lambda world, call: world.calls.hang_up(call)),
}


def take(world: World, call: Record, name: str) -> Record:
    """Take one of `STEPS` now; return the call. Raises ApiError (409) in a state that has no such step."""
    step = STEPS[name]
    _check(call, name, step.states)
    with world.store.transaction():
        return step.take(world, call)


def press(world: World, call: Record, digits: str) -> Record:
    """Note keys that were pressed; return the call. Raises ApiError (409) as `check_connected` does."""
    check_connected(call)
    with world.store.transaction():
        return world.store.update("calls", call, digits=noted(call["digits"], digits))


def check_connected(call: Record) -> None:
    """Raise ApiError (409) for a call in which no key can be pressed: one that is not in progress."""
    _check(call, "digits", [IN_PROGRESS])


def _check(call: Record, name: str, states: Collection[str]) -> None:
    """Raise ApiError (409) that tells a call's state where it is none of those in which a step makes sense."""
    state = WAITING if call["status"] == QUEUED and call["dialed_at"] is None else call["status"]
    if state not in states:
        expected = f"a call that is {' or '.join(states)}"
        message = f"This call is {state}: {name} takes {expected}."
        raise ApiError("conflict", message, Reason("call.state", "path /call", expected, state))


def noted(before: str, pressed: str) -> str:
    """Return the keys of a call with more of them; what is no key is left out."""
    return (before + "".join(key for key in pressed.upper() if key in DIGITS))[:MOST_DIGITS]
