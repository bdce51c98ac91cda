"""The commands that begin and end servers, and tell where they are."""

import os
import shlex
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

import revdesk_mock
from revdesk_mock.clock import SECOND, wait_until, wall
from revdesk_mock.commands import child, client
from revdesk_mock.commands.options import (
    CONTEXT,
    PREFIX,
    TEST_KEY,
    check_environment,
    config_option,
    host_option,
    of_a_server,
    port_option,
)
from revdesk_mock.commands.target import (
    NONE_RUNS,
    Failed,
    at,
    chosen,
    of_a_running_server,
    only,
    records_in,
    state_dir_option,
    url_option,
    which_option,
)
from revdesk_mock.errors import AddressTaken

PATIENCE = 30  # seconds for a server to begin, and to end
TOLD = ("REVDESK_API_URL", "REVDESK_API_KEY", "REVDESK_MOCK_URL")

Write = Callable[[str, str], str]
# How a variable is set, and how unset where that is possible.
FORMATS: Mapping[str, tuple[Write, Callable[[str], str] | None]] = {
    "sh": (lambda name, value: f"export {name}={shlex.quote(value)}", lambda name: f"unset {name}"),
    "dotenv": (lambda name, value: f"{name}={value}", None),
    "github": (lambda name, value: f"{name}={value}", None),
    "powershell": (
        lambda name, value: "$env:{} = '{}'".format(name, value.replace("'", "''")),
        lambda name: f"Remove-Item -ErrorAction Ignore Env:{name}",
    ),
}


def told(url: str, key: str) -> dict[str, str]:
    """Return the variables by which clients and tests find a server."""
    return dict(zip(TOLD, (url, key, url), strict=True))


@click.command("exec", context_settings={**CONTEXT, "allow_interspersed_args": False})
@of_a_server(port=0, log_level="warning")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] COMMAND [ARGUMENT]...")
@click.pass_context
def exec_(ctx: click.Context, /, command: tuple[str, ...], **options: Any) -> None:
    """Run a command with a server of its own, and exit as it does.

    The command finds the server by REVDESK_API_URL and REVDESK_API_KEY. Banner and log go to standard error.
    """
    from revdesk_mock.commands import serving

    check_environment(ctx.find_root().command, os.environ)
    made = serving.make(options)
    serving.announce(made, options, err=True)
    variables = told(made.server.url, options["api_key"][0] if options["api_key"] else TEST_KEY)
    if token := options["admin_token"] or made.admin_token:
        variables[f"{PREFIX}_ADMIN_TOKEN"] = token
    try:
        with made.server:
            code = child.run(command, {**os.environ, **variables})
    except OSError as error:
        raise Failed(f"cannot run {command[0]}: {error.strerror}", child.code_of(error)) from error
    serving.finish(made, options)
    sys.exit(code)


@click.command(context_settings=CONTEXT)
@of_a_server()
@state_dir_option
@click.pass_context
def start(ctx: click.Context, /, state_dir: Path | None, **options: Any) -> None:
    """Begin a server in the background, and print its URL once it is ready."""
    from revdesk_mock.commands import running, serving

    check_environment(ctx.find_root().command, os.environ)
    records = records_in(state_dir)
    already = records.find(options["port"])
    if already:
        raise AddressTaken(f"{already.url} runs already, as process {already.pid}; revdesk-mock stop ends it")
    made = serving.make(options)
    server = made.server
    if made.admin_token:
        server.stop()
        raise click.UsageError(f"--admin-token is wanted with --host {options['host']}: nobody would see a new one")
    log = records.log_of(server.port)
    process = running.detach(log)
    if process == 0:
        version, own_keys = revdesk_mock.__version__, bool(options["api_key"])
        records.keep(running.Running(server.url, server.port, os.getpid(), version, wall(), str(log), own_keys))
        serving.run(made, options)
        return
    server.stop()  # here alone: the port belongs to the other process from now on
    if not running.became_ready(process, server.url, PATIENCE):
        raise Failed(f"the server did not begin; {log} says why")
    click.echo(server.url)


@click.command(context_settings=CONTEXT)
@config_option
@which_option
@state_dir_option
def stop(port: int, state_dir: Path | None) -> None:
    """End the server in the background; where none runs, that is well, too."""
    records = records_in(state_dir)
    servers = chosen(records, port)
    if not servers:
        click.echo(f"no server runs in the background{at(port)}")
        return
    server = only(servers, port)
    os.kill(server.pid, signal.SIGTERM)
    if not wait_until(lambda: server not in records.all(), PATIENCE):
        raise Failed(f"{server.url} did not end in {PATIENCE} s; its process is {server.pid}, its log {server.log}")
    click.echo(f"stopped {server.url}")


@click.command(context_settings=CONTEXT)
@config_option
@which_option
@state_dir_option
def status(port: int, state_dir: Path | None) -> None:
    """Tell which servers run in the background; exit with 3 where none does."""
    servers = chosen(records_in(state_dir), port)
    for server in servers:
        ready = "ready" if client.is_ready(server.url) else "not ready"
        click.echo(f"{click.style(server.url, bold=True)}  {ready}")
        rows = {
            "process": server.pid,
            "version": server.version,
            "uptime": _duration((wall() - server.started_at) // SECOND),
            "log": server.log,
        }
        for name, value in rows.items():
            click.echo(f"  {click.style(f'{name:<9}', dim=True)}{value}")
    if not servers:
        click.echo(f"no server runs in the background{at(port)}", err=True)
        sys.exit(NONE_RUNS)


@click.command(context_settings=CONTEXT)
@config_option
@url_option
@host_option
@port_option()
@click.option("--timeout", type=click.IntRange(0, 86_400), default=PATIENCE, show_default=True, help="Seconds to wait.")
def wait(url: str | None, host: str, port: int, timeout: int) -> None:
    """Wait until a server is ready: at the URL, or else the host and port; exit with 1 where it takes longer."""
    url = url or client.url_of(host, port)
    if not wait_until(lambda: client.is_ready(url), timeout):
        raise Failed(f"{url} is not ready after {timeout} s")
    click.echo(f"ready: {url}")


@click.command(context_settings=CONTEXT)
@config_option
@of_a_running_server
@click.option("--api-key", multiple=True, help="Key to export, of a server that lets in its own alone.")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="sh", show_default=True, help="For whom.")
@click.option("--unset", is_flag=True, help="Take the variables back.")
def env(
    url: str | None, port: int, state_dir: Path | None, api_key: tuple[str, ...], form: str, *, unset: bool
) -> None:
    """Print what points clients at a server in the background: eval "$(revdesk-mock env)"."""
    set_one, unset_one = FORMATS[form]
    if unset:
        if unset_one is None:
            raise click.UsageError(f"the format {form} cannot unset; sh and powershell can")
        click.echo("\n".join(map(unset_one, TOLD)))
        return
    variables = told(url or "", api_key[0] if api_key else TEST_KEY)
    if url is None:
        server = only(chosen(records_in(state_dir), port), port)
        variables = told(server.url, variables["REVDESK_API_KEY"])
        if server.own_keys and not api_key:
            del variables["REVDESK_API_KEY"]
            click.echo("this server lets in its own keys alone: set REVDESK_API_KEY, or give --api-key", err=True)
    click.echo("\n".join(set_one(name, value) for name, value in variables.items()))


def _duration(seconds: int) -> str:
    """Write seconds as people say them, by the two largest units."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"
