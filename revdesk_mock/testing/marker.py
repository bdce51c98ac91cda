"""The world that a test's markers order, with ids that repeat from run to run."""

from typing import Any

import pytest

from revdesk_mock.errors import StartError
from revdesk_mock.testing import orders

NAME = "revdesk"


def order_of(item: pytest.Item) -> dict[str, Any]:
    """Return the order of a test's world; of several markers the closest has the last word on each argument.

    Its seed follows from the test's name and `--revdesk-seed`. Raises StartError as `orders.read` does.
    """
    arguments: dict[str, Any] = {"seed": f"{item.config.getoption('revdesk_seed')}:{item.nodeid}"}
    for mark in reversed(list(item.iter_markers(NAME))):
        if mark.args:
            raise StartError(f"it takes keywords, such as data={mark.args[0]!r:.40}")
        arguments |= mark.kwargs
    return orders.read(arguments, item.path.parent)
