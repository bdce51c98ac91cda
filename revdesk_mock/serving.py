"""A server made of options: its emulator, its network, its log, its banner, and its export at the end."""

import json
import logging
import sys
from collections.abc import Mapping
from typing import Any

import click

import revdesk_mock
from revdesk_mock import request_log
from revdesk_mock.emulator import Emulator, export
from revdesk_mock.options import TEST_KEY, read_policies
from revdesk_mock.resources import HANDLERS
from revdesk_mock.rtc.network import Network
from revdesk_mock.server import Server
from revdesk_mock.settings import Settings


def make(options: Mapping[str, Any]) -> Server:
    """Return the server that options ask for, which listens already; raises StartError where it cannot be made."""
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
    media = Network(options["media_host"], options["media_ip"], options["media_ports"])
    return Server(emulator, options["host"], options["port"], options["cors_origin"], media)


def run(server: Server, options: Mapping[str, Any]) -> None:
    """Serve in the foreground until a signal, from the banner to the export."""
    announce(server, options)
    server.run()
    finish(server, options)


def announce(server: Server, options: Mapping[str, Any], *, err: bool = False) -> None:
    """Begin the log on standard error, and print the banner on standard output or, with `err`, there as well."""
    as_json = options["log_format"] == "json"
    log = request_log.standard(options["log_level"], as_json=as_json)
    server.emulator.journal.on_entry(log.add)
    logging.basicConfig(level=options["log_level"].upper(), format="%(message)s")
    _show_banner(server, as_json=as_json, err=err)


def finish(server: Server, options: Mapping[str, Any]) -> None:
    """Write the export that was asked for, once the server has stopped."""
    if options["export_on_exit"]:
        export(server.emulator, options["export_on_exit"])


def _show_banner(server: Server, *, as_json: bool, err: bool) -> None:
    """Print where the server is and how to try it, as text or as one JSON object."""
    emulator = server.emulator
    settings = emulator.settings
    operations = len(emulator.spec.operations)
    emulated = sum(name in HANDLERS for name in emulator.spec.operations)
    if as_json:
        started = {"event": "started", "url": server.url, "operations": operations, "seed": emulator.seed}
        click.echo(json.dumps(started, separators=(",", ":")), err=err)
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
    click.secho(f"revdesk-mock {revdesk_mock.__version__}", bold=True, err=err)
    for name, value in rows.items():
        click.echo(f"  {click.style(f'{name:<9}', dim=True)}{value}", err=err)
    sys.stdout.flush()
