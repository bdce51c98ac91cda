"""A client in a room that a test drives from outside, by verbs and the events it notes: a page, or a program."""

from typing import Any, Protocol

SOON = 5.0  # seconds that anything may take at most


class Failed(Exception):
    """A client could not do what it was told; the message is the client's own."""


class Client(Protocol):
    """What pages and programs share. A wait that takes too long raises AssertionError with the client's log."""

    def call(self, verb: str, *given: Any) -> Any:
        """Let it do something and return what came of it; raises Failed with the reason where it could not."""

    def told(self, kind: str, **wanted: Any) -> Any:
        """Wait until it has noted an event of this kind with these fields, and return the event."""

    def hears(self, hertz: float) -> None:
        """Wait until this tone is one of the clear ones that it hears."""

    def hears_nothing(self) -> None:
        """Wait until it is silent."""

    def excuse(self, part: str) -> None:
        """Take away complaints that were to come; raises AssertionError where there are none."""
