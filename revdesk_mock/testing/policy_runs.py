"""`--revdesk-policies`: tests run once more under the variants of the policies that they touched."""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Self

import pytest

from revdesk_mock.errors import StartError
from revdesk_mock.messages import JSON
from revdesk_mock.settings import Policies, suggestion
from revdesk_mock.testing import marker, stash
from revdesk_mock.testing.handle import RevDesk

ALL = "all"
VARIANT = "revdesk_variant"  # what a report has of the policy that its test ran under
RANGE = re.compile(r"(\d+) to (\d+)")
PRINTED: pytest.StashKey[int] = pytest.StashKey()  # sections of output in a test's earlier runs
VARIANTS: pytest.StashKey[list[str]] = pytest.StashKey()  # as name=value, of a test that has run


class PolicyRuns:
    """A plugin that runs a marked test that passed under every variant of the policies that its world read.

    `wanted` are the policies to vary, each with the one value to try or None for all; None varies them all. A policy
    that the test's own marker settles stays as it is.
    """

    def __init__(self, wanted: Mapping[str, str | None] | None = None) -> None:
        self._wanted = wanted
        self._session: pytest.Session | None = None

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Read what the option says; raises UsageError for a policy or value that there is not."""
        if ALL in texts:
            return cls()
        known = {spec.name: spec for spec in fields(Policies)}
        wanted: dict[str, str | None] = {}
        for text in texts:
            name, equals, value = text.partition("=")
            if name not in known:
                likely = suggestion(name, {ALL: None, **known})
                raise pytest.UsageError(f"--revdesk-policies: unknown policy {name!r}{likely}")
            try:
                Policies.parse({name: value} if equals else {})
            except StartError as error:
                raise pytest.UsageError(f"--revdesk-policies: {error}") from error
            wanted[name] = value if equals else None
        return cls(wanted)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Know whose tests are counted."""
        self._session = session

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let a report tell the policy, also to the controller of workers, and nothing that was printed before."""
        report = yield
        if stash.VARIANT in item.stash:
            vars(report)[VARIANT] = item.stash[stash.VARIANT]
        before = item.stash.get(PRINTED, 0)
        del report.sections[:before]
        if report.when == "teardown":
            item.stash[PRINTED] = before + len(report.sections)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Show a run under a policy as a test of its own; workers leave that to their controller."""
        assignment = vars(report).get(VARIANT)
        if assignment is None or self._session is None or hasattr(self._session.config, "workerinput"):
            return
        suffix = f" [policy {assignment}]"
        path, line, domain = report.location
        report.nodeid, report.location = report.nodeid + suffix, (path, line, domain + suffix)
        if report.when == "setup":
            self._session.testscollected += 1

    def pytest_revdesk_world_closing(self, item: pytest.Item, revdesk: RevDesk) -> None:
        """Note which policies a test touched, and what else they could be."""
        if stash.VARIANT in item.stash:
            return
        read = set(revdesk.about().get("policies_read", ())) - set(marker.order_of(item).get("policy", ()))
        rows = [row for row in revdesk.policies.list() if row["name"] in read]
        item.stash[VARIANTS] = [f"{row['name']}={value}" for row in rows for value in self._values(row)]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, bool | None, bool | None]:
        """Run a test, and then once more for each variant, as a test of its own."""
        result = yield
        again = item.stash.get(stash.PASSED, False) and item.get_closest_marker(marker.NAME) is not None
        if again and stash.VARIANT not in item.stash:
            for assignment in item.stash.get(VARIANTS, ()):
                if item.session.shouldfail or item.session.shouldstop:
                    break
                self._run(item, nextitem, assignment)
        return result

    def _run(self, item: pytest.Item, nextitem: pytest.Item | None, assignment: str) -> None:
        item.stash[stash.VARIANT] = assignment
        try:
            item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)
        finally:
            del item.stash[stash.VARIANT]

    def _values(self, row: Mapping[str, JSON]) -> Iterator[str]:
        """Yield what a policy is to be instead of what it is."""
        if self._wanted is None or self._wanted.get(row["name"], "") is None:
            yield from (value for value in _choices(row["choices"]) if value != row["value"])
        elif row["name"] in self._wanted:
            yield str(self._wanted[row["name"]])


def _choices(text: str) -> list[str]:
    """Return the values to try of a policy: each choice, both ends of a range, and for a limit none at all."""
    ends = RANGE.fullmatch(text)
    if ends:
        return list(dict.fromkeys(ends.groups()))
    return ["off"] if text.endswith("or off") else text.split(", ")
