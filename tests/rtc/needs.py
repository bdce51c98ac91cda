"""What a machine may lack for the tests of rooms."""

import os

import pytest


def need(found: bool, what: str) -> None:  # noqa: FBT001 # it reads as a sentence
    """Skip the test unless something was found; fail it where the rooms have to be tested in full."""
    if not found and os.environ.get("REVDESK_MOCK_TEST_ROOMS") == "required":
        pytest.fail(f"not found: {what}")
    if not found:
        pytest.skip(f"not found: {what}")
