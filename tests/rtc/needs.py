"""What a test of rooms needs beside Python: without it the test skips, or fails where all of them have to run."""

import os

import pytest

VARIABLE = (
    "REVDESK_TEST_ROOMS"  # not REVDESK_MOCK_...: those are options, and the command refuses what it does not know
)


def need(found: object, what: str) -> None:
    """Go on where something was found, as `shutil.which` finds it; `what` is its name and where it comes from.

    With REVDESK_TEST_ROOMS=required the test fails where it would have skipped.
    """
    if not found and os.environ.get(VARIABLE) == "required":
        pytest.fail(f"{VARIABLE}=required, and there is no {what}")
    if not found:
        pytest.skip(f"there is no {what}")
