"""A telephone in a room is shown as its call is."""

import pytest

from revdesk_mock.rtc.telephone import status_of


@pytest.mark.parametrize(
    ("dialed_at", "status", "shown"),
    [
        (None, "queued", ""),
        (None, "canceled", ""),
        (1, "queued", "dialing"),
        (1, "ringing", "ringing"),
        (1, "in_progress", "active"),
        (1, "busy", "hangup"),
        (1, "completed", "hangup"),
    ],
)
def test_a_telephone_is_shown_as_its_call_is(dialed_at: int | None, status: str, shown: str) -> None:
    assert status_of({"dialed_at": dialed_at, "status": status}) == shown
