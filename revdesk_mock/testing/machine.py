"""A state machine over the contract: it asks what may be asked next, judges each answer, and keeps the ids in it."""

from collections.abc import Sequence

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, multiple, rule

from revdesk_mock.spec import Operation, Spec
from revdesk_mock.testing.links import Id, Links
from revdesk_mock.testing.queries import plain_request
from revdesk_mock.testing.samples import RequestKind, SampleRequest
from revdesk_mock.testing.strategies import contract_of_the_product, operation_of, requests
from revdesk_mock.testing.trial import INVALID, VALID
from revdesk_mock.testing.verdicts import Verdicts
from revdesk_mock.testing.wire import Answer, Send

ids: Bundle[Id] = Bundle("ids")


def ids_for(operation: str) -> st.SearchStrategy[str]:
    """Return the ids that were answered so far and that an operation, by its id, takes in its path: for a rule."""
    return ids.filter(lambda found: found.parameter_of(operation) is not None).map(lambda found: found.value)


class ContractMachine(RuleBasedStateMachine):
    """Asks a server that `send` leads to for its operations, in the name of a key, in any order.

    A subclass says in its `__init__` which server, and adds rules and invariants of its own; a rule's answers go into
    the bundle with `target=ids`. `operations` are the ids of those that are asked for (empty: all), `kinds` the kinds
    of requests. Raises ValueError for an unknown operation.
    """

    def __init__(
        self,
        send: Send,
        key: str,
        *,
        operations: Sequence[str] = (),
        kinds: Sequence[RequestKind] = ("valid", "boundary", "invalid"),
        spec: Spec | None = None,
    ) -> None:
        super().__init__()
        self._send = send
        self._key = key
        self._spec = spec or contract_of_the_product()
        names = operations or list(self._spec.operations)
        self._asked = {made.id: made for made in (operation_of(self._spec, name) for name in names)}
        self._plain = [name for name, operation in self._asked.items() if "{" not in operation.path]
        self._kinds = kinds
        self._links = Links(self._spec, contract_of_the_product())
        self._verdicts = Verdicts()
        self._known: set[Id] = set()

    @initialize(target=ids)
    def read_lists(self) -> MultipleResults[Id]:
        """Read what answers ids for the operations that are asked for: those that are there at the beginning."""
        sources = {source: None for name in self._asked for source in self._links.sources(name)}
        reads = [self._spec.operations[name] for name in sources if self._spec.operations[name].method == "GET"]
        asked = [plain_request(made) for made in reads if "{" not in made.path]
        return multiple(*(found for request in asked for found in self._fresh(request, self.ask(request))))

    @rule(target=ids, data=st.data())
    def ask_for_what_needs_no_id(self, data: st.DataObject) -> MultipleResults[Id]:
        """Ask for an operation without an id in its path."""
        if not self._plain:
            return multiple()
        operation = self._asked[data.draw(st.sampled_from(self._plain))]
        request = data.draw(requests(operation.id, kind=self._kind(operation, data), spec=self._spec))
        return self.ids_in(request, self.ask(request))

    @rule(target=ids, data=st.data(), known=ids)
    def ask_about_an_id(self, data: st.DataObject, known: Id) -> MultipleResults[Id]:
        """Ask for an operation with an id that was in an answer."""
        takers = [(name, parameter) for name, parameter in known.takers if name in self._asked]
        if not takers:
            return multiple()
        name, parameter = data.draw(st.sampled_from(takers))
        kind = self._kind(self._asked[name], data)
        request = data.draw(requests(name, kind=kind, path={parameter: known.value}, spec=self._spec))
        return self.ids_in(request, self.ask(request))

    def ask(self, request: SampleRequest) -> Answer:
        """Send a request and return its answer; an answer against the contract is an AssertionError, told with curl."""
        headers = {**request.headers, "Authorization": f"Bearer {self._key}"}
        answer = Answer(*self._send(request.method, request.target, request.body, headers))
        expected = INVALID if request.fault else VALID
        operation = self._spec.operations[request.operation]
        complaint = self._verdicts.complaint(operation, answer) or expected.complaint(request, answer)
        if complaint is not None:
            raise AssertionError(f"{expected.kind}: {complaint}\n{request.curl()}")
        return answer

    def ids_in(self, request: SampleRequest, answer: Answer) -> MultipleResults[Id]:
        """Return the ids in an answer that were not there before: what a rule with `target=ids` returns."""
        return multiple(*self._fresh(request, answer))

    def _fresh(self, request: SampleRequest, answer: Answer) -> list[Id]:
        if answer.status >= 300:
            return []
        found = self._links.ids_in(request.operation, orjson.loads(answer.body))
        fresh = [made for made in found if made not in self._known]
        self._known.update(fresh)
        return fresh

    def _kind(self, operation: Operation, data: st.DataObject) -> RequestKind:
        can_be_broken = operation.request is not None or operation.query
        kinds = [kind for kind in self._kinds if kind != "invalid" or can_be_broken]
        return data.draw(st.sampled_from(kinds)) if kinds else "valid"
