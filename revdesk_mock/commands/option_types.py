"""The types of options: texts that are more than a text, a number or a choice."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from revdesk_mock.settings import RateLimit

Value = TypeVar("Value")


class Reading(click.ParamType[Value]):
    """What a function reads from a text; its ValueError says what would do."""

    def __init__(self, name: str, read: Callable[[str], Value]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Value:
        """Read the text."""
        try:
            return self._read(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def read_secret(text: str) -> str:
    """Return what a header can hold as it is; raises ValueError for anything else, without repeating it."""
    if not text.isascii() or not text.isprintable() or not text or " " in text:
        raise ValueError("it takes printable ASCII characters without spaces")
    return text


def read_rate_limit(text: str) -> RateLimit:
    """Return a number of requests a minute, or `off`; raises ValueError for anything else."""
    if text == "off":
        return "off"
    if not text.isdigit() or int(text) == 0:
        raise ValueError(f"{text!r} is neither a whole number of requests a minute nor off")
    return int(text)
