"""`--revdesk-cov`: which answers of the API a run has met, which it never has, and what it would have cost."""

from typing import Any

import pytest

from revdesk_mock.testing.handle import RevDesk
from revdesk_mock.testing.tally import Tally

OUTPUT = "revdesk_cov"  # what a worker hands to the controller


class ConsumerCoverage:
    """A plugin that adds up what worlds have met; with `fail_under` (percent of the statuses) it may fail the run."""

    def __init__(self, fail_under: float | None = None) -> None:
        self._fail_under = fail_under
        self._tally = Tally()

    def pytest_revdesk_world_closing(self, revdesk: RevDesk) -> None:
        """Add what a test's world and its forks have met."""
        for world in (revdesk, *revdesk.forks):
            self._tally.add(world.coverage()["rows"], world.bill)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add what a worker has met."""
        if told := getattr(node, "workeroutput", {}).get(OUTPUT):
            self._tally.add(**told)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand the sum to the controller, or judge it."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[OUTPUT] = self._tally.dump()
        elif self._is_too_little() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    # The type is a text: older releases of pytest do not export it.
    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Show the table."""
        terminalreporter.section("revdesk coverage")
        for line in self._tally.lines():
            terminalreporter.line(line)
        if self._is_too_little():
            percent, least = self._tally.statuses.percent, self._fail_under
            terminalreporter.line(
                f"FAIL: {percent} % of the statuses is under the {least:g} % that are required", red=True
            )

    def _is_too_little(self) -> bool:
        return self._fail_under is not None and self._tally.statuses.percent < self._fail_under
