"""docs/pytest.md is true: it names all that there is, and its examples run."""

import re
import subprocess
import sys
from pathlib import Path

from revdesk_mock.testing import plugin
from revdesk_mock.testing.handle import RevDesk
from revdesk_mock.testing.orders import WorldOrder
from tests.testing.conftest import Suite

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/pytest.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def rows(heading: str) -> list[str]:
    """Return the rows of the table under a heading."""
    return re.findall(r"^\| (`.*)$", PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0], re.MULTILINE)


def test_every_fixture_is_there() -> None:
    documented = {re.findall(r"`(\w+)`", row)[0] for row in rows("Fixtures")}
    assert documented == {name for name in vars(plugin) if name.startswith("revdesk")}


def test_every_option_is_there() -> None:
    documented = {re.findall(r"`(--[a-z-]+)", row)[0] for row in rows("Options")}
    shown = subprocess.run([sys.executable, "-m", "pytest", "--help"], check=True, capture_output=True, text=True)
    assert documented == set(re.findall(r"--revdesk-[a-z-]+(?=[ =]|$)", shown.stdout.partition("RevDesk emulator")[2]))


def test_every_argument_of_the_marker_is_there_and_in_its_line() -> None:
    documented = [re.findall(r"`(\w+)`", row)[0] for row in rows("The marker")]
    assert documented == list(WorldOrder.__annotations__)
    assert plugin.MARKER.startswith(f"revdesk({', '.join(f'{name}=' for name in documented)})")


def test_every_part_and_verb_of_a_world_is_there(world: RevDesk) -> None:
    table = "\n".join(rows("A world"))
    own = {name for name in dir(world) if not name.startswith("_")} - {"open", "close", "forks"}
    parts = [part for part in vars(world).values() if type(part).__module__.startswith("revdesk_mock.testing.parts")]
    verbs = {name for part in parts for name in dir(part) if not name.startswith("_")}
    missing = {name for name in own | verbs if not re.search(rf"`[^`]*\b{name}\b[^`]*`", table)}
    assert missing == set()


def test_its_suite_runs(suite: Suite) -> None:
    module = "\n".join(block for block in BLOCKS if "def test_" in block)
    ran = suite.run_apart(module, "-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")
    assert ran.counts == {"passed": 4}, ran.text


def test_the_suite_of_the_readme_runs_under_every_policy_that_it_touches(suite: Suite) -> None:
    [module] = re.findall(r"```python\n((?:(?!```).)*?def test_.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    ran = suite.run(module, "--revdesk-policies=all")
    assert ran.counts.keys() == {"passed"}
    assert ran.counts["passed"] > 10


def test_its_script_runs() -> None:
    [script] = (block for block in BLOCKS if "def test_" not in block)
    subprocess.run([sys.executable, "-c", script], check=True)
