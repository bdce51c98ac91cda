"""The reminders under pytest: `pip install revdesk-mock[pytest]`, then `pytest examples/reminders`."""

import pytest
from reminders import NotPlaced, remind

from revdesk_mock.testing.handle import RevDesk

SCRIPT = "Your appointment is tomorrow at ten."
PATIENT = "+13125550101"  # answers, talks 10 s and hangs up

pytestmark = pytest.mark.usefixtures("revdesk_env", "revdesk_fence")


def test_a_reminder_is_one_call(revdesk: RevDesk) -> None:
    call = remind(PATIENT, SCRIPT)
    revdesk.clock.advance(60)
    assert revdesk.calls.get(call)["status"] == "completed"
    revdesk.audit.clean()


def test_a_lost_reply_does_not_dial_twice(revdesk: RevDesk) -> None:
    revdesk.faults.add("POST /v1/calls", phase="after_commit", do="reset")
    before = len(revdesk.calls.list())
    remind(PATIENT, SCRIPT)
    assert len(revdesk.calls.list()) == before + 1
    revdesk.audit.clean()


@pytest.mark.revdesk(faults=[{"on": "POST /v1/calls", "do": {"rate_limit": {"seconds": 1}}}])
def test_a_storm_of_429_is_waited_out(revdesk: RevDesk) -> None:
    assert remind(PATIENT, SCRIPT)
    revdesk.audit.clean()


@pytest.mark.revdesk(scopes=["calls:read"])
def test_a_key_that_may_not_call_is_not_tried_again(revdesk: RevDesk) -> None:
    with pytest.raises(NotPlaced, match="calls:write"):
        remind(PATIENT, SCRIPT)
    assert revdesk.journal.count(status=403) == 1


@pytest.mark.revdesk(clock="frozen")
def test_nobody_answers(revdesk: RevDesk) -> None:
    call = remind("+13125550103", SCRIPT)  # rings 30 s, nobody answers
    revdesk.clock.advance(60)
    assert revdesk.calls.get(call)["status"] == "no_answer"
