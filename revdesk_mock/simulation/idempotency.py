"""The memory of idempotency keys: remember a success, replay it, refuse another body, forget after 24 hours."""

import asyncio
import re
from collections import deque
from dataclasses import dataclass

from revdesk_mock.clock import DAY
from revdesk_mock.errors import ApiError
from revdesk_mock.messages import Reason, Response

LIFETIME = DAY
MAX_KEY = 255
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
HEADER = "header Idempotency-Key"

Slot = tuple[str, str]  # bucket (the API key it was submitted under), idempotency key


@dataclass(slots=True)
class Submission:
    """A request that carried an idempotency key: what it asked, and how it was answered.

    `response` is None, and `done` pending, while it runs; only a success stays.
    """

    slot: Slot
    fingerprint: bytes
    request_id: str
    done: "asyncio.Future[None] | None" = None
    response: Response | None = None
    expires_at: int = 0


class Idempotency:
    """Idempotency keys of one world. Nothing here is dumped: stored responses may hold tokens."""

    def __init__(self) -> None:
        self._submissions: dict[Slot, Submission] = {}
        self._finished: deque[Submission] = deque()

    def find(self, slot: Slot, fingerprint: bytes, now: int) -> Submission | None:
        """Return the submission that this request repeats, or None where its key is free.

        Raises ApiError (409 `idempotency_conflict`) where the key is bound to another body (documented)
        or operation (chosen); `fields.conflicts_with` is the first request's id.
        """
        self._forget(now)
        submission = self._submissions.get(slot)
        if submission is not None and submission.response is not None and submission.expires_at <= now:
            return None  # not forgotten yet, because the clock was moved back meanwhile
        if submission is not None and submission.response is not None and submission.fingerprint != fingerprint:
            raise conflict(submission, "this key was used for another operation or another body")
        return submission

    def begin(self, slot: Slot, fingerprint: bytes, request_id: str) -> Submission:
        """Take a free key for a request that is about to run."""
        submission = self._submissions[slot] = Submission(slot, fingerprint, request_id)
        return submission

    def finish(self, submission: Submission, response: Response | None, now: int) -> None:
        """Bind the key to a success for 24 hours, or (None) free it: a failure binds nothing."""
        if response is None:
            del self._submissions[submission.slot]
        else:
            submission.response = response
            submission.expires_at = now + LIFETIME
            self._finished.append(submission)
        if submission.done is not None:
            submission.done.set_result(None)

    async def wait(self, submission: Submission) -> None:
        """Wait until the submission that runs has been answered."""
        if submission.done is None:
            submission.done = asyncio.get_running_loop().create_future()
        await asyncio.shield(submission.done)

    def _forget(self, now: int) -> None:
        while self._finished and self._finished[0].expires_at <= now:
            old = self._finished.popleft()
            if self._submissions.get(old.slot) is old:
                del self._submissions[old.slot]


def check_key(key: str, *, uuid_only: bool) -> None:
    """Raise ApiError (400) for an idempotency key that cannot be one."""
    if len(key) > MAX_KEY:
        message, expected = f"must have at most {MAX_KEY} characters", f"at most {MAX_KEY} characters"
    elif uuid_only and not UUID.fullmatch(key):
        message, expected = "must be a UUID", "a UUID"
    else:
        return
    reason = Reason("idempotency.key", HEADER, expected, f"{len(key)} characters")
    raise ApiError("validation_error", f"Idempotency-Key {message}.", reason, fields={"Idempotency-Key": message})


def conflict(first: Submission, why: str) -> ApiError:
    """Build the 409 that names the first request."""
    return ApiError(
        "idempotency_conflict",
        f"Idempotency-Key conflict: {why}. The first request was {first.request_id}.",
        Reason("idempotency.conflict", HEADER, f"a fresh key, or the request of {first.request_id} again", why),
        fields={"conflicts_with": first.request_id},
    )
