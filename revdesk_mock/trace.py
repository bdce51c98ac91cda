"""What is known of one request on its way through the pipeline, up to its place in the journal."""

from dataclasses import dataclass

from revdesk_mock import clock
from revdesk_mock.errors import ApiError
from revdesk_mock.faults.control import NOTHING, Control
from revdesk_mock.journal import Entry, describe_request, describe_response, redact, redact_reasons
from revdesk_mock.messages import Reason, Request, Response
from revdesk_mock.settings import Policies
from revdesk_mock.simulation.credentials import Credential
from revdesk_mock.simulation.rate_limit import Quota
from revdesk_mock.spec import Operation
from revdesk_mock.world import World

EXPLAIN = "x-revdesk-mock-explain"


@dataclass(slots=True)
class Trace:
    """What is known of a request so far: enough to answer it at whatever step it is refused."""

    request_id: str
    request: Request
    base_url: str
    prefix: str  # of every path, from a public URL
    policies: Policies
    bearer: str = ""
    refusal: ApiError | None = None  # of its bearer
    control: Control = NOTHING
    threatened: bool = False  # whether anything may fail: a request in peace pays no more for faults
    operation: Operation | None = None
    world: World | None = None
    credential: Credential | None = None
    quota: Quota | None = None
    reasons: tuple[Reason, ...] = ()
    code: str | None = None
    message: str | None = None
    fault: str | None = None  # what failed on order

    @property
    def explanation(self) -> tuple[str, str]:
        """The header that leads to why it was refused."""
        return EXPLAIN, f"{self.prefix}/_revdesk/explain/{self.request_id}"

    def entry(self, response: Response, took: float) -> Entry:
        """Return the request and its answer, `took` seconds after it came, as the journal keeps them."""
        path, query, headers, body = describe_request(self.request, self.bearer)
        answer_headers, answer = describe_response(response, self.bearer)
        world = self.world
        return Entry(
            request_id=self.request_id,
            at=clock.wall(),
            world_at=world.clock.now() if world else None,
            took=took,
            method=self.request.method,
            path=path,
            query=query,
            headers=headers,
            body=body,
            world=world.id if world else None,
            api_key_id=self.credential.id if self.credential else None,
            operation=self.operation.id if self.operation else None,
            status=response.status,
            code=self.code,
            message=self.message and redact(self.message, self.bearer),
            reasons=self.reasons and redact_reasons(self.reasons, self.bearer),
            answer_headers=answer_headers,
            answer=answer,
            fault=self.fault,
        )
