"""The pytest plugin: options, marker, fixtures, reports. It imports pytest alone; the rest comes with the fixtures."""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

from revdesk_mock.testing import stash

if TYPE_CHECKING:
    from revdesk_mock.settings import Settings
    from revdesk_mock.testing.fence import Fence
    from revdesk_mock.testing.handle import RevDesk
    from revdesk_mock.testing.remote import RevDeskServer
    from revdesk_mock.testing.servers import Servers
    from revdesk_mock.testing.transport import EmulatorTransport

MARKER = "revdesk(data=, seed=, clock=, policy=, faults=, scopes=, demo=, kind=): how the world of `revdesk` is opened"
SERVERS: "pytest.StashKey[Servers]" = pytest.StashKey()  # of the session


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("revdesk", "RevDesk emulator")
    group.addoption(
        "--revdesk-url",
        metavar="URL",
        help="use the emulator that runs there, such as the image, instead of starting one [REVDESK_MOCK_URL]",
    )
    group.addoption(
        "--revdesk-seed",
        metavar="SEED",
        default="0",
        help="with the name of a test, what the ids in its world follow from (default: 0)",
    )
    group.addoption(
        "--revdesk-policies",
        metavar="all|NAME|NAME=VALUE",
        action="append",
        default=[],
        help="run tests that are marked `revdesk` once more under every variant of every policy that they touch, "
        "or of this one; repeatable",
    )
    group.addoption(
        "--revdesk-cov",
        action="store_true",
        help="tell which operations, statuses and codes the run exercised, and what it would have cost",
    )
    group.addoption(
        "--revdesk-cov-fail-under",
        metavar="PERCENT",
        type=float,
        help="fail where the run exercised less of what the contract declares; implies --revdesk-cov",
    )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hook that is called with a world before it is forgotten."""
    from revdesk_mock.testing import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and what the options ask for."""
    config.addinivalue_line("markers", MARKER)
    if config.getoption("revdesk_policies"):
        from revdesk_mock.testing.policy_runs import PolicyRuns

        config.pluginmanager.register(PolicyRuns.of(config.getoption("revdesk_policies")), "revdesk-policies")
    if config.getoption("revdesk_cov") or config.getoption("revdesk_cov_fail_under") is not None:
        from revdesk_mock.testing.consumer_coverage import ConsumerCoverage

        coverage = ConsumerCoverage(config.getoption("revdesk_cov_fail_under"))
        config.pluginmanager.register(coverage, "revdesk-cov")


@pytest.fixture(scope="session")
def revdesk_server_config() -> "Settings":
    """How the emulator runs that the session starts: override it to return other `revdesk_mock.Settings`."""
    from revdesk_mock.settings import Settings

    return Settings()


@pytest.fixture(scope="session")
def revdesk_server(
    pytestconfig: pytest.Config, revdesk_server_config: "Settings", tmp_path_factory: pytest.TempPathFactory
) -> "RevDeskServer":
    """Give the server of the session, which all its workers share: `url`, `admin`, and `world()` for more worlds."""
    from revdesk_mock.testing.admin_client import NoServer

    try:
        return _servers(pytestconfig).shared(revdesk_server_config, tmp_path_factory.getbasetemp().parent)
    except NoServer as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def revdesk(request: pytest.FixtureRequest, revdesk_server: "RevDeskServer") -> "Iterator[RevDesk]":
    """Give a fresh world with a key of its own, opened as the marker `revdesk` says, and forget it at the end."""
    from revdesk_mock.testing import complaints, story
    from revdesk_mock.testing.lifetime import opened

    item: pytest.Item = request.node
    with opened(item, _server_of(request, revdesk_server)) as world:
        item.stash[stash.WORLD] = world
        yield world
        del item.stash[stash.WORLD]
        found = complaints.of(world, passed=item.stash.get(stash.PASSED, False))
        told = story.tell(item, world) if found else ""
        item.ihook.pytest_revdesk_world_closing(item=item, revdesk=world)
    if found:
        pytest.fail("\n".join([*found, "", told]), pytrace=False)


@pytest.fixture
def revdesk_env(revdesk: "RevDesk", monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Set the vendor's own variables to the test's world, and give them: `REVDESK_API_URL` and `REVDESK_API_KEY`."""
    variables = {"REVDESK_API_URL": revdesk.url, "REVDESK_API_KEY": revdesk.key}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def revdesk_transport(
    request: pytest.FixtureRequest, revdesk_server: "RevDeskServer", revdesk: "RevDesk"
) -> "EmulatorTransport":
    """Give an httpx transport that leads into the test's world without a socket, for synchronous and other clients."""
    from revdesk_mock.testing.transport import EmulatorTransport

    server = _server_of(request, revdesk_server)
    if server.local is None or revdesk.url != server.url:
        pytest.fail(f"{request.fixturename} is to be an argument of the test, not asked for later", pytrace=False)
    return EmulatorTransport(server.local)


@pytest.fixture
def revdesk_fence() -> "Iterator[Fence]":
    """Let nothing in this process resolve or reach the real API; who tries fails the test, however quietly."""
    from revdesk_mock.testing.fence import fenced

    with fenced() as fence:
        yield fence
    if fence.attempts:
        pytest.fail(fence.verdict(), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the report of a test that fails tell what happened in its world."""
    report = yield
    goes_on = call.when == "call" or (call.when == "teardown" and item.stash[stash.PASSED])
    item.stash[stash.PASSED] = report.passed and goes_on
    if report.failed and stash.WORLD in item.stash:
        from revdesk_mock.testing import story

        report.sections.append(("revdesk", story.tell(item, item.stash[stash.WORLD])))
    return report


@pytest.hookimpl(trylast=True)
def pytest_revdesk_world_closing(item: pytest.Item, revdesk: "RevDesk") -> None:
    """Note what the audit found as properties of the test, for a JUnit report."""
    if item.config.getoption("xmlpath", None):
        item.user_properties.extend(
            ("revdesk_audit", f"{finding['code']}: {finding['message']}") for finding in revdesk.audit.findings()
        )


def _servers(config: pytest.Config) -> "Servers":
    from revdesk_mock.testing.servers import Servers

    if SERVERS not in config.stash:
        config.stash[SERVERS] = Servers(config)
    return config.stash[SERVERS]


def _server_of(request: pytest.FixtureRequest, server: "RevDeskServer") -> "RevDeskServer":
    """Return the server for a test's world: who wants a transport needs one that runs in this process."""
    if "revdesk_transport" not in request.fixturenames or server.local is not None:
        return server
    servers = _servers(request.config)
    if servers.is_given:
        pytest.fail(
            f"revdesk_transport leads into a server in this process, and {server.url} was given "
            "(--revdesk-url or REVDESK_MOCK_URL): run this test without it",
            pytrace=False,
        )
    return servers.local(request.getfixturevalue("revdesk_server_config"))
