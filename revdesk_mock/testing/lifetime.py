"""The life of a test's world, from its order to its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import pytest

from revdesk_mock.errors import StartError
from revdesk_mock.testing import marker, stash
from revdesk_mock.testing.admin_client import AdminError
from revdesk_mock.testing.handle import RevDesk
from revdesk_mock.testing.remote import RevDeskServer


@contextmanager
def opened(item: pytest.Item, server: RevDeskServer) -> Iterator[RevDesk]:
    """Give the world that a test's markers order, under the variant of a policy where it runs under one.

    A marker that says what cannot be fails the test, before anything is opened.
    """
    try:
        order = marker.order_of(item)
        if item.config.getoption("revdesk_policies"):
            order["watch_policies"] = True
        if stash.VARIANT in item.stash:
            name, _, value = item.stash[stash.VARIANT].partition("=")
            order["policy"] = {**order.get("policy", {}), name: value}
        world = RevDesk.open(server.admin, order)
    except StartError as error:
        pytest.fail(f"@pytest.mark.revdesk: {error}", pytrace=False)
    except AdminError as error:
        asked = error.status == HTTPStatus.BAD_REQUEST
        pytest.fail(f"@pytest.mark.revdesk: {error.message}" if asked else str(error), pytrace=False)
    with world:
        yield world
