"""`--revdesk-cov`: what a run met of the API, and what it would have cost."""

import pytest

from tests.testing.conftest import Suite

DIALS = """
import pytest

@pytest.mark.parametrize("number", range(2))
@pytest.mark.revdesk(clock="frozen")
def test_it(number, revdesk):
    dialed = {"to_number": "+13125550100", "from_number": "+14155550100"}
    assert revdesk.client.post("/v1/calls/dial", json=dialed).is_success
    assert revdesk.client.post("/v1/calls/dial", json={}).status_code == 400
    revdesk.clock.advance(120)

def test_lost(revdesk):
    revdesk.faults.add("GET /v1/agents", do="reset")
    with pytest.raises(Exception):
        revdesk.client.get("/v1/agents")
"""


def test_answers_and_costs_are_added_up_over_worlds(suite: Suite) -> None:
    ran = suite.run(DIALS, "--revdesk-cov")
    assert ran.counts == {"passed": 3}
    assert ran.says("POST /v1/calls/dial", "  met    200 x2, 400 validation_error x2")
    assert ran.says(
        "= revdesk coverage =", "GET /v1/me", "  met    lost x1", "operations    2 of   63", "this run would have cost"
    )
    assert ran.says("US dollars: 2 calls, 0 messages, 2 minutes")


def test_a_run_that_met_too_little_fails(suite: Suite) -> None:
    ran = suite.run(DIALS, "--revdesk-cov-fail-under=1.5")
    assert ran.code == pytest.ExitCode.TESTS_FAILED
    assert ran.says("is under the 1.5 % that are required")
    assert suite.run(DIALS, "--revdesk-cov-fail-under=0.1").code == pytest.ExitCode.OK
    assert suite.run("def test_it(): pass", "--revdesk-cov-fail-under=0.1").code == pytest.ExitCode.TESTS_FAILED


def test_nothing_is_told_where_nobody_asks(suite: Suite) -> None:
    assert "revdesk coverage" not in suite.run(DIALS).text
