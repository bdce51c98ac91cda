"""What is printed when the server starts: where it is and how to try it, as text or as one JSON object."""

import json
import sys

import click

import revdesk_mock
from revdesk_mock.commands.options import TEST_KEY
from revdesk_mock.resources import HANDLERS
from revdesk_mock.server import Server


def show(server: Server, admin_token: str | None, *, as_json: bool, err: bool = False) -> None:
    """Print it on standard output or, with `err`, on standard error.

    `admin_token` is one that was made for this run, and is told here alone.
    """
    emulator = server.emulator
    settings = emulator.settings
    operations = len(emulator.spec.operations)
    if as_json:
        started = {"event": "started", "url": server.url, "operations": operations, "seed": emulator.seed}
        told = {**started, "admin_token": admin_token} if admin_token else started
        click.echo(json.dumps(told, separators=(",", ":")), err=err)
        return
    emulated = sum(name in HANDLERS for name in emulator.spec.operations)
    key = "$REVDESK_API_KEY" if settings.api_keys else TEST_KEY
    shown = (
        "one of those given with --api-key" if settings.api_keys else f"{TEST_KEY} (any key opens a world of its own)"
    )
    rows = {
        "address": server.url,
        **({"public": settings.public_url} if settings.public_url else {}),
        **({"admin": f"X-RevDesk-Mock-Token: {admin_token}"} if admin_token else {}),
        "test key": shown,
        "contract": f"{settings.spec.name}, {operations} operations, {emulated} emulated",
        "seed": emulator.seed,
        "clock": settings.clock,
        **({"faults": f"{len(settings.faults)} for every new world"} if settings.faults else {}),
        "try": f'curl -H "Authorization: Bearer {key}" {server.url}/v1/me',
    }
    click.secho(f"revdesk-mock {revdesk_mock.__version__}", bold=True, err=err)
    for name, value in rows.items():
        click.echo(f"  {click.style(f'{name:<9}', dim=True)}{value}", err=err)
    sys.stdout.flush()
