"""The hook that the plugin adds to pytest."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from revdesk_mock.testing.handle import RevDesk


def pytest_revdesk_world_closing(item: pytest.Item, revdesk: "RevDesk") -> None:
    """Look at a test's world when the test is over, before the world is forgotten."""
