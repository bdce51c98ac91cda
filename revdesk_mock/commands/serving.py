"""A server made of options: its emulator, its network, its log, its banner, and its export at the end."""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from revdesk_mock import request_log
from revdesk_mock.commands import banner
from revdesk_mock.commands.options import read_policies
from revdesk_mock.emulator import Emulator, export
from revdesk_mock.ids import random_key
from revdesk_mock.rtc.network import Network
from revdesk_mock.server import Server, is_local
from revdesk_mock.settings import Settings


class Made(NamedTuple):
    """A server, and the admin token that was made for it because none was given and one is wanted."""

    server: Server
    admin_token: str | None


def make(options: Mapping[str, Any]) -> Made:
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
        faults=(*options["fault"], *options["recipe"]),
    )
    emulator = Emulator(settings)
    if options["import_file"]:
        emulator.restore(options["import_file"])
    media = Network(options["media_host"], options["media_ip"], options["media_ports"])
    given = options["admin_token"]
    token = None if given or is_local(options["host"]) else random_key("revdesk_admin_")
    server = Server(emulator, options["host"], options["port"], options["cors_origin"], media, given or token)
    return Made(server, token)


def run(made: Made, options: Mapping[str, Any]) -> None:
    """Serve in the foreground until a signal, from the banner to the export."""
    announce(made, options)
    made.server.run()
    finish(made, options)


def announce(made: Made, options: Mapping[str, Any], *, err: bool = False) -> None:
    """Begin the log on standard error, and print the banner on standard output or, with `err`, there as well."""
    as_json = options["log_format"] == "json"
    log = request_log.standard(options["log_level"], as_json=as_json)
    made.server.emulator.journal.on_entry(log.add)
    logging.basicConfig(level=options["log_level"].upper(), format="%(message)s")
    banner.show(made.server, made.admin_token, as_json=as_json, err=err)


def finish(made: Made, options: Mapping[str, Any]) -> None:
    """Write the export that was asked for, once the server has stopped."""
    if options["export_on_exit"]:
        export(made.server.emulator, options["export_on_exit"])
