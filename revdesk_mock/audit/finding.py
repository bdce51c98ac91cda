"""What an audit finds: a rule that a client broke, how, and the requests and events that show it."""

from collections.abc import Mapping
from typing import NamedTuple

from revdesk_mock.journal import Entry
from revdesk_mock.timeline import Event

# What a client that is good to the API does, by the code of the finding where it does not.
RULES: Mapping[str, str] = {
    "retry_without_key": "a POST or PATCH that may have failed is tried again under its first try's idempotency key",
    "key_reused": "an idempotency key stands for one operation and one body",
    "refusal_retried": "a request that was refused is mended before it is sent again",
    "retry_after_ignored": "what is told to come back later (`Retry-After`) does",
    "no_backoff": "the waits between the tries of a request that goes on failing grow",
    "polled_too_fast": "one resource is read once a second at most, while waiting for it to change",
    "token_used_twice": "a token joins one call, once",
    "unread_field": "a body has no fields that nothing reads",
    "real_number": "tests call fictional numbers, +1 NXX 555 0100 to 0199, and no others",
}


class Finding(NamedTuple):
    """One finding: the code of the rule, what was done and what to do, and its evidence."""

    code: str
    message: str
    entries: tuple[Entry, ...] = ()
    events: tuple[Event, ...] = ()
