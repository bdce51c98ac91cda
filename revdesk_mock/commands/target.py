"""Which running server a command speaks to: one in the background, found by its record, or one at a URL."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from revdesk_mock import public_url
from revdesk_mock.commands.option_types import Reading
from revdesk_mock.commands.options import File, Verb
from revdesk_mock.errors import StartError

if TYPE_CHECKING:
    from revdesk_mock.commands.running import Records, Running

NONE_RUNS = 3  # exit code

url_option = click.option(
    "--url", type=Reading("URL", public_url.read), help="Address of a server, wherever it runs. [default: one here]"
)
state_dir_option = click.option(
    "--state-dir",
    type=File,
    help="Folder that remembers servers in the background. [default: in XDG_RUNTIME_DIR, or the temporary folder]",
)
which_option = click.option(
    "--port",
    "-p",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="Port of a server in the background; 0 is for the only one.",
)


class Failed(Exception):
    """What a command could not do, in one line, and the code it exits with."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def of_a_running_server(command: Verb) -> Verb:
    """Let a command choose a server: `url` wins over `port`, which is one in the background."""
    return url_option(which_option(state_dir_option(command)))


def records_in(folder: Path | None) -> "Records":
    """Return the records of servers in the background; raises StartError where a system has no such servers."""
    if os.name != "posix":
        raise StartError("servers in the background need a POSIX system; use exec or serve here")
    from revdesk_mock.commands.running import Records, default_folder

    return Records(folder or default_folder(os.environ))


def chosen(records: "Records", port: int) -> "list[Running]":
    """Return the server at a port, or for port 0 all that run: none, one or more."""
    found = records.find(port) if port else None
    return records.all() if port == 0 else [found] if found else []


def only(servers: "list[Running]", port: int) -> "Running":
    """Return the one server; raises Failed where none runs, and UsageError where it is to be chosen."""
    if not servers:
        raise Failed(f"no server runs in the background{at(port)}; revdesk-mock start begins one", NONE_RUNS)
    if len(servers) > 1:
        ports = ", ".join(str(server.port) for server in servers)
        raise click.UsageError(f"several servers run, at the ports {ports}; choose one with --port")
    return servers[0]


def at(port: int) -> str:
    """Name a port, where one was chosen."""
    return f" at port {port}" if port else ""
