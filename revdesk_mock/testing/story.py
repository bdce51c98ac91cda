"""The section of a failing test's report: what happened in its world, and a line that does it again."""

import shlex

import pytest

from revdesk_mock.testing import stash
from revdesk_mock.testing.admin_client import AdminError, NoServer
from revdesk_mock.testing.handle import RevDesk

MOST = 100  # lines of a timeline


def tell(item: pytest.Item, revdesk: RevDesk) -> str:
    """Return the timelines of a test's world and its forks, and the command that runs it again as it ran."""
    told = [f"{world!r}\n{_timeline(world)}" for world in (revdesk, *revdesk.forks)]
    if stash.VARIANT in item.stash:
        told.append(f"under the policy {item.stash[stash.VARIANT]}")
    return "\n".join([*told, f"again: {_again(item)}"])


def _again(item: pytest.Item) -> str:
    """Return the command that runs a test again, with the same ids and policies."""
    parts = ["pytest", item.nodeid, f"--revdesk-seed={item.config.getoption('revdesk_seed')}"]
    if stash.VARIANT in item.stash:
        parts.append(f"--revdesk-policies={item.stash[stash.VARIANT]}")
    return shlex.join(parts)


def _timeline(world: RevDesk) -> str:
    try:
        lines = world.timeline.text().splitlines()
    except (AdminError, NoServer) as error:
        return f"(its timeline cannot be read: {error})"
    left_out = [f"({len(lines) - MOST} lines are left out)"] if len(lines) > MOST else []
    return "\n".join([*left_out, *lines[-MOST:]])
