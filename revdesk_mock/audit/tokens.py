"""Findings about tokens: one that is good for a single join, and was used for a second."""

from collections.abc import Iterable, Iterator

from revdesk_mock.audit.finding import Finding
from revdesk_mock.timeline import TOKEN, Event

USED = frozenset({"joined", "spent"})  # states of a token that somebody joined with


def used_twice(events: Iterable[Event]) -> Iterator[Finding]:
    """Find tokens with which somebody tried to join again."""
    found: dict[str, list[Event]] = {}
    for event in events:
        if event.kind == TOKEN and event.detail.get("refused") and event.detail.get("state") in USED:
            found.setdefault(str(event.detail.get("token")), []).append(event)
    for token, refusals in found.items():
        yield Finding(
            "token_used_twice",
            f"The token {token} was used to join again, after it had joined. Ask for a new token for each join.",
            events=tuple(refusals),
        )
