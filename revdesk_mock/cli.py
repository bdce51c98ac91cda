"""The command line: serve, and four commands that tell about it."""

import http.client
import json
import logging
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import revdesk_mock
from revdesk_mock import check_commands, public_url
from revdesk_mock.errors import AddressTaken, StartError
from revdesk_mock.option_types import Reading, read_rate_limit
from revdesk_mock.rtc import network
from revdesk_mock.settings import Policies, Settings, shipped, suggestion

# A container asks `healthcheck` every few seconds: what only one command needs is imported by that command.
if TYPE_CHECKING:
    from revdesk_mock.server import Server

PREFIX = "REVDESK_MOCK"
CONFIG = "revdesk-mock.toml"
PORT = 8473
LEVELS = ("debug", "info", "warning", "error")
TEST_KEY = "revdesk_test_key"
USAGE, TAKEN, UNUSABLE = 2, 3, 4  # exit codes
HEALTH_TIMEOUT = 2  # seconds


class Commands(click.Group):
    """The group; without a command's name the arguments are for `serve`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `serve` before arguments that name no command."""
        if not args or (args[0].startswith("-") and args[0] != "--help"):
            args = ["serve", *args]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find a command; an unknown one is refused with a likely spelling."""
        if args[0] not in self.commands:
            raise click.UsageError(f"no such command {args[0]!r}{suggestion(args[0], self.commands)}", ctx)
        return super().resolve_command(ctx, args)


def read_config(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    """Take defaults from a configuration file; the environment and flags win over it."""
    path = value or Path(CONFIG)
    if value is None and not path.exists():
        return
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StartError(f"configuration {path}: {error}") from error
    # One file serves every command, so all settings of `serve` are known to each.
    known = {param.name: param for param in commands.commands["serve"].params if param.name != "config"}
    defaults: dict[str, Any] = {}
    for key, given in table.items():
        name = {"import": "import_file"}.get(key, key.replace("-", "_"))
        if name not in known:
            raise click.UsageError(f"{path} has an unknown setting {key!r}{suggestion(name, known)}", ctx)
        defaults[name] = [f"{policy}={text}" for policy, text in given.items()] if isinstance(given, dict) else given
    ctx.default_map = {**(ctx.default_map or {}), **defaults}


def check_environment(command: click.Command, environment: Mapping[str, str]) -> None:
    """Refuse a variable of ours that no option has: a misspelt one would silently do nothing."""
    known = {f"{PREFIX}_{param.name.upper()}": param for param in command.params if param.name}
    known |= {param.envvar: param for param in command.params if isinstance(param.envvar, str)}
    for name in environment:
        if name.startswith(f"{PREFIX}_") and name not in known:
            raise click.UsageError(f"unknown variable {name}{suggestion(name, known)}")


def read_policies(assignments: tuple[str, ...]) -> Policies:
    """Read `name=value` texts; a bad one is an error of usage."""
    pairs: dict[str, str] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise click.UsageError(f"--policy takes name=value, not {assignment!r}; see revdesk-mock policies")
        pairs[name.strip()] = value.strip()
    try:
        return Policies.parse(pairs)
    except StartError as error:
        raise click.UsageError(str(error)) from error


config_option = click.option(
    "--config", type=click.Path(path_type=Path), is_eager=True, expose_value=False, callback=read_config,
    help=f"Configuration file in TOML; {CONFIG} in this directory is found by itself.",
)  # fmt: skip
host_option = click.option("--host", "-H", default="127.0.0.1", show_default=True, help="Address to listen on.")
port_option = click.option(
    "--port", "-p", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port; 0 takes a free one."
)
policy_option = click.option(
    "--policy", multiple=True, metavar="NAME=VALUE", help="Settle an open question; repeatable."
)
CONTEXT = {"auto_envvar_prefix": PREFIX, "help_option_names": ["-h", "--help"]}
File = click.Path(path_type=Path)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Emulate the RevDesk v1 voice API on this machine. Without a command: serve."""


