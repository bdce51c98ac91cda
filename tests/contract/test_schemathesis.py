"""A third party's tester tries the running server with examples, edge cases, random data and scenarios: no fault."""

import json
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import orjson
import pytest
import schemathesis
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.stateful import APIStateMachine

from revdesk_mock import Emulator, Policies, Settings, keys
from revdesk_mock.journal import Entry
from revdesk_mock.resources import HANDLERS
from revdesk_mock.server import Server
from revdesk_mock.settings import shipped
from revdesk_mock.simulation.credentials import SCOPES, Credential
from tests.conftest import PROFILE, SPEC, UPTOWN

SEED = 1
TRIES, SCENARIOS, SECONDS = {"dev": (10, 25, 120), "ci": (40, 100, 300), "nightly": (1000, 2000, 4 * 3600)}[PROFILE]
pytestmark = pytest.mark.timeout(SECONDS)

RULES = (Path(__file__).parent / "schemathesis.toml").read_text()

# Without limits: thousands of requests would meet little else. To its schema a cursor is any text, so any is taken.
# A registration that is shown as DELETED is there, to the tester's mind.
POLICIES = Policies(
    daily_spend_cap_cents=None,
    concurrency_cap=None,
    calls_per_minute=None,
    bad_cursor="ignore",
    deleted_enterprise="not_found",
)
# The tester's phase by run. Examples are tried twice: what a registered company can do, and what comes before that.
RUNS = {"examples": "examples", "drafts": "examples", "coverage": "coverage", "fuzzing": "fuzzing"}
KEYS = [f"revdesk_{number:032x}" for number in range(20 * SCENARIOS)]


def write_contract(folder: Path) -> Path:
    """Write the contract for the tester and return its path.

    Where a pattern stands beside a format, the pattern is what is checked (documented): it admits an instant without
    seconds, and e-mails that the tester's reading of the format does not.
    """

    def without_format(node: Any) -> Any:
        if isinstance(node, list):
            return [without_format(child) for child in node]
        if not isinstance(node, dict):
            return node
        dropped = {"format"} if isinstance(node.get("pattern"), str) else set()
        return {key: without_format(child) for key, child in node.items() if key not in dropped}

    path = folder / "openapi.json"
    path.write_bytes(orjson.dumps(without_format(orjson.loads(shipped("openapi.json").read_bytes()))))
    return path


def as_draft(world: Any) -> Any:
    """Return a world whose registration and brand are about to be handed in."""
    records = world["records"]
    drafts = {name: [{**record, "status": "DRAFT"} for record in records[name]] for name in ("enterprises", "brands")}
    return {**world, "records": {**records, **drafts}}


class Trial:
    """A server with keys that nobody used yet, and how often it answered which operation with which status.

    With a `beginning`, a key and its world as a dump, every request meets that, whatever was asked before.
    """

    def __init__(self, folder: Path) -> None:
        self.contract = write_contract(folder)
        settings = Settings(
            data=shipped("fixtures/registered.json"),
            seed="trial",
            clock="frozen",
            rate_limit="off",
            api_keys=tuple(KEYS),
            policies=POLICIES,
        )
        self.emulator = Emulator(settings, SPEC)
        self.beginning: tuple[Credential, Any] | None = None
        self.emulator.journal.on_entry(self._note)
        self.server = Server(self.emulator)
        self.unused = iter(KEYS)
        self.answers: Counter[tuple[str, int]] = Counter()

    def _note(self, entry: Entry) -> None:
        if entry.operation is not None:
            self.answers[entry.operation, entry.status] += 1
        if entry.world is not None and (world := self.emulator.find_world(entry.world)) is not None:
            world.advance(1)  # time goes on, and in every run alike
        self.rewind()

    def rewind(self) -> None:
        """Go back to the beginning."""
        if self.beginning is not None:
            self.emulator._open(*self.beginning)

    def bearers(self) -> dict[str, str]:
        """Return a key that opens a new world, and two that must not see what belongs to it."""
        own, stranger = next(self.unused), next(self.unused)
        belongings = self.emulator.world(stranger).store  # of which none may bear an id of the other's
        with belongings.transaction():
            for collection, records in belongings.dump().items():
                for record in records:
                    belongings.delete(collection, record["id"])
        branch, _ = keys.mint(self.emulator.world(own), "sub_entity", team=UPTOWN, has_user=True, scopes=SCOPES)
        return {"own": own, "stranger": stranger, "branch": branch}


