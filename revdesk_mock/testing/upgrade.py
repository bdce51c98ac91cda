"""What breaks under another contract: recorded requests that it refuses, and received fields that it changes."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from revdesk_mock.errors import ApiError
from revdesk_mock.spec import Operation, Spec
from revdesk_mock.testing.recorded import UNREADABLE, Exchange
from revdesk_mock.testing.shapes import ITEM, Shape, changes
from revdesk_mock.validation import Validation

POSITION = re.compile(r"/\d+(?=/|$)")


class Finding(NamedTuple):
    """One thing that breaks for one operation of the old contract.

    `where` is the place in request or answer, with `*` for any item; `says` what is new there; `requests` how many of
    those recorded it concerns, the first of them `example`, and `pointer` the place in that one.
    """

    operation: Operation
    where: str
    says: str
    requests: int
    example: Exchange
    pointer: str


@dataclass(frozen=True)
class Report:
    """The findings, in the order of the old contract.

    `read` is how many requests there were, `astray` how many of them led to no operation of the old contract.
    """

    findings: list[Finding]
    read: int
    astray: int


class Upgrade:
    """Compares recorded exchanges, which went by an old contract, with a new one."""

    def __init__(self, old: Spec, new: Spec) -> None:
        self._old = old
        self._new = new
        # Fields that nothing reads count as refused: whoever sends one means something by it.
        self._old_rules = Validation(old, reject_unknown_fields=True)
        self._new_rules = Validation(new, reject_unknown_fields=True)
        self._shapes: dict[tuple[str, int], tuple[Shape, Shape]] = {}  # of answers, by operation and status

    def report(self, exchanges: Iterable[Exchange]) -> Report:
        """Return what breaks."""
        found: dict[tuple[str, str, str], Finding] = {}
        read = astray = 0
        for exchange in exchanges:
            read += 1
            operation = _operation(self._old, exchange)
            if operation is None:
                astray += 1
                continue
            seen = set()
            for where, says, pointer in self._broken(operation, exchange):
                key = (operation.id, where, says)
                if key not in seen:
                    seen.add(key)
                    earlier = found.get(key) or Finding(operation, where, says, 0, exchange, pointer)
                    found[key] = earlier._replace(requests=earlier.requests + 1)
        order = list(self._old.operations)
        findings = sorted(found.values(), key=lambda finding: order.index(finding.operation.id))
        return Report(findings, read, astray)

    def _broken(self, operation: Operation, exchange: Exchange) -> Iterator[tuple[str, str, str]]:
        """Yield place, news and the place in this exchange for all that breaks of it."""
        renewed = _operation(self._new, exchange)
        if renewed is None:
            yield "operation", "is gone", ""
            return
        before = _refusals(self._old_rules, operation, exchange)
        for where, says in _refusals(self._new_rules, renewed, exchange).items():
            if where not in before:
                yield POSITION.sub(f"/{ITEM}", where), says, where.rpartition(" ")[2]
        if exchange.status not in operation.responses:
            return  # no answer by the old contract
        if exchange.status not in renewed.responses:
            yield "status", f"{exchange.status} is not declared any more; success is {renewed.success}", ""
        shapes = self._shapes_of(operation, renewed, exchange.status)
        if shapes is not None and exchange.answer is not UNREADABLE:
            for change in changes(exchange.answer, *shapes):
                yield f"answer {change.place or '/'}", change.says, change.pointer

    def _shapes_of(self, operation: Operation, renewed: Operation, status: int) -> tuple[Shape, Shape] | None:
        """Return the shapes of an answer, old and new; where success has another status, that one's is the new one."""
        key = (operation.id, status)
        if key not in self._shapes:
            after = renewed.success if status == operation.success and status not in renewed.responses else status
            if after not in renewed.responses:
                return None
            self._shapes[key] = Shape(operation.responses[status]), Shape(renewed.responses[after])
        return self._shapes[key]


def _operation(spec: Spec, exchange: Exchange) -> Operation | None:
    """Find an exchange's operation; a public URL may have put a prefix before its path."""
    _, *steps = exchange.path.split("/")
    for start in range(len(steps)):
        found = spec.match(exchange.method, "/" + "/".join(steps[start:])).operation
        if found is not None:
            return found
    return None


def _refusals(rules: Validation, operation: Operation, exchange: Exchange) -> dict[str, str]:
    """Return why a request would be refused for its form, by the place."""
    found: dict[str, str] = {}
    try:
        rules.read_query(operation, exchange.query)
    except ApiError as error:
        found |= _told(error)
    if operation.request is None or exchange.body is UNREADABLE:
        return found
    if exchange.body is None:
        return found | ({"body": "is required"} if operation.body_required else {})
    try:
        rules.read_body(operation, exchange.body)
    except ApiError as error:
        found |= _told(error)
    return found


def _told(error: ApiError) -> dict[str, str]:
    messages = (error.fields or {}).values()
    return {reason.where: message for reason, message in zip(error.reasons, messages, strict=True)}