@commands.command(context_settings=CONTEXT)
@config_option
@host_option
@port_option
@click.option("--spec", type=File, help="Another contract document of the same API.")
@click.option("--data", type=File, help="Fixture that new worlds start from.")
@click.option("--seed", help="Make ids, tokens and numbers repeat from run to run.")
@click.option("--clock", type=click.Choice(["real", "frozen"]), default="real", show_default=True, help="Domain time.")
@click.option(
    "--rate-limit",
    type=Reading("N|off", read_rate_limit),
    help="Requests a minute for every key, or off. [default: 600, demo 120]",
)
@policy_option
@click.option("--api-key", multiple=True, help="Let only this key in; repeatable.")
@click.option("--cors-origin", multiple=True, default=["*"], help="Origin that browsers may call from; repeatable.")
@click.option(
    "--public-url",
    type=Reading("URL", public_url.read),
    help="Where clients are told to reach this, behind a proxy or tunnel. [default: the address they used]",
)
@click.option(
    "--media-host",
    type=Reading("ADDRESS", network.read_bound),
    multiple=True,
    default=network.LOOPBACK.addresses,
    show_default=True,
    help="Address that rooms listen on by UDP; 0.0.0.0 for all but the loopback; repeatable.",
)
@click.option(
    "--media-ip",
    type=Reading("ADDRESS", network.read_announced),
    multiple=True,
    help="Outside address of a container or NAT, told to clients of rooms beside the bound ones; repeatable.",
)
@click.option(
    "--media-ports", type=Reading("LOW-HIGH", network.read_ports), help="UDP ports for rooms. [default: any free one]"
)
@click.option("--import", "import_file", type=File, envvar=f"{PREFIX}_IMPORT", help="Open the worlds of an export.")
@click.option("--export-on-exit", type=File, help="Write every world to this file when stopping.")
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True, help="What to log.")
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to log."
)
@click.pass_context
def serve(ctx: click.Context, /, **options: Any) -> None:
    """Serve the API until SIGTERM or Ctrl-C."""
    from revdesk_mock import request_log
    from revdesk_mock.emulator import Emulator, export
    from revdesk_mock.server import Server

    check_environment(ctx.command, os.environ)
    files = {name: options[name] for name in ("spec", "data") if options[name]}
    settings = Settings(
        **files,
        seed=options["seed"],
        clock=options["clock"],
        rate_limit=options["rate_limit"],
        policies=read_policies(options["policy"]),
        api_keys=options["api_key"],
        public_url=options["public_url"],
    )
    emulator = Emulator(settings)
    if options["import_file"]:
        emulator.restore(options["import_file"])
    media = network.Network(options["media_host"], options["media_ip"], options["media_ports"])
    server = Server(emulator, options["host"], options["port"], options["cors_origin"], media)
    as_json = options["log_format"] == "json"
    log = request_log.standard(options["log_level"], as_json=as_json)
    emulator.journal.on_entry(log.add)
    logging.basicConfig(level=options["log_level"].upper(), format="%(message)s")
    show_banner(server, settings, as_json=as_json)
    server.run()
    if options["export_on_exit"]:
        export(emulator, options["export_on_exit"])


def show_banner(server: "Server", settings: Settings, *, as_json: bool) -> None:
    """Print where the server is and how to try it: on standard output, as text or as one JSON object."""
    from revdesk_mock.resources import HANDLERS

    emulator = server.emulator
    operations = len(emulator.spec.operations)
    emulated = sum(name in HANDLERS for name in emulator.spec.operations)
    if as_json:
        started = {"event": "started", "url": server.url, "operations": operations, "seed": emulator.seed}
        click.echo(json.dumps(started, separators=(",", ":")))
        return
    key = "$REVDESK_API_KEY" if settings.api_keys else TEST_KEY
    shown = (
        "one of those given with --api-key" if settings.api_keys else f"{TEST_KEY} (any key opens a world of its own)"
    )
    rows = {
        "address": server.url,
        **({"public": settings.public_url} if settings.public_url else {}),
        "test key": shown,
        "contract": f"{settings.spec.name}, {operations} operations, {emulated} emulated",
        "seed": emulator.seed,
        "clock": settings.clock,
        "try": f'curl -H "Authorization: Bearer {key}" {server.url}/v1/me',
    }
    click.secho(f"revdesk-mock {revdesk_mock.__version__}", bold=True)
    for name, value in rows.items():
        click.echo(f"  {click.style(f'{name:<9}', dim=True)}{value}")
    sys.stdout.flush()


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
@port_option
def healthcheck(host: str, port: int) -> None:
    """Exit with 0 where the server of these settings is ready, and with 1 where it is not."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 a comparison
    connection = http.client.HTTPConnection(reachable, port, timeout=HEALTH_TIMEOUT)
    try:
        connection.request("GET", "/ready")
        status = connection.getresponse().status
    except OSError as error:
        click.echo(f"not ready: {reachable}:{port} does not answer ({error})", err=True)
        sys.exit(1)
    finally:
        connection.close()
    click.echo(f"{'ready' if status < 300 else 'not ready'}: {status}", err=status >= 300)
    sys.exit(status >= 300)


@commands.command()
def version() -> None:
    """Print the version."""
    click.echo(revdesk_mock.__version__)


commands.add_command(check_commands.check)
commands.add_command(check_commands.check_upgrade)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; what cannot be done is one clear line and an exit code from 2 to 4."""
    try:
        commands.main(arguments, prog_name="revdesk-mock", standalone_mode=False)
    except click.UsageError as error:
        complain(error.format_message())
        sys.exit(USAGE)
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
