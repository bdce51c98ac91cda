"""The documentation is true: its tables come from the code, and its examples run."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import pytest
from starlette.routing import Route

from docs import tables
from revdesk_mock import Emulator, Settings, cli, handset, opening
from revdesk_mock.app import App
from revdesk_mock.resources import HANDLERS
from revdesk_mock.server import Server
from tests.rtc.needs import need

ROOT = Path(__file__).parent.parent
CLOCKS: tuple[Literal["real", "frozen"], ...] = ("frozen", "real")  # of the README's examples, in their order
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("page", tables.pages(), ids=lambda page: page.name)
def test_the_tables_are_those_of_the_code(page: Path) -> None:
    text = page.read_text()
    assert tables.filled(text) == text, "python docs/tables.py writes them anew"


def test_every_table_is_on_a_page() -> None:
    written = {name for page in tables.pages() for _, name, _, _ in tables.MARKED.findall(page.read_text())}
    assert written == set(tables.TABLES)


def test_the_curl_session_of_the_readme_runs() -> None:
    session = next(block for block in blocks("sh") if "/v1/calls/dial" in block)
    refusal = next(block for block in blocks("sh") if '"415"' in block)
    scripted = next(block for block in blocks("sh") if "X-RevDesk-Mock: " in block)
    lost = next(block for block in blocks("sh") if "after_commit" in block)
    with Server(Emulator(Settings(clock="frozen"))) as server:
        script = (session + refusal + scripted + lost).replace("http://127.0.0.1:8473", server.url)
        printed = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 from the path
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    assert "+14155550100" in printed
    assert printed.count("idempotency-replay: true") == 2
    assert '"status":"BUSY"' in printed
    assert '"room_url":"ws://127.0.0.1' in printed
    assert "x-revdesk-mock-explain: /_revdesk/explain/req_" in printed


def test_the_python_of_the_readme_runs() -> None:
    [script] = (block for block in blocks("python") if "def test_" not in block)
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


def test_the_readmes_count_is_true() -> None:
    operations = Emulator().spec.operations
    assert operations.keys() == HANDLERS.keys()
    assert f"all {len(operations)} operations of the contract are checked and emulated" in README


@pytest.mark.parametrize(("shown", "clock"), list(zip(blocks("text"), CLOCKS, strict=True)), ids=["a day", "a room"])
def test_the_examples_go_as_the_readme_shows(shown: str, clock: Literal["real", "frozen"]) -> None:
    command, _, expected = shown.partition("\n")
    if "talk_to_agent" in command:
        need(find_spec("livekit.rtc"), "livekit (a Python package)")
    with Server(Emulator(Settings(clock=clock))) as server:
        printed = subprocess.run(
            [sys.executable, *command.split()[2:]],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={"REVDESK_API_URL": server.url},
        ).stdout
    assert printed == expected


def test_every_admin_route_is_documented() -> None:
    page = (ROOT / "docs/admin.md").read_text()
    routes = [route for route in App(Emulator())._own.routes if isinstance(route, Route)]
    admin = {route.path: route.methods or set() for route in routes if route.path.startswith("/_revdesk/")}
    assert "/_revdesk/worlds" in admin
    for path, methods in admin.items():
        assert all(f"`{method} {path}`" in page for method in methods - {"HEAD"})


def test_every_field_of_an_order_for_a_world_and_every_step_of_a_call_is_documented() -> None:
    page = (ROOT / "docs/admin.md").read_text()
    assert all(f"`{name}`" in page for name in (*opening.FIELDS, *handset.STEPS, "digits"))


def test_every_command_is_documented() -> None:
    assert all(f"`{name}`" in README or f"revdesk-mock {name}" in README for name in cli.commands.commands)


def test_local_links_lead_somewhere() -> None:
    for page in [*tables.pages(), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"
