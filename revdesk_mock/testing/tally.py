"""What a run exercised of the contract, and what it would have cost: added up over its worlds."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from revdesk_mock.messages import JSON


class Share(NamedTuple):
    """How many of those that the contract declares were met."""

    met: int
    of: int

    @property
    def percent(self) -> float:
        """The share, rounded down to a tenth, so that 100 means all; 0 of a contract that no test has met."""
        return self.met * 1000 // self.of / 10 if self.of else 0.0


class Tally:
    """Adds up what `/_revdesk/coverage` and `/_revdesk/bill` say of worlds of one contract."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, JSON]] = {}  # by operation
        self._bill: dict[str, JSON] = {}

    def add(self, rows: list[dict[str, JSON]], bill: Mapping[str, JSON]) -> None:
        """Add the rows of a coverage, and a bill."""
        for row in rows:
            mine = self._rows.setdefault(row["operation"], {**row, "cells": [], "lost": 0})
            mine["lost"] += row["lost"]
            cells = {(cell["status"], cell["code"]): cell for cell in mine["cells"]}
            for cell in row["cells"]:
                known = cells.setdefault((cell["status"], cell["code"]), {**cell, "hits": 0})
                known["hits"] += cell["hits"]
            mine["cells"] = sorted(cells.values(), key=lambda cell: (cell["status"], cell["code"] or ""))
        self._bill = _sum(self._bill, bill)

    def dump(self) -> dict[str, JSON]:
        """Return it as the arguments of `add`, in plain JSON."""
        return {"rows": list(self._rows.values()), "bill": self._bill}

    @property
    def operations(self) -> Share:
        """Operations that were asked."""
        return Share(sum(bool(_met(row)) for row in self._rows.values()), len(self._rows))

    @property
    def statuses(self) -> Share:
        """Operations by declared status: what `--revdesk-cov-fail-under` goes by."""
        declared = {
            (name, cell["status"]) for name, row in self._rows.items() for cell in row["cells"] if cell["declared"]
        }
        met = {(name, cell["status"]) for name, row in self._rows.items() for cell in row["cells"] if cell["hits"]}
        return Share(len(met & declared), len(declared))

    @property
    def codes(self) -> Share:
        """Operations by declared status and error code."""
        declared = [cell for row in self._rows.values() for cell in row["cells"] if cell["declared"]]
        return Share(sum(cell["hits"] > 0 for cell in declared), len(declared))

    def lines(self) -> Iterator[str]:
        """Yield the table for people: what each operation answered and what never, and those that were never asked."""
        unasked = []
        for row in self._rows.values():
            name = f"{row['method']} {row['path']}"
            if met := _met(row):
                yield name
                yield f"  met    {', '.join(met)}"
                yield f"  never  {', '.join(_named(cell) for cell in row['cells'] if not cell['hits']) or 'nothing'}"
            else:
                unasked.append(f"  {name}")
        if unasked:
            yield "never asked"
            yield from unasked
        for what in ("operations", "statuses", "codes"):
            share: Share = getattr(self, what)
            yield f"{what:<10} {share.met:>4} of {share.of:>4}  {share.percent:5.1f} %"
        yield self._cost()

    def _cost(self) -> str:
        calls = sum(self._bill.get("calls", {}).values())
        used = f"{calls} calls, {self._bill.get('messages', 0)} messages, {self._bill.get('minutes', 0)} minutes"
        return f"this run would have cost {self._bill.get('dollars', 0):.2f} US dollars: {used}"


def _sum(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Add up numbers by name, inner objects too."""
    total = dict(one)
    for name, value in other.items():
        total[name] = _sum(total.get(name, {}), value) if isinstance(value, Mapping) else total.get(name, 0) + value
    return total


def _met(row: Mapping[str, JSON]) -> list[str]:
    """Return what an operation answered, and how often its answer was lost on order."""
    answered = [f"{_named(cell)} x{cell['hits']}" for cell in row["cells"] if cell["hits"]]
    return [*answered, *([f"lost x{row['lost']}"] if row["lost"] else [])]


def _named(cell: Mapping[str, JSON]) -> str:
    return f"{cell['status']} {cell['code']}" if cell["code"] else str(cell["status"])
