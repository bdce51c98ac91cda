"""What the random lives of an account share: the emulator, its restarts, replays, and what holds at any time."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from revdesk_mock import Emulator, Policies, Settings
from revdesk_mock.emulator import export
from revdesk_mock.settings import shipped
from revdesk_mock.validation import Schema
from tests.conftest import KEY, Answer, Client

DAY = 86_400_000  # milliseconds
WORLD = Schema(orjson.loads(shipped("fixtures/world.schema.json").read_bytes()))

which = st.integers(0, 999)  # picks one of what there is
seldom = st.sampled_from([False, False, False, True])


def pick(items: list[Any], which: int) -> Any:
    return items[which % len(items)]


def mostly(likely: Iterable[Any], others: Iterable[Any], which: int) -> Any:
    """Pick one of the likely, if there are any, three times of four."""
    likely = [*likely]
    return pick(likely if likely and which % 4 else [*others], which // 4)


@cache
def emulators(policies: Policies) -> tuple[Emulator, Emulator]:
    """Return two emulators that are alike, and kept: an account moves from one to the other when it is restarted."""
    data = shipped("fixtures/empty.json")
    settings = Settings(seed="test", clock="frozen", data=data, rate_limit="off", policies=policies)
    return Emulator(settings), Emulator(settings)


@cache
def blank(policies: Policies) -> bytes:
    """Return the export of an account that owns nothing."""
    emulator = Emulator(emulators(policies)[0].settings)
    emulator.world(KEY)
    return orjson.dumps(emulator.dump())


@dataclass
class Submission:
    """A write that succeeded under an idempotency key; `at` is in Unix milliseconds."""

    client: str
    key: str
    method: str
    path: str
    body: Any
    at: int
    answer: Answer


class Life(RuleBasedStateMachine):
    """Drives one account by requests; what lives a life keeps a model beside it."""

    policies = Policies()

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = TemporaryDirectory()
        self.emulator, self.spare = emulators(self.policies)
        self.submissions: list[Submission] = []
        self.keys = 0
        path = Path(self.folder.name, "blank.json")
        path.write_bytes(blank(self.policies))
        self.restart(path)

    def teardown(self) -> None:
        self.runner.close()
        self.folder.cleanup()

    def restart(self, path: Path) -> None:
        """Go on in the other emulator with what was exported."""
        self.emulator, self.spare = self.spare, self.emulator
        self.emulator.pipeline.breaches.clear()
        self.emulator.restore(path)
        self.client = Client(self.emulator)

    def ask(self, method: str, path: str, body: Any = None, *, by: str = KEY, **headers: str) -> Answer:
        """Send a request with an API key."""
        request = Client(self.emulator, by).send(method, path, body, **headers)
        return self.runner.get_loop().run_until_complete(request)  # `run` minds signals, which takes as long again

    def write(self, method: str, path: str, body: Any = None, *, by: str = KEY) -> Answer:
        """Send a write under an idempotency key of its own, and remember it where it succeeds."""
        self.keys += 1
        key = f"key-{self.keys}"
        answer = self.ask(method, path, body, by=by, idempotency_key=key)
        assert "idempotency-replay" not in answer.headers
        if answer.status == 200:
            now = self.client.world.clock.now()
            self.submissions.append(Submission(by, key, method, path, body, now, answer))
        return answer

    def pass_time(self, milliseconds: int) -> None:
        self.client.advance(milliseconds / 1000)

    @rule(is_early=seldom)
    def await_an_event(self, *, is_early: bool) -> None:
        """Go to the instant at which something happens by itself, or a millisecond before."""
        clock = self.client.world.clock
        milliseconds = (clock.next_due() or 0) - is_early - clock.now()
        if milliseconds > 0:
            self.pass_time(milliseconds)

    @precondition(lambda self: self.submissions)
    @rule(which=which)
    def replay(self, which: int) -> None:
        first = pick(self.submissions, which)
        if self.client.world.clock.now() >= first.at + DAY:
            self.submissions.remove(first)  # forgotten: to send it again would be a new request
            return
        again = self.ask(first.method, first.path, first.body, by=first.client, idempotency_key=first.key)
        assert (again.status, again.raw) == (first.answer.status, first.answer.raw)
        assert again.headers["idempotency-replay"] == "true"

    @rule()
    def dump_and_restore(self) -> None:
        path = Path(self.folder.name, "worlds.json")
        export(self.emulator, path)
        before = self.emulator.dump()
        self.restart(path)
        assert self.emulator.dump() == before
        self.submissions.clear()  # stored answers may hold tokens and are not dumped

    @invariant()
    def the_contract_is_unbroken_and_the_dump_fits_its_schema(self) -> None:
        assert self.emulator.pipeline.breaches == []
        assert WORLD.is_valid(self.client.world.dump())
