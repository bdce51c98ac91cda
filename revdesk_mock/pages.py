"""Lists a page at a time: newest or oldest first, with a cursor that survives what is added or deleted."""

from collections.abc import Callable, Iterable, Mapping

from revdesk_mock.errors import invalid
from revdesk_mock.ids import decode_cursor, encode_cursor
from revdesk_mock.messages import JSON, Record

Positioned = Iterable[tuple[int, Record]]


def size_of(query: Mapping[str, JSON], default: int, most: int) -> int:
    """Read a query's `limit`: how many records a page may have; raises ApiError (400) unless it is 1 to `most`.

    The contract says so too where it has bounds; this holds where it has none.
    """
    limit = query.get("limit", default)
    if limit not in range(1, most + 1):
        expected = f"a whole number from 1 to {most}"
        raise invalid("limit", f"must be {expected}", where="query limit", rule="limit", expected=expected, got=limit)
    return int(limit)


def start_of(cursor: str | None, *, lenient: bool) -> int | None:
    """Read a cursor; raises ApiError (400) for one that no list handed out, unless the policy ignores it."""
    if cursor is None:
        return None
    try:
        return decode_cursor(cursor)
    except ValueError:
        if lenient:
            return None
        raise invalid(
            "cursor",
            "is not a cursor of this list",
            where="query cursor",
            rule="cursor",
            expected="meta.cursor of the page before",
            got=cursor,
        ) from None


def cut(
    records: Positioned, limit: int, wanted: Callable[[Record], bool] = lambda _: True
) -> tuple[list[Record], str | None]:
    """Take one page of the records that are wanted, and the cursor of the next (None: this is the last)."""
    page: list[Record] = []
    last = 0
    for position, record in records:
        if not wanted(record):
            continue
        if len(page) == limit:
            return page, encode_cursor(last)
        page.append(record)
        last = position
    return page, None
