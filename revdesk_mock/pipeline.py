"""One request from top to bottom: the order on this page is the order of the API."""

import logging
import re
from collections.abc import Callable, Mapping
from hashlib import sha256

import orjson

from revdesk_mock import clock, json_body, timeline
from revdesk_mock.errors import ApiError, ContractViolation
from revdesk_mock.exchange import Exchange, Handler, Reply
from revdesk_mock.faults import control, outcome
from revdesk_mock.faults.failures import AFTER_COMMIT, BEFORE_AUTH, BEFORE_COMMIT
from revdesk_mock.ids import Dice
from revdesk_mock.journal import Journal, summary
from revdesk_mock.messages import JSON, Reason, Request, Response
from revdesk_mock.settings import Settings
from revdesk_mock.simulation import agent_modes, credentials, idempotency
from revdesk_mock.simulation.credentials import Credential
from revdesk_mock.simulation.idempotency import Submission
from revdesk_mock.spec import Operation, Spec
from revdesk_mock.trace import Trace
from revdesk_mock.validation import Validation
from revdesk_mock.world import World

log = logging.getLogger("revdesk_mock")

BREACH = "x-revdesk-mock-breach"
OWN_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,128}")
Locate = Callable[[str], tuple[World, Credential]]


class Pipeline:
    """The steps that every request under /v1 takes. `locate` finds the world of a bearer."""

    def __init__(
        self,
        spec: Spec,
        handlers: Mapping[str, Handler],
        settings: Settings,
        locate: Locate,
        journal: Journal,
        dice: Dice,
    ) -> None:
        self._spec = spec
        self._handlers = handlers
        self._policies = settings.policies
        self._base_url = settings.base_url
        self._prefix = settings.prefix
        self._locate = locate
        self._journal = journal
        self._dice = dice
        self._validation = Validation(spec)
        self._strict_validation = Validation(spec, reject_unknown_fields=True)
        self.breaches: list[str] = []

    async def handle(self, request: Request) -> Response:
        """Answer one request, whatever it is; never raises."""
        started = clock.stopwatch()
        trace = self._open_trace(request)
        try:
            response = await self._answer(trace)
        except ApiError as error:
            response = self._refuse(trace, error)
        except outcome.Lost as lost:
            response = lost.answer
        except ContractViolation as violation:
            response = self._breach(trace, str(violation))
        except Exception as error:
            log.exception("request %s failed", trace.request_id)
            response = self._breach(trace, f"{type(error).__name__} while answering")
        if trace.threatened:
            response = outcome.send(trace, response)
        self._note(trace, response, clock.stopwatch() - started)
        return response

    def _open_trace(self, request: Request) -> Trace:
        """Begin with whose request it is, though that is judged later: each world has policies of its own."""
        base_url = self._base_url(request.scheme, request.headers.get("host"))
        trace = Trace("", request, base_url, self._prefix, self._policies)
        try:
            trace.bearer = credentials.read_bearer(request.headers)
            trace.world, trace.credential = self._locate(trace.bearer)
            trace.policies = trace.world.policies
        except ApiError as refusal:
            trace.refusal = refusal
        trace.request_id = self._request_id(trace)
        return trace

    async def _answer(self, trace: Trace) -> Response:
        request, policies = trace.request, trace.policies
        operation, parameters = self._route(trace)
        trace.operation = operation

        trace.control = control.read(request.headers.get(control.HEADER))
        trace.threatened = bool(trace.control.failures or (trace.world and trace.world.faults))
        if trace.threatened:
            await outcome.fail(trace, BEFORE_AUTH)
        world, credential = self._admitted(trace)
        world.run_due()

        rate_limit = world.rate_limit(credential)
        trace.quota = rate_limit.hit(world.clock.now())
        behaviour = agent_modes.ordered(trace.control.agent, operation.id)

        if policies.scope_check == "before_validation":
            credentials.check_scope(credential, operation, policies)
        query = self._validation.read_query(operation, request.query)
        body = self._read_body(operation, trace)
        if policies.scope_check == "after_validation":
            credentials.check_scope(credential, operation, policies)
        exchange = Exchange(operation, credential, parameters, query, body, trace.base_url, behaviour)

        response = await self._carry_out(trace, world, exchange)
        if trace.threatened:
            await outcome.fail(trace, AFTER_COMMIT, response)
        return response

    async def _carry_out(self, trace: Trace, world: World, exchange: Exchange) -> Response:
        """Let a valid request be done once: by its handler, or by a replay of what its idempotency key stands for."""
        key = trace.request.headers.get("idempotency-key", "")  # an empty one is none: the contract admits any string
        if trace.request.method == "GET" or not key:
            if trace.threatened:
                await outcome.fail(trace, BEFORE_COMMIT)
            return self._run(trace, world, exchange)[0]

        submission = await self._submit(trace, world, exchange, key)
        if submission.response is not None:
            if trace.policies.idempotency_replay_counts == "no" and trace.quota is not None:
                trace.quota = world.rate_limit(exchange.credential).refund(trace.quota)
            return self._replay(trace, submission.response)
        memory, bound = world.idempotency, None  # a reset meanwhile begins another memory
        try:
            if trace.threatened:
                await outcome.fail(trace, BEFORE_COMMIT)
            response, bound = self._run(trace, world, exchange)
        finally:
            memory.finish(submission, bound, world.clock.now())
        return response

    def _admitted(self, trace: Trace) -> tuple[World, Credential]:
        """Return whose request it is; raises ApiError (401) where its bearer was refused."""
        if trace.world is None or trace.credential is None:
            raise trace.refusal or RuntimeError("neither admitted nor refused")
        return trace.world, trace.credential

    def _route(self, trace: Trace) -> tuple[Operation, Mapping[str, str]]:
        request = trace.request
        match = self._spec.match(request.method, request.path)
        if match.operation is not None:
            return match.operation, match.parameters
        if not match.allowed:
            raise ApiError(
                "route_not_found",
                f"No route {request.method} {request.path}.",
                Reason("route.path", "path", "a path of the contract", request.path),
            )
        allowed = ", ".join(match.allowed)
        raise ApiError(
            "method_not_allowed" if trace.policies.wrong_method_status == "405" else "route_not_found",
            f"{request.method} is not allowed here; {allowed} is.",
            Reason("route.method", "method", allowed, request.method),
            headers=[("allow", allowed)],
        )

    def _read_body(self, operation: Operation, trace: Trace) -> dict[str, JSON]:
        raw = json_body.read_bytes(trace.request, trace.policies)
        if operation.request is None or not (raw or operation.body_required):
            return dict(operation.body_defaults)
        json_body.check_content_type(trace.request, trace.policies)
        strict = trace.policies.unknown_body_fields == "reject"
        return (self._strict_validation if strict else self._validation).read_body(
            operation, json_body.read_object(raw)
        )

    async def _submit(self, trace: Trace, world: World, exchange: Exchange, key: str) -> Submission:
        """Find what this idempotency key stands for: a stored success, or this request, which takes the key."""
        idempotency.check_key(key, uuid_only=trace.policies.idempotency_key_format == "uuid")
        slot = (exchange.credential.bucket, key)
        mark = _fingerprint(trace, exchange.operation)
        while (found := world.idempotency.find(slot, mark, world.clock.now())) is not None:
            if found.response is not None:
                return found
            if trace.policies.idempotency_in_flight == "conflict" or found.fingerprint != mark:
                raise idempotency.conflict(found, "the first request with this key is still running")
            await world.idempotency.wait(found)
        return world.idempotency.begin(slot, mark, trace.request_id)

    def _run(self, trace: Trace, world: World, exchange: Exchange) -> tuple[Response, Response]:
        """Let the handler write and answer, in one transaction; return the answer and what a replay repeats of it."""
        operation = exchange.operation
        handler = self._handlers.get(operation.id)
        if handler is None:
            reason = Reason("operation.handler", operation.path, "an operation that is emulated", operation.id)
            raise ApiError("not_implemented", f"{operation.id} is not emulated yet.", reason)
        with world.store.transaction():
            reply = handler(world, exchange)
            body = self._validation.fit_response(operation, operation.success, _enveloped(reply))
        kept: tuple[tuple[str, str], ...] = ()
        if reply.location is not None and operation.success in {201, 202}:
            kept = (("location", trace.prefix + reply.location),)
        bound = Response(operation.success, kept, orjson.dumps(body))
        return self._respond(trace, bound.status, bound.body, *kept), bound

    def _replay(self, trace: Trace, stored: Response) -> Response:
        return self._respond(trace, stored.status, stored.body, *stored.headers, ("idempotency-replay", "true"))

    def _respond(self, trace: Trace, status: int, body: bytes, *headers: tuple[str, str]) -> Response:
        quota = trace.quota.headers() if trace.quota is not None else ()
        mine = (("content-type", "application/json"), ("x-request-id", trace.request_id))
        return Response(status, (*mine, *quota, *headers), body)

    def _refuse(self, trace: Trace, error: ApiError) -> Response:
        trace.code, trace.message, trace.reasons = error.code, error.message, error.reasons
        body = error.envelope()
        operation = trace.operation
        try:
            self._validation.check_error(operation.id if operation else "", body)
        except ContractViolation as violation:
            return self._breach(trace, str(violation))
        extra = [*error.headers, trace.explanation]
        if error.status in {401, 403}:
            extra.append(("www-authenticate", self._challenge(trace, error)))
        return self._respond(trace, error.status, orjson.dumps(body), *extra)

    def _challenge(self, trace: Trace, error: ApiError) -> str:
        """Write the Bearer challenge (documented: RFC 9728 metadata, and the scope on scope failures)."""
        parts = [f'realm="revdesk", resource_metadata="{trace.base_url}/.well-known/oauth-protected-resource"']
        if any(reason.rule == "auth.scope" for reason in error.reasons) and trace.operation:
            parts.append(f'error="insufficient_scope", scope="{credentials.required_scope(trace.operation)}"')
        elif error.status == 401 and trace.bearer:
            parts.append('error="invalid_token"')
        return f"Bearer {', '.join(parts)}"

    def _breach(self, trace: Trace, detail: str) -> Response:
        """Answer for a bug of ours: logged, counted and marked, and nothing of it in the body."""
        self.breaches.append(detail)
        if trace.world is not None:
            trace.world.breaches.append(detail)
            trace.world.timeline.add(timeline.BREACH, detail, request_id=trace.request_id)
        log.error("contract breach in request %s: %s", trace.request_id, detail)
        trace.code, trace.message = "internal_error", detail
        trace.reasons = (Reason("emulator.breach", trace.operation.id if trace.operation else "", "", detail),)
        error = ApiError("internal_error", "The emulator could not answer by its contract.")
        return self._respond(trace, error.status, orjson.dumps(error.envelope()), trace.explanation, (BREACH, "1"))

    def _request_id(self, trace: Trace) -> str:
        sent = trace.request.headers.get("x-request-id", "")
        if trace.policies.request_id == "echo" and OWN_REQUEST_ID.fullmatch(sent):
            return sent
        return f"req_{self._dice.hex(24)}"

    def _note(self, trace: Trace, response: Response, took: float) -> None:
        entry = trace.entry(response, took)
        self._journal.add(entry)
        if trace.world is not None:
            trace.world.journal.add(entry)
            trace.world.timeline.note(timeline.REQUEST, summary, entry)


def _fingerprint(trace: Trace, operation: Operation) -> bytes:
    request, body = trace.request, trace.request.body or b""
    if body and operation.request is not None and trace.policies.idempotency_body == "canonical":
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    return sha256(b"\0".join((request.method.encode(), request.path.encode(), request.query.encode(), body))).digest()


def _enveloped(reply: Reply) -> JSON:
    return {"data": reply.data} if reply.meta is None else {"data": reply.data, "meta": reply.meta}