def write_config(folder: Path, bearers: dict[str, str]) -> Path:
    """Write the tester's configuration for some keys, of which the first makes the requests, and return its path."""
    users = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {key}"}]}
        for name, key in bearers.items()
    ]
    (folder / "users.json").write_text(json.dumps({"auth": users}))
    path = folder / "schemathesis.toml"
    path.write_text(f'{RULES}[auth.wfc]\npath = "users.json"\nuser = "own"\npeers = {list(bearers)}\n')
    return path


def faults(trial: Trial, run: str, folder: Path) -> str:
    """Let the tester's command line try a world of its own; return its report, empty without a fault."""
    bearers, phase = trial.bearers(), RUNS[run]
    config = write_config(folder, bearers)
    if phase == "examples":  # each is for itself
        world = trial.emulator.world(bearers["own"])
        trial.beginning = (world.key, as_draft(world.dump()) if run == "drafts" else world.dump())
        trial.rewind()
    where = [str(trial.contract), "--url", trial.server.url, "--phases", phase]
    how = ["--max-examples", str(TRIES), "--seed", str(SEED), "--no-color"]
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", *where, *how],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env={},  # no proxy, profile or hook of whoever runs the tests
    )
    trial.beginning = None
    return f"{done.stdout}{done.stderr}" if done.returncode else ""


class InAWorldOfItsOwn(APIStateMachine):
    """Lets each scenario come with a new key: one that meets what others left behind cannot be repeated."""

    unused: Iterator[str]

    def setup(self) -> None:
        self.key = next(self.unused)
        self.requests: list[str] = []

    def get_call_kwargs(self, _: Any) -> dict[str, Any]:
        return {"headers": {"Authorization": f"Bearer {self.key}"}}

    def validate_response(self, response: Any, case: Any, *rest: Any, **named: Any) -> None:
        self.requests.append(case.as_curl_command())
        try:
            super().validate_response(response, case, *rest, **named)
        except FailureGroup as fault:
            fault.add_note("\n".join(["The way to it:", *self.requests]))
            raise


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    made = Trial(tmp_path_factory.mktemp("trial"))
    with made.server:
        yield made


@pytest.fixture(scope="module")
def reports(trial: Trial, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give what the tester's command line found, by run."""
    return {run: faults(trial, run, tmp_path_factory.mktemp(run)) for run in RUNS}


@pytest.mark.parametrize("run", RUNS)
def test_no_request_meets_a_fault(reports: dict[str, str], run: str) -> None:
    if reports[run]:
        pytest.fail(reports[run], pytrace=False)


@pytest.mark.usefixtures("reports")
def test_every_operation_succeeds(trial: Trial) -> None:
    assert {operation for operation, status in trial.answers if 200 <= status < 300} >= HANDLERS.keys()


def test_no_scenario_meets_a_fault(trial: Trial) -> None:
    """Follow links from answer to answer, which is the tester's fourth phase."""
    config = schemathesis.Config.from_dict(tomllib.loads(RULES))
    schema = schemathesis.openapi.from_path(trial.contract, config=config)
    schema.config.update(base_url=trial.server.url)
    scenarios: Any = type("Scenarios", (InAWorldOfItsOwn, schema.as_state_machine()), {"unused": trial.unused})
    scenarios.run(
        settings=hypothesis.settings(
            max_examples=SCENARIOS,
            stateful_step_count=8,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
    )
