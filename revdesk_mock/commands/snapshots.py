"""The commands that keep a world of a running server as a file, and put it back."""

import json
from pathlib import Path
from typing import Any

import click

from revdesk_mock.commands import client
from revdesk_mock.commands.options import CONTEXT, TEST_KEY, File, Suggesting, Verb, config_option
from revdesk_mock.commands.target import Failed, chosen, of_a_running_server, only, records_in
from revdesk_mock.errors import StartError

STATE = "/_revdesk/state"
PATIENCE = 30  # seconds

key_option = click.option(
    "--key", envvar="REVDESK_API_KEY", default=TEST_KEY, show_default=True, help="Key whose world it is."
)
token_option = click.option("--admin-token", help="Admin token of a server that other machines reach.")
file_argument = click.argument("file", type=File)


def of_a_world(command: Verb) -> Verb:
    """Let a command name a file, and choose a world of a running server."""
    return config_option(of_a_running_server(key_option(token_option(file_argument(command)))))


@click.group(cls=Suggesting)
def snapshot() -> None:
    """Keep a world of a running server as a file, or put it back."""


@snapshot.command(context_settings=CONTEXT)
@of_a_world
def save(file: Path, **world: Any) -> None:
    """Write the world of a key to a file: a fixture, which --data takes as well."""
    dump = json.loads(_ask("GET", None, **world))
    unfinished = file.with_name(f".{file.name}.part")
    try:
        unfinished.write_text(json.dumps(dump, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        unfinished.replace(file)
    except OSError as error:
        raise StartError(f"snapshot to {file}: {error.strerror}") from error


@snapshot.command(context_settings=CONTEXT)
@of_a_world
def restore(file: Path, **world: Any) -> None:
    """Make the world of a key what a file says: a snapshot or another fixture."""
    try:
        dump = file.read_bytes()
    except OSError as error:
        raise StartError(f"snapshot {file}: {error.strerror}") from error
    _ask("PUT", dump, **world)


def _ask(
    method: str,
    body: bytes | None,
    *,
    url: str | None,
    port: int,
    state_dir: Path | None,
    key: str,
    admin_token: str | None,
) -> bytes:
    """Ask for the state of a world, or set it; raises Failed with the server's own words where it refuses."""
    url = url or only(chosen(records_in(state_dir), port), port).url
    headers = {"Authorization": f"Bearer {key}", **({"X-RevDesk-Mock-Token": admin_token} if admin_token else {})}
    try:
        answer = client.ask(url, method, STATE, body, headers, seconds=PATIENCE)
    except OSError as error:
        raise Failed(str(error)) from error
    if answer.status >= 300:
        raise Failed(f"{url} refuses ({answer.status}): {_words_of(answer.body)}")
    return answer.body


def _words_of(body: bytes) -> str:
    """Return the message of an error envelope, or of anything else its beginning."""
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return repr(body[:80])
