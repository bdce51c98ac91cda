"""What tests of the pytest plugin share: suites of their own, run by a pytest of their own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpcore  # noqa: F401 loaded here once: a suite that runs in this process would load it anew
import httpx  # noqa: F401 as httpcore
import pytest

from revdesk_mock import Settings
from revdesk_mock.testing.handle import RevDesk
from revdesk_mock.testing.remote import RevDeskServer
from revdesk_mock.testing.serving import serve

STRICT = """
[pytest]
addopts = --strict-markers --strict-config -p no:schemathesis -p no:cacheprovider
filterwarnings = error
"""


@dataclass
class Ran:
    """What a suite did."""

    code: int
    text: str
    counts: dict[str, int]

    def says(self, *texts: str) -> bool:
        return all(text in self.text for text in texts)

    def printed(self, mark: str) -> list[str]:
        """Return what the suite's tests printed after a mark, in order."""
        return re.findall(rf"^{mark}(.*)$", self.text, re.MULTILINE)


@dataclass
class Suite:
    """Runs a test module under strict settings."""

    pytester: pytest.Pytester

    def run(self, module: str, *options: str, **conftest: str) -> Ran:
        return self._ran(self.pytester.runpytest_inprocess, module, ("-p", "no:asyncio", *options), conftest)

    def run_apart(self, module: str, *options: str, **conftest: str) -> Ran:
        """Run it in a process of its own, with the plugins that the options load."""
        return self._ran(self.pytester.runpytest_subprocess, module, options, conftest)

    def _ran(self, run: object, module: str, options: tuple[str, ...], conftest: dict[str, str]) -> Ran:
        self.pytester.makeini(STRICT)
        if conftest:
            self.pytester.makeconftest(conftest["conftest"])
        self.pytester.makepyfile(test_it=module)
        assert callable(run)
        result: pytest.RunResult = run("-rA", *options)
        text = result.stdout.str() + result.stderr.str()
        counts = {} if result.ret == pytest.ExitCode.USAGE_ERROR else result.parseoutcomes()
        return Ran(int(result.ret), text, counts)


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    for name in ("REVDESK_MOCK_URL", "REVDESK_MOCK_ADMIN_TOKEN", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    return Suite(pytester)


@pytest.fixture(scope="session")
def server() -> Iterator[RevDeskServer]:
    with serve(Settings(seed="testing", clock="frozen")) as running:
        yield running


@pytest.fixture
def world(server: RevDeskServer) -> Iterator[RevDesk]:
    with server.world(seed="a test") as opened:
        yield opened
        assert opened.about()["breaches"] == []
