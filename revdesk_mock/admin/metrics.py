"""Metrics in the text format of Prometheus: what was asked and answered, what went wrong, and what is open now."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import revdesk_mock
from revdesk_mock import clock
from revdesk_mock.emulator import Emulator
from revdesk_mock.journal import Entry

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[Mapping[str, str], float]  # labels, value


class Metrics:
    """Counts from the moment it is made. Labels are bounded: operations of the contract, statuses.

    `open_rooms` tells how many rooms are open now.
    """

    def __init__(self, emulator: Emulator, open_rooms: Callable[[], int]) -> None:
        self._emulator = emulator
        self._open_rooms = open_rooms
        self._started = clock.stopwatch()
        self._answers: Counter[tuple[str, int]] = Counter()
        self._faults = 0
        emulator.journal.on_entry(self._count_answer)

    @property
    def uptime(self) -> float:
        """How long it has counted, in seconds."""
        return clock.stopwatch() - self._started

    def text(self) -> str:
        """Write them all as Prometheus reads them."""
        answers = (
            ({"operation": operation, "status": str(status)}, count)
            for (operation, status), count in sorted(self._answers.items())
        )
        version = {"version": revdesk_mock.__version__}
        emulator = self._emulator
        return "".join(
            (
                _family("info", "gauge", "The emulator that this is.", [(version, 1)]),
                _family("uptime_seconds", "gauge", "Seconds since the start.", [({}, self.uptime)]),
                _family("worlds", "gauge", "Worlds that are open.", [({}, len(emulator.worlds()))]),
                _family("rooms", "gauge", "Rooms that are open.", [({}, self._open_rooms())]),
                _family("requests_total", "counter", "Requests under /v1, by operation and status.", answers),
                _family("faults_total", "counter", "Requests that failed on order.", [({}, self._faults)]),
                _family(
                    "contract_breaches_total",
                    "counter",
                    "Answers that broke the contract.",
                    [({}, len(emulator.pipeline.breaches))],
                ),
            )
        )

    def _count_answer(self, entry: Entry) -> None:
        self._answers[entry.operation or "none", entry.status] += 1
        self._faults += entry.fault is not None


def _family(name: str, kind: str, says: str, samples: Iterable[Sample]) -> str:
    """Write one metric: what it is, and a line for each of its samples. No label needs escaping."""
    full = f"revdesk_mock_{name}"
    lines = [f"# HELP {full} {says}", f"# TYPE {full} {kind}"]
    for labels, value in samples:
        inner = ",".join(f'{label}="{text}"' for label, text in labels.items())
        lines.append(f"{full}{{{inner}}} {value}" if inner else f"{full} {value}")
    return "\n".join(lines) + "\n"
