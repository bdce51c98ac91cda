"""The one-minute request window of each key, and the headers that tell a client where it stands."""

from dataclasses import dataclass, replace

from revdesk_mock.clock import MINUTE, SECOND
from revdesk_mock.errors import ApiError
from revdesk_mock.messages import Reason
from revdesk_mock.window import Window

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
        self.limit = limit
        self._sliding = sliding
        self._start = 0
        self._count = 0
        self._hits = Window(MINUTE)

    def hit(self, now: int) -> Quota | None:
        """Count a request; raises ApiError (429, with `Retry-After`) where the window is full."""
        if self.limit is None:
            return None
        used, reset = self._used(now)
        if used >= self.limit:
            reason = Reason("rate_limit", "this key", f"at most {self.limit} requests a minute", "one more")
            raise refused(Quota(self.limit, 0, reset, now), reason)
        if self._sliding:
            self._hits.add(now)
        else:
            self._count += 1
        return Quota(self.limit, self.limit - used - 1, reset, now)

    def refund(self, quota: Quota) -> Quota:
        """Take a counted request back (it was a replay, and those are free by policy); return what is left then."""
        if self._sliding:
            self._hits.remove(quota.now)
        elif quota.reset == self._start + MINUTE:
            self._count -= 1
        return replace(quota, remaining=quota.remaining + 1)

    def _used(self, now: int) -> tuple[int, int]:
        """Return how many requests the window holds, and when it resets."""
        if self._sliding:
            return self._hits.count(now), self._hits.oldest(now) + MINUTE
        if not 0 <= now - self._start < MINUTE:
            self._start, self._count = now, 0
        return self._count, self._start + MINUTE


def refused(quota: Quota, reason: Reason) -> ApiError:
    """Build the 429 of a quota that is used up, with the headers that tell until when."""
    seconds = quota.seconds()
    return ApiError(
        "rate_limited",
        f"Rate limit of {quota.limit} requests a minute reached; try again in {seconds} s.",
        reason,
        headers=[*quota.headers(), ("retry-after", str(seconds))],
    )
