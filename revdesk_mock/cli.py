"""The command line: serve, what tells about it, and the commands that begin, ask and end a server."""

import os
import sys
from pathlib import Path
from typing import Any

import click

import revdesk_mock
from revdesk_mock.commands import checks as check_commands
from revdesk_mock.commands import client, lifecycle, snapshots
from revdesk_mock.commands.fault_options import recipes
from revdesk_mock.commands.options import (
    CONTEXT,
    File,
    Suggesting,
    check_environment,
    config_option,
    host_option,
    of_a_server,
    policy_option,
    port_option,
    read_policies,
)
from revdesk_mock.commands.target import Failed
from revdesk_mock.errors import AddressTaken, StartError
from revdesk_mock.settings import shipped

# A container asks `healthcheck` every few seconds: what only one command needs is imported by that command.
USAGE, TAKEN, UNUSABLE = 2, 3, 4  # exit codes


class Commands(Suggesting):
    """The group; without a command's name the arguments are for `serve`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `serve` before arguments that name no command."""
        if not args or (args[0].startswith("-") and args[0] != "--help"):
            args = ["serve", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Emulate the RevDesk v1 voice API on this machine. Without a command: serve."""


@commands.command(context_settings=CONTEXT)
@of_a_server()
def serve(**options: Any) -> None:
    """Serve the API until SIGTERM or Ctrl-C."""
    from revdesk_mock.commands import serving

    check_environment(commands, os.environ)
    serving.run(serving.make(options), options)


@commands.command(context_settings=CONTEXT)
@config_option
@click.option("--spec", type=File, help="Another contract document.")
def routes(spec: Path | None) -> None:
    """List the operations of the contract, and which are emulated."""
    from revdesk_mock.resources import HANDLERS
    from revdesk_mock.spec import Spec

    for operation in Spec.load(spec or shipped("openapi.json")).operations.values():
        state = "emulated" if operation.id in HANDLERS else "501"
        click.echo(f"{operation.method:7}{operation.path:52}{state:10}{operation.id}")


@commands.command(context_settings=CONTEXT)
@config_option
@policy_option
def policies(policy: tuple[str, ...]) -> None:
    """List the open questions of the API, the answers in use, and the choices."""
    for name, value, choices, asks, source in read_policies(policy).describe():
        click.echo(f"{click.style(name, bold=True)} = {value}")
        click.echo(f"    {asks}\n    choices: {choices}; {source}")


@commands.command(context_settings=CONTEXT)
@config_option
@host_option
@port_option()
def healthcheck(host: str, port: int) -> None:
    """Exit with 0 where the server of these settings is ready, and with 1 where it is not."""
    try:
        status = client.ask(client.url_of(host, port), "GET", "/ready").status
    except OSError as error:
        click.echo(f"not ready: {error}", err=True)
        sys.exit(1)
    click.echo(f"{'ready' if status < 300 else 'not ready'}: {status}", err=status >= 300)
    sys.exit(status >= 300)


commands.add_command(recipes)


@commands.command()
def version() -> None:
    """Print the version."""
    click.echo(revdesk_mock.__version__)


for command in (lifecycle.exec_, lifecycle.start, lifecycle.stop, lifecycle.status, lifecycle.wait, lifecycle.env):
    commands.add_command(command)
commands.add_command(snapshots.snapshot)
commands.add_command(check_commands.check)
commands.add_command(check_commands.check_upgrade)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; what cannot be done is one clear line and an exit code from 2 to 4, or a command's own."""
    try:
        commands.main(arguments, prog_name="revdesk-mock", standalone_mode=False)
    except click.UsageError as error:
        complain(error.format_message())
        sys.exit(USAGE)
    except Failed as error:
        complain(str(error))
        sys.exit(error.exit_code)
    except AddressTaken as error:
        complain(str(error))
        sys.exit(TAKEN)
    except StartError as error:
        complain(str(error))
        sys.exit(UNUSABLE)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        sys.exit(130)


def complain(message: str) -> None:
    """Print one line to standard error."""
    click.echo(f"{click.style('revdesk-mock:', fg='red')} {' '.join(message.split())}", err=True)
