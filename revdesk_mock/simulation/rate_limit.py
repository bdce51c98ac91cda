"""The one-minute request window of each key, and the headers that tell a client where it stands."""

from collections import deque
from dataclasses import dataclass

from revdesk_mock.clock import MINUTE, SECOND
from revdesk_mock.errors import ApiError
from revdesk_mock.messages import Reason

# Requests a minute, documented on the load-testing page.
PRODUCTION = 600
DEMO = 120


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a window: the limit, the requests left, and when it resets (Unix milliseconds)."""

    limit: int
    remaining: int
    reset: int
    now: int

    def headers(self) -> list[tuple[str, str]]:
        """Return `X-RateLimit-*`, `RateLimit` and `RateLimit-Policy` (documented header set)."""
        limit, remaining = str(self.limit), str(self.remaining)
        return [
            ("x-ratelimit-limit", limit),
            ("x-ratelimit-remaining", remaining),
            ("x-ratelimit-reset", str(self.reset)),
            ("ratelimit", f'"default";r={remaining};t={self.seconds()}'),
            ("ratelimit-policy", f'"default";q={limit};w=60'),
        ]

    def seconds(self) -> int:
        """Return the whole seconds until the reset, at least one."""
        return max(1, -((self.now - self.reset) // SECOND))


class RateLimit:
    """Counts one key's requests in a window that is fixed (restarts) or sliding (moves along).

    `limit` None counts nothing and refuses nothing.
    """

    def __init__(self, limit: int | None, *, sliding: bool = False) -> None:
        self._limit = limit
        self._sliding = sliding
        self._start = 0
        self._count = 0
        self._hits: deque[int] = deque()

    def hit(self, now: int) -> Quota | None:
        """Count a request; raises ApiError (429, with `Retry-After`) where the window is full."""
        if self._limit is None:
            return None
        return self._slide(now, self._limit) if self._sliding else self._fix(now, self._limit)

    def refund(self) -> None:
        """Take the latest request back: it was a replay, and replays are free by policy."""
        self._count = max(0, self._count - 1)
        if self._hits:
            self._hits.pop()

    def _fix(self, now: int, limit: int) -> Quota:
        if not 0 <= now - self._start < MINUTE:
            self._start, self._count = now, 0
        allowed = self._count < limit
        self._count += allowed
        quota = Quota(limit, limit - self._count, self._start + MINUTE, now)
        return quota if allowed else _refuse(quota)

    def _slide(self, now: int, limit: int) -> Quota:
        while self._hits and not 0 <= now - self._hits[0] < MINUTE:
            self._hits.popleft()
        allowed = len(self._hits) < limit
        if allowed:
            self._hits.append(now)
        oldest = self._hits[0] if self._hits else now
        quota = Quota(limit, limit - len(self._hits), oldest + MINUTE, now)
        return quota if allowed else _refuse(quota)


def _refuse(quota: Quota) -> Quota:
    seconds = quota.seconds()
    raise ApiError(
        "rate_limited",
        f"Rate limit of {quota.limit} requests a minute reached; try again in {seconds} s.",
        Reason("rate_limit", "this key", f"at most {quota.limit} requests a minute", "one more"),
        headers=[*quota.headers(), ("retry-after", str(seconds))],
    )
