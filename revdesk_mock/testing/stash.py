"""What the plugin keeps of a test while it runs."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from revdesk_mock.testing.handle import RevDesk


WORLD: "pytest.StashKey[RevDesk]" = pytest.StashKey()  # while it is open
PASSED: pytest.StashKey[bool] = pytest.StashKey()
VARIANT: pytest.StashKey[str] = pytest.StashKey()  # the policy under which it runs once more, as name=value
