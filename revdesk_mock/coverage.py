"""Which answers of the contract a client has met: operation by status by error code, and which it never has."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from revdesk_mock.errors import STATUS
from revdesk_mock.journal import Entry
from revdesk_mock.messages import JSON
from revdesk_mock.spec import Operation, Spec

# Codes of no operation, and those that only an operation with a caller ID has: its contract says so by its 422.
ASTRAY = frozenset({"route_not_found", "method_not_allowed"})
OF_CALLERS = frozenset(
    "caller_id_not_verified destination_not_allowed spend_cap_exceeded concurrency_limit_exceeded call_rate_exceeded "
    "carrier_rejected".split()
)


class Hit(NamedTuple):
    """What a client met: an operation (None: no route led to one), a status, and the code of a refusal.

    The status is None where the answer was lost on its way, on order.
    """

    operation: str | None
    status: int | None
    code: str | None


class Cell(NamedTuple):
    """One answer of an operation and how often it was met; not `declared`: the contract does not tell of it."""

    status: int
    code: str | None
    hits: int
    declared: bool


class Figure(NamedTuple):
    """How many of those that the contract declares were met."""

    declared: int
    hit: int

    @property
    def percent(self) -> float:
        """Return the share that was met, rounded down to a tenth, so that 100 means all."""
        return self.hit * 1000 // self.declared / 10 if self.declared else 100.0


class Coverage:
    """How often each answer was met; a small value that outlives the journal's entries, and can be added up."""

    def __init__(self, hits: Mapping[Hit, int] | None = None) -> None:
        self.hits = Counter(hits)

    def note(self, entry: Entry) -> None:
        """Count one answer."""
        self.hits[Hit(entry.operation, None if entry.is_lost else entry.status, entry.code)] += 1

    def __add__(self, other: "Coverage") -> "Coverage":
        """Return both in one."""
        return Coverage(self.hits + other.hits)


def of(entries: Iterable[Entry]) -> Coverage:
    """Return what some requests met."""
    coverage = Coverage()
    for entry in entries:
        coverage.note(entry)
    return coverage


def cells(coverage: Coverage, operation: Operation) -> list[Cell]:
    """Return what the contract declares that an operation answers, met or not, and what else was met."""
    met = {(hit.status, hit.code): hits for hit, hits in coverage.hits.items() if hit.operation == operation.id}
    declared = [(status, code) for status in operation.responses for code in _codes(operation, status)]
    known = [Cell(status, code, met.get((status, code), 0), declared=True) for status, code in declared]
    others = (
        Cell(status, code, hits, declared=False)
        for (status, code), hits in met.items()
        if status is not None and (status, code) not in declared
    )
    return sorted([*known, *others], key=lambda cell: (cell.status, cell.code or ""))


def figures(coverage: Coverage, spec: Spec) -> dict[str, Figure]:
    """Return how much was met of `operations`, of `statuses` (operation by status) and of `codes` (by code, too)."""
    rows = {operation.id: cells(coverage, operation) for operation in spec.operations.values()}
    met = [(name, cell) for name, row in rows.items() for cell in row if cell.hits]
    statuses = {(name, status) for name, operation in spec.operations.items() for status in operation.responses}
    return {
        "operations": Figure(len(rows), len({hit.operation for hit in coverage.hits} & rows.keys())),
        "statuses": Figure(len(statuses), len({(name, cell.status) for name, cell in met} & statuses)),
        "codes": Figure(
            sum(cell.declared for row in rows.values() for cell in row), sum(cell.declared for _, cell in met)
        ),
    }


def describe(coverage: Coverage, spec: Spec) -> dict[str, JSON]:
    """Return it all as JSON: the figures, a row for each operation, and how many requests led to none."""
    return {
        **{
            name: {"declared": figure.declared, "hit": figure.hit, "percent": figure.percent}
            for name, figure in figures(coverage, spec).items()
        },
        "astray": sum(hits for hit, hits in coverage.hits.items() if hit.operation not in spec.operations),
        "rows": [
            {
                "operation": operation.id,
                "method": operation.method,
                "path": operation.path,
                "lost": _lost(coverage, operation),
                "cells": [cell._asdict() for cell in cells(coverage, operation)],
            }
            for operation in spec.operations.values()
        ],
    }


def text(coverage: Coverage, spec: Spec) -> str:
    """Write it for people: the figures, what each operation answered and what never, and the operations never asked."""
    return "".join(f"{line}\n" for line in _lines(coverage, spec))


def _lines(coverage: Coverage, spec: Spec) -> Iterator[str]:
    for name, (declared, hit) in (found := figures(coverage, spec)).items():
        yield f"{name:<10} {hit:>4} of {declared:>4}  {found[name].percent:5.1f} %"
    asked = {hit.operation for hit in coverage.hits}
    for operation in spec.operations.values():
        if operation.id in asked:
            row, lost = cells(coverage, operation), _lost(coverage, operation)
            met = [f"{_named(cell)} x{cell.hits}" for cell in row if cell.hits] + ([f"lost x{lost}"] if lost else [])
            yield f"\n{operation.method} {operation.path}\n  met    {', '.join(met)}"
            yield f"  never  {', '.join(_named(cell) for cell in row if not cell.hits) or 'nothing'}"
    unasked = [f"  {one.method} {one.path}" for one in spec.operations.values() if one.id not in asked]
    if unasked:
        yield "\nnever asked"
        yield from unasked


def _codes(operation: Operation, status: int) -> list[str | None]:
    """Return the codes that an operation's refusal with a status may have; None for a success."""
    if status < 400:
        return [None]
    out = ASTRAY if 422 in operation.responses else ASTRAY | OF_CALLERS
    if operation.method == "GET":
        out |= {"idempotency_conflict"}
    return [code for code, usual in STATUS.items() if usual == status and code not in out]


def _lost(coverage: Coverage, operation: Operation) -> int:
    return sum(hits for hit, hits in coverage.hits.items() if hit.operation == operation.id and hit.status is None)


def _named(cell: Cell) -> str:
    return f"{cell.status} {cell.code}" if cell.code else str(cell.status)
