"""Commands that hold servers, contracts and recorded requests against each other."""

import sys
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import click
import orjson

from revdesk_mock import public_url
from revdesk_mock.commands.option_types import Reading, read_secret
from revdesk_mock.commands.options import CONTEXT, File, config_option
from revdesk_mock.errors import StartError
from revdesk_mock.settings import shipped
from revdesk_mock.spec import Spec

COLOURS = {"pass": "green", "fail": "red", "skipped": "yellow"}


@click.command(context_settings=CONTEXT)
@config_option
@click.option(
    "--url", required=True, type=Reading("URL", public_url.read), help="The server, such as http://127.0.0.1:8473."
)
@click.option(
    "--key",
    required=True,
    type=Reading("KEY", read_secret),
    envvar="REVDESK_API_KEY",
    help="API key; better given as REVDESK_API_KEY, which no list of processes shows.",
)
@click.option("--allow-writes", is_flag=True, help="Send writes too: they change, buy and delete what the key may.")
@click.option(
    "--examples",
    type=click.IntRange(1, 10_000),
    default=10,
    show_default=True,
    help="Valid requests for each operation, and as many invalid ones.",
)
@click.option(
    "--operation", multiple=True, help="Check this operation, an id or 'GET /v1/me'; repeatable. [default: all]"
)
@click.option("--spec", type=File, help="Another contract document.")
@click.option("--seed", default="0", show_default=True, help="Other requests for another text, the same for the same.")
@click.option("--junit", type=File, help="Write a JUnit report to this file.")
def check(
    *,
    url: str,
    key: str,
    allow_writes: bool,
    examples: int,
    operation: tuple[str, ...],
    spec: Path | None,
    seed: str,
    junit: Path | None,
) -> None:
    """Check a server against the contract by generated requests; without --allow-writes it only reads.

    Exits with 1 where the server breaks the contract. In the table stand the answers by status.
    """
    need_hypothesis()
    from revdesk_mock.testing import check_report
    from revdesk_mock.testing.check import Check
    from revdesk_mock.testing.trial import no_traces
    from revdesk_mock.testing.wire import Connection

    contract = Spec.load(spec or shipped("openapi.json"))
    names = read_operations(operation, contract, allow_writes=allow_writes)
    if junit is not None and not junit.parent.is_dir():
        raise click.UsageError(f"--junit: there is no folder {junit.parent}")
    outcomes = []
    with Connection(url) as send, no_traces():
        made = Check(contract, send, key, pause, examples=examples, seed=seed, allow_writes=allow_writes)
        for outcome in made.run(names):
            click.secho(check_report.row(outcome), fg=COLOURS[outcome.verdict])
            outcomes.append(outcome)
    for outcome in outcomes:
        for line in check_report.details(outcome, url):
            click.echo(line)
    click.echo(check_report.summary(outcomes))
    if junit is not None:
        write(junit, check_report.junit(outcomes, url))
    sys.exit(any(outcome.verdict == "fail" for outcome in outcomes))


@click.command(context_settings=CONTEXT)
@config_option
@click.option("--spec", type=File, required=True, help="The new contract document.")
@click.option("--from", "old", type=File, help="The old one. [default: the one that ships with this]")
@click.option("--journal", type=File, required=True, help="Recorded requests: a HAR file, as /_revdesk/requests.har.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How.")
def check_upgrade(*, spec: Path, old: Path | None, journal: Path, form: str) -> None:
    """Tell which recorded requests, and which fields of their answers, break under a new contract.

    Exits with 1 where something does.
    """
    from revdesk_mock.testing import recorded, upgrade_report
    from revdesk_mock.testing.upgrade import Upgrade

    made = Upgrade(Spec.load(old or shipped("openapi.json")), Spec.load(spec))
    report = made.report(recorded.read(journal))
    if form == "json":
        click.echo(orjson.dumps(upgrade_report.as_json(report), option=orjson.OPT_INDENT_2))
    else:
        for line in upgrade_report.text(report):
            click.echo(line)
    sys.exit(bool(report.findings))


def pause(seconds: float) -> None:
    """Wait, and say so."""
    click.echo(f"waiting for {seconds:g} s, as a 429 asked for", err=True)
    threading.Event().wait(seconds)


def need_hypothesis() -> None:
    """Raise StartError where the extra is not installed."""
    if find_spec("hypothesis") is None:
        raise StartError("this command needs Hypothesis: pip install 'revdesk-mock[hypothesis]'")


def read_operations(names: Sequence[str], contract: Spec, *, allow_writes: bool) -> list[str]:
    """Return the ids of operations; an unknown one is an error of usage, and so is a write that is not allowed."""
    from revdesk_mock.testing.strategies import operation_of

    found = []
    for name in names:
        try:
            operation = operation_of(contract, name)
        except ValueError as error:
            raise click.UsageError(f"--operation: {error}") from error
        if operation.method != "GET" and not allow_writes:
            raise click.UsageError(f"--operation: {name} writes; add --allow-writes if it may")
        found.append(operation.id)
    return found


def write(path: Path, content: bytes) -> None:
    """Write a report; raises StartError where that cannot be."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise StartError(f"report {path}: {error.strerror}") from error
