"""What a client did wrong: findings over its requests and the timeline of its world, each with evidence."""

from collections.abc import Sequence

from revdesk_mock.audit import bodies, polling, retries, tokens, tries
from revdesk_mock.audit.finding import RULES, Finding
from revdesk_mock.audit.report import describe, junit, text
from revdesk_mock.journal import Entry
from revdesk_mock.spec import Spec
from revdesk_mock.timeline import Event

__all__ = ["RULES", "Finding", "clean", "describe", "findings", "junit", "text"]

OF_CHAINS = (retries.without_key, retries.refused, retries.too_soon, retries.without_backoff, polling.too_fast)


def findings(entries: Sequence[Entry], events: Sequence[Event], spec: Spec) -> list[Finding]:
    """Return what a client did wrong, by the order of `RULES`; nothing for one that is good to the API."""
    found = [
        *(finding for chain in tries.chains(entries) for find in OF_CHAINS for finding in find(chain)),
        *retries.reused_keys(entries),
        *tokens.used_twice(events),
        *bodies.unread(entries, spec),
        *bodies.real_numbers(entries),
    ]
    order = list(RULES)
    return sorted(found, key=lambda finding: order.index(finding.code))


def clean(found: Sequence[Finding], base_url: str = "$REVDESK_API_URL") -> None:
    """Raise AssertionError with the report where something was found."""
    if found:
        raise AssertionError(text(found, base_url))
