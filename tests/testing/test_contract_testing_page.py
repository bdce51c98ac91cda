"""The page on contract testing is true: its examples run, and its tables are those of the commands and the traits."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from revdesk_mock.commands import checks as check_commands
from revdesk_mock.testing.edges import edges
from tests.conftest import SPEC

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/contract-testing.md").read_text()


@pytest.mark.parametrize(
    "block", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL), ids=["answers", "requests", "machine"]
)
def test_an_example_runs(block: str, tmp_path: Path) -> None:
    calm = {**os.environ, "CI": "true"}  # Hypothesis's own profile, in which a slow machine is no failure
    subprocess.run([sys.executable, "-c", block], check=True, cwd=tmp_path, env=calm)


@pytest.mark.parametrize("command", [check_commands.check, check_commands.check_upgrade])
def test_every_option_is_documented(command: click.Command) -> None:
    options = [made for made in command.params if isinstance(made, click.Option) and made.name != "config"]
    assert options
    assert all(f"`{option.opts[0]}" in PAGE or f"{option.opts[0]} " in PAGE for option in options)


def test_every_trait_is_documented() -> None:
    schemas = [operation.responses[operation.success] for operation in SPEC.operations.values()]
    traits = {part.trait for schema in schemas for part in edges(schema)}
    listed = set(re.findall(r"`([a-z ]+)[`.]", PAGE))
    assert {"the choice" if trait.startswith("the choice") else trait for trait in traits} <= {
        name.strip() for name in listed
    }
