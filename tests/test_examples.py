"""The suites in examples/ pass as they are, each by the command that it names."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from revdesk_mock import Emulator
from revdesk_mock.server import Server
from tests.rtc.needs import need

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
SUITE = EXAMPLES / "reminders"
WORKFLOW: Any = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())
# What is installed beside pytest here is not what a reader has.
PLUGINS = ("-p", "no:asyncio", "-p", "no:schemathesis", "-p", "no:cacheprovider")


def run(*command: str, cwd: Path = ROOT, **variables: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, check=False, timeout=50)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def named(file: str) -> str:
    """Return the command that an example's first lines name."""
    head = " ".join((SUITE / file).read_text().split("\n\n", 3)[:3])
    (command,) = re.findall(r"`(p[a-z]+ (?!install)[^`]+)`|((?:revdesk-mock exec)[^\n]+)", head)
    return "".join(command)


def test_the_pytest_suite_passes_without_a_warning() -> None:
    command = named("test_reminders.py")
    assert command == "pytest examples/reminders"
    assert "6 passed" in run(sys.executable, "-W", "error", "-m", *command.split(), *PLUGINS)


def test_it_passes_from_its_own_folder_and_under_any_answer_to_an_open_question() -> None:
    told = run(sys.executable, "-m", "pytest", "--revdesk-policies=all", *PLUGINS, "test_reminders.py", cwd=SUITE)
    passed = re.search(r"(\d+) passed", told)
    assert passed is not None, told
    assert int(passed[1]) > 20


def test_the_unittest_suite_passes() -> None:
    command = named("test_reminders_with_unittest.py")
    assert "OK" in run("bash", "-c", command)


def test_the_suite_for_node_passes_through_exec() -> None:
    need(shutil.which("node") is not None, "node")
    assert "# pass 3" in run("bash", "-euo", "pipefail", "-c", named("reminders.test.mjs"))


def steps() -> Iterable[Mapping[str, str]]:
    return (step for step in WORKFLOW["jobs"]["test"]["steps"] if "run" in step)


def test_the_workflow_runs_the_suite_against_its_service(tmp_path: Path) -> None:
    job = WORKFLOW["jobs"]["test"]
    service = job["services"]["revdesk"]
    token = service["env"]["REVDESK_MOCK_ADMIN_TOKEN"]
    (install, test) = steps()
    assert install["run"] == 'pip install "revdesk-mock[pytest]"'
    with Server(Emulator(), admin_token=token) as server:
        assert service["ports"] == ["8473:8473"]
        variables = {name: value.replace("http://127.0.0.1:8473", server.url) for name, value in job["env"].items()}
        report = tmp_path / "reminders.xml"
        command = test["run"].replace("reminders.xml", str(report))
        told = run("bash", "-c", f"{command} {' '.join(PLUGINS)}", **variables)
        assert "6 passed" in told
        assert report.exists()
        assert server.emulator.worlds() == [], "each test has forgotten its own"
        assert server.emulator.coverage.hits
