"""What the plugin keeps of a test while it runs."""

from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from revdesk_mock.testing.handle import RevDesk


class Variant(NamedTuple):
    """A policy under which a test runs once more, as `name=value`; `nodeid` is that of the test as it was written."""

    assignment: str
    nodeid: str


WORLD: "pytest.StashKey[RevDesk]" = pytest.StashKey()  # while it is open
PASSED: pytest.StashKey[bool] = pytest.StashKey()
VARIANT: pytest.StashKey[Variant] = pytest.StashKey()


def variant_of(item: pytest.Item) -> Variant | None:
    """Return the variant under which a test runs, or None."""
    return item.stash.get(VARIANT, None)


def nodeid_of(item: pytest.Item) -> str:
    """Return the name of a test as it was written, whatever it runs under."""
    variant = variant_of(item)
    return item.nodeid if variant is None else variant.nodeid
