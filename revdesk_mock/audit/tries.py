"""Which requests ask for the same, in the order in which they began, and how long apart they are."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import orjson

from revdesk_mock.clock import SECOND
from revdesk_mock.journal import Entry, parsed

WINDOW = 600  # seconds after which the same request is taken to be another intention
ROUNDING = 2  # milliseconds that two instants of the journal may be off
NOT_NOW = frozenset({408, 429})  # refusals that are no verdict on the request


class Try(NamedTuple):
    """One request among those that ask for the same; `writes` counts the writes that its world had seen succeed."""

    entry: Entry
    writes: int

    @property
    def failed(self) -> bool:
        """Whether its client cannot know that it was carried out, or knows that it was not, yet."""
        entry = self.entry
        return entry.status >= 500 or entry.status in NOT_NOW or entry.is_lost


def chains(entries: Iterable[Entry]) -> list[list[Try]]:
    """Return requests by what they ask for and by whom (world, key, method, path, query and body), as they began."""
    found: dict[tuple[object, ...], list[Try]] = {}
    writes: Counter[str | None] = Counter()
    for entry in _as_they_began(entries):
        found.setdefault(_asks(entry), []).append(Try(entry, writes[entry.world]))
        if entry.method != "GET" and entry.succeeded:
            writes[entry.world] += 1
    return list(found.values())


def runs(chain: Sequence[Try]) -> Iterator[list[Try]]:
    """Yield each request that failed with the tries after it, up to the one that did not fail or was the last."""
    run: list[Try] = []
    for one in chain:
        if run and not _is_retry(run[-1], one):
            if len(run) > 1:
                yield run
            run = []
        run.append(one)
    if len(run) > 1:
        yield run


def gap(first: Try, second: Try) -> float:
    """Return the seconds from one's answer to another's beginning, by the wall or the world, whichever is longer.

    A test may move the world's time in place of waiting, or wait while that stands.
    """
    return max(_walls_gap(first, second), _worlds_gap(first, second))


def gaps(run: Sequence[Try]) -> list[float]:
    """Return the seconds between tries that follow one another."""
    return [gap(first, second) for first, second in pairwise(run)]


def overlap(first: Try, second: Try) -> bool:
    """Whether the second began before the first was answered."""
    return _began(second.entry) < first.entry.at - ROUNDING


def is_time_moved(first: Try, second: Try) -> bool:
    """Whether somebody moved the world's time between two requests."""
    return _worlds_gap(first, second) > _walls_gap(first, second) + second.entry.took + 1


def entries(tries: Iterable[Try]) -> tuple[Entry, ...]:
    """Return the requests of tries."""
    return tuple(one.entry for one in tries)


def _as_they_began(entries: Iterable[Entry]) -> list[Entry]:
    """Put requests that were answered late where they began; a rounded instant changes no order."""
    ordered: list[Entry] = []
    for entry in entries:
        place = len(ordered)
        while place and _began(ordered[place - 1]) > _began(entry) + ROUNDING:
            place -= 1
        ordered.insert(place, entry)
    return ordered


def _is_retry(first: Try, second: Try) -> bool:
    if gap(first, second) > WINDOW:
        return False
    if overlap(first, second):  # a client that did not wait for an answer which was held up on order
        return first.entry.fault is not None
    return first.failed


def _walls_gap(first: Try, second: Try) -> float:
    return max(0.0, (_began(second.entry) - first.entry.at) / SECOND)


def _worlds_gap(first: Try, second: Try) -> float:
    if first.entry.world_at is None or second.entry.world_at is None:
        return 0.0
    return max(0.0, (second.entry.world_at - first.entry.world_at) / SECOND)


def _began(entry: Entry) -> float:
    return entry.at - entry.took * SECOND


def _asks(entry: Entry) -> tuple[object, ...]:
    body = parsed(entry.body)
    said = body if body is None or isinstance(body, str) else orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    return entry.world, entry.api_key_id, entry.method, entry.path, entry.query, said
