"""Faults on the command line: the options of a server, and the command that lists the recipes."""

from typing import Any

import click
import orjson

from revdesk_mock.faults.recipes import RECIPES


class Rule(click.ParamType[Any]):
    """A rule as JSON; what it says is checked when the contract has been read."""

    name = "RULE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the JSON; a table of a configuration file is a rule already."""
        if not isinstance(value, str):
            return value
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError as error:
            self.fail(f'{value!r:.80} is no JSON ({error}); write {{"do": "reset"}}', param, ctx)

    def split_envvar_value(self, rv: str) -> list[Any]:
        """Take a variable for one rule, or for a list of them."""
        try:
            value = orjson.loads(rv)
        except orjson.JSONDecodeError:
            return [rv]
        return value if isinstance(value, list) else [value]


# What every new world starts with.
FAULT_OPTIONS = (
    click.option(
        "--fault", type=Rule(), multiple=True, help="Fault of every new world, as JSON: see docs/faults.md; repeatable."
    ),
    click.option("--recipe", type=click.Choice(list(RECIPES)), multiple=True, help="The same by a name; repeatable."),
)


@click.command()
def recipes() -> None:
    """List the faults that have a name."""
    for name, recipe in RECIPES.items():
        click.echo(f"{click.style(name, bold=True)}\n    {recipe.says}")
        for rule in recipe.rules:
            click.echo(f"    {orjson.dumps(rule).decode()}")
