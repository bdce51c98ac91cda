"""The fixtures, the marker and the reports of the plugin, as suites see them."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.server import Server
from revdesk_mock.testing.remote import RevDeskServer
from tests.conftest import MAIN, ORDINARY, SPEC
from tests.testing.conftest import Suite

DIAL = f"""
def dial(client, **headers):
    body = {{"to_number": "{ORDINARY}", "from_number": "{MAIN}"}}
    return client.post("/v1/calls/dial", json=body, headers=headers)
"""
RETRIES = f"""
import httpx, pytest
{DIAL}
@pytest.mark.revdesk(clock="frozen")
def test_a_lost_answer_does_not_dial_twice(revdesk):
    revdesk.faults.add("POST /v1/calls/dial", do="reset", phase="after_commit")
    with pytest.raises(httpx.TransportError):
        dial(revdesk.client, **{{"Idempotency-Key": "one"}})
    assert dial(revdesk.client, **{{"Idempotency-Key": "one"}}).is_success
    assert len(revdesk.calls.list()) == 4
    assert revdesk.journal.count(operation="v1_calls_dial_post") == 2
"""


def test_each_test_has_a_world_and_a_key_of_its_own(suite: Suite) -> None:
    ran = suite.run(
        """
        import pytest
        KEYS, SERVERS = set(), set()

        @pytest.mark.parametrize("number", range(3))
        def test_it(number, revdesk, revdesk_server):
            KEYS.add(revdesk.key)
            SERVERS.add(revdesk_server.url)
            assert len(KEYS) == number + 1 and len(SERVERS) == 1
            assert revdesk.url == revdesk_server.url
            assert revdesk.headers == {"Authorization": f"Bearer {revdesk.key}"}
            assert revdesk.client.post("/v1/sub-entities", json={"name": "New"}).is_success
            assert len(revdesk.state["sub_entities"].list()) == 2
            assert [one["id"] for one in revdesk_server.admin.get("/_revdesk/worlds")] == [revdesk.id]
        """
    )
    assert ran.counts == {"passed": 3}


def test_a_lost_answer_is_proved_to_dial_once(suite: Suite) -> None:
    assert suite.run(RETRIES).counts == {"passed": 1}


def test_the_marker_orders_the_world(suite: Suite) -> None:
    ran = suite.run(
        """
        import json, pytest
        from pathlib import Path
        from revdesk_mock.settings import shipped

        pytestmark = pytest.mark.revdesk(clock="frozen", scopes=["calls:read"])
        EMPTY = json.loads(shipped("fixtures/empty.json").read_bytes())
        Path(__file__).with_name("own.json").write_text(json.dumps(EMPTY))

        @pytest.mark.revdesk(clock="2026-03-01T00:00:00Z", policy={"foreign_id_status": "403"}, demo=True)
        def test_the_closest_has_the_last_word(revdesk):
            about = revdesk.about()
            assert (about["now"], about["frozen"], about["is_demo"]) == ("2026-03-01T00:00:00.000Z", True, True)
            assert about["scopes"] == ["calls:read"]
            values = {row["name"]: row["value"] for row in revdesk.policies.list()}
            assert values["foreign_id_status"] == "403"

        @pytest.mark.parametrize("number", range(3))
        @pytest.mark.revdesk(kind="user")
        def test_a_kind(number, revdesk):
            assert revdesk.about()["owner"] == "user"

        @pytest.mark.revdesk(data="empty")
        def test_a_shipped_fixture(revdesk):
            assert revdesk.numbers.list() == []

        @pytest.mark.revdesk(data="own.json")
        def test_a_file_beside_the_test(revdesk):
            assert revdesk.numbers.list() == []

        @pytest.mark.revdesk(data=EMPTY)
        def test_a_dump(revdesk):
            assert revdesk.numbers.list() == []
        """
    )
    assert ran.counts == {"passed": 7}, ran.text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("sede=1", "a world has no 'sede'; did you mean 'seed'?"),
        ("key='revdesk_x'", "a world has no 'key'"),
        ("'empty'", "it takes keywords, such as data='empty'"),
        ("data='emtpy'", "no fixture 'emtpy' comes with the product; did you mean 'empty'?"),
        ("policy={'foreign_id': '403'}", "unknown policy 'foreign_id'; did you mean 'foreign_id_status'?"),
        ("clock='noon'", "clock: 'noon' is none of real, frozen or an instant"),
        ("scopes=['calls:raed']", "scopes: 'calls:raed' does not exist; did you mean 'calls:read'?"),
        ("faults=[{'on': 'POST /v1/calls/dail', 'do': 'reset'}]", "POST /v1/calls/dail"),
    ],
)
def test_a_marker_that_cannot_be_is_refused_and_opens_nothing(suite: Suite, arguments: str, complaint: str) -> None:
    ran = suite.run(
        f"""
        import pytest

        @pytest.mark.revdesk({arguments})
        def test_it(revdesk):
            pass

        def test_nothing_is_open(revdesk_server):
            assert revdesk_server.admin.get("/_revdesk/worlds") == []
        """
    )
    assert ran.counts == {"errors": 1, "passed": 1}
    assert ran.says("@pytest.mark.revdesk: ", complaint)


def test_ids_repeat_from_run_to_run_and_keys_do_not(suite: Suite) -> None:
    module = """
    def test_it(revdesk):
        print("ID", revdesk.client.post("/v1/sub-entities", json={"name": "New"}).json()["data"]["id"])
        print("KEY", revdesk.key)

    def test_another(revdesk):
        print("ID", revdesk.client.post("/v1/sub-entities", json={"name": "New"}).json()["data"]["id"])
    """
    first, second, seeded = suite.run(module), suite.run(module), suite.run(module, "--revdesk-seed=1")
    assert first.printed("ID") == second.printed("ID")
    assert len(set(first.printed("ID"))) == 2
    assert not set(first.printed("ID")) & set(seeded.printed("ID"))
    assert first.printed("KEY") != second.printed("KEY")


def test_the_vendors_variables_lead_to_the_world_and_go_with_the_test(suite: Suite) -> None:
    ran = suite.run(
        """
        import os

        def test_it(revdesk, revdesk_env):
            assert os.environ["REVDESK_API_URL"] == revdesk.url == revdesk_env["REVDESK_API_URL"]
            assert os.environ["REVDESK_API_KEY"] == revdesk.key == revdesk_env["REVDESK_API_KEY"]

        def test_after_it():
            assert "REVDESK_API_KEY" not in os.environ
        """
    )
    assert ran.counts == {"passed": 2}


def test_the_server_runs_as_the_suite_configures_it(suite: Suite) -> None:
    ran = suite.run(
        "def test_it(revdesk): assert revdesk.about()['frozen'] and revdesk.numbers.list() == []",
        conftest="""
        import pytest
        from revdesk_mock import Settings
        from revdesk_mock.settings import shipped

        @pytest.fixture(scope="session")
        def revdesk_server_config():
            return Settings(clock="frozen", data=shipped("fixtures/empty.json"))
        """,
    )
    assert ran.counts == {"passed": 1}


def test_a_given_server_is_used(suite: Suite, server: RevDeskServer, monkeypatch: pytest.MonkeyPatch) -> None:
    module = f"def test_it(revdesk): assert revdesk.url == {server.url!r} and revdesk.client.get('/v1/me').is_success"
    assert suite.run(module, f"--revdesk-url={server.url}").counts == {"passed": 1}
    monkeypatch.setenv("REVDESK_MOCK_URL", server.url)
    assert suite.run(module).counts == {"passed": 1}


@pytest.mark.parametrize(
    ("url", "complaint"),
    [("localhost:8473", "--revdesk-url or REVDESK_MOCK_URL: "), ("http://127.0.0.1:9", "no emulator answers at http")],
)
def test_a_server_that_is_none_is_refused(suite: Suite, url: str, complaint: str) -> None:
    ran = suite.run("def test_it(revdesk): pass", f"--revdesk-url={url}")
    assert ran.counts == {"errors": 1}
    assert ran.says(complaint)


@pytest.fixture
def guarded() -> Iterator[str]:
    """Give the address of a server that listens on more than the loopback."""
    with Server(Emulator(Settings(), SPEC), "0.0.0.0", admin_token="a-secret-of-ours") as running:  # as the image does
        yield running.url


def test_the_admin_token_is_taken_from_the_environment_and_never_shown(
    suite: Suite, guarded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "def test_it(revdesk): assert revdesk.client.get('/v1/me').status_code == 500"
    refused = suite.run(module, f"--revdesk-url={guarded}")
    assert refused.counts == {"errors": 1}
    assert refused.says("The admin token is missing")
    monkeypatch.setenv("REVDESK_MOCK_ADMIN_TOKEN", "a-secret-of-ours")
    ran = suite.run(module, f"--revdesk-url={guarded}")
    assert ran.counts == {"failed": 1}
    assert not ran.says("a-secret-of-ours")


def test_a_failing_test_tells_what_happened_in_its_world_and_how_to_run_it_again(suite: Suite) -> None:
    ran = suite.run(
        f"""
        import pytest
        {DIAL.replace(chr(10), chr(10) + " " * 8)}
        @pytest.mark.revdesk(clock="frozen")
        @pytest.mark.parametrize("name", ["it's"])
        def test_it(name, revdesk):
            dial(revdesk.client)
            revdesk.clock.advance(5)
            revdesk.client.post("/v1/calls/dial", json={{}})
            revdesk.fork().client.get("/v1/nowhere")
            assert False, "as it should"
        """,
        "--revdesk-seed=7",
    )
    assert ran.counts == {"failed": 1}
    assert ran.says("- revdesk -", "POST /v1/calls/dial", "validation_error", "ringing", "/v1/nowhere")
    assert ran.says("""again: pytest 'test_it.py::test_it[it'"'"'s]' --revdesk-seed=7""")
    assert not re.search(r"revdesk_[0-9a-f]{32}", ran.text), "a report holds no key"


def test_of_a_long_story_the_end_is_told(suite: Suite) -> None:
    ran = suite.run(
        """
        def test_it(revdesk):
            for number in range(102):
                revdesk.client.get(f"/v1/calls/call_{number}")
            assert False
        """
    )
    assert ran.says("(2 lines are left out)", "call_101 404")
    assert not ran.says("GET /v1/calls/call_1 404")


def test_a_test_that_passes_tells_nothing(suite: Suite) -> None:
    assert "again:" not in suite.run("def test_it(revdesk): revdesk.client.get('/v1/me')").text


def test_a_setup_that_fails_tells_what_happened_as_well(suite: Suite) -> None:
    ran = suite.run(
        """
        import pytest

        @pytest.fixture
        def broken(revdesk):
            revdesk.client.get("/v1/me")
            raise RuntimeError

        def test_it(broken): pass
        """
    )
    assert ran.counts == {"errors": 1}
    assert ran.says("GET /v1/me 200", "again: pytest")


def test_a_fault_that_is_never_used_fails_the_test(suite: Suite) -> None:
    ran = suite.run(
        """
        import pytest

        @pytest.mark.revdesk(faults=[{"on": "GET /v1/agents", "do": "reset", "nth": 2}])
        def test_early(revdesk):
            assert revdesk.client.get("/v1/agents").is_success

        def test_never(revdesk):
            revdesk.faults.add("GET /v1/calls", do="reset")

        def test_perhaps(revdesk):
            revdesk.faults.add("GET /v1/calls", do="reset", probability=0.5)

        def test_that_fails_anyway(revdesk):
            revdesk.faults.add("GET /v1/calls", do="reset")
            assert False

        def test_that_is_skipped(revdesk):
            revdesk.faults.add("GET /v1/calls", do="reset")
            pytest.skip("for now")
        """
    )
    assert ran.counts == {"passed": 3, "errors": 2, "failed": 1, "skipped": 1}
    assert ran.says("GET /v1/calls", "was never used: no request came that it fits")
    assert ran.says("was never used: it fits 1 of the requests, but not at their turn", "again: pytest")


def test_a_breach_of_the_contract_fails_the_test(suite: Suite) -> None:
    ran = suite.run(
        """
        def test_it(revdesk, revdesk_server):
            async def break_it():
                revdesk_server.local.emulator.find_world(revdesk.id).breaches.append("GET /v1/me at /data: wrong")
            revdesk_server.local.submit(break_it()).result()
        """
    )
    assert ran.counts == {"passed": 1, "errors": 1}
    assert ran.says("the emulator broke the contract: GET /v1/me at /data: wrong", "again: pytest")


def test_what_the_audit_finds_is_in_the_junit_report(suite: Suite) -> None:
    ran = suite.run(
        "def test_it(revdesk): revdesk.client.post('/v1/sub-entities', json={'name': 'New', 'nmae': 1})",
        "--junitxml=it.xml",
    )
    assert ran.counts == {"passed": 1}
    report = (suite.pytester.path / "it.xml").read_text()
    assert 'name="revdesk_audit" value="unread_field: ' in report


def test_worlds_of_a_test_are_forgotten_with_it(suite: Suite) -> None:
    ran = suite.run(
        """
        def test_it(revdesk): revdesk.fork().fork()
        def test_that_fails(revdesk): assert False
        def test_after_it(revdesk_server): assert revdesk_server.admin.get("/_revdesk/worlds") == []
        """
    )
    assert ran.counts == {"passed": 2, "failed": 1}


def test_a_session_that_uses_no_fixture_imports_pytest_alone(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(): pass")
    script = (
        "import pytest, sys; pytest.main(['-q', '-p', 'no:schemathesis', '-p', 'no:asyncio', '-p', 'no:anyio']);"
        "print(*(name for name in sys.modules if name.startswith('revdesk_mock')))"
        "; print(*({'httpx', 'starlette', 'uvicorn', 'anyio', 'jsonschema', 'orjson'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True)
    ours, heavy = run.stdout.splitlines()[-2:]
    plugin = {"", ".testing", ".testing.plugin", ".testing.stash", ".testing.hookspecs"}
    assert set(ours.split()) == {f"revdesk_mock{name}" for name in plugin}
    assert heavy == ""


def test_no_fixture_is_used_where_none_is_asked_for(suite: Suite) -> None:
    ran = suite.run("def test_it(request): assert not [n for n in request.fixturenames if 'revdesk' in n]")
    assert ran.counts == {"passed": 1}


@pytest.mark.parametrize("plugin", ["asyncio", "anyio", "neither"])
def test_it_works_beside_what_runs_coroutines(suite: Suite, plugin: str) -> None:
    mark = {"asyncio": "@pytest.mark.asyncio", "anyio": "@pytest.mark.anyio", "neither": ""}[plugin]
    name = "async def" if mark else "def"
    body = (
        'assert (await revdesk.async_client.get("/v1/me")).is_success'
        if mark
        else "import asyncio; client = revdesk.async_client; assert asyncio.run(client.get('/v1/me')).is_success"
    )
    off = {"asyncio": ["anyio"], "anyio": ["asyncio"], "neither": ["anyio", "asyncio"]}[plugin]
    ran = suite.run_apart(
        f"""
        import pytest

        {mark}
        {name} test_it(revdesk):
            {body}
            assert revdesk.client.get("/v1/me").is_success
        """,
        *(option for name in off for option in ("-p", f"no:{name}")),
        *(["-o", "asyncio_default_fixture_loop_scope=function"] if plugin == "asyncio" else []),
    )
    assert ran.counts == {"passed": 2 if plugin == "anyio" else 1}, ran.text  # anyio: asyncio and trio
