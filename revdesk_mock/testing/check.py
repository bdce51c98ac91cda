"""The check of a server against the contract: every operation is tried, with ids that the server itself answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import orjson
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from revdesk_mock.errors import StartError
from revdesk_mock.messages import JSON
from revdesk_mock.spec import Operation, Spec
from revdesk_mock.testing.links import Links
from revdesk_mock.testing.queries import plain_request
from revdesk_mock.testing.samples import RequestKind, SampleRequest
from revdesk_mock.testing.strategies import contract_of_the_product, operation_of, requests
from revdesk_mock.testing.trial import ANONYMOUS, INVALID, VALID, Failure, Trial
from revdesk_mock.testing.wire import Answer, NoAnswer, Send

ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE")  # what makes ids comes before what removes them
# Reads that cost money, and the parameter that makes them do so: it is not sent where writes are not allowed.
CHARGED: Mapping[str, str] = {"v1_caller_trust_reputation_numbers_phone_get": "fresh"}


@dataclass(frozen=True)
class Outcome:
    """What the check of an operation came to; `answers` counts them by status, `reason` says why it was skipped."""

    operation: Operation
    verdict: Literal["pass", "fail", "skipped"]
    answers: Mapping[int, int] = field(default_factory=dict)
    failure: Failure | None = None
    reason: str = ""


class Check:
    """Checks a server that `send` leads to, in the name of a key; without `allow_writes` it only reads.

    `examples` is how many requests of each kind an operation gets; `pause` waits for so many seconds.
    """

    def __init__(
        self,
        spec: Spec,
        send: Send,
        key: str,
        pause: Callable[[float], object],
        *,
        examples: int = 10,
        seed: str = "0",
        allow_writes: bool = False,
    ) -> None:
        self._spec = spec if allow_writes else free_of_charge(spec)
        self._trial = Trial(send, key, pause, examples, seed)
        self._allow_writes = allow_writes
        self._links = Links(self._spec, contract_of_the_product())
        self._ids: dict[tuple[str, str], dict[str, None]] = {}  # by operation and parameter, in the order of finding

    def run(self, names: Sequence[str] = ()) -> Iterator[Outcome]:
        """Check these operations, or all.

        Raises ValueError for an unknown one, and StartError where the server is not there or refuses the key.
        """
        waiting = [operation_of(self._spec, name) for name in dict.fromkeys(names or self._spec.operations)]
        self._read_lists()
        waiting.sort(key=lambda operation: ORDER.index(operation.method))
        while (ready := next(filter(self._is_ready, waiting), None)) is not None:
            waiting.remove(ready)
            yield self._check(ready)
        for operation in waiting:
            yield Outcome(operation, "skipped", reason=self._why_not(operation))

    def _read_lists(self) -> None:
        """Read all that needs no id, once: for the ids in it."""
        for operation in self._spec.operations.values():
            if operation.method == "GET" and not parameters_of(operation):
                try:
                    answer = self._trial.ask(plain_request(operation))
                except NoAnswer as error:
                    raise StartError(f"the server does not answer: {error}") from error
                if answer.status == 401:
                    raise StartError(f"the server refuses the key: GET {operation.path} is answered with 401")
                self._note_ids(operation, answer)

    def _is_ready(self, operation: Operation) -> bool:
        allowed = self._allow_writes or operation.method == "GET"
        return allowed and all(self._ids.get((operation.id, name)) for name in parameters_of(operation))

    def _why_not(self, operation: Operation) -> str:
        if not self._allow_writes and operation.method != "GET":
            return "it writes, which --allow-writes allows"
        sources = [self._spec.operations[name] for name in self._links.sources(operation.id)]
        asked = [source for source in sources if self._allow_writes or source.method == "GET"]
        if not asked:
            return f"no id to use: {'only writes answer one' if sources else 'no operation answers one'}"
        return f"no id to use: none was in an answer of {' or '.join(f'{made.method} {made.path}' for made in asked)}"

    def _check(self, operation: Operation) -> Outcome:
        self._trial.answers.clear()
        path = {name: st.sampled_from(list(self._ids[operation.id, name])) for name in parameters_of(operation)}

        def drawn(kind: RequestKind) -> st.SearchStrategy[SampleRequest]:
            return requests(operation.id, kind=kind, path=path, spec=self._spec)

        ways = [(ANONYMOUS, drawn("valid")), (VALID, drawn("valid") | drawn("boundary"))]
        if operation.request is not None or operation.query:
            ways.append((INVALID, drawn("invalid")))
        failure = None
        for expected, strategy in ways:
            try:
                failure = self._trial.seek(operation, strategy, expected, partial(self._note_ids, operation))
            except Unsatisfiable:
                return Outcome(operation, "skipped", reason=f"no example was found of {expected.kind}")
            if failure is not None:
                break
        return _outcome(operation, dict(self._trial.answers), failure)

    def _note_ids(self, operation: Operation, answer: Answer) -> None:
        """Remember the ids in an answer of success."""
        if not 200 <= answer.status < 300:
            return
        try:
            body: JSON = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            return  # the verdict on it will tell
        for found in self._links.ids_in(operation.id, body):
            for taker in found.takers:
                self._ids.setdefault(taker, {})[found.value] = None


def _outcome(operation: Operation, answers: Mapping[int, int], failure: Failure | None) -> Outcome:
    if failure is not None:
        return Outcome(operation, "fail", answers, failure)
    if 429 in answers and answers.keys() <= {401, 429}:
        return Outcome(operation, "skipped", answers, reason="every request was answered with 429")
    return Outcome(operation, "pass", answers)


def parameters_of(operation: Operation) -> list[str]:
    """Return the names in the path of an operation."""
    return [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]


def free_of_charge(spec: Spec) -> Spec:
    """Return a contract without the parameters that make a read cost money."""
    document = dict(spec.document)
    document["paths"] = {
        path: {method: _without_charge(node) for method, node in item.items()}
        for path, item in spec.document["paths"].items()
    }
    return Spec(document)


def _without_charge(node: JSON) -> JSON:
    charged = CHARGED.get(node.get("operationId", "")) if isinstance(node, dict) else None
    if charged is None:
        return node
    return {**node, "parameters": [part for part in node.get("parameters", ()) if part["name"] != charged]}
