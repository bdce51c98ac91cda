"""Trials: generated requests are sent, each answer is judged, and a request that fails is made as small as it gets."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import hypothesis
import orjson
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import Flaky, HypothesisWarning

from revdesk_mock.journal import redact
from revdesk_mock.spec import Operation
from revdesk_mock.testing.samples import SampleRequest
from revdesk_mock.testing.verdicts import Verdicts
from revdesk_mock.testing.wire import Answer, NoAnswer, Send

LONGEST_WAIT = 60  # seconds that a 429 may ask for
SHRINKING = 200  # requests that the search for a smaller one may cost
CURSOR = "cursor"  # by its schema any text; by the prose one that a list handed out
# What their schemas admit and a rule in prose refuses with 400: that a text in base64 is a PDF, that only some numbers
# have a CNAM, that a brand is complete, that a consent was given before now.
RULED_BY_PROSE = frozenset(
    {
        "v1_caller_trust_brand_submit_post",
        "v1_caller_trust_documents_post",
        "v1_caller_trust_enterprise_resign_post",
        "v1_caller_trust_enterprise_sign_and_submit_post",
        "v1_caller_trust_enterprise_id_resign_post",
        "v1_caller_trust_enterprise_id_sign_and_submit_post",
        "v1_phone_numbers_id_patch",
    }
)


class Expectation(NamedTuple):
    """What is expected of the answer to a kind of request, beyond that the contract declares it.

    `complaint` says in words what is wrong with an answer that the contract declares, or nothing; `most` is how many
    examples are enough.
    """

    kind: str
    complaint: Callable[[SampleRequest, Answer], str | None]
    with_key: bool = True
    most: int = 1000


class Failure(NamedTuple):
    """The smallest request found that was not answered as expected, and what was wrong."""

    request: SampleRequest
    kind: str
    complaint: str


class Trial:
    """Tries a server that `send` leads to, in the name of a key; `pause` waits for so many seconds.

    `answers` counts what came back, by status.
    """

    def __init__(self, send: Send, key: str, pause: Callable[[float], object], examples: int, seed: str) -> None:
        self.answers: Counter[int] = Counter()
        self._send = send
        self._key = key
        self._pause = pause
        self._examples = examples
        self._seed = seed
        self._verdicts = Verdicts()

    def ask(self, request: SampleRequest, *, with_key: bool = True) -> Answer:
        """Send a request, once more after the time that a 429 asks for; raises NoAnswer.

        Where that was in vain, no more time is spent on waiting until `answers` are counted anew.
        """
        headers = {**request.headers, **({"Authorization": f"Bearer {self._key}"} if with_key else {})}
        answer = self._send(request.method, request.target, request.body, headers)
        seconds = answer.headers.get("retry-after", "")
        may_wait = seconds.isdecimal() and int(seconds) <= LONGEST_WAIT and not self.answers[answer.status]
        if answer.status == 429 and may_wait:
            self._pause(int(seconds))
            answer = self._send(request.method, request.target, request.body, headers)
        self.answers[answer.status] += 1
        return answer

    def seek(
        self,
        operation: Operation,
        strategy: st.SearchStrategy[SampleRequest],
        expected: Expectation,
        note: Callable[[Answer], None],
    ) -> Failure | None:
        """Return a request that is not answered as expected, as small as it gets, or None; `note` sees every answer."""
        found: list[Failure] = []
        spent = 0

        def attempt(request: SampleRequest) -> None:
            nonlocal spent
            spent += bool(found)
            if spent > SHRINKING:
                return
            complaint = self._complaint(operation, request, expected, note)
            if complaint is not None:
                found.append(Failure(request, expected.kind, redact(complaint, self._key)))
                raise Misanswered(complaint)

        try:
            self._run(attempt, strategy, min(self._examples, expected.most))
        except (Misanswered, Flaky):  # flaky where it is answered now so and now otherwise: a failure all the same
            return found[-1]
        return None

    def _run(
        self, attempt: Callable[[SampleRequest], None], strategy: st.SearchStrategy[SampleRequest], examples: int
    ) -> None:
        searching = hypothesis.settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HypothesisWarning)  # of how long it took to print a long request
            searching(hypothesis.seed(self._seed)(hypothesis.given(strategy)(attempt)))()

    def _complaint(
        self, operation: Operation, request: SampleRequest, expected: Expectation, note: Callable[[Answer], None]
    ) -> str | None:
        try:
            answer = self.ask(request, with_key=expected.with_key)
        except NoAnswer as error:
            return f"no answer: {error}"
        note(answer)
        return self._verdicts.complaint(operation, answer) or expected.complaint(request, answer)


@contextmanager
def no_traces() -> Iterator[None]:
    """Let Hypothesis keep its files in a folder that is gone at the end, and not in that of whoever runs a check."""
    with TemporaryDirectory() as folder:
        set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)


class Misanswered(Exception):
    """A request was not answered as expected: Hypothesis looks for a smaller one."""


def _refused(request: SampleRequest, answer: Answer) -> str | None:
    """Tell of a valid request that was refused for its form; what a rule refuses has other statuses."""
    if answer.status == 401:
        return "it was sent with the key and refused with 401"
    by_prose = request.operation in RULED_BY_PROSE or CURSOR in request.query
    if answer.status != 400 or by_prose:
        return None
    return f"it was refused with 400: {_message(answer)}"


def _accepted(request: SampleRequest, answer: Answer) -> str | None:
    """Tell of a broken request that was not refused."""
    return None if answer.status >= 400 else f"it was answered {answer.status}; its fault is {request.fault}"


def _unguarded(_: SampleRequest, answer: Answer) -> str | None:
    """Tell of a request without a key that was not refused for that."""
    return None if answer.status == 401 else f"it was answered {answer.status}; 401 was expected"


def _message(answer: Answer) -> str:
    error: Any = orjson.loads(answer.body).get("error", {})
    return str(error.get("message", "without a message"))


VALID = Expectation("a valid request", _refused)
INVALID = Expectation("a request with one fault", _accepted)
ANONYMOUS = Expectation("a request without a key", _unguarded, with_key=False, most=1)
