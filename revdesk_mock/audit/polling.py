"""Findings about reading too often: one resource, again and again, faster than anything can change."""

from collections.abc import Iterator, Sequence

from revdesk_mock.audit.finding import Finding
from revdesk_mock.audit.tries import Try, entries, gap, overlap

PACE = 1.0  # seconds
SLACK = 0.05  # of them, that a timer may be off
READS = 5  # from so many on it is polling: a page or a test may read a thing some times


def too_fast(chain: Sequence[Try]) -> Iterator[Finding]:
    """Find one GET that was sent many times in a row, less than a second apart, with no write between."""
    if chain[0].entry.method != "GET":
        return
    run: list[Try] = []
    for one in chain:
        if run and not _is_hasty(run[-1], one):
            yield from _told(run)
            run = []
        run.append(one)
    yield from _told(run)


def _is_hasty(first: Try, second: Try) -> bool:
    answered = first.entry.succeeded and not first.entry.is_lost  # what failed is tried again, which is no polling
    in_a_row = first.writes == second.writes and not overlap(first, second)
    return answered and in_a_row and gap(first, second) < PACE - SLACK


def _told(run: Sequence[Try]) -> Iterator[Finding]:
    if len(run) < READS:
        return
    first = run[0].entry
    yield Finding(
        "polled_too_fast",
        f"GET {first.path} was read {len(run)} times in a row, less than a second apart. "
        "Wait a second or more between reads.",
        entries(run),
    )
