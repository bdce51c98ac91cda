"""The faults of one world: its rules in their order, what each has hit so far, and which of them are due."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from revdesk_mock.faults.failures import Failure, Storm
from revdesk_mock.faults.rules import Rule, read_all
from revdesk_mock.faults.when import PROBABILITY
from revdesk_mock.ids import Dice
from revdesk_mock.messages import JSON, Request
from revdesk_mock.spec import Operation, Spec

REQUEST = "request"  # whose fault it is, where it is no rule's


@dataclass(slots=True)
class Queued:
    """A rule of a world, its own dice, and what became of it; `until` is the end of its storm of 429."""

    id: str
    rule: Rule
    dice: Dice
    standing: bool
    matched: int = 0
    counted: int = 0  # of those matched, the ones that no storm answered
    fired: int = 0
    until: int = 0

    def fires(self, now: int) -> bool:
        """Count a request that the rule means, and tell whether it is hit."""
        self.matched += 1
        if now >= self.until:
            self.counted += 1
            if not self.rule.when.hits(self.counted, self.dice):
                return False
            effect = self.rule.failure.effect
            self.until = now + effect.milliseconds if isinstance(effect, Storm) else 0
        self.fired += 1
        return True

    def row(self, now: int) -> dict[str, JSON]:
        """Return the rule as it was written, with its counters."""
        spent = self.rule.when.is_over(self.counted) and now >= self.until
        counters = {"matched": self.matched, "fired": self.fired, "spent": spent}
        return {"id": self.id, "rule": self.rule.written, **counters}


class Due(NamedTuple):
    """A failure that is to happen now: whose it is, dice for what it draws, and the end of a storm of 429."""

    source: str
    failure: Failure
    dice: Dice
    until: int = 0


class Plan(NamedTuple):
    """What a world begins with: the contract that rules are read by, and the rules of every world and of this one."""

    spec: Spec
    standing: tuple[Rule, ...] = ()
    opened: tuple[Rule, ...] = ()


class Faults:
    """The rules of one world."""

    def __init__(self, plan: Plan, seed: str, now: Callable[[], int]) -> None:
        self._plan = plan
        self._seed = f"{seed}:faults"
        self._now = now
        self.reset()

    def reset(self) -> None:
        """Become what the world was opened with."""
        self._made = 0
        self._dice = Dice(self._seed)
        self._queue: tuple[Queued, ...] = ()  # replaced, never changed: a request may wait amid it
        self._enqueue(self._plan.standing, standing=True)
        self._enqueue(self._plan.opened)

    def add(self, orders: Sequence[JSON]) -> list[str]:
        """Add rules and recipes (by name) to the end and return the rules' ids; raises StartError, and adds none."""
        return self._enqueue(read_all(orders, self._plan.spec))

    def remove(self, rule_id: str) -> bool:
        """Remove a rule; return whether it was there."""
        left = tuple(queued for queued in self._queue if queued.id != rule_id)
        found = len(left) < len(self._queue)
        self._queue = left
        return found

    def clear(self) -> None:
        """Remove every rule."""
        self._queue = ()

    def rows(self) -> list[dict[str, JSON]]:
        """Return the rules in their order: `id`, `rule` as written, `matched`, `fired`, `spent`."""
        return [queued.row(self._now()) for queued in self._queue]

    def unused(self) -> list[dict[str, JSON]]:
        """Return the rows of rules that have hit nothing, but for those of chance and those of every world."""
        idle = (each for each in self._queue if not (each.fired or each.standing))
        return [each.row(self._now()) for each in idle if each.rule.when.counts != PROBABILITY]

    def __bool__(self) -> bool:
        return bool(self._queue)

    def due(self, phase: str, request: Request, operation: Operation, ordered: Sequence[Failure] = ()) -> Iterator[Due]:
        """Yield what fails in a phase: first what the request ordered for itself, then by rules, each asked in turn.

        A rule counts the requests that reach it: whoever stops asking leaves the rest as they are.
        """
        for failure in ordered:
            if failure.phase == phase:
                yield Due(REQUEST, failure, self._dice)
        for queued in self._queue:
            rule = queued.rule
            if rule.failure.phase == phase and rule.which.fits(request, operation) and queued.fires(self._now()):
                yield Due(queued.id, rule.failure, queued.dice, queued.until)

    def _enqueue(self, rules: Sequence[Rule], *, standing: bool = False) -> list[str]:
        first = self._made + 1
        self._made += len(rules)
        added = [
            # Dice of its own: what else is ordered does not change whom a rule of chance hits.
            Queued(f"fault_{number}", rule, Dice(f"{self._seed}:{number}"), standing)
            for number, rule in enumerate(rules, first)
        ]
        self._queue = (*self._queue, *added)
        return [queued.id for queued in added]
