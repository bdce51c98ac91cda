"""Findings about requests that were sent again: without their key, too soon, too often, or though it is of no use."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from revdesk_mock.audit.finding import Finding
from revdesk_mock.audit.tries import WINDOW, Try, entries, gap, gaps, is_time_moved, overlap, runs
from revdesk_mock.journal import Entry, parsed
from revdesk_mock.messages import JSON

REPEATABLE = frozenset({"GET", "PUT", "DELETE"})  # by their meaning (RFC 9110), key or not
VERDICTS = frozenset({400, 401, 403, 404, 405, 409, 422})  # refusals that the same request meets again
EARLY = 0.1  # seconds that a timer may be off
RETRIES = 3  # from so many on, waits are expected to grow
GROWTH, NOISE = 1.2, 0.02  # by what factor, and by how many seconds, the longest wait is longer than the first


def without_key(chain: Sequence[Try]) -> Iterator[Finding]:
    """Find writes that were tried again without the key of their first try: they may be done twice."""
    if chain[0].entry.method in REPEATABLE:
        return
    for run in runs(chain):
        first, keys = run[0].entry, {one.entry.idempotency_key for one in run}
        if len(keys) == 1 and "" not in keys:
            continue
        how = "without an idempotency key" if "" in keys else "under another idempotency key"
        yield Finding(
            "retry_without_key",
            f"{_what(first)} was tried again {how} after {_failure(first)}: it may be done twice. "
            "Send one Idempotency-Key with the first try and the same one with each that follows.",
            entries(run),
        )


def refused(chain: Sequence[Try]) -> Iterator[Finding]:
    """Find requests that were refused, sent again as they were, and refused again for the same reason."""
    own = {one.entry.request_id for one in chain}
    run: list[Try] = []
    for one in chain:
        if run and not _is_blind(run[-1], one):
            yield from _told(run)
            run = []
        if _is_final(one.entry) and _conflicts_with(one.entry) not in own:  # its own first try may still be running
            run.append(one)
    yield from _told(run)


def _is_final(entry: Entry) -> bool:
    """Whether a refusal will not change by itself, as far as its client was told."""
    return entry.status in VERDICTS and "retry-after" not in entry.answer_headers and not entry.is_lost


def _is_blind(first: Try, second: Try) -> bool:
    """Whether the same refusal was asked for again, though nothing had changed: no write, no move of the clock."""
    return (
        (first.entry.status, first.entry.code) == (second.entry.status, second.entry.code)
        and first.writes == second.writes
        and gap(first, second) <= WINDOW
        and not overlap(first, second)
        and not is_time_moved(first, second)
    )


def _told(run: Sequence[Try]) -> Iterator[Finding]:
    if len(run) > 1:
        first = run[0].entry
        yield Finding(
            "refusal_retried",
            f"{_what(first)} was refused with {_refusal(first)} and sent again unchanged, {_times(len(run) - 1)}. "
            f"A {first.status} stays one until the request or what it is about has changed.",
            entries(run),
        )


def too_soon(chain: Sequence[Try]) -> Iterator[Finding]:
    """Find requests that came back before the end of the wait that their answer asked for."""
    for first, second in pairwise(chain):
        asked = retry_after(first.entry)
        if asked is None or overlap(first, second):
            continue
        waited = gap(first, second)
        if waited < asked - EARLY:
            yield Finding(
                "retry_after_ignored",
                f"{_what(first.entry)} was told to come back in {asked} s ({_refusal(first.entry)}), and did so after "
                f"{waited:.3f} s. Wait as long as Retry-After says.",
                entries((first, second)),
            )


def without_backoff(chain: Sequence[Try]) -> Iterator[Finding]:
    """Find requests that were tried again and again, each time after the same wait or a shorter one.

    Who waits as long as Retry-After says need not wait longer each time.
    """
    for run in runs(chain):
        told = any(retry_after(one.entry) is not None for one in run[:-1])
        waits = gaps(run)
        if told or len(waits) < RETRIES or max(waits[1:]) > waits[0] * GROWTH + NOISE:
            continue
        first = run[0].entry
        shown = ", ".join(f"{wait:.3f}" for wait in waits)
        yield Finding(
            "no_backoff",
            f"{_what(first)} was tried again {_times(len(waits))} after {_failure(first)}, after {shown} s: the waits "
            "do not grow. Double them, with some chance in it.",
            entries(run),
        )


def retry_after(entry: Entry) -> int | None:
    """Return the seconds that an answer asked to wait, if it did and arrived."""
    said = entry.answer_headers.get("retry-after", "")
    return int(said) if said.isascii() and said.isdigit() and not entry.is_lost else None


def reused_keys(asked: Sequence[Entry]) -> Iterator[Finding]:
    """Find idempotency keys that were sent with something else than what they stand for."""
    by_id = {entry.request_id: entry for entry in asked}
    for entry in asked:
        if entry.code != "idempotency_conflict":
            continue
        first = by_id.get(_conflicts_with(entry))
        if first is not None and _sent(first) == _sent(entry):
            continue  # its own first try, which was still running
        yield Finding(
            "key_reused",
            f"{_what(entry)} came under the idempotency key of another request. Make a fresh key for each intention.",
            (entry,) if first is None else (first, entry),
        )


def _conflicts_with(entry: Entry) -> str:
    """Return the id of the request whose idempotency key a refused one came under, or nothing."""
    if entry.code != "idempotency_conflict":
        return ""
    match parsed(entry.answer):
        case {"error": {"fields": {"conflicts_with": str() as first}}}:
            return first
    return ""


def _sent(entry: Entry) -> tuple[str, str, str, JSON]:
    return entry.method, entry.path, entry.query, parsed(entry.body)


def _what(entry: Entry) -> str:
    return f"{entry.method} {entry.path}"


def _refusal(entry: Entry) -> str:
    return f"{entry.status} {entry.code}" if entry.code else str(entry.status)


def _failure(entry: Entry) -> str:
    """Tell how a first try failed, as its client saw it."""
    if entry.is_lost:
        return "its answer was lost"
    return f"a {_refusal(entry)}" if entry.status >= 400 else "an answer that did not come in time"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
