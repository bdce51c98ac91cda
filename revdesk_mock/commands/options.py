"""The options that commands share, and where they come from: flags, variables and a file of settings."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from revdesk_mock import public_url
from revdesk_mock.commands.fault_options import FAULT_OPTIONS
from revdesk_mock.commands.option_types import Reading, read_rate_limit, read_secret
from revdesk_mock.errors import StartError
from revdesk_mock.rtc import network
from revdesk_mock.settings import Policies, suggestion

PREFIX = "REVDESK_MOCK"
CONFIG = "revdesk-mock.toml"
PORT = 8473
TEST_KEY = "revdesk_test_key"
LEVELS = ("debug", "info", "warning", "error")
CONTEXT: Mapping[str, Any] = {"auto_envvar_prefix": PREFIX, "help_option_names": ["-h", "--help"]}

File = click.Path(path_type=Path)
Verb = Callable[..., Any]  # what a command does


class Suggesting(click.Group):
    """A group of commands; an unknown one is refused with a likely spelling."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find a command by its name."""
        if args[0] not in self.commands:
            raise click.UsageError(f"no such command {args[0]!r}{suggestion(args[0], self.commands)}", ctx)
        return super().resolve_command(ctx, args)


def every(command: click.Command) -> Iterator[click.Option]:
    """Yield the options of a command and of all commands below it."""
    yield from (param for param in command.params if isinstance(param, click.Option))
    if isinstance(command, click.Group):
        for each in command.commands.values():
            yield from every(each)


def read_config(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    """Take defaults from a configuration file; the environment and flags win over it."""
    path = value or Path(CONFIG)
    if value is None and not path.exists():
        return
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StartError(f"configuration {path}: {error}") from error
    # One file serves every command, so the options of all are known to each.
    known = {option.name: option for option in every(ctx.find_root().command) if option.name != "config"}
    defaults: dict[str, Any] = {}
    for key, given in table.items():
        name = {"import": "import_file"}.get(key, key.replace("-", "_"))
        if name not in known:
            raise click.UsageError(f"{path} has an unknown setting {key!r}{suggestion(name, known)}", ctx)
        defaults[name] = [f"{policy}={text}" for policy, text in given.items()] if isinstance(given, dict) else given
    ctx.default_map = {**(ctx.default_map or {}), **defaults}


def check_environment(command: click.Command, environment: Mapping[str, str]) -> None:
    """Refuse a variable of ours that no option here or below has: a misspelt one would silently do nothing."""
    known = {f"{PREFIX}_{option.name.upper()}": option for option in every(command) if option.name}
    known |= {option.envvar: option for option in every(command) if isinstance(option.envvar, str)}
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


def port_option(default: int = PORT) -> Callable[[Verb], Verb]:
    """Let a command listen on a port, or ask at one."""
    kind, says = click.IntRange(0, 65535), "Port; 0 takes a free one."
    return click.option("--port", "-p", type=kind, default=default, show_default=True, help=says)


def log_level_option(default: str) -> Callable[[Verb], Verb]:
    """Let a command say how much is logged."""
    return click.option(
        "--log-level", type=click.Choice(LEVELS), default=default, show_default=True, help="What to log."
    )


config_option = click.option(
    "--config", type=File, is_eager=True, expose_value=False, callback=read_config,
    help=f"Configuration file in TOML; {CONFIG} in this directory is found by itself.",
)  # fmt: skip
host_option = click.option("--host", "-H", default="127.0.0.1", show_default=True, help="Address to listen on.")
policy_option = click.option(
    "--policy", multiple=True, metavar="NAME=VALUE", help="Settle an open question; repeatable."
)
# What a server is made of, beside its address and its log.
SERVER_OPTIONS = (
    click.option("--spec", type=File, help="Another contract document of the same API."),
    click.option("--data", type=File, help="Fixture that new worlds start from."),
    click.option("--seed", help="Make ids, tokens and numbers repeat from run to run."),
    click.option(
        "--clock", type=click.Choice(["real", "frozen"]), default="real", show_default=True, help="Domain time."
    ),
    click.option(
        "--rate-limit",
        type=Reading("N|off", read_rate_limit),
        help="Requests a minute for every key, or off. [default: 600, demo 120]",
    ),
    policy_option,
    *FAULT_OPTIONS,
    click.option(
        "--admin-token",
        type=Reading("TOKEN", read_secret),
        help="What the admin API wants. [default: nothing on loopback, elsewhere a new one, shown at the start]",
    ),
    click.option("--api-key", multiple=True, help="Let only this key in; repeatable."),
    click.option("--cors-origin", multiple=True, default=["*"], help="Origin that browsers may call from; repeatable."),
    click.option(
        "--public-url",
        type=Reading("URL", public_url.read),
        help="Where clients are told to reach this, behind a proxy or tunnel. [default: the address they used]",
    ),
    click.option(
        "--media-host",
        type=Reading("ADDRESS", network.read_bound),
        multiple=True,
        default=network.LOOPBACK.addresses,
        show_default=True,
        help="Address that rooms listen on by UDP; 0.0.0.0 for all but the loopback; repeatable.",
    ),
    click.option(
        "--media-ip",
        type=Reading("ADDRESS", network.read_announced),
        multiple=True,
        help="Outside address of a container or NAT, told to clients of rooms beside the bound ones; repeatable.",
    ),
    click.option(
        "--media-ports",
        type=Reading("LOW-HIGH", network.read_ports),
        help="UDP ports for rooms. [default: any free one]",
    ),
    click.option("--import", "import_file", type=File, envvar=f"{PREFIX}_IMPORT", help="Open the worlds of an export."),
    click.option("--export-on-exit", type=File, help="Write every world to this file when stopping."),
)
log_format_option = click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to log."
)


def of_a_server(*, port: int = PORT, log_level: str = "info") -> Callable[[Verb], Verb]:
    """Give a command all that a server can be told; commands differ in two defaults alone."""
    address = (config_option, host_option, port_option(port))
    log = (log_level_option(log_level), log_format_option)

    def decorate(command: Verb) -> Verb:
        for option in reversed((*address, *SERVER_OPTIONS, *log)):
            command = option(command)
        return command

    return decorate
